//! Refunds whose answers are lost: money goes back once.

use super::alarms::till;
use super::*;
use crate::ledger::{RefundState, ToldBefore};
use crate::openpay::ErrorKind;
use crate::payment::Till;

const TEN: Money = Money::mxn(1_000);

fn paid(config: RehearsalConfig) -> (Shop, i64) {
    let shop = Shop::open(config);
    assert!(is_approved(&shop.charge(GOOD)));
    let attempt = shop.shop.ledger.find_attempts(ORDER).unwrap()[0].id;
    (shop, attempt)
}

impl Shop {
    fn till(&self) -> &Till {
        self.shop.cashier.till()
    }

    fn given_back(&self) -> u64 {
        self.shop.sandbox.charges().unwrap()[0].refunded
    }

    fn fail_refund(&self, fault: Fault) {
        self.shop.sandbox.inject(Operation::Refund, fault);
    }

    fn last_events(&self, count: u32) -> Vec<String> {
        self.shop.ledger.audit(count).unwrap().into_iter().rev().map(|entry| entry.event).collect()
    }
}

/// It was recorded as failed, and asking again gave the money back twice.
#[test]
fn a_refund_whose_answer_is_lost_is_found_at_once() {
    for fault in [
        Fault::DropAfter,
        Fault::DelayAfter { ms: 1_000 },
        Fault::Duplicate,
        Fault::ErrorAfter { status: 502 },
        Fault::Garbage,
        Fault::Truncated,
    ] {
        let (shop, attempt) = paid(clocked().0);
        shop.fail_refund(fault);
        // All of it, so that a double is refused.
        assert_eq!(shop.till().refund(attempt, None).unwrap(), AMOUNT, "{fault:?}");
        assert_eq!(shop.given_back(), AMOUNT.centavos, "{fault:?}");
        assert_eq!(shop.last_events(3), ["refunding", "refund unknown", "refunded"], "{fault:?}");
    }
}

#[test]
fn a_refund_nobody_can_look_up_keeps_the_next_from_being_sent() {
    let (shop, attempt) = paid(clocked().0);
    shop.fail_refund(Fault::DropAfter);
    // The charge is read before the refund, and after it.
    shop.shop.sandbox.inject(Operation::GetCharge, Fault::SlowBody { ms: 0 });
    (0..2).for_each(|_| shop.shop.sandbox.inject(Operation::GetCharge, Fault::ErrorBefore { status: 503 }));
    assert!(matches!(shop.till().refund(attempt, Some(TEN)), Err(RefundError::Unknown { amount: TEN, .. })));
    assert!(matches!(shop.till().refund(attempt, Some(TEN)), Err(RefundError::EarlierOpen(TEN))));
    let told = || shop.shop.ledger.attempt(attempt).map(|known| (known.refunded, known.refund_open)).unwrap();
    assert_eq!(told(), (Money::mxn(0), TEN));
    assert!(
        matches!(shop.till().refund(attempt, Some(TEN)), Err(RefundError::EarlierMade(TEN))),
        "found, nothing sent"
    );
    assert_eq!((shop.given_back(), told()), (TEN.centavos, (TEN, Money::mxn(0))));
    assert_eq!(
        shop.till().refund(attempt, Some(TEN)).unwrap(),
        TEN,
        "another one, asked for by who knows of the first"
    );
    assert_eq!(shop.given_back(), 2 * TEN.centavos);
}

#[test]
fn a_refund_that_never_arrived_is_given_up_only_when_it_can_no_longer_turn_up() {
    let (config, clock) = clocked();
    let (shop, attempt) = paid(config);
    shop.fail_refund(Fault::DropBefore);
    assert!(matches!(shop.till().refund(attempt, Some(TEN)), Err(RefundError::Unknown { .. })));
    assert!(matches!(shop.till().refund(attempt, None), Err(RefundError::EarlierOpen(TEN))), "it may be on its way");
    clock.advance(SignedDuration::from_mins(29));
    assert!(shop.till().reconcile_refunds(&mut || true).unwrap()[0].state.is_open());
    clock.advance(SignedDuration::from_mins(1));
    let reconciled = shop.till().reconcile_refunds(&mut || true).unwrap();
    assert_eq!(reconciled.iter().map(|refund| refund.state).collect::<Vec<_>>(), [RefundState::Failed]);
    assert_eq!(shop.till().refund(attempt, Some(TEN)).unwrap(), TEN);
    assert_eq!(shop.given_back(), TEN.centavos);
}

