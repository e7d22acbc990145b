//! An attempt or a refund that can't be decided by asking the gateway, ended by a person who looked.

use jiff::{SignedDuration, Timestamp};
use rusqlite::TransactionBehavior;

use super::super::{Ledger, LedgerError, Outcome, Refund, RefundState, audit};
use super::{Attempt, detail, existing, set_outcome, write_down};
use crate::card::Pan;

/// How long after it was sent a charge may still turn up at the gateway: before, nobody can say that it is not paid.
pub const MAY_TURN_UP: SignedDuration = SignedDuration::from_mins(30);
/// Most characters of a reason.
const MAX_REASON: usize = 250;
/// Longest charge id or authorization number of Openpay's, in characters.
const MAX_ID: usize = 45;

/// Who answers for what is settled by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByHand<'a> {
    /// Who says so.
    pub who: &'a str,
    /// How it was found out; it goes into the audit trail.
    pub reason: &'a str,
}

/// What a person saw at the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen<'a> {
    /// The attempt's own charge, and its authorization number if known.
    Paid(&'a str, Option<&'a str>),
    /// Another charge, which paid the order: made by another box, or by other means.
    Elsewhere(&'a str, Option<&'a str>),
    /// Nothing that paid the order or will.
    Unpaid,
}

impl ByHand<'_> {
    fn check(self) -> Result<(), String> {
        let texts = [self.who, self.reason];
        if self.reason.trim().is_empty() || self.reason.chars().count() > MAX_REASON {
            return Err(format!("a reason has 1 to {MAX_REASON} characters"));
        }
        let told = match () {
            () if texts.iter().any(|text| text.chars().any(char::is_control)) => {
                Err("a reason is one line of plain text")
            }
            () if texts.into_iter().any(holds_card_number) => Err("there is a card number in the reason: leave it out"),
            () => Ok(()),
        };
        told.map_err(str::to_owned)
    }
}

impl<'a> Seen<'a> {
    fn check(self) -> Result<(), &'static str> {
        match self.charge() {
            Some((charge, _)) if !is_id(charge) => Err("that is no charge id of Openpay's"),
            Some((_, Some(number))) if !is_id(number) => Err("that is no authorization number"),
            _ => Ok(()),
        }
    }

    const fn charge(self) -> Option<(&'a str, Option<&'a str>)> {
        match self {
            Self::Paid(charge, authorization) | Self::Elsewhere(charge, authorization) => Some((charge, authorization)),
            Self::Unpaid => None,
        }
    }

    fn outcome(self) -> Outcome {
        match self {
            Self::Paid(charge, number) => {
                Outcome::Approved { charge_id: charge.to_owned(), authorization: number.map(str::to_owned) }
            }
            Self::Elsewhere(charge, number) => {
                let (charge_id, authorization) = (charge.to_owned(), number.map(str::to_owned));
                Outcome::Elsewhere { charge_id, authorization, card: None }
            }
            Self::Unpaid => Outcome::Declined { code: None, counts: false },
        }
    }
}

impl Ledger {
    /// Ends an attempt that was sent and whose outcome is not known, by what a person saw, with two lines in the audit
    /// trail and the merchant's notification, in one transaction.
    ///
    /// Unpaid counts as declined, which takes up the order id at the gateway: the order's next attempt has another.
    ///
    /// # Errors
    /// [`LedgerError::Transition`] unless the attempt is open and was sent; [`LedgerError::ByHand`] if it was sent so lately
    /// that nobody can say it is unpaid, if the charge paid another attempt, or what was written can't be kept;
    /// [`LedgerError::Missing`]; [`LedgerError::Storage`].
    pub fn settle_by_hand(&self, id: i64, seen: Seen<'_>, by: ByHand<'_>) -> Result<Attempt, LedgerError> {
        by.check().map_err(LedgerError::ByHand)?;
        seen.check().map_err(|cause| LedgerError::ByHand(cause.to_owned()))?;
        let outcome = seen.outcome();
        let now = self.now_ms();
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let attempt = existing(&transaction, id)?;
        if !attempt.state.is_in_doubt() {
            return Err(LedgerError::Transition { id, from: attempt.state, to: outcome.state() });
        }
        if seen == Seen::Unpaid && may_turn_up(&attempt, now) {
            return Err(LedgerError::ByHand(too_early("charge")));
        }
        if let Some((charge, _)) = seen.charge() {
            let mut other = transaction.prepare("SELECT id FROM attempt WHERE charge_id = ?1 AND id <> ?2")?;
            if other.exists((charge, id))? {
                return Err(LedgerError::ByHand(format!("charge {charge} is another attempt's")));
            }
        }
        set_outcome(&transaction, &attempt, &outcome, now)?;
        let said = format!("by {}: {}", by.who, by.reason);
        audit::append(&transaction, now, &format!("attempt {id}"), "settled by hand", &said)?;
        let after = write_down(&transaction, id, &detail(&outcome), Some(&outcome), now)?;
        transaction.commit()?;
        Ok(after)
    }

