//! Refunds: each is written down before it is sent, and of an attempt's refunds one at most is open.
//!
//! ```text
//! Refunding ──> Refunded | Failed | Unknown
//! Unknown ────> Refunded | Failed
//! Failed ─────> Refunded
//! ```
//!
//! A unique index keeps a second one from being sent while one is open, between threads and processes alike, and after a
//! crash. One that was given up may turn up late; [`RefundState::Refunded`] is final, by a trigger.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

use super::{Ledger, LedgerError, attempts, audit, column, outbox};
use crate::money::Money;

/// The states of [`RefundState::is_open`], for a query.
pub(super) const OPEN_REFUND: &str = "('refunding', 'unknown')";

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefundState {
    /// It is on its way, or its answer is; or the process that sent it has died.
    Refunding,
    /// Its answer was lost, and the gateway has not told yet whether it was made.
    Unknown,
    /// The money was given back. Final.
    Refunded,
    /// It was not made.
    Failed,
}

/// What the gateway told of a charge's refunds before one was sent: what differs afterwards is that one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ToldBefore {
    /// The id of the refund it told of.
    pub id: Option<String>,
    /// Its amount in hundredths.
    pub centavos: Option<u64>,
}

/// A refund as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Its number in the ledger, from 1.
    pub id: i64,
    /// The attempt whose money it gives back.
    pub attempt: i64,
    /// How much.
    pub amount: Money,
    /// Where it stands.
    pub state: RefundState,
    /// What the gateway told before it was sent.
    pub before: ToldBefore,
    /// When it was about to be sent.
    pub created: Timestamp,
    /// When its state last changed.
    pub updated: Timestamp,
}

/// Why a refund is not begun; nothing was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRefund {
    /// Another one of the attempt's has not ended.
    Open(Refund),
    /// All of it has been given back.
    NothingLeft,
    /// The amount is nothing, or more than is left.
    Beyond {
        /// What is left.
        left: Money,
    },
}

impl RefundState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Refunding, Self::Unknown, Self::Refunded, Self::Failed];

    /// Its name in the ledger.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refunding => "refunding",
            Self::Unknown => "unknown",
            Self::Refunded => "refunded",
            Self::Failed => "failed",
        }
    }

    /// Whether nobody knows yet if the money was given back.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Refunding | Self::Unknown)
    }

    /// The audit trail's event of a step to it, of an attempt.
    const fn event(self) -> &'static str {
        match self {
            Self::Refunding => "refunding",
            Self::Unknown => "refund unknown",
            Self::Refunded => "refunded",
            Self::Failed => "refund failed",
        }
    }

    const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Refunding => !matches!(next, Self::Refunding),
            Self::Unknown => matches!(next, Self::Refunded | Self::Failed),
            Self::Failed => matches!(next, Self::Refunded),
            Self::Refunded => false,
        }
    }
}

impl Ledger {
    /// Writes down that so much of an attempt, or else what is left of it, is about to be given back. Only after this has
    /// returned a refund may it be sent.
    ///
    /// # Errors
    /// [`LedgerError::Missing`] if there is no such attempt; [`LedgerError::Storage`]: nothing must be sent.
    pub fn begin_refund(
        &self,
        attempt: i64,
        amount: Option<Money>,
        before: &ToldBefore,
    ) -> Result<Result<Refund, NoRefund>, LedgerError> {
        let now = self.now_ms();
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let paid = attempts::existing(&transaction, attempt)?;
        if let Some(open) = open_of(&transaction, attempt)? {
            return Ok(Err(NoRefund::Open(open)));
        }
        let whole = paid.amount;
        let left = whole.centavos.saturating_sub(paid.refunded.centavos);
        if left == 0 {
            return Ok(Err(NoRefund::NothingLeft));
        }
        let left = Money { centavos: left, ..whole };
        let amount = amount.unwrap_or(left);
        if amount.centavos == 0 || amount.centavos > left.centavos || amount.currency != left.currency {
            return Ok(Err(NoRefund::Beyond { left }));
        }
        let told = before.centavos.map(|centavos| column::centavos(Money { centavos, ..whole })).transpose()?;
        transaction.execute(
            "INSERT INTO refund (attempt, centavos, state, before_id, before_centavos, created_ms, updated_ms)
             VALUES (?1, ?2, 'refunding', ?3, ?4, ?5, ?5)",
            params![attempt, column::centavos(amount)?, before.id, told, now],
        )?;
        let refund = find(&transaction, transaction.last_insert_rowid())?;
        write_down(&transaction, &refund, "", now)?;
        transaction.commit()?;
        Ok(Ok(refund))
    }