/// It is given up only on the word of a gateway that was asked: else it could be made a second time.
#[test]
fn a_lost_refund_is_not_given_up_because_nobody_could_look() {
    let (config, clock) = clocked();
    let (shop, attempt) = paid(config);
    shop.fail_refund(Fault::DropAfter);
    shop.shop.sandbox.inject(Operation::GetCharge, Fault::SlowBody { ms: 0 }); // before it is sent
    shop.shop.sandbox.inject(Operation::GetCharge, Fault::ErrorBefore { status: 503 });
    assert!(matches!(shop.till().refund(attempt, Some(TEN)), Err(RefundError::Unknown { .. })));
    clock.advance(SignedDuration::from_hours(48));
    for fault in [Fault::ErrorBefore { status: 404 }, Fault::DropBefore, Fault::Garbage] {
        shop.shop.sandbox.inject(Operation::GetCharge, fault);
        assert!(shop.till().reconcile_refunds(&mut || true).unwrap()[0].state.is_open(), "{fault:?}");
    }
    assert_eq!(shop.till().reconcile_refunds(&mut || true).unwrap()[0].state, RefundState::Refunded);
    assert_eq!(shop.given_back(), TEN.centavos);
}

#[test]
fn a_refund_that_found_no_connection_was_not_made_and_can_be_asked_for_again() {
    let (shop, attempt) = paid(calm());
    let SandboxConfig { merchant_id, private_key, .. } = SandboxConfig::default();
    let till = till(&shop, &way_to(&shop, 1), &merchant_id, &private_key);
    let refused = till.refund(attempt, Some(TEN));
    assert!(matches!(&refused, Err(RefundError::Openpay(error)) if error.kind() == ErrorKind::NotSent), "{refused:?}");
    assert_eq!(shop.last_events(2), ["refunding", "refund failed"]);
    assert_eq!(shop.till().refund(attempt, Some(TEN)).unwrap(), TEN);
    assert_eq!(shop.given_back(), TEN.centavos);
}

/// Sent while the clock was a year ahead: attempt and refund stayed open for that year, and nobody could settle them either.
#[test]
fn a_clock_that_was_ahead_keeps_nothing_open_longer() {
    let (config, clock) = clocked();
    let (shop, attempt) = paid(config);
    let year = SignedDuration::from_hours(24 * 365);
    clock.advance(year);
    shop.fail_refund(Fault::DropBefore);
    assert!(matches!(shop.till().refund(attempt, Some(TEN)), Err(RefundError::Unknown { .. })));
    let (authorization, pan) = (Authorization { order_id: "lost".into(), ..Shop::authorization() }, card(GOOD).pan);
    let (key, brand, last_four) = (PaymentKey::new("111111"), pan.brand(), pan.last_four());
    let new = NewAttempt { key: &key, authorization: &authorization, brand, last_four, months: None };
    let lost = shop.shop.ledger.prepare_attempt(&new).unwrap().unwrap().id;
    shop.shop.ledger.mark_sent(lost).unwrap();
    clock.advance(-year);
    let open = || {
        let attempts = shop.till().reconcile().unwrap().open;
        (
            attempts,
            shop.till().reconcile_refunds(&mut || true).unwrap().iter().filter(|one| one.state.is_open()).count(),
        )
    };
    assert_eq!(open(), (1, 1), "when they were sent is not known any more");
    clock.advance(SignedDuration::from_mins(29));
    assert_eq!(open(), (1, 1));
    clock.advance(SignedDuration::from_mins(1));
    assert_eq!(open(), (0, 0));
}

/// Of several refunds a charge tells one: that it tells an earlier one still does not say that the next was not made.
#[test]
fn a_lost_refund_after_another_is_not_given_up() {
    let (config, clock) = clocked();
    let (shop, attempt) = paid(config);
    assert_eq!(shop.till().refund(attempt, Some(TEN)).unwrap(), TEN);
    shop.fail_refund(Fault::DropAfter);
    assert_eq!(shop.till().refund(attempt, Some(TEN)).unwrap(), TEN, "told by its own text");
    shop.fail_refund(Fault::DropBefore);
    assert!(matches!(shop.till().refund(attempt, Some(TEN)), Err(RefundError::Unknown { .. })));
    clock.advance(SignedDuration::from_hours(1));
    assert!(matches!(shop.till().refund(attempt, Some(TEN)), Err(RefundError::EarlierOpen(TEN))));
    assert_eq!(shop.given_back(), 2 * TEN.centavos);
}

/// What a `kill -9` between sending and recording leaves, made by hand, and found by a process of its own.
#[test]
fn a_crash_between_sending_and_recording_gives_nothing_back_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (config, _) = clocked();
    let (shop, attempt) = paid(RehearsalConfig { ledger: Some(folder.path().join("l.sqlite")), ..config.clone() });
    let charge = shop.shop.ledger.attempt(attempt).unwrap().charge_id.unwrap();
    let begun = shop.shop.ledger.begin_refund(attempt, Some(TEN), &ToldBefore::default()).unwrap().unwrap();
    shop.shop.openpay().refund(&charge, &format!("{ORDER} refund {}", begun.id), Some(TEN)).unwrap();
    let other = crate::ledger::Ledger::open(&folder.path().join("l.sqlite"), config.sandbox.clock).unwrap();
    assert!(other.begin_refund(attempt, Some(TEN), &ToldBefore::default()).unwrap().is_err(), "another process");
    assert!(matches!(shop.till().refund(attempt, Some(TEN)), Err(RefundError::EarlierMade(TEN))));
    assert_eq!((shop.given_back(), other.open_refunds().unwrap()), (TEN.centavos, vec![]));
}

