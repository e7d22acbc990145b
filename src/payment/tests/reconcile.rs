//! What was left open is found out: at start, in the background, and when its key is keyed again.

use super::*;

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
