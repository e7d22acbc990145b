//! Giving money back: only ever because a person asked for it, and never twice for one asking.
//!
//! A refund is in the ledger before it is sent. One whose answer is lost stays open there until the gateway's charge has
//! told whether it was made; until then no other of the attempt is sent, by whatever process. It is known by the text it
//! was asked for with, which names it, and by what the charge told before.

use super::Till;
use crate::ledger::{Attempt, LedgerError, NoRefund, Refund, RefundState, State, ToldBefore};
use crate::money::Money;
use crate::openpay::{Charge, ChargeStatus, Error, ErrorKind};

/// Why a refund was not made, or may not have been.
#[derive(Debug, thiserror::Error)]
pub enum RefundError {
    /// There is nothing to give back.
    #[error("the attempt is {0}, only an approved one can be refunded")]
    NotPaid(State),
    /// This ledger's refunds are the whole amount.
    #[error("all of it, {0}, has been given back already")]
    NothingLeft(Money),
    /// Nothing, or more than is left.
    #[error("{asked} can't be given back: 0.01 or more, and at most the {left} that are left of this payment")]
    Beyond {
        /// What was asked for.
        asked: Money,
        /// What this ledger has not given back.
        left: Money,
    },
    /// An earlier refund was open; the look-up that came first found that it was made. Nothing was sent.
    #[error(
        "an earlier refund of {0}, whose outcome was unknown, has been made, as Openpay tells now; nothing was sent this \
         time: if you mean another one, ask again"
    )]
    EarlierMade(Money),
    /// An earlier refund is open, and Openpay does not tell yet what became of it. Nothing was sent.
    #[error(
        "nothing was sent: whether an earlier refund of {0} was made is not known yet; another would pay twice. \
         `tonopago payments reconcile` asks Openpay again; what Openpay does not have half an hour after it was sent was \
         not made. If that can't decide it, look at the charge in Openpay's dashboard, then see `tonopago payments settle \
         --help`"
    )]
    EarlierOpen(Money),
    /// It was sent, and nobody knows yet whether it was made.
    #[error(
        "whether {amount} was given back is not known ({error}): it must not be given back by other means now. \
         `tonopago payments reconcile` asks Openpay again; what Openpay does not have half an hour after it was sent was \
         not made. Until that has told, no other refund of this payment is sent"
    )]
    Unknown {
        /// How much.
        amount: Money,
        /// How its answer was lost.
        error: Error,
    },
    /// The charge can't be looked at, which comes before a refund: nothing was sent.
    #[error("nothing was sent, as the charge can't be looked at first: {0}")]
    NotLookedAt(Error),
    /// The ledger can't be read or written. What has been sent is open in it.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Openpay refused, or never got it: it was not made.
    #[error("not refunded: {0}")]
    Openpay(#[from] Error),
}

/// What a charge tells of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Made,
    /// There is none, or it is there and failed.
    NotMade,
    /// An earlier one is there, as before. Openpay's reference does not say which of several a charge tells.
    AsBefore,
    /// Something is there that may be it.
    Undecided,
}

impl Till {
    /// Refunds this much of an approved attempt, or else what is left of it; gives what was given back. What is left is
    /// what this ledger has not given back: if somebody else did, on Openpay's dashboard, Openpay refuses it, and the
    /// amount must be said. The attempt stays approved.
    ///
    /// An earlier refund of the attempt that is open is looked up first; nothing is sent unless it was not made.
    ///
    /// # Errors
    /// [`RefundError`].
    pub fn refund(&self, attempt: i64, amount: Option<Money>) -> Result<Money, RefundError> {
        self.ledger.bring_back_from_future()?;
        let attempt = self.ledger.attempt(attempt)?;
        let charge_id = attempt.charge_id.as_deref().filter(|_| attempt.state == State::Approved);
        let charge_id = charge_id.ok_or(RefundError::NotPaid(attempt.state))?;
        if let Some(open) = self.ledger.open_refund_of(attempt.id)? {
            match self.reconcile_refund(&open)?.state {
                RefundState::Refunded => return Err(RefundError::EarlierMade(open.amount)),
                RefundState::Refunding | RefundState::Unknown => return Err(RefundError::EarlierOpen(open.amount)),
                RefundState::Failed => {}
            }
        }
        let charge = self.openpay.charge(charge_id).inspect_err(|error| self.note(error));
        let before = told_before(&charge.map_err(RefundError::NotLookedAt)?);
        let refund = self.ledger.begin_refund(attempt.id, amount, &before)?.map_err(|cause| match cause {
            NoRefund::Open(open) => RefundError::EarlierOpen(open.amount),
            NoRefund::NothingLeft => RefundError::NothingLeft(attempt.amount),
            NoRefund::Beyond { left } => RefundError::Beyond { asked: amount.unwrap_or(left), left },
        })?;
        self.send(&refund, charge_id, &description(&refund, &attempt))
    }

