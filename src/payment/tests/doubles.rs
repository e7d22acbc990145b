//! Charges that something on the way doubled or lost, and what came after them.

use std::time::Instant;

use super::alarms::till;
use super::*;

/// A double of the first charge is paid, the first is called a used token, and the one sent then fails in its own way: the
/// money has been taken, and the caller must hear so.
#[test]
fn a_double_that_was_paid_is_found_whatever_becomes_of_the_charge_after_it() {
    for (status, code) in [(400, 1001), (429, 9999), (402, 3001), (412, 3006), (503, 1004)] {
        for rule in [OrderIds::AmongAll, OrderIds::AmongSuccessful] {
            let sandbox = SandboxConfig { order_ids: rule, ..SandboxConfig::default() };
            let shop = Shop::open(RehearsalConfig { sandbox, ..quick() });
            shop.inject(Fault::Duplicate);
            shop.inject(Fault::ApiError { status, code });
            let reply = shop.charge(GOOD);
            assert!(is_approved(&reply), "{code} {rule:?}: {reply:?}");
            assert_eq!((shop.completed(), shop.states()), (1, vec![State::Approved]), "{code} {rule:?}");
        }
    }
}

/// The first charge never arrived, and the one sent once more is declined: nothing else is known of the order, so that is it.
#[test]
fn a_decline_of_the_charge_sent_once_more_is_the_outcome() {
    let shop = Shop::open(quick());
    shop.inject(Fault::DropBefore);
    shop.inject(Fault::ApiError { status: 402, code: 3001 });
    assert_eq!(shop.charge(GOOD), ChargeReply::Declined(Decline::OtherCard));
    assert_eq!((shop.completed(), shop.states()), (0, vec![State::Declined]));
}

/// The same where the gateway cannot be asked whether the first turned up meanwhile: the outcome stays open, and is found out.
#[test]
fn a_decline_after_a_lost_charge_is_no_outcome_while_nobody_can_look() {
    let shop = Shop::open(quick());
    shop.inject(Fault::DropBefore);
    shop.inject(Fault::ApiError { status: 402, code: 3001 });
    // Looked up on the schedule and once after the gateway's own limit, then once after the decline.
    let looks = quick().queries.len() + 1;
    (0..looks).for_each(|_| shop.shop.sandbox.inject(Operation::ListCharges, Fault::SlowBody { ms: 0 }));
    shop.shop.sandbox.inject(Operation::ListCharges, Fault::ErrorBefore { status: 503 });
    assert!(matches!(shop.charge(GOOD), ChargeReply::Unknown { .. }));
    assert_eq!((shop.completed(), shop.states()), (0, vec![State::Unknown]));
}

/// After a charge that was lost no refusal of the next says that nothing was made: the first may still turn up.
#[test]
fn a_charge_that_was_lost_stays_open_whatever_refuses_the_one_sent_once_more() {
    for (status, code) in [(400, 1001), (409, 1006), (422, 1003), (503, 1004)] {
        let shop = Shop::open(quick());
        shop.inject(Fault::DropBefore);
        shop.inject(Fault::ApiError { status, code });
        assert!(matches!(shop.charge(GOOD), ChargeReply::Unknown { .. }), "{code}");
        assert_eq!((shop.completed(), shop.states()), (0, vec![State::Unknown]), "{code}");
    }
    let shop = Shop::open(quick());
    shop.inject(Fault::DropBefore);
    shop.shop.sandbox.inject(Operation::Token, Fault::SlowBody { ms: 0 }); // the first charge's
    shop.shop.sandbox.inject(Operation::Token, Fault::ErrorBefore { status: 503 });
    assert!(matches!(shop.charge(GOOD), ChargeReply::Unknown { .. }), "there is no token to send it again with");
    assert_eq!(shop.states(), [State::Unknown]);
}

/// Until the gateway's own limit it may be on its way: two could arrive.
#[test]
fn a_lost_charge_is_not_sent_again_before_the_gateways_limit() {
    let limit = Duration::from_millis(700);
    let shop = Shop::open(RehearsalConfig { gateway_limit: limit, queries: vec![Duration::ZERO], ..quick() });
    shop.inject(Fault::DropBefore);
    let begun = Instant::now();
    assert!(is_approved(&shop.charge(GOOD)));
    assert!(begun.elapsed() >= limit, "however slow the machine is, it is not faster");
}

/// Two tokens that are called used, and no charge: none was made, and the key can be tried again.
#[test]
fn a_charge_refused_twice_was_never_made_if_the_gateway_has_none() {
    for (status, code) in [(422, 1003), (400, 1001)] {
        let shop = Shop::open(quick());
        shop.inject(Fault::ApiError { status: 422, code: 1003 });
        shop.inject(Fault::ApiError { status, code });
        assert_eq!(shop.charge(GOOD), ChargeReply::Unavailable, "{code}");
        assert_eq!((shop.completed(), shop.states()), (0, vec![State::Abandoned]), "{code}");
        assert!(is_approved(&shop.charge(GOOD)), "{code}");
    }
    let shop = Shop::open(quick());
    (0..2).for_each(|_| shop.inject(Fault::ApiError { status: 422, code: 1003 }));
    (0..4).for_each(|_| shop.shop.sandbox.inject(Operation::ListCharges, Fault::ErrorBefore { status: 503 }));
    assert!(matches!(shop.charge(GOOD), ChargeReply::Unknown { .. }), "it may have one: nobody could look");
    assert_eq!(shop.states(), [State::Unknown]);
}

/// What the gateway takes no connection for was not sent, and is no outcome to look for.
#[test]
fn a_charge_that_found_no_connection_was_never_made() {
    let shop = Shop::open(calm());
    let till =
        till(&shop, &way_to(&shop, 1), &SandboxConfig::default().merchant_id, &SandboxConfig::default().private_key);
    assert_eq!(till.charge(&shop.key, &Shop::authorization(), &card(GOOD), None), ChargeReply::Unavailable);
    assert_eq!((shop.shop.sandbox.charges().unwrap(), shop.states()), (vec![], vec![State::Abandoned]));
}