    /// Ends an attempt's open refund by what a person found out: made or not. Who and why stand in the audit trail.
    ///
    /// # Errors
    /// [`LedgerError::ByHand`] if none is open, if it was sent so lately that nobody can say it was not made, or what was
    /// written can't be kept; [`LedgerError::Missing`]; [`LedgerError::Storage`].
    pub fn settle_refund_by_hand(&self, attempt: i64, made: bool, by: ByHand<'_>) -> Result<Refund, LedgerError> {
        by.check().map_err(LedgerError::ByHand)?;
        let id = self.attempt(attempt)?.id;
        let open = self.open_refund_of(id)?;
        let open = open.ok_or_else(|| LedgerError::ByHand("none of its refunds is open".to_owned()))?;
        if !made && is_fresh(open.created, self.now_ms()) {
            return Err(LedgerError::ByHand(too_early("refund")));
        }
        let state = if made { RefundState::Refunded } else { RefundState::Failed };
        self.settle_refund(open.id, state, &format!("settled by {}: {}", by.who, by.reason))
    }
}

fn may_turn_up(attempt: &Attempt, now: i64) -> bool {
    is_fresh(attempt.sent.unwrap_or(attempt.created), now)
}

fn too_early(what: &str) -> String {
    format!("it was sent less than {} minutes ago: the {what} may still be on its way", MAY_TURN_UP.as_mins())
}

fn is_fresh(sent: Timestamp, now: i64) -> bool {
    Timestamp::from_millisecond(now).map_or(true, |now| now.duration_since(sent) < MAY_TURN_UP)
}

/// Whether a text can be an id or a number of Openpay's.
fn is_id(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=MAX_ID).contains(&text.len()) && text.bytes().all(is_part)
}

