//! Charges that something on the way doubled or lost, and what came after them.

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
