//! What was left open is found out: at start, in the background, and when its key is keyed again.

use super::*;
use crate::ledger::{ByHand, Seen};

#[test]
fn an_outcome_nobody_can_find_out_stays_open_until_reconciled() {
    let shop = Shop::open(quick());
    shop.inject(Fault::DropAfter);
    for _ in 0..10 {
        shop.shop.sandbox.inject(Operation::ListCharges, Fault::ErrorBefore { status: 503 });
    }
    let ChargeReply::Unknown { reference } = shop.charge(GOOD) else { panic!("known") };
    assert!(reference.len() >= 6 && shop.shop.ledger.find_attempts(&reference).unwrap().len() == 1);
    assert_eq!(shop.states(), [State::Unknown]);
    let pending = AuthorizeReply::Pending { reference: reference.clone() };
    assert_eq!(shop.authorize(), pending, "no card need be asked for");
    assert_eq!(shop.charge(GOOD), ChargeReply::Unknown { reference }, "still open: nothing is charged");
    while shop.shop.cashier.till().reconcile().unwrap().open > 0 {}
    assert_eq!(shop.states(), [State::Approved]);
    assert!(matches!(shop.charge(GOOD), ChargeReply::AlreadyPaid { .. }));
    assert_eq!(shop.completed(), 1);
}

#[test]
fn the_background_finds_out_and_takes_payments_again() {
    let shop = Shop::open(quick());
    shop.inject(Fault::DropAfter);
    (0..4).for_each(|_| shop.shop.sandbox.inject(Operation::ListCharges, Fault::DropBefore));
    assert!(matches!(shop.charge(GOOD), ChargeReply::Unknown { .. }));
    shop.shop.sandbox.inject(Operation::Merchant, Fault::ErrorBefore { status: 401 });
    assert!(shop.shop.cashier.till().check().is_err());
    let _background = Background::reconciling(Arc::clone(&shop.shop.cashier), Duration::from_secs(3600)).unwrap();
    let is_done = || {
        std::thread::sleep(Duration::from_millis(10));
        shop.states() == [State::Approved] && !shop.shop.cashier.till().is_halted()
    };
    assert!((0..6000).any(|_| is_done()), "its first round is made at once");
}