    /// Records how a refund ended, or that nobody knows, and why; that it was made, with the merchant's notification. What is
    /// not a step, such as the same again, or another end of one that was made, changes nothing; gives the refund as it is then.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn settle_refund(&self, id: i64, state: RefundState, why: &str) -> Result<Refund, LedgerError> {
        let now = self.now_ms();
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let before = find(&transaction, id)?;
        if !before.state.may_become(state) {
            return Ok(before);
        }
        transaction
            .execute("UPDATE refund SET state = ?2, updated_ms = ?3 WHERE id = ?1", params![id, state.name(), now])?;
        let after = find(&transaction, id)?;
        write_down(&transaction, &after, why, now)?;
        if state == RefundState::Refunded {
            outbox::enqueue_refund(&transaction, &attempts::existing(&transaction, after.attempt)?, &after, now)?;
        }
        transaction.commit()?;
        Ok(after)
    }

    /// The attempt's refund that has not ended, if there is one.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn open_refund_of(&self, attempt: i64) -> Result<Option<Refund>, LedgerError> {
        Ok(open_of(&self.lock(), attempt)?)
    }

    /// All refunds of an attempt, however they ended, oldest first.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn refunds_of(&self, attempt: i64) -> Result<Vec<Refund>, LedgerError> {
        self.refunds("WHERE refund.attempt = ?1 ORDER BY refund.id", &[&attempt])
    }

    /// Refunds sent from one time to before another, oldest first.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn refunds_between(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Refund>, LedgerError> {
        let clause = "WHERE refund.created_ms >= ?1 AND refund.created_ms < ?2 ORDER BY refund.id";
        self.refunds(clause, &[&from.as_millisecond(), &until.as_millisecond()])
    }

    /// All refunds that have not ended, oldest first.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn open_refunds(&self) -> Result<Vec<Refund>, LedgerError> {
        self.refunds(&format!("WHERE refund.state IN {OPEN_REFUND} ORDER BY refund.id"), &[])
    }

    fn refunds(&self, clause: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<Refund>, LedgerError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&format!("{SELECT} {clause}"))?;
        Ok(statement.query_map(values, read)?.collect::<Result<_, _>>()?)
    }
}

fn write_down(connection: &Connection, refund: &Refund, why: &str, now: i64) -> Result<(), rusqlite::Error> {
    let amount = refund.amount;
    let detail = if why.is_empty() { amount.to_string() } else { format!("{amount}: {why}") };
    audit::append(connection, now, &format!("attempt {}", refund.attempt), refund.state.event(), &detail)
}

const SELECT: &str = "SELECT refund.id, refund.attempt, refund.centavos, attempt.currency, refund.state, before_id,
    before_centavos, refund.created_ms, refund.updated_ms FROM refund JOIN attempt ON attempt.id = refund.attempt";

fn find(connection: &Connection, id: i64) -> Result<Refund, rusqlite::Error> {
    connection.prepare_cached(&format!("{SELECT} WHERE refund.id = ?1"))?.query_row([id], read)
}

fn open_of(connection: &Connection, attempt: i64) -> Result<Option<Refund>, rusqlite::Error> {
    let open = format!("{SELECT} WHERE refund.attempt = ?1 AND refund.state IN {OPEN_REFUND}");
    connection.prepare_cached(&open)?.query_row([attempt], read).optional()
}

fn read(row: &Row<'_>) -> Result<Refund, rusqlite::Error> {
    let state: String = row.get(4)?;
    let known = RefundState::ALL.into_iter().find(|known| known.name() == state);
    let before = row.get::<_, Option<i64>>(6)?.and_then(|centavos| u64::try_from(centavos).ok());
    Ok(Refund {
        id: row.get(0)?,
        attempt: row.get(1)?,
        amount: column::money(row, 2, 3)?,
        state: known.ok_or_else(|| column::unreadable(4, &state))?,
        before: ToldBefore { id: row.get(5)?, centavos: before },
        created: column::time(row.get(7)?),
        updated: column::time(row.get(8)?),
    })
}

#[cfg(test)]
mod tests {
    use super::RefundState::{Failed, Refunded, Refunding, Unknown};
    use super::*;
    use crate::ledger::bench;

    const TEN: Money = Money::mxn(1_000);

    #[test]
    fn queries_mean_the_states_that_are_open() {
        for state in RefundState::ALL {
            assert_eq!(OPEN_REFUND.contains(&format!("'{}'", state.name())), state.is_open(), "{}", state.name());
        }
    }

