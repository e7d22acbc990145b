//! Charge attempts: reserved, sent, settled.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior, params};

use super::column::{centavos, money, time, unreadable};
use super::refunds::OPEN_REFUND;
use super::state::{LIVE, OPEN, PAID};
use super::{Ledger, LedgerError, Outcome, State, audit};
use crate::card::{Brand, LastFour};
use crate::money::Money;
use crate::order_id;
use crate::service::{Authorization, PaymentKey};

mod by_hand;
mod look_up;
mod outcome;
#[cfg(test)]
mod tests;

pub use by_hand::{ByHand, MAY_TURN_UP, Seen};
pub use look_up::Naming;
use outcome::{detail, set_outcome, write_down};

/// Added to an attempt's number so that every spoken reference has at least six digits.
const REFERENCE_OFFSET: i64 = 100_000;
/// Fewest and most digits of a bank's authorization number that are spoken as the reference.
const SPOKEN_AUTHORIZATION: std::ops::RangeInclusive<usize> = 6..=12;

/// A charge about to be made. What of the card may be kept is all of the card it has.
pub struct NewAttempt<'a> {
    /// The key being paid.
    pub key: &'a PaymentKey,
    /// What the authorizer allowed.
    pub authorization: &'a Authorization,
    /// The card's brand.
    pub brand: Brand,
    /// The card's last four digits.
    pub last_four: LastFour,
    /// Months without interest.
    pub months: Option<u8>,
}

/// A charge attempt as the ledger knows it.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Its number in the ledger, from 1.
    pub id: i64,
    /// The payment key; prints masked.
    pub key: PaymentKey,
    /// The merchant's order.
    pub order_id: String,
    /// The order id at the gateway: the order's, with a suffix for later attempts (see [`order_id`]; older ledgers have
    /// `-2`, `-3`).
    pub gateway_order_id: String,
    /// What is charged.
    pub amount: Money,
    /// Shown on the charge.
    pub description: String,
    /// The card's brand, by name.
    pub brand: String,
    /// The card's last four digits.
    pub last_four: String,
    /// Months without interest.
    pub months: Option<u8>,
    /// Where it stands.
    pub state: State,
    /// Openpay's id of the charge; with [`State::Elsewhere`] that of the charge that paid the order, and so are the
    /// authorization number and the card.
    pub charge_id: Option<String>,
    /// The bank's authorization number.
    pub authorization: Option<String>,
    /// Openpay's error code of a decline.
    pub error_code: Option<u32>,
    /// How much of it has been given back.
    pub refunded: Money,
    /// How much may have been: refunds whose outcome is not known yet.
    pub refund_open: Money,
    /// When it was reserved.
    pub created: Timestamp,
    /// When it was about to be sent.
    pub sent: Option<Timestamp>,
    /// When its state last changed.
    pub updated: Timestamp,
}

/// Why a key can't be charged now: another attempt of the same key or order.
#[derive(Debug, Clone)]
pub enum Conflict {
    /// It succeeded, or its order is paid elsewhere.
    Paid(Box<Attempt>),
    /// It has not ended, or nobody knows how.
    Open(Box<Attempt>),
}

impl Attempt {
    /// At least six digits for the caller to write down: the bank's authorization number where it is one that can be
    /// spoken, else this ledger's number.
    pub fn reference(&self) -> String {
        let speakable = |text: &&String| {
            SPOKEN_AUTHORIZATION.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        self.authorization.as_ref().filter(speakable).cloned().unwrap_or_else(|| self.ledger_reference())
    }

    /// This ledger's number for it, at least six digits.
    pub fn ledger_reference(&self) -> String {
        reference_of(self.id)
    }
}

/// What an attempt is known by outside this ledger, and the commands take.
pub(super) fn reference_of(id: i64) -> String {
    REFERENCE_OFFSET.saturating_add(id).to_string()
}

impl Ledger {
    /// Reserves an order id at the gateway for a new charge, unless the key or the order is paid or being paid.
    ///
    /// # Errors
    /// [`LedgerError::Storage`]: nothing must be sent.
    pub fn prepare_attempt(&self, new: &NewAttempt<'_>) -> Result<Result<Attempt, Conflict>, LedgerError> {
        let now = self.now_ms();
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some(conflict) = find_conflict(&transaction, new.key, &new.authorization.order_id)? {
            return Ok(Err(conflict));
        }
        let gateway_order_id = free_gateway_order_id(&transaction, &new.authorization.order_id)?;
        insert(&transaction, new, &gateway_order_id, now)?;
        let id = transaction.last_insert_rowid();
        let detail = format!("{gateway_order_id} {} {} {}", new.authorization.amount, new.brand.name(), new.last_four);
        audit::append(&transaction, now, &format!("attempt {id}"), "prepared", &detail)?;
        let attempt = find(&transaction, id)?;
        transaction.commit()?;
        Ok(Ok(attempt))
    }

    /// The attempt that keeps this key or this order from being charged, if there is one.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn find_conflict(&self, key: &PaymentKey, order_id: &str) -> Result<Option<Conflict>, LedgerError> {
        Ok(find_conflict(&self.lock(), key, order_id)?)
    }

    /// Records that the charge is about to be sent. Only after this has returned may it be.
    ///
    /// # Errors
    /// [`LedgerError::Transition`] if the attempt has ended (another process found it stale); [`LedgerError::Storage`].
    pub fn mark_sent(&self, id: i64) -> Result<(), LedgerError> {
        let now = self.now_ms();
        self.step(id, State::Sent, "", None, |transaction| {
            transaction.execute(
                "UPDATE attempt SET state = 'sent', sent_ms = ?2, updated_ms = ?2 WHERE id = ?1",
                params![id, now],
            )?;
            Ok(())
        })
        .map(drop)
    }