    /// Looks every open refund up; gives them as they are then. Run it at start and every few minutes; any number of
    /// processes may. Nothing is refunded by it.
    ///
    /// # Errors
    /// [`LedgerError`]; refunds not reached stay as they are.
    pub fn reconcile_refunds(&self, go_on: &mut dyn FnMut() -> bool) -> Result<Vec<Refund>, LedgerError> {
        let mut reconciled = Vec::new();
        for refund in self.ledger.open_refunds()? {
            if !go_on() {
                break;
            }
            reconciled.push(self.reconcile_refund(&refund)?);
        }
        Ok(reconciled)
    }

    fn send(&self, refund: &Refund, charge_id: &str, description: &str) -> Result<Money, RefundError> {
        // The amount always goes along: "the rest" is whatever the gateway takes for it, and nobody would know how much.
        let error = match self.openpay.refund(charge_id, description, Some(refund.amount)) {
            Ok(_) => {
                self.ledger.settle_refund(refund.id, RefundState::Refunded, "")?;
                return Ok(refund.amount);
            }
            Err(error) => error,
        };
        self.note(&error);
        let kind = error.kind();
        let told = if kind == ErrorKind::NotSent {
            Told::NotMade
        } else {
            self.ledger.settle_refund(refund.id, RefundState::Unknown, &error.to_string())?;
            self.ask(refund)?
        };
        match told {
            Told::Made => {
                self.ledger.settle_refund(refund.id, RefundState::Refunded, "")?;
                Ok(refund.amount)
            }
            // What was refused may be the double of one that was made, and is then there; else it will not turn up.
            Told::NotMade | Told::AsBefore if kind != ErrorKind::Unclear => {
                self.ledger.settle_refund(refund.id, RefundState::Failed, &error.to_string())?;
                Err(error.into())
            }
            Told::NotMade | Told::AsBefore | Told::Undecided => {
                Err(RefundError::Unknown { amount: refund.amount, error })
            }
        }
    }

    /// Looks one refund up, records what is certain, and gives it as it is then. One that is not there may be on its way
    /// for as long as a charge that is not there: here no order id keeps a second from being made.
    fn reconcile_refund(&self, refund: &Refund) -> Result<Refund, LedgerError> {
        let is_past = self.is_past(refund.created, self.config.lapse_after);
        match self.ask(refund)? {
            Told::Made => self.ledger.settle_refund(refund.id, RefundState::Refunded, ""),
            Told::NotMade if is_past => {
                self.ledger.settle_refund(refund.id, RefundState::Failed, "Openpay does not have it")
            }
            Told::NotMade | Told::AsBefore | Told::Undecided => Ok(refund.clone()),
        }
    }

    /// Asks the gateway what it has of a refund that was sent.
    fn ask(&self, refund: &Refund) -> Result<Told, LedgerError> {
        let attempt = self.ledger.attempt(refund.attempt)?;
        let charge = attempt.charge_id.as_deref().map(|id| self.openpay.charge(id));
        match charge {
            Some(Ok(charge)) => Ok(told(&charge, refund, &description(refund, &attempt))),
            Some(Err(error)) => {
                self.note(&error);
                Ok(Told::Undecided)
            }
            None => Ok(Told::Undecided), // only an approved attempt has refunds, and it has a charge
        }
    }
}

/// The text a refund is asked for with; Openpay repeats it, and no other refund has it.
fn description(refund: &Refund, attempt: &Attempt) -> String {
    format!("{} refund {}", attempt.gateway_order_id, refund.id)
}

fn told_before(charge: &Charge) -> ToldBefore {
    charge.refund.as_ref().map_or_else(ToldBefore::default, |refund| ToldBefore {
        id: refund.id.clone(),
        centavos: refund.amount.map(|amount| amount.centavos),
    })
}

