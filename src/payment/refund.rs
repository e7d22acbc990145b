//! Giving money back: only ever because a person asked for it.

use super::Till;
use crate::ledger::{LedgerError, State};
use crate::money::Money;
use crate::openpay::Error;

/// Why a refund was not made, or may not have been.
#[derive(Debug, thiserror::Error)]
pub enum RefundError {
    /// There is nothing to give back.
    #[error("the attempt is {0}, only an approved one can be refunded")]
    NotPaid(State),
    /// The ledger can't be read or written: nothing was sent.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Openpay refused, or its answer was lost. If lost, look at the charge before asking again.
    #[error(transparent)]
    Openpay(#[from] Error),
}

impl Till {
    /// Refunds an approved attempt, wholly or in part; gives what was asked for. The attempt stays approved, the audit
    /// trail has the refund.
    ///
    /// # Errors
    /// [`RefundError`].
    pub fn refund(&self, attempt: i64, amount: Option<Money>) -> Result<Money, RefundError> {
        let attempt = self.ledger.attempt(attempt)?;
        let charge_id = attempt.charge_id.filter(|_| attempt.state == State::Approved);
        let charge_id = charge_id.ok_or(RefundError::NotPaid(attempt.state))?;
        let asked = amount.unwrap_or(attempt.amount);
        self.ledger.remark(attempt.id, "refunding", &asked.to_string())?;
        match self.openpay.refund(&charge_id, &attempt.order_id, amount) {
            Ok(_) => {
                self.ledger.remark(attempt.id, "refunded", &asked.to_string())?;
                Ok(asked)
            }
            Err(error) => {
                self.note(&error);
                self.ledger.remark(attempt.id, "refund failed", &error.to_string())?;
                Err(error.into())
            }
        }
    }
}