#[test]
fn nothing_is_sent_where_the_charge_cannot_be_looked_at_first() {
    let (shop, attempt) = paid(calm());
    shop.shop.sandbox.inject(Operation::GetCharge, Fault::ErrorBefore { status: 503 });
    assert!(matches!(shop.till().refund(attempt, Some(TEN)), Err(RefundError::NotLookedAt(_))));
    assert_eq!((shop.given_back(), shop.shop.ledger.open_refunds().unwrap()), (0, vec![]));
}

/// They were sent, and came back as alarms with a number.
#[test]
fn nothing_and_more_than_is_left_are_not_sent() {
    let (shop, attempt) = paid(calm());
    let refuse = |asked: Money, rest: Money| {
        let refused = shop.till().refund(attempt, Some(asked)).unwrap_err();
        assert!(matches!(refused, RefundError::Beyond { left, .. } if left == rest), "{refused}");
        assert!(refused.to_string().contains(&format!("at most the {rest}")), "{refused}");
    };
    refuse(Money::mxn(0), AMOUNT);
    refuse(Money::mxn(AMOUNT.centavos + 1), AMOUNT);
    assert_eq!(shop.last_events(1), ["approved"], "nothing was begun");
    shop.till().refund(attempt, Some(TEN)).unwrap();
    let rest = Money::mxn(AMOUNT.centavos - TEN.centavos);
    refuse(Money::mxn(rest.centavos + 1), rest);
    refuse(Money::mxn(0), rest);
    assert_eq!(shop.till().refund(attempt, Some(rest)).unwrap(), rest, "to the centavo");
    assert_eq!(shop.given_back(), AMOUNT.centavos);
}

#[test]
fn a_paid_charge_is_given_back_once_and_stays_in_the_ledger() {
    let shop = Shop::open(calm());
    assert!(is_approved(&shop.charge(GOOD)));
    let (till, attempt) = (shop.shop.cashier.till(), &shop.shop.ledger.find_attempts(ORDER).unwrap()[0]);
    assert_eq!(till.refund(attempt.id, Some(Money::mxn(5_000))).unwrap(), Money::mxn(5_000));
    assert_eq!(till.refund(attempt.id, None).unwrap(), Money::mxn(15_000), "what was left, not the whole charge");
    assert_eq!(shop.shop.read_back(ORDER).unwrap()[0].status, ChargeStatus::Refunded);
    assert!(matches!(till.refund(attempt.id, None), Err(RefundError::NothingLeft(AMOUNT))));
    assert!(matches!(till.refund(attempt.id, Some(Money::mxn(1))), Err(RefundError::NothingLeft(AMOUNT))));
    assert!(matches!(till.refund(77, None), Err(RefundError::Ledger(_))));
    assert_eq!(shop.states(), [State::Approved], "a success is never downgraded");
    let audit = shop.shop.ledger.audit(4).unwrap().into_iter().rev();
    let told: Vec<_> = audit.map(|entry| format!("{} {}", entry.event, entry.detail)).collect();
    assert_eq!(told, ["refunding 50.00 MXN", "refunded 50.00 MXN", "refunding 150.00 MXN", "refunded 150.00 MXN"]);
}

/// Somebody gave a part back on Openpay's dashboard: what is left is not guessed.
#[test]
fn after_a_refund_elsewhere_the_amount_must_be_said() {
    let shop = Shop::open(calm());
    assert!(is_approved(&shop.charge(GOOD)));
    let (till, attempt) = (shop.shop.cashier.till(), &shop.shop.ledger.find_attempts(ORDER).unwrap()[0]);
    let charge = attempt.charge_id.as_deref().unwrap();
    shop.shop.openpay().refund(charge, "dashboard", Some(Money::mxn(5_000))).unwrap();
    assert!(matches!(till.refund(attempt.id, None), Err(RefundError::Openpay(_))));
    assert_eq!(till.refund(attempt.id, Some(Money::mxn(15_000))).unwrap(), Money::mxn(15_000));
}

#[test]
fn what_was_not_paid_is_not_given_back() {
    let shop = Shop::open(calm());
    assert_eq!(shop.charge(DECLINED), ChargeReply::Declined(Decline::OtherCard));
    let attempt = &shop.shop.ledger.find_attempts(ORDER).unwrap()[0];
    assert!(matches!(shop.shop.cashier.till().refund(attempt.id, None), Err(RefundError::NotPaid(State::Declined))));
}