fn told(charge: &Charge, refund: &Refund, description: &str) -> Told {
    let Some(found) = &charge.refund else {
        let is_gone = matches!(charge.status, ChargeStatus::Refunded | ChargeStatus::Cancelled);
        return if is_gone { Told::Undecided } else { Told::NotMade };
    };
    let is_as_before = told_before(charge) == refund.before && found.id.is_some() && found.amount.is_some();
    let is_ours = match &found.description {
        Some(text) => text == description,
        None => !is_as_before && found.amount == Some(refund.amount),
    };
    match &found.status {
        Some(ChargeStatus::Completed | ChargeStatus::Refunded) if is_ours => Told::Made,
        Some(ChargeStatus::Failed | ChargeStatus::Cancelled) if is_ours => Told::NotMade,
        _ if is_as_before => Told::AsBefore,
        _ => Told::Undecided,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::ToldBefore;
    use crate::openpay::ToldRefund;

    const TEN: Money = Money::mxn(1_000);
    const OURS: &str = "ord-234 refund 2";

    /// A charge that tells of this refund, or of none.
    fn charge(status: ChargeStatus, refund: Option<ToldRefund>) -> Charge {
        Charge {
            id: "trx1".into(),
            order_id: Some("ord-234".into()),
            amount: Money::mxn(20_000),
            status,
            authorization: None,
            error_code: None,
            masked_card: None,
            creation_date: None,
            payment_method: None,
            refund,
        }
    }

    fn refund(id: Option<&str>, amount: Option<Money>, status: ChargeStatus, description: Option<&str>) -> ToldRefund {
        let [id, description] = [id, description].map(|text| text.map(str::to_owned));
        ToldRefund { id, amount, status: Some(status), description }
    }

    /// The second refund of an attempt, before which the charge told of the first.
    fn second(before: ToldBefore) -> Refund {
        let state = RefundState::Unknown;
        let then = jiff::Timestamp::UNIX_EPOCH;
        Refund { id: 2, attempt: 1, amount: TEN, state, before, created: then, updated: then }
    }

    #[test]
    fn a_refund_is_known_by_its_text_and_only_an_end_is_one() {
        use ChargeStatus::{Cancelled, Completed, Failed, InProgress, Refunded};
        let first = ToldBefore { id: Some("first".into()), centavos: Some(TEN.centavos) };
        for (status, text, expected) in [
            (Completed, OURS, Told::Made),
            (Refunded, OURS, Told::Made),
            (Failed, OURS, Told::NotMade),
            (Cancelled, OURS, Told::NotMade),
            (InProgress, OURS, Told::Undecided),
            (Completed, "ord-234 refund 22", Told::Undecided),
            (Failed, "ord-234 refund 22", Told::Undecided),
        ] {
            let told_of = refund(Some("new"), Some(TEN), status.clone(), Some(text));
            let told = told(&charge(Completed, Some(told_of)), &second(first.clone()), OURS);
            assert_eq!(told, expected, "{status:?} {text}");
        }
    }

    /// Openpay's reference shows no text: then what differs from before, and is of the amount asked for, is the one.
    #[test]
    fn a_refund_without_its_text_is_known_by_what_was_told_before() {
        use ChargeStatus::Completed;
        let first = ToldBefore { id: Some("first".into()), centavos: Some(TEN.centavos) };
        let nothing = ToldBefore::default();
        for (before, id, amount, expected) in [
            (&nothing, Some("new"), Some(TEN), Told::Made),
            (&first, Some("new"), Some(TEN), Told::Made),
            (&first, Some("first"), Some(TEN), Told::AsBefore),
            (&first, Some("new"), Some(Money::mxn(999)), Told::Undecided),
            (&first, Some("new"), None, Told::Undecided),
            (&nothing, None, None, Told::Undecided), // one that can't be read is not none
        ] {
            let told_of = refund(id, amount, Completed, None);
            let told = told(&charge(Completed, Some(told_of)), &second(before.clone()), OURS);
            assert_eq!(told, expected, "{before:?} {id:?} {amount:?}");
        }
    }

    #[test]
    fn a_charge_that_is_gone_without_a_refund_does_not_say_that_none_was_made() {
        use ChargeStatus::{Cancelled, Completed, Refunded};
        for (status, expected) in
            [(Completed, Told::NotMade), (Refunded, Told::Undecided), (Cancelled, Told::Undecided)]
        {
            assert_eq!(
                told(&charge(status.clone(), None), &second(ToldBefore::default()), OURS),
                expected,
                "{status:?}"
            );
        }
    }
}
