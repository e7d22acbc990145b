//! What Openpay's answers and lists say about an attempt.

use jiff::{SignedDuration, Timestamp};

use super::Alarms;
use super::owner::Owner;
use crate::ledger::Attempt;
use crate::openpay::{Action, Charge, ChargeStatus, Error, ErrorKind};
use crate::service::{ChargeReply, Decline};

/// How far Openpay's clock and ours may differ when a failed charge is to be told from an older one.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(2);

/// What the answer to a charge says.
pub(super) enum Verdict {
    /// Paid.
    Paid(Box<Charge>),
    /// Not paid, and nothing under this order id will be.
    NotPaid(Option<u32>),
    /// The token was used up or is wrong; the charge was not made.
    BadToken,
    /// Refused before any bank was asked, and not the caller's doing.
    Failed,
    /// Never arrived.
    NotSent,
    /// The order id is known already.
    AlreadyProcessed,
    /// Anything may have happened.
    Unclear,
}

/// What a list of an order's charges says.
pub(super) enum Finding {
    /// Paid, by this attempt.
    Paid(Box<Charge>),
    /// Paid by another card: the order id is taken, and this attempt made no charge.
    Elsewhere(Box<Charge>),
    /// Paid by this attempt's card before this attempt, if no clock is wrong.
    Earlier(Box<Charge>),
    /// Made by this attempt, and not paid.
    NotPaid(Option<u32>),
    /// Made before this attempt or by another card, and not paid: the order id is used up.
    OlderFailure,
    /// None.
    Absent,
    /// Not decided, not readable, or not this payment.
    Undecided,
}

impl Verdict {
    pub(super) fn of(answer: Result<Charge, Error>, attempt: &Attempt, alarms: &Alarms) -> Self {
        let error = match answer {
            Ok(charge) => return Self::of_charge(charge, attempt, alarms),
            Err(error) => error,
        };
        match (error.kind(), error.api()) {
            (ErrorKind::NotSent, _) => Self::NotSent,
            (_, Some(api)) => match api.action() {
                Action::Decline(_) | Action::Correct(_) => Self::NotPaid(api.code()),
                Action::NewToken => Self::BadToken,
                Action::AlreadyProcessed => Self::AlreadyProcessed,
                Action::Alarm | Action::OurFault => Self::Failed,
                Action::Query => Self::Unclear,
            },
            (_, None) => Self::Unclear,
        }
    }

    fn of_charge(charge: Charge, attempt: &Attempt, alarms: &Alarms) -> Self {
        match judge(&charge, attempt, alarms) {
            Some(true) => Self::Paid(Box::new(charge)),
            Some(false) => Self::NotPaid(charge.error_code),
            None => Self::Unclear,
        }
    }
}

impl Finding {
    /// `settled` says that the attempt was sent so long ago that its charge, if it is not in the list, never will be.
    pub(super) fn of(list: Result<Vec<Charge>, Error>, attempt: &Attempt, settled: bool, alarms: &Alarms) -> Self {
        let Ok(charges) = list else { return Self::Undecided };
        // The list is filtered by the gateway; what it should not have sent is not believed.
        let ours = charges.into_iter().filter(|charge| charge.order_id.as_deref() == Some(&attempt.gateway_order_id));
        let judged: Vec<_> = ours.map(|charge| (judge(&charge, attempt, alarms), charge)).collect();
        let paid = judged.iter().filter(|(verdict, _)| *verdict == Some(true));
        let mut paid: Vec<_> = paid.map(|(_, charge)| (Owner::of(charge, attempt), charge)).collect();
        paid.sort_by_key(|(owner, _)| *owner != Owner::Own);
        if let Some((Owner::Own, charge)) = paid.first() {
            return Self::Paid(Box::new((*charge).clone()));
        }
        if judged.iter().any(|(verdict, _)| verdict.is_none()) {
            return Self::Undecided;
        }
        if let Some((owner, charge)) = paid.first() {
            return Self::of_another(*owner, charge, attempt, alarms);
        }
        match judged.iter().map(|(_, charge)| charge).find(|charge| is_own_failure(charge, attempt)) {
            Some(charge) => Self::NotPaid(charge.error_code),
            None if judged.is_empty() => Self::Absent,
            None if settled => Self::OlderFailure,
            None => Self::Undecided,
        }
    }

    /// The order is paid, and not certainly by this attempt.
    fn of_another(owner: Owner, charge: &Charge, attempt: &Attempt, alarms: &Alarms) -> Self {
        match owner {
            Owner::Own => Self::Paid(Box::new(charge.clone())),
            Owner::Other => Self::Elsewhere(Box::new(charge.clone())),
            Owner::Earlier => Self::Earlier(Box::new(charge.clone())),
            Owner::Untold => {
                let (attempt, charge) = (attempt.ledger_reference(), &charge.id);
                alarms.tell(format!(
                    "attempt {attempt}: its order is paid by charge {charge}, of which Openpay does not tell the card: see \
                     `tonopago payments settle --help`"
                ));
                Self::Undecided
            }
        }
    }
}

/// What a caller is told of a charge that was not paid.
pub(super) fn decline_reply(code: Option<u32>) -> ChargeReply {
    match code.and_then(Action::of_code) {
        Some(Action::Decline(decline)) => ChargeReply::Declined(decline),
        Some(Action::Correct(field)) => ChargeReply::Correct(field),
        _ => ChargeReply::Declined(Decline::Generic),
    }
}

/// `Some(true)` paid, `Some(false)` not paid and final, `None` undecided or not this payment.
fn judge(charge: &Charge, attempt: &Attempt, alarms: &Alarms) -> Option<bool> {
    let is_same_order = charge.order_id.as_deref().is_none_or(|id| id == attempt.gateway_order_id);
    // What took no money takes none, whatever it was to be.
    if is_same_order && is_over(charge) {
        return Some(false);
    }
    if charge.amount != attempt.amount || !is_same_order {
        let (attempt, charge) = (attempt.ledger_reference(), &charge.id);
        alarms.tell(format!("attempt {attempt}: charge {charge} at Openpay is of another amount or order"));
        return None;
    }
    (charge.status == ChargeStatus::Completed).then_some(true)
}

/// Whether a charge took no money, or gave it back, and never will take any.
fn is_over(charge: &Charge) -> bool {
    match charge.status {
        ChargeStatus::Failed | ChargeStatus::Cancelled | ChargeStatus::Refunded => true,
        ChargeStatus::ChargePending => charge.needs_browser(),
        ChargeStatus::Completed | ChargeStatus::InProgress | ChargeStatus::Other(_) => false,
    }
}

/// Whether a failed charge was made by this attempt: by its date, and by its card unless that is not told.
fn is_own_failure(charge: &Charge, attempt: &Attempt) -> bool {
    charge.created().is_some_and(|created| created >= earliest(attempt)) && Owner::of(charge, attempt) != Owner::Other
}

/// The earliest date a charge of this attempt can have.
pub(super) fn earliest(attempt: &Attempt) -> Timestamp {
    attempt.created.checked_sub(CLOCK_SKEW).unwrap_or(Timestamp::MIN)
}
