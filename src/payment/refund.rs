//! Giving money back: only ever because a person asked for it.

use super::Till;
use crate::ledger::{Attempt, LedgerError, State};
use crate::money::{Currency, Money};
use crate::openpay::Error;

/// The audit trail's event of a refund made, with its amount.
const REFUNDED: &str = "refunded";

/// Why a refund was not made, or may not have been.
#[derive(Debug, thiserror::Error)]
pub enum RefundError {
    /// There is nothing to give back.
    #[error("the attempt is {0}, only an approved one can be refunded")]
    NotPaid(State),
    /// This ledger's refunds are the whole amount.
    #[error("all of it, {0}, has been given back already")]
    NothingLeft(Money),
    /// The ledger can't be read or written: nothing was sent.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Openpay refused, or its answer was lost. If lost, look at the charge before asking again.
    #[error(transparent)]
    Openpay(#[from] Error),
}

impl Till {
    /// Refunds this much of an approved attempt, or else what is left of it; gives what was given back. What is left is
    /// what this ledger has not given back: if somebody else did, on Openpay's dashboard, Openpay refuses it, and the
    /// amount must be said. The attempt stays approved, the audit trail has the refund.
    ///
    /// # Errors
    /// [`RefundError`].
    pub fn refund(&self, attempt: i64, amount: Option<Money>) -> Result<Money, RefundError> {
        let attempt = self.ledger.attempt(attempt)?;
        let charge_id = attempt.charge_id.as_deref().filter(|_| attempt.state == State::Approved);
        let charge_id = charge_id.ok_or(RefundError::NotPaid(attempt.state))?;
        let asked = amount.map_or_else(|| self.left_of(&attempt), Ok)?;
        self.ledger.remark(attempt.id, "refunding", &asked.to_string())?;
        // The amount always goes along: "the rest" is whatever the gateway takes for it, and nobody would know how much.
        match self.openpay.refund(charge_id, &attempt.order_id, Some(asked)) {
            Ok(_) => {
                self.ledger.remark(attempt.id, REFUNDED, &asked.to_string())?;
                Ok(asked)
            }
            Err(error) => {
                self.note(&error);
                self.ledger.remark(attempt.id, "refund failed", &error.to_string())?;
                Err(error.into())
            }
        }
    }

    fn left_of(&self, attempt: &Attempt) -> Result<Money, RefundError> {
        let refunds = self.ledger.remarks(attempt.id, REFUNDED)?;
        let refunded: u64 = refunds.iter().filter_map(|detail| amount_of(detail)).map(|money| money.centavos).sum();
        let left = attempt.amount.centavos.saturating_sub(refunded);
        if left == 0 {
            return Err(RefundError::NothingLeft(attempt.amount));
        }
        Ok(Money { centavos: left, ..attempt.amount })
    }
}

/// The amount as it was written down: `50.00 MXN`.
fn amount_of(detail: &str) -> Option<Money> {
    let (amount, currency) = detail.split_once(' ')?;
    Money::parse(amount, Currency::parse(currency)?).ok()
}
