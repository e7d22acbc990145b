//! What a box reports of payments, in the ledger of the merchant who issued the keys.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use zeroize::Zeroizing;

use super::{Ledger, LedgerError, audit, keys};

/// A box's report of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report<'a> {
    /// Its id, the same however often it arrives.
    pub event_id: &'a str,
    /// The merchant's order.
    pub order_id: &'a str,
    /// Which try to pay it is about: the same in all reports of one, unique over all boxes.
    pub attempt: &'a str,
    /// What became of it.
    pub end: End,
}

/// What a box reports of a try to pay, as far as a merchant's ledger cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Paid.
    Paid,
    /// Not paid, by a declined charge that counts towards the key's lock.
    Failed,
    /// Not paid.
    NotPaid,
    /// Nobody knows yet: one of the others follows. Until then the order is not charged again.
    Pending,
    /// Paid, and some or all of it given back: its order is charged no more.
    Refunded,
    /// Anything else: remembered, and that is all.
    Other,
}

/// What a merchant's ledger made of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// Taken down.
    Taken,
    /// Taken down before: the box did not hear so, or it has this very ledger.
    Repeated,
    /// No key was issued for this order here.
    UnknownOrder,
}

impl End {
    const fn name(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::NotPaid => "not paid",
            Self::Pending => "pending",
            Self::Refunded => "refunded",
            Self::Other => "other",
        }
    }
}

impl Ledger {
    /// Takes down what a box reports of an order's payment, once for each event id; of several keys the order has had, the
    /// latest is meant. What a box with this very ledger reports is in it already.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn receive_report(&self, report: &Report<'_>) -> Result<Receipt, LedgerError> {
        let Report { event_id, order_id, end, .. } = *report;
        let now = self.now_ms();
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if transaction.prepare_cached("SELECT 1 FROM notification WHERE event_id = ?1")?.exists([event_id])? {
            return Ok(Receipt::Repeated);
        }
        let digits = "SELECT digits FROM payment_key WHERE order_id = ?1 ORDER BY id DESC LIMIT 1";
        let digits: Option<String> = transaction.query_row(digits, [order_id], |row| row.get(0)).optional()?;
        let Some(digits) = digits.map(Zeroizing::new) else { return Ok(Receipt::UnknownOrder) };
        let remember = "INSERT INTO received (event_id, at_ms) VALUES (?1, ?2) ON CONFLICT (event_id) DO NOTHING";
        if transaction.execute(remember, params![event_id, now])? == 0 {
            return Ok(Receipt::Repeated);
        }
        match end {
            End::Paid | End::Refunded => keys::mark_paid(&transaction, &digits)?,
            End::Failed => keys::count_failure(&transaction, &digits, now)?,
            End::NotPaid | End::Pending | End::Other => {}
        }
        note_end(&transaction, report, now)?;
        let detail = format!("{} {event_id} of {}", end.name(), report.attempt);
        audit::append(&transaction, now, &format!("order {order_id}"), "reported", &detail)?;
        transaction.commit()?;
        Ok(Receipt::Taken)
    }

    /// Whether a box has reported a charge of this order pending, and not yet how it ended.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn is_reported_pending(&self, order_id: &str) -> Result<bool, LedgerError> {
        Ok(is_pending(&self.lock(), order_id)?)
    }
}

/// Remembers what a try has come to. Reports come in any order: what has ended is not pending any more.
fn note_end(connection: &Connection, report: &Report<'_>, now: i64) -> Result<(), rusqlite::Error> {
    let ended = match report.end {
        End::Paid | End::Refunded | End::Failed | End::NotPaid => 1,
        End::Pending => 0,
        End::Other => return Ok(()),
    };
    let note = "INSERT INTO reported (attempt, order_id, ended, at_ms) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (attempt) DO UPDATE SET ended = max(ended, ?3), at_ms = ?4";
    connection.execute(note, params![report.attempt, report.order_id, ended, now]).map(drop)
}