    fn with_refund() -> (Ledger, Refund) {
        let (ledger, _) = bench::ledger();
        let attempt = bench::ended(&ledger, "257139", "ord-1", Money::mxn(20_000), &bench::approved());
        let refund = ledger.begin_refund(attempt, Some(TEN), &ToldBefore::default()).unwrap().unwrap();
        (ledger, refund)
    }

    /// The table above, step by step; what is no step leaves no line in the audit trail.
    #[test]
    fn the_steps_are_the_documented_ones() {
        for (way, steps) in [
            (&[][..], &[Refunded, Failed, Unknown][..]),
            (&[Unknown], &[Refunded, Failed]),
            (&[Failed], &[Refunded]),
            (&[Refunded], &[]),
        ] {
            for next in RefundState::ALL {
                let (ledger, refund) = with_refund();
                way.iter().for_each(|state| drop(ledger.settle_refund(refund.id, *state, "").unwrap()));
                let (from, lines) = (way.last().copied().unwrap_or(Refunding), ledger.audit(100).unwrap().len());
                let is_step = steps.contains(&next);
                let state = ledger.settle_refund(refund.id, next, "").unwrap().state;
                assert_eq!(state, if is_step { next } else { from }, "{from:?} to {next:?}");
                assert_eq!(ledger.audit(100).unwrap().len() - lines, usize::from(is_step), "{from:?} to {next:?}");
            }
        }
    }

    fn told(ledger: &Ledger) -> Vec<serde_json::Value> {
        let told = ledger.latest_notifications(100).unwrap();
        told.iter().rev().map(|one| serde_json::from_str(&one.body).unwrap()).collect()
    }

    /// The merchant heard of payments only: whoever kept books by the reports had too much in them after a refund.
    #[test]
    fn the_merchant_is_told_of_each_refund_that_was_made_and_of_no_other() {
        let (ledger, _) = bench::ledger();
        ledger.keep_notifications().unwrap();
        let attempt = bench::ended(&ledger, "257139", "ord-1", Money::mxn(20_000), &bench::approved());
        let begin = |amount| ledger.begin_refund(attempt, amount, &ToldBefore::default()).unwrap().unwrap().id;
        let first = begin(Some(TEN));
        for state in [Unknown, Failed] {
            ledger.settle_refund(first, state, "").unwrap();
            assert_eq!(told(&ledger).len(), 1, "{state:?}");
        }
        let second = begin(Some(Money::mxn(5_050)));
        // What was given up turns up late.
        for id in [second, first, first] {
            ledger.settle_refund(id, Refunded, "").unwrap();
        }
        let told = told(&ledger);
        let [paid, second, first] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(paid.get("refund"), None, "what payments are told with is as it was");
        for (refund, amount, total) in [(second, "50.50", "50.50"), (first, "10.00", "60.50")] {
            assert_eq!(refund["refund"], serde_json::json!({ "amount": amount, "total": total }));
            assert_eq!([&refund["type"], &refund["status"]], ["payment.refunded", "refunded"]);
            for same in ["order_id", "attempt", "amount", "currency", "reference", "charge_id", "card"] {
                assert_eq!(refund[same], paid[same], "{same}");
            }
        }
        assert_ne!(first["id"], second["id"]);
    }

    #[test]
    fn what_a_person_says_of_a_refund_is_told_too() {
        let (ledger, refund) = with_refund();
        ledger.keep_notifications().unwrap();
        let by = crate::ledger::ByHand { who: "ana", reason: "seen in the dashboard" };
        ledger.settle_refund_by_hand(refund.attempt, true, by).unwrap();
        assert_eq!(told(&ledger)[0]["refund"]["amount"], "10.00");
    }

    /// Whatever program writes to the file: money goes out once, and what went out stays written down.
    #[test]
    fn the_database_itself_keeps_a_second_refund_from_being_open_and_the_first_from_being_forgotten() {
        let (ledger, refund) = with_refund();
        let again = "INSERT INTO refund (attempt, centavos, state, created_ms, updated_ms) VALUES (1, 1, ?1, 1, 1)";
        let refused = |change: &str, why: &str| {
            let error = ledger.lock().execute(change, []).unwrap_err().to_string();
            assert!(error.contains(why), "{change}: {error}");
        };
        for state in ["'refunding'", "'unknown'"] {
            refused(&again.replace("?1", state), "UNIQUE constraint failed: refund.attempt");
        }
        ledger.settle_refund(refund.id, Refunded, "").unwrap();
        for state in ["'refunding'", "'unknown'", "'failed'"] {
            refused(&format!("UPDATE refund SET state = {state}"), "final");
        }
        refused("DELETE FROM refund", "refunds are kept");
    }
}
