//! Attempts looked up: by key, order, state, time, or whatever a person has of one.

use jiff::Timestamp;
use rusqlite::params;
use zeroize::Zeroizing;

use super::{Attempt, REFERENCE_OFFSET, existing, read, select};
use crate::ledger::state::{IN_DOUBT, OPEN, PAID};
use crate::ledger::{Ledger, LedgerError, State};
use crate::service::PaymentKey;

/// How a text names attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// By this ledger's number for one.
    Reference,
    /// By the merchant's order, or an attempt's order id at the gateway.
    Order,
    /// By Openpay's id of the charge.
    Charge,
    /// By the bank's authorization number, which two payments may share.
    Authorization,
    /// By what the caller keyed: the number of an account, which may have many payments, or a payment key.
    Keyed,
}

impl Ledger {
    /// The attempt with this number.
    ///
    /// # Errors
    /// [`LedgerError::Missing`] if there is none; [`LedgerError::Storage`].
    pub fn attempt(&self, id: i64) -> Result<Attempt, LedgerError> {
        existing(&self.lock(), id)
    }

    /// How many attempts are open ([`State::is_open`]).
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn open_attempts(&self) -> Result<u64, LedgerError> {
        let count = format!("SELECT count(*) FROM attempt WHERE state IN {OPEN}");
        let count: i64 = self.lock().query_row(&count, [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// The attempt that paid this key or found its order paid elsewhere, if there is one. What was paid of a key that may be
    /// paid again keeps it from nothing: there is none.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn payment_of(&self, key: &PaymentKey) -> Result<Option<Attempt>, LedgerError> {
        if !key.is_paid_once() {
            return Ok(None);
        }
        let paid = self.query(&format!("WHERE key_digits = ?1 AND state IN {PAID}"), &[&key.expose()])?;
        Ok(paid.into_iter().next())
    }

    /// The attempt of this key that is in doubt ([`State::is_in_doubt`]), if there is one.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn open_attempt_of(&self, key: &PaymentKey) -> Result<Option<Attempt>, LedgerError> {
        let Some((first, last)) = key.all_recorded() else { return Ok(None) };
        let clause = format!("WHERE key_digits BETWEEN ?1 AND ?2 AND state IN {IN_DOUBT} ORDER BY id");
        let open = self.query(&clause, &[&first.as_str(), &last.as_str()])?;
        Ok(open.into_iter().next())
    }

    /// Attempts reserved from `from` to before `until`, oldest first.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn attempts_between(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Attempt>, LedgerError> {
        let clause = "WHERE created_ms >= ?1 AND created_ms < ?2 ORDER BY id";
        self.query(clause, &[&from.as_millisecond(), &until.as_millisecond()])
    }

    /// How many charges of this key were declined since then.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn declines_of(&self, key: &PaymentKey, since: Timestamp) -> Result<u32, LedgerError> {
        let Some((first, last)) = key.all_recorded() else { return Ok(0) };
        let count = "SELECT count(*) FROM attempt WHERE key_digits BETWEEN ?1 AND ?2 AND state = 'declined'
                     AND updated_ms >= ?3";
        let values = params![first.as_str(), last.as_str(), since.as_millisecond()];
        Ok(self.lock().prepare_cached(count)?.query_row(values, |row| row.get(0))?)
    }

    /// Attempts in one state, oldest first.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn attempts_in(&self, state: State) -> Result<Vec<Attempt>, LedgerError> {
        self.query("WHERE state = ?1 ORDER BY id", &[&state.name()])
    }

    /// Attempts given up since then whose order id at the gateway no later attempt uses, oldest first.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn lapsed_since(&self, since: Timestamp) -> Result<Vec<Attempt>, LedgerError> {
        let clause = "WHERE state = 'lapsed' AND updated_ms >= ?1 AND NOT EXISTS (SELECT 1 FROM attempt AS later
                      WHERE later.gateway_order_id = attempt.gateway_order_id AND later.id > attempt.id) ORDER BY id";
        self.query(clause, &[&since.as_millisecond()])
    }

    /// The latest attempts, newest first.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn latest_attempts(&self, limit: u32) -> Result<Vec<Attempt>, LedgerError> {
        self.query("ORDER BY id DESC LIMIT ?1", &[&limit])
    }

    /// Attempts this names in any of the ways there are, oldest first; one text may name several: an order's number may
    /// be another attempt's reference.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn find_attempts(&self, text: &str) -> Result<Vec<Attempt>, LedgerError> {
        let clause = "WHERE order_id = ?1 OR gateway_order_id = ?1 OR charge_id = ?1 OR authorization = ?1 OR id = ?2
                      OR key_digits = ?1 OR key_digits BETWEEN ?3 AND ?4 ORDER BY id";
        let (first, last) = of_account(text);
        self.query(clause, &[&text, &id_of(text), &first.as_str(), &last.as_str()])
    }

    /// Attempts this names in one way, oldest first.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn find_attempts_by(&self, naming: Naming, text: &str) -> Result<Vec<Attempt>, LedgerError> {
        match naming {
            Naming::Reference => self.query("WHERE id = ?1", &[&id_of(text)]),
            Naming::Order => self.query("WHERE order_id = ?1 OR gateway_order_id = ?1 ORDER BY id", &[&text]),
            Naming::Charge => self.query("WHERE charge_id = ?1 ORDER BY id", &[&text]),
            Naming::Authorization => self.query("WHERE authorization = ?1 ORDER BY id", &[&text]),
            Naming::Keyed => {
                let (first, last) = of_account(text);
                let clause = "WHERE key_digits = ?1 OR key_digits BETWEEN ?2 AND ?3 ORDER BY id";
                self.query(clause, &[&text, &first.as_str(), &last.as_str()])
            }
        }
    }

    fn query(&self, clause: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<Attempt>, LedgerError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&select(clause))?;
        Ok(statement.query_map(values, read)?.collect::<Result<_, _>>()?)
    }
}

/// The texts between which is what was recorded of an account's orders. No key has none, and neither has an empty text.
fn of_account(digits: &str) -> (Zeroizing<String>, Zeroizing<String>) {
    PaymentKey::account(digits).all_recorded().unwrap_or_default()
}

/// The number of the attempt with this reference; 0, which none has, if it is no reference.
fn id_of(reference: &str) -> i64 {
    reference.parse::<i64>().ok().and_then(|number| number.checked_sub(REFERENCE_OFFSET)).unwrap_or(0)
}