/// See [`Ledger::is_reported_pending`].
pub(super) fn is_pending(connection: &Connection, order_id: &str) -> Result<bool, rusqlite::Error> {
    connection.prepare_cached("SELECT 1 FROM reported WHERE order_id = ?1 AND ended = 0")?.exists([order_id])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::ledger::{Digits, KeyStatus, NewKey, Outcome, bench};
    use crate::money::Money;
    use crate::service::PaymentKey;

    fn ledger(orders: &[(&str, &str)], max_failures: u32) -> Ledger {
        let ledger = Ledger::in_memory(Arc::new(SystemClock)).unwrap();
        orders.iter().for_each(|(order, digits)| issue(&ledger, order, digits, max_failures).unwrap());
        ledger
    }

    fn issue(ledger: &Ledger, order: &str, digits: &str, max_failures: u32) -> Result<(), LedgerError> {
        let (digits, order_id) = (Digits::Given(PaymentKey::new(digits)), order.to_owned());
        let (amount, description) = (Money::mxn(1), "d".to_owned());
        let new = NewKey { digits, amount, order_id, description, customer: None, expires: None, max_failures };
        ledger.issue_key(new).map(drop)
    }

    fn status(ledger: &Ledger, key: &str) -> KeyStatus {
        ledger.find_key(&PaymentKey::new(key)).unwrap().unwrap().status
    }

    fn take(ledger: &Ledger, event_id: &str, order_id: &str, attempt: &str, end: End) -> Receipt {
        ledger.receive_report(&Report { event_id, order_id, attempt, end }).unwrap()
    }

    #[test]
    fn a_report_is_taken_once_and_pays_or_locks_the_key() {
        let ledger = ledger(&[("ord-1", "111111"), ("ord-2", "222222")], 2);
        assert_eq!(take(&ledger, "e1", "ord-1", "a1", End::Paid), Receipt::Taken);
        assert_eq!(take(&ledger, "e1", "ord-1", "a1", End::Paid), Receipt::Repeated);
        assert_eq!(status(&ledger, "111111"), KeyStatus::Paid);
        for event in ["e2", "e2", "e2"] {
            take(&ledger, event, "ord-2", "a2", End::Failed);
        }
        assert_eq!(status(&ledger, "222222"), KeyStatus::Open, "one failure told three times is one");
        take(&ledger, "e3", "ord-2", "a3", End::Failed);
        assert_eq!(status(&ledger, "222222"), KeyStatus::Locked);
        assert_eq!(take(&ledger, "e4", "ord-9", "a4", End::Paid), Receipt::UnknownOrder);
    }

    /// A report can be given up; what was given back had been paid.
    #[test]
    fn a_refund_says_that_its_order_was_paid() {
        let ledger = ledger(&[("ord-1", "111111")], 3);
        take(&ledger, "e1", "ord-1", "a1", End::Pending);
        assert_eq!(take(&ledger, "e2", "ord-1", "a1", End::Refunded), Receipt::Taken);
        assert_eq!(status(&ledger, "111111"), KeyStatus::Paid);
        assert!(!ledger.is_reported_pending("ord-1").unwrap());
        assert_eq!(take(&ledger, "e2", "ord-1", "a1", End::Refunded), Receipt::Repeated);
    }

    /// A box and an authorizer with one ledger: its decline was counted when it was recorded, and again when it was reported.
    #[test]
    fn what_this_ledger_reports_itself_is_not_counted_again() {
        let ledger = ledger(&[("ord-1", "257139")], 3);
        ledger.keep_notifications().unwrap();
        let failures = || ledger.find_key(&PaymentKey::new("257139")).unwrap().unwrap().failures;
        for declines in 1..=2 {
            let declined = Outcome::Declined { code: Some(3001), counts: true };
            bench::ended(&ledger, "257139", "ord-1", Money::mxn(1), &declined);
            let event = ledger.latest_notifications(1).unwrap().remove(0).event_id;
            assert_eq!(take(&ledger, &event, "ord-1", "a", End::Failed), Receipt::Repeated);
            assert_eq!(failures(), declines);
        }
        assert_eq!(status(&ledger, "257139"), KeyStatus::Open, "it locks after three");
    }

    /// An order with an undecided charge got another key, and could be paid twice.
    #[test]
    fn a_pending_charge_keeps_its_order_from_another_key_until_it_has_ended() {
        let ledger = ledger(&[("ord-1", "111111")], 3);
        take(&ledger, "e1", "ord-1", "box1-100001", End::Pending);
        assert!(ledger.is_reported_pending("ord-1").unwrap());
        assert!(ledger.cancel_key(1).unwrap(), "whoever cancels is told");
        let refused = issue(&ledger, "ord-1", "222222", 3).unwrap_err().to_string();
        assert!(refused.contains("not decided"), "{refused}");
        take(&ledger, "e2", "ord-1", "box2-100001", End::NotPaid);
        assert!(ledger.is_reported_pending("ord-1").unwrap(), "that was another box's try");
        take(&ledger, "e3", "ord-1", "box1-100001", End::NotPaid);
        take(&ledger, "e0", "ord-1", "box1-100001", End::Pending);
        assert!(!ledger.is_reported_pending("ord-1").unwrap(), "what was told late is over");
        issue(&ledger, "ord-1", "222222", 3).unwrap();
        assert!(!ledger.cancel_key(2).unwrap());
    }
}
