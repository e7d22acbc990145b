//! Whose a completed charge is that the gateway has under an attempt's order id: the attempt's own, or another box's, or an
//! earlier attempt's of the same order. The books are right only if each charge is booked once, by whoever made it.

use jiff::SignedDuration;

use super::finding::earliest;
use crate::card::SeenCard;
use crate::ledger::{Attempt, Outcome};
use crate::openpay::Charge;

/// Nobody calls again and keys a card sooner after a call's charge.
const NEXT_CALL: SignedDuration = SignedDuration::from_secs(30);

/// Whose a charge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The attempt's: of its card, and not made before it, as far as dates tell.
    Own,
    /// Another's: of another card.
    Other,
    /// Of the attempt's card, and made before it: another's, unless a clock is wrong.
    Earlier,
    /// The gateway does not tell the card.
    Untold,
}

impl Owner {
    pub(super) fn of(charge: &Charge, attempt: &Attempt) -> Self {
        match card_of(charge) {
            None => Self::Untold,
            Some(card) if !card.can_be(&attempt.brand, &attempt.last_four) => Self::Other,
            Some(_) if charge.created().is_some_and(|created| created < earliest(attempt)) => Self::Earlier,
            Some(_) => Self::Own,
        }
    }
}

/// Whether a charge of the attempt's card was made in an earlier call, where the gateway says that it had one already, so that
/// the attempt's own can only be there if it was doubled on its way.
pub(super) fn is_of_an_earlier_call(charge: &Charge, attempt: &Attempt) -> bool {
    charge.created().is_some_and(|created| attempt.created.duration_since(created) > NEXT_CALL)
}

/// The outcome of an attempt whose order another charge paid.
pub(super) fn paid_by(charge: &Charge) -> Outcome {
    let (charge_id, authorization) = (charge.id.clone(), charge.authorization.clone());
    Outcome::Elsewhere { charge_id, authorization, card: card_of(charge) }
}

fn card_of(charge: &Charge) -> Option<SeenCard> {
    SeenCard::of_masked(charge.masked_card.as_deref()?)
}