    /// Records how the attempt ended, or that nobody knows yet. Recording the same twice changes nothing.
    ///
    /// # Errors
    /// [`LedgerError::Transition`] if it ended otherwise before; [`LedgerError::Storage`].
    pub fn settle(&self, id: i64, outcome: &Outcome) -> Result<Attempt, LedgerError> {
        let now = self.now_ms();
        self.step(id, outcome.state(), &detail(outcome), Some(outcome), |transaction| {
            set_outcome(transaction, &find(transaction, id)?, outcome, now)
        })
    }

    /// Takes one step of an attempt's life, with its line in the audit trail and its notification, in one transaction.
    fn step(
        &self,
        id: i64,
        to: State,
        detail: &str,
        told: Option<&Outcome>,
        change: impl FnOnce(&Transaction<'_>) -> Result<(), LedgerError>,
    ) -> Result<Attempt, LedgerError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let before = existing(&transaction, id)?;
        if !before.state.may_become(to) {
            return Err(LedgerError::Transition { id, from: before.state, to });
        }
        if before.state == to {
            return Ok(before);
        }
        change(&transaction)?;
        let after = write_down(&transaction, id, detail, told, self.now_ms())?;
        transaction.commit()?;
        Ok(after)
    }
}

fn find_conflict(
    connection: &Connection,
    key: &PaymentKey,
    order_id: &str,
) -> Result<Option<Conflict>, rusqlite::Error> {
    // An account is paid again and again, but not while nobody knows how a charge of it ended.
    let clause = format!(
        "WHERE (key_digits = ?1 OR order_id = ?2) AND state IN {LIVE}
                  OR key_digits BETWEEN ?3 AND ?4 AND state IN {OPEN}
                  ORDER BY state IN {PAID} DESC, id LIMIT 1"
    );
    let recorded = key.recorded(order_id);
    let (first, last) = key.all_recorded().unwrap_or_else(|| (recorded.clone(), recorded.clone()));
    let mut statement = connection.prepare_cached(&select(&clause))?;
    let found = statement.query_row([recorded.as_str(), order_id, &first, &last], read).optional()?;
    Ok(found.map(|attempt| match attempt.state {
        state if state.is_paid() => Conflict::Paid(Box::new(attempt)),
        _ => Conflict::Open(Box::new(attempt)),
    }))
}

/// The order's own id, or that of the first later attempt that no charge the gateway may know has.
fn free_gateway_order_id(transaction: &Transaction<'_>, order_id: &str) -> Result<String, rusqlite::Error> {
    let mut taken = transaction
        .prepare_cached("SELECT 1 FROM attempt WHERE gateway_order_id = ?1 AND state NOT IN ('lapsed', 'abandoned')")?;
    let mut number = 1_u32;
    loop {
        let candidate = order_id::at_gateway(order_id, number);
        if !taken.exists([&candidate])? {
            return Ok(candidate);
        }
        number += 1;
    }
}

fn insert(
    transaction: &Transaction<'_>,
    new: &NewAttempt<'_>,
    gateway_order_id: &str,
    now: i64,
) -> Result<(), rusqlite::Error> {
    let authorization = new.authorization;
    transaction
        .execute(
            "INSERT INTO attempt (key_digits, order_id, gateway_order_id, centavos, currency, description, brand,
             last_four, months, state, created_ms, updated_ms, name_prefix)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'prepared', ?10, ?10, lower(hex(randomblob(8))))",
            params![
                new.key.recorded(&authorization.order_id).as_str(),
                authorization.order_id,
                gateway_order_id,
                centavos(authorization.amount)?,
                authorization.amount.currency.code(),
                authorization.description,
                new.brand.name(),
                new.last_four.to_string(),
                new.months,
                now,
            ],
        )
        .map(drop)
}

/// A query for attempts, as [`read`] wants them.
fn select(clause: &str) -> String {
    format!(
        "SELECT id, key_digits, order_id, gateway_order_id, centavos, currency, description, brand, last_four, months, state,
         charge_id, authorization, error_code, created_ms, sent_ms, updated_ms,
         (SELECT coalesce(sum(refund.centavos), 0) FROM refund
          WHERE refund.attempt = attempt.id AND refund.state = 'refunded'),
         (SELECT coalesce(sum(refund.centavos), 0) FROM refund
          WHERE refund.attempt = attempt.id AND refund.state IN {OPEN_REFUND})
         FROM attempt {clause}"
    )
}

fn find(connection: &Connection, id: i64) -> Result<Attempt, rusqlite::Error> {
    connection.prepare_cached(&select("WHERE id = ?1"))?.query_row([id], read)
}

pub(super) fn existing(connection: &Connection, id: i64) -> Result<Attempt, LedgerError> {
    find(connection, id).optional()?.ok_or_else(|| LedgerError::Missing(format!("attempt {}", reference_of(id))))
}

fn read(row: &Row<'_>) -> Result<Attempt, rusqlite::Error> {
    let state: String = row.get(10)?;
    Ok(Attempt {
        id: row.get(0)?,
        key: PaymentKey::new(row.get::<_, String>(1)?),
        order_id: row.get(2)?,
        gateway_order_id: row.get(3)?,
        amount: money(row, 4, 5)?,
        description: row.get(6)?,
        brand: row.get(7)?,
        last_four: row.get(8)?,
        months: row.get(9)?,
        state: State::parse(&state).ok_or_else(|| unreadable(10, &state))?,
        charge_id: row.get(11)?,
        authorization: row.get(12)?,
        error_code: row.get(13)?,
        refunded: money(row, 17, 5)?,
        refund_open: money(row, 18, 5)?,
        created: time(row.get(14)?),
        sent: row.get::<_, Option<i64>>(15)?.map(time),
        updated: time(row.get(16)?),
    })
}
