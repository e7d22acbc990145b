//! What a box reports of payments, in the ledger of the merchant who issued the keys.

use rusqlite::{OptionalExtension as _, TransactionBehavior, params};
use zeroize::Zeroizing;

use super::{Ledger, LedgerError, audit, keys};

/// What a box reports of a payment, as far as a merchant's ledger cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// Paid.
    Paid,
    /// A declined charge that counts towards the key's lock.
    Failed,
    /// Anything else: remembered, and that is all.
    Other,
}

/// What a merchant's ledger made of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// Taken down.
    Taken,
    /// Taken down before: the box did not hear so.
    Repeated,
    /// No key was issued for this order here.
    UnknownOrder,
}

impl Report {
    const fn name(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Other => "other",
        }
    }
}

impl Ledger {
    /// Takes down what a box reports of an order's payment, once for each event id; of several keys the order has had, the
    /// latest is meant.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn receive_report(&self, event_id: &str, order_id: &str, report: Report) -> Result<Receipt, LedgerError> {
        let now = self.now_ms();
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let digits = "SELECT digits FROM payment_key WHERE order_id = ?1 ORDER BY id DESC LIMIT 1";
        let digits: Option<String> = transaction.query_row(digits, [order_id], |row| row.get(0)).optional()?;
        let Some(digits) = digits.map(Zeroizing::new) else { return Ok(Receipt::UnknownOrder) };
        let remember = "INSERT INTO received (event_id, at_ms) VALUES (?1, ?2) ON CONFLICT (event_id) DO NOTHING";
        if transaction.execute(remember, params![event_id, now])? == 0 {
            return Ok(Receipt::Repeated);
        }
        match report {
            Report::Paid => keys::mark_paid(&transaction, &digits)?,
            Report::Failed => keys::count_failure(&transaction, &digits, now)?,
            Report::Other => {}
        }
        let detail = format!("{} {event_id}", report.name());
        audit::append(&transaction, now, &format!("order {order_id}"), "reported", &detail)?;
        transaction.commit()?;
        Ok(Receipt::Taken)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::ledger::{Digits, KeyStatus, NewKey};
    use crate::money::Money;
    use crate::service::PaymentKey;

    #[test]
    fn a_report_is_taken_once_and_pays_or_locks_the_key() {
        let ledger = Ledger::in_memory(Arc::new(SystemClock)).unwrap();
        for (order, digits) in [("ord-1", "111111"), ("ord-2", "222222")] {
            let (digits, order_id) = (Digits::Given(PaymentKey::new(digits)), order.to_owned());
            let (amount, description) = (Money::mxn(1), "d".to_owned());
            let new = NewKey { digits, amount, order_id, description, customer: None, expires: None, max_failures: 2 };
            ledger.issue_key(new).unwrap();
        }
        let status = |key: &str| ledger.find_key(&PaymentKey::new(key)).unwrap().unwrap().status;
        let take = |event: &str, order: &str, report| ledger.receive_report(event, order, report).unwrap();
        assert_eq!(take("e1", "ord-1", Report::Paid), Receipt::Taken);
        assert_eq!(take("e1", "ord-1", Report::Paid), Receipt::Repeated);
        assert_eq!(status("111111"), KeyStatus::Paid);
        for event in ["e2", "e2", "e2"] {
            take(event, "ord-2", Report::Failed);
        }
        assert_eq!(status("222222"), KeyStatus::Open, "one failure told three times is one");
        take("e3", "ord-2", Report::Failed);
        assert_eq!(status("222222"), KeyStatus::Locked);
        assert_eq!(take("e4", "ord-9", Report::Paid), Receipt::UnknownOrder);
    }
}