/// The audit trail is kept for ever, and shown. Card numbers are written with blanks and dashes, too.
fn holds_card_number(text: &str) -> bool {
    let text: String = text.chars().filter(|letter| !matches!(letter, ' ' | '-' | '.')).collect();
    text.split(|letter: char| !letter.is_ascii_digit()).any(|digits| Pan::parse(digits).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::bench::{self, ledger};
    use crate::ledger::{Conflict, State, ToldBefore};
    use crate::money::Money;

    const BY: ByHand<'_> = ByHand { who: "ana", reason: "Openpay has 99.00 MXN there" };

    const fn paid(charge: &str) -> Seen<'_> {
        Seen::Paid(charge, Some("801585"))
    }

    fn prepare(ledger: &Ledger, order: &str) -> Result<Attempt, Conflict> {
        bench::prepare(ledger, &format!("257139{}", order.len()), order, Money::mxn(20_000))
    }

    fn stuck(ledger: &Ledger, order: &str) -> i64 {
        let id = prepare(ledger, order).unwrap().id;
        ledger.mark_sent(id).unwrap();
        ledger.settle(id, &Outcome::Unknown).unwrap();
        id
    }

    #[test]
    fn an_attempt_nobody_can_decide_no_longer_blocks_its_order_and_says_who_said_so() {
        let (ledger, clock) = ledger();
        ledger.keep_notifications().unwrap();
        let id = stuck(&ledger, "ord-1");
        assert!(prepare(&ledger, "ord-1").is_err());
        clock.advance(MAY_TURN_UP);
        assert_eq!(ledger.settle_by_hand(id, Seen::Unpaid, BY).unwrap().state, State::Declined);
        assert_eq!(prepare(&ledger, "ord-1").unwrap().gateway_order_id, "ord-1-retry2", "the first id is taken");
        let audit = ledger.audit(3).unwrap();
        assert_eq!((audit[1].event.as_str(), audit[2].event.as_str()), ("declined", "settled by hand"));
        assert_eq!(audit[2].detail, "by ana: Openpay has 99.00 MXN there");
        let told = &ledger.latest_notifications(1).unwrap()[0];
        assert!(told.event == "payment.declined" && told.body.contains("\"counts_as_failure\":false"), "{told:?}");
    }

    #[test]
    fn a_payment_found_by_hand_is_final_and_wants_a_charge_of_its_own() {
        let (ledger, clock) = ledger();
        let (first, second) = (stuck(&ledger, "ord-1"), stuck(&ledger, "ord-22"));
        let attempt = ledger.settle_by_hand(first, paid("trx1"), BY).unwrap();
        assert_eq!((attempt.state, attempt.charge_id.as_deref()), (State::Approved, Some("trx1")));
        assert_eq!(attempt.reference(), "801585");
        assert!(matches!(prepare(&ledger, "ord-1"), Err(Conflict::Paid(_))));
        clock.advance(MAY_TURN_UP);
        for seen in [Seen::Unpaid, paid("trx1")] {
            assert!(matches!(ledger.settle_by_hand(first, seen, BY), Err(LedgerError::Transition { .. })));
        }
        assert!(
            matches!(ledger.settle_by_hand(second, paid("trx1"), BY), Err(LedgerError::ByHand(_))),
            "one charge, two orders"
        );
        assert_eq!(ledger.attempt(second).unwrap().state, State::Unknown);
    }

    #[test]
    fn an_order_seen_paid_elsewhere_is_charged_no_more_and_is_no_payment_of_this_ledger() {
        let (ledger, _) = ledger();
        ledger.keep_notifications().unwrap();
        let id = stuck(&ledger, "ord-1");
        let attempt = ledger.settle_by_hand(id, Seen::Elsewhere("trx1", None), BY).unwrap();
        assert_eq!((attempt.state, attempt.charge_id.as_deref()), (State::Elsewhere, Some("trx1")));
        assert_eq!((attempt.brand.as_str(), attempt.last_four.as_str()), ("unknown", "????"), "its card did not pay");
        assert!(matches!(prepare(&ledger, "ord-1"), Err(Conflict::Paid(_))));
        assert_eq!(ledger.latest_notifications(1).unwrap()[0].event, "payment.elsewhere");
        assert!(matches!(ledger.settle_by_hand(id, paid("trx1"), BY), Err(LedgerError::Transition { .. })), "final");
    }

    #[test]
    fn a_refund_nobody_can_decide_is_settled_by_hand_and_lets_the_next_be_made() {
        let (ledger, clock) = ledger();
        let id = stuck(&ledger, "ord-1");
        ledger.settle_by_hand(id, paid("trx1"), BY).unwrap();
        let settle = |made: bool| ledger.settle_refund_by_hand(id, made, BY).map(|refund| refund.state);
        assert!(matches!(settle(true), Err(LedgerError::ByHand(_))), "none is open");
        let begin = || ledger.begin_refund(id, Some(Money::mxn(5_000)), &ToldBefore::default()).unwrap();
        begin().unwrap();
        assert!(matches!(settle(false), Err(LedgerError::ByHand(_))), "it may be on its way");
        clock.advance(MAY_TURN_UP);
        assert!(begin().is_err());
        assert_eq!(settle(false).unwrap(), RefundState::Failed);
        begin().unwrap();
        assert_eq!(settle(true).unwrap(), RefundState::Refunded);
        assert_eq!(ledger.attempt(id).unwrap().refunded, Money::mxn(5_000));
        let said = &ledger.audit(1).unwrap()[0];
        assert_eq!(said.event, "refunded");
        assert_eq!(said.detail, "50.00 MXN: settled by ana: Openpay has 99.00 MXN there");
    }

    #[test]
    fn only_what_was_sent_and_is_open_is_settled_by_hand_and_nothing_is_unpaid_too_early() {
        let (ledger, clock) = ledger();
        let id = prepare(&ledger, "ord-1").unwrap().id;
        let state = |seen: Seen<'_>| ledger.settle_by_hand(id, seen, BY).map(|attempt| attempt.state);
        assert!(matches!(state(paid("trx1")), Err(LedgerError::Transition { from: State::Prepared, .. })));
        clock.advance(MAY_TURN_UP); // before it was sent, which does not count
        ledger.mark_sent(id).unwrap();
        clock.advance(SignedDuration::from_mins(29));
        assert!(matches!(state(Seen::Unpaid), Err(LedgerError::ByHand(_))), "a call may be waiting for its answer");
        ledger.settle(id, &Outcome::Unknown).unwrap();
        ledger.settle(id, &Outcome::Lapsed).unwrap();
        clock.advance(MAY_TURN_UP);
        assert!(matches!(state(Seen::Unpaid), Err(LedgerError::Transition { from: State::Lapsed, .. })));
        assert!(matches!(ledger.settle_by_hand(77, Seen::Unpaid, BY), Err(LedgerError::Missing(_))));
    }

    #[test]
    fn what_is_kept_for_ever_is_one_line_without_a_card_number() {
        let (ledger, _) = ledger();
        let id = stuck(&ledger, "ord-1");
        let lines = ledger.audit(100).unwrap().len();
        for reason in ["", " ", "a\nb", "paid with 4111 1111-1111.1111", &"x".repeat(251)] {
            assert!(matches!(
                ledger.settle_by_hand(id, paid("trx1"), ByHand { reason, ..BY }),
                Err(LedgerError::ByHand(_))
            ));
        }
        for charge in ["", "trx 1", "trx1; trx2", &"x".repeat(46)] {
            assert!(matches!(ledger.settle_by_hand(id, paid(charge), BY), Err(LedgerError::ByHand(_))), "{charge}");
        }
        assert_eq!(ledger.audit(100).unwrap().len(), lines);
    }
}