/// A stop waited for all that was due, with a gateway or merchant that answers nothing a time-out for each.
#[test]
fn a_stop_ends_a_round_between_two_exchanges() {
    let shop = Shop::open(quick());
    for order in ["first", "second"] {
        let authorization = Authorization { order_id: order.into(), ..Shop::authorization() };
        let (key, pan) = (PaymentKey::new(format!("key of {order}")), card(GOOD).pan);
        let (brand, last_four) = (pan.brand(), pan.last_four());
        let new = NewAttempt { key: &key, authorization: &authorization, brand, last_four, months: None };
        let attempt = shop.shop.ledger.prepare_attempt(&new).unwrap().unwrap();
        shop.shop.ledger.mark_sent(attempt.id).unwrap();
    }
    let reconciled = shop.shop.cashier.till().reconcile_while(&mut |done, all| (done, all) == (0, 2)).unwrap();
    assert_eq!(reconciled, ReconcileReport { open: 1, ..ReconcileReport::default() });
    let (began, has_begun) = std::sync::mpsc::channel();
    let (ended, how) = std::sync::mpsc::channel();
    let background = Background::every(Duration::from_secs(3600), "test", move |stop| {
        began.send(()).unwrap();
        let mut was_asked = false;
        for _ in 0..6000 {
            was_asked |= stop.is_asked();
            if was_asked {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        ended.send(was_asked).unwrap();
    });
    has_begun.recv().unwrap();
    drop(background.unwrap());
    assert_eq!(how.try_iter().collect::<Vec<_>>(), [true], "in the middle of the first round, and no other");
}

#[test]
fn an_open_attempt_is_looked_up_when_its_key_is_keyed_again() {
    let shop = Shop::open(quick());
    shop.inject(Fault::DropAfter);
    (0..4).for_each(|_| shop.shop.sandbox.inject(Operation::ListCharges, Fault::DropBefore));
    assert!(matches!(shop.charge(GOOD), ChargeReply::Unknown { .. }));
    assert!(matches!(shop.charge(GOOD), ChargeReply::AlreadyPaid { .. }), "found on the second call");
    assert_eq!(shop.completed(), 1);
}

/// A process that dies leaves its attempts as they were: what it leaves is made here by hand.
#[test]
fn what_a_crash_leaves_is_reconciled() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.sqlite");
    let clock = Arc::new(ManualClock::at("2026-11-23T10:15:00Z".parse().unwrap()));
    let sandbox = SandboxConfig { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..SandboxConfig::default() };
    let shop = Shop::open(RehearsalConfig { ledger: Some(file), sandbox, ..quick() });
    // Charged, but the process died before it could say so.
    shop.inject(Fault::DropAfter);
    (0..4).for_each(|_| shop.shop.sandbox.inject(Operation::ListCharges, Fault::DropBefore));
    assert!(matches!(shop.charge(GOOD), ChargeReply::Unknown { .. }));
    // Died between reserving and sending, and between recording and sending.
    for (key, order) in [("111111", "reserved"), ("222222", "recorded")] {
        let authorization = Authorization { order_id: order.into(), ..Shop::authorization() };
        let (key, pan) = (PaymentKey::new(key), card(GOOD).pan);
        let (brand, last_four) = (pan.brand(), pan.last_four());
        let new = NewAttempt { key: &key, authorization: &authorization, brand, last_four, months: None };
        let attempt = shop.shop.ledger.prepare_attempt(&new).unwrap().unwrap();
        if order == "recorded" {
            shop.shop.ledger.mark_sent(attempt.id).unwrap();
        }
    }
    let report = shop.shop.cashier.till().reconcile().unwrap();
    assert_eq!(report, ReconcileReport { approved: 1, open: 2, ..ReconcileReport::default() });
    clock.advance(SignedDuration::from_mins(31));
    let report = shop.shop.cashier.till().reconcile().unwrap();
    assert_eq!(report, ReconcileReport { lapsed: 1, abandoned: 1, ..ReconcileReport::default() });
    assert_eq!(shop.shop.cashier.till().reconcile().unwrap(), ReconcileReport::default(), "nothing is left open");
}

fn leave_prepared(shop: &Shop) -> i64 {
    let (authorization, pan) = (Shop::authorization(), card(GOOD).pan);
    let (brand, last_four) = (pan.brand(), pan.last_four());
    let new = NewAttempt { key: &shop.key, authorization: &authorization, brand, last_four, months: None };
    shop.shop.ledger.prepare_attempt(&new).unwrap().unwrap().id
}

/// The process died before it could say that the outcome is not known.
#[test]
fn a_charge_that_a_crash_left_under_way_is_told_of_when_its_key_is_keyed_again() {
    let shop = Shop::open(quick());
    shop.shop.ledger.mark_sent(leave_prepared(&shop)).unwrap();
    assert_eq!(shop.authorize(), AuthorizeReply::Pending { reference: "100001".into() });
    shop.charge_elsewhere(GOOD).unwrap(); // it arrives
    assert_eq!(shop.authorize(), AuthorizeReply::Refused(Refusal::AlreadyPaid));
    assert_eq!(shop.states(), [State::Approved]);
}

/// For as long as the gateway can't be asked, an attempt may have been paid.
#[test]
fn nothing_is_given_up_because_nobody_could_look() {
    let (config, clock) = clocked();
    let shop = Shop::open(config);
    shop.shop.ledger.keep_notifications().unwrap();
    shop.charge_into_the_unknown(GOOD);
    clock.advance(SignedDuration::from_hours(48));
    for fault in [Fault::ErrorBefore { status: 503 }, Fault::DropBefore, Fault::Garbage, Fault::Truncated] {
        shop.shop.sandbox.inject(Operation::ListCharges, fault);
        let report = shop.shop.cashier.till().reconcile().unwrap();
        assert_eq!(report, ReconcileReport { open: 1, ..ReconcileReport::default() }, "{fault:?}");
    }
    assert_eq!(shop.shop.cashier.till().reconcile().unwrap().lapsed, 1);
    let told = shop.shop.ledger.latest_notifications(10).unwrap();
    let told: Vec<_> = told.iter().rev().map(|one| one.event.as_str()).collect();
    assert_eq!(told, ["payment.pending", "payment.lapsed"], "a merchant keeps the order from being paid until then");
}

/// Another box's declined charge is there, and this one's is not.
#[test]
fn what_only_an_older_failure_is_found_of_is_given_up_in_time() {
    let (config, clock) = clocked();
    let shop = Shop::open(config);
    assert_eq!(shop.charge_elsewhere(DECLINED), None);
    shop.charge_into_the_unknown(GOOD);
    assert_eq!(shop.shop.cashier.till().reconcile().unwrap().open, 1);
    clock.advance(SignedDuration::from_mins(30));
    assert_eq!(shop.shop.cashier.till().reconcile().unwrap().lapsed, 1);
}

#[test]
fn a_charge_that_turns_up_after_it_was_given_up_is_booked_for_a_day() {
    for (hours, is_booked) in [(23, true), (25, false)] {
        let (config, clock) = clocked();
        let shop = Shop::open(config);
        shop.charge_into_the_unknown(GOOD);
        clock.advance(SignedDuration::from_mins(30));
        let till = shop.shop.cashier.till();
        assert_eq!(till.reconcile().unwrap().lapsed, 1);
        shop.charge_elsewhere(GOOD).unwrap(); // late
        clock.advance(SignedDuration::from_hours(hours));
        assert_eq!(till.reconcile().unwrap().approved, u32::from(is_booked), "after {hours} h");
        let status = if is_booked { KeyStatus::Paid } else { KeyStatus::Open };
        assert_eq!(shop.key_record().status, status, "after {hours} h");
        assert_eq!(till.alarms().told()[0].text.contains("turned up after it had been given up"), is_booked);
    }
}

/// Its order id is the later attempt's: whatever the gateway has under it is that one's to book.
#[test]
fn an_attempt_given_up_is_not_looked_for_once_its_order_is_charged_again() {
    let (config, clock) = clocked();
    let shop = Shop::open(config);
    shop.charge_into_the_unknown(GOOD);
    clock.advance(SignedDuration::from_mins(30));
    assert_eq!(shop.shop.cashier.till().reconcile().unwrap().lapsed, 1);
    assert!(is_approved(&shop.charge(GOOD)));
    assert_eq!(shop.shop.cashier.till().reconcile().unwrap(), ReconcileReport::default());
    assert_eq!((shop.completed(), shop.states()), (1, vec![State::Lapsed, State::Approved]));
}

#[test]
fn a_decline_that_is_found_out_later_counts_as_one_heard_at_once() {
    let shop = Shop::open(quick());
    shop.inject(Fault::DropAfter);
    (0..4).for_each(|_| shop.shop.sandbox.inject(Operation::ListCharges, Fault::DropBefore));
    assert!(matches!(shop.charge(DECLINED), ChargeReply::Unknown { .. }));
    assert_eq!(shop.shop.cashier.till().reconcile().unwrap().declined, 1);
    assert_eq!(shop.key_record().failures, 1);
}

/// Two look the same attempt up: the call it belongs to, or a person, has recorded its end meanwhile.
#[test]
fn an_end_recorded_meanwhile_stands() {
    let shop = Shop::open(quick());
    shop.inject(Fault::DropAfter);
    (0..4).for_each(|_| shop.shop.sandbox.inject(Operation::ListCharges, Fault::DropBefore));
    assert!(matches!(shop.charge(GOOD), ChargeReply::Unknown { .. }));
    let as_it_was = shop.shop.ledger.find_attempts(ORDER).unwrap().remove(0);
    let by_hand = ByHand { who: "ana", reason: "seen" };
    shop.shop.ledger.settle_by_hand(as_it_was.id, Seen::Elsewhere("trx1", None), by_hand).unwrap();
    assert_eq!(shop.shop.cashier.till().reconcile_attempt(&as_it_was).unwrap(), State::Elsewhere);
    assert_eq!(shop.states(), [State::Elsewhere]);
}

/// It kept its key and its order for as long as the clock had been ahead.
#[test]
fn a_reservation_made_while_the_clock_was_ahead_ends_as_others_do() {
    let (config, clock) = clocked();
    let shop = Shop::open(config);
    let year = SignedDuration::from_hours(24 * 365);
    clock.advance(year);
    leave_prepared(&shop);
    clock.advance(-year);
    let till = shop.shop.cashier.till();
    assert_eq!(till.reconcile().unwrap(), ReconcileReport { open: 1, ..ReconcileReport::default() });
    clock.advance(SignedDuration::from_mins(1));
    assert_eq!(till.reconcile().unwrap(), ReconcileReport { abandoned: 1, ..ReconcileReport::default() });
}
