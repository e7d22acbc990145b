//! What is borne over all calls, and for how long it is not: the clock moves when it is told to.

use super::super::AbuseLimits;
use super::*;
use crate::ledger::NewKey;
use crate::limits::{BreakerConfig, RatioLimit, VelocityLimit};
use crate::money::Currency;

fn limited(abuse: AbuseLimits) -> (Shop, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at("2026-11-23T10:15:00Z".parse().unwrap()));
    let sandbox = SandboxConfig { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..SandboxConfig::default() };
    (Shop::open(RehearsalConfig { sandbox, abuse, ..calm() }), clock)
}

/// Charges another key of the same shop.
fn charge_order(shop: &Shop, order: u32, number: &str) -> ChargeReply {
    let key = PaymentKey::new(format!("{}", 600_000 + order));
    let authorization = Authorization { order_id: format!("order{order}"), ..Shop::authorization() };
    let request = Request::Charge { key, authorization, card: card(number), months: None };
    let Reply::Charge(reply) = shop.shop.cashier.perform(request) else { panic!("not a charge's reply") };
    reply
}

#[test]
fn wrong_keys_lock_all_keys_of_the_box_for_a_while() {
    let wrong_keys = VelocityLimit { per_minute: 3, ..AbuseLimits::default().wrong_keys };
    let (shop, clock) = limited(AbuseLimits { wrong_keys, ..AbuseLimits::default() });
    let ask =
        |key: &str| shop.shop.cashier.perform(Request::Authorize { key: PaymentKey::new(key), values: Vec::new() });
    for key in ["111111", "222222", "333333", "444444"] {
        assert_eq!(ask(key), Reply::Authorize(AuthorizeReply::Refused(Refusal::Unknown)));
    }
    assert_eq!(shop.authorize(), AuthorizeReply::Unavailable, "not refused: the key is good");
    clock.advance(SignedDuration::from_mins(15));
    assert!(matches!(shop.authorize(), AuthorizeReply::Authorized(_)));
}

/// They were right once, and so are worth guessing.
#[test]
fn expired_and_cancelled_keys_count_as_wrong_ones() {
    let wrong_keys = VelocityLimit { per_minute: 3, ..AbuseLimits::default().wrong_keys };
    let (shop, clock) = limited(AbuseLimits { wrong_keys, ..AbuseLimits::default() });
    let cancelled = shop.shop.issue(Digits::Random(8), AMOUNT, "cancelled").unwrap();
    shop.shop.ledger.cancel_key(shop.shop.ledger.find_key(&cancelled).unwrap().unwrap().id).unwrap();
    let (order_id, description, expires) =
        ("expired".to_owned(), "d".to_owned(), Some(clock.now() + SignedDuration::from_secs(1)));
    let (digits, amount, customer, max_failures) = (Digits::Random(8), AMOUNT, None, 3);
    let expired = NewKey { digits, amount, order_id, description, customer, expires, max_failures };
    let expired = shop.shop.ledger.issue_key(expired).unwrap().key;
    clock.advance(SignedDuration::from_secs(1));
    for (key, refusal) in [(cancelled, Refusal::Blocked), (expired, Refusal::Expired)] {
        for _ in 0..2 {
            let reply = shop.shop.cashier.perform(Request::Authorize { key: key.clone(), values: Vec::new() });
            assert_eq!(reply, Reply::Authorize(AuthorizeReply::Refused(refusal)));
        }
    }
    assert_eq!(shop.authorize(), AuthorizeReply::Unavailable, "the fourth locked");
}

#[test]
fn a_card_declined_again_and_again_is_not_tried_at_all_for_a_while() {
    let (shop, clock) = limited(AbuseLimits::default());
    let declined = |order| charge_order(&shop, order, DECLINED);
    assert!((0..6).all(|order| declined(order) == ChargeReply::Declined(Decline::OtherCard)));
    assert_eq!(declined(6), ChargeReply::Declined(Decline::Generic));
    assert_eq!(shop.shop.sandbox.charges().unwrap().len(), 6, "the gateway was not asked");
    // A card whose expiry or CVV is wrong each time is one of which they are being guessed.
    let guessed = |order| charge_order(&shop, order, "4000000000000069");
    assert!((10..16).all(|order| guessed(order) == ChargeReply::Correct(CardField::Expiry)));
    assert_eq!(guessed(16), ChargeReply::Declined(Decline::Generic));
    assert!(is_approved(&shop.charge(GOOD)), "other cards are good");
    clock.advance(SignedDuration::from_hours(1));
    assert_eq!(declined(7), ChargeReply::Declined(Decline::OtherCard));
}

#[test]
fn nearly_all_charges_declined_stops_charging_for_a_while() {
    let declines = RatioLimit { at_least: 4, ..AbuseLimits::default().declines };
    let (shop, clock) = limited(AbuseLimits { declines, ..AbuseLimits::default() });
    let stolen = ["4000000000000119", "4000000000000044", "4000000000000119", "4000000000000044"];
    for (order, number) in (0..).zip(stolen) {
        assert_eq!(charge_order(&shop, order, number), ChargeReply::Declined(Decline::Generic));
    }
    assert_eq!(shop.authorize(), AuthorizeReply::Unavailable, "no caller need key a card");
    assert_eq!(shop.charge(GOOD), ChargeReply::Unavailable);
    clock.advance(SignedDuration::from_mins(15));
    assert!(is_approved(&shop.charge(GOOD)));
}

/// A shop with a charge whose answer was lost, and what its key is told of it.
fn with_an_open_charge(abuse: AbuseLimits) -> (Shop, Arc<ManualClock>, AuthorizeReply) {
    let clock = Arc::new(ManualClock::at("2026-11-23T10:15:00Z".parse().unwrap()));
    let sandbox = SandboxConfig { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..SandboxConfig::default() };
    let shop = Shop::open(RehearsalConfig { sandbox, abuse, ..quick() });
    shop.inject(Fault::DropAfter);
    nobody_can_look(&shop);
    let ChargeReply::Unknown { reference } = shop.charge(GOOD) else { panic!("known") };
    (shop, clock, AuthorizeReply::Pending { reference })
}

/// For as long as a charge is looked for on the schedule.
fn nobody_can_look(shop: &Shop) {
    for _ in 0..quick().queries.len() {
        shop.shop.sandbox.inject(Operation::ListCharges, Fault::ErrorBefore { status: 503 });
    }
}

fn ask(shop: &Shop, key: u32) -> AuthorizeReply {
    let key = PaymentKey::new(key.to_string());
    let Reply::Authorize(reply) = shop.shop.cashier.perform(Request::Authorize { key, values: Vec::new() }) else {
        panic!("a charge's")
    };
    reply
}

/// Whatever keeps the box from taking payments: a charge that may have been made is told of, then that it was, and of all
/// other keys nothing.
fn is_told_of_its_charge(shop: &Shop, open: &AuthorizeReply, why: &str) {
    shop.shop.sandbox.inject(Operation::ListCharges, Fault::ErrorBefore { status: 503 });
    assert_eq!(shop.authorize(), *open, "{why}: nobody knows yet");
    assert_eq!(shop.authorize(), AuthorizeReply::Refused(Refusal::AlreadyPaid), "{why}: it was found");
    let good = shop.shop.issue(Digits::Random(8), AMOUNT, &format!("other, {why}")).unwrap();
    let reply = shop.shop.cashier.perform(Request::Authorize { key: good, values: Vec::new() });
    assert_eq!(reply, Reply::Authorize(AuthorizeReply::Unavailable), "{why}: a good key");
    assert_eq!(ask(shop, 111_111), AuthorizeReply::Unavailable, "{why}: a wrong key");
    let ChargeReply::AlreadyPaid { .. } = shop.charge(GOOD) else { panic!("{why}: the card in hand") };
    assert_eq!(shop.completed(), 1, "{why}");
}

/// What went wrong: the ledger was asked last, and a caller whose card was charged heard "nothing was charged" while keys
/// were locked, the account was halted, the gateway rested or nearly everything was declined.
#[test]
fn who_may_have_paid_is_told_so_while_no_payments_are_taken() {
    let wrong_keys = VelocityLimit { per_minute: 3, ..AbuseLimits::default().wrong_keys };
    let (shop, _, open) = with_an_open_charge(AbuseLimits { wrong_keys, ..AbuseLimits::default() });
    (1..=4).for_each(|key| assert_eq!(ask(&shop, 990_000 + key), AuthorizeReply::Refused(Refusal::Unknown)));
    shop.shop.sandbox.inject(Operation::ListCharges, Fault::ErrorBefore { status: 503 });
    assert_eq!(shop.authorize(), open, "keys are locked");
    assert_eq!(shop.authorize(), AuthorizeReply::Refused(Refusal::AlreadyPaid));

    let (shop, _, open) = with_an_open_charge(AbuseLimits::default());
    shop.shop.sandbox.inject(Operation::Merchant, Fault::ErrorBefore { status: 401 });
    assert!(shop.shop.cashier.till().check().is_err());
    is_told_of_its_charge(&shop, &open, "halted");

    let breaker = BreakerConfig { failures: 2, rest: SignedDuration::from_secs(30) };
    let (shop, _, open) = with_an_open_charge(AbuseLimits { gateway: breaker, ..AbuseLimits::default() });
    (0..2).for_each(|_| shop.shop.sandbox.inject(Operation::Token, Fault::ErrorBefore { status: 503 }));
    assert_eq!(charge_order(&shop, 1, GOOD), ChargeReply::Unavailable);
    is_told_of_its_charge(&shop, &open, "the gateway rests");

    let declines = RatioLimit { at_least: 4, ..AbuseLimits::default().declines };
    let (shop, _, open) = with_an_open_charge(AbuseLimits { declines, ..AbuseLimits::default() });
    for order in 0..4 {
        assert!(matches!(charge_order(&shop, order, "4000000000000119"), ChargeReply::Declined(_)));
    }
    is_told_of_its_charge(&shop, &open, "nearly all is declined");
}

/// There is nothing to be looked up for a donation: donors used up the look-ups of those who may have paid.
#[test]
fn questions_without_a_key_do_not_keep_those_who_may_have_paid_from_being_told() {
    let wrong_keys = VelocityLimit { per_minute: 3, ..AbuseLimits::default().wrong_keys };
    let (shop, _, open) = with_an_open_charge(AbuseLimits { wrong_keys, ..AbuseLimits::default() });
    shop.shop.sandbox.inject(Operation::Merchant, Fault::ErrorBefore { status: 401 });
    assert!(shop.shop.cashier.till().check().is_err());
    for _ in 0..6 {
        let reply = shop.shop.cashier.perform(Request::Authorize { key: PaymentKey::none(), values: Vec::new() });
        assert_eq!(reply, Reply::Authorize(AuthorizeReply::Unavailable));
    }
    is_told_of_its_charge(&shop, &open, "halted");
}

/// A card that is not tried any more was charged before: with it, too, its key is paid.
#[test]
fn a_card_that_is_not_tried_does_not_hide_that_its_key_is_paid() {
    let (shop, _) = limited(AbuseLimits::default());
    let ChargeReply::Approved { reference } = shop.charge(GOOD) else { panic!("not paid") };
    assert!((0..6).all(|order| matches!(charge_order(&shop, order, DECLINED), ChargeReply::Declined(_))));
    assert_eq!(shop.charge(DECLINED), ChargeReply::AlreadyPaid { reference });
    assert_eq!(charge_order(&shop, 7, DECLINED), ChargeReply::Declined(Decline::Generic));
}

/// Payments stopped while the caller keyed the card in.
#[test]
fn a_card_in_hand_is_told_what_became_of_the_charge_before_it() {
    let (shop, _, _) = with_an_open_charge(AbuseLimits::default());
    shop.shop.sandbox.inject(Operation::Merchant, Fault::ErrorBefore { status: 401 });
    assert!(shop.shop.cashier.till().check().is_err());
    assert!(matches!(shop.charge(GOOD), ChargeReply::AlreadyPaid { .. }), "it is looked up first");
    assert_eq!((shop.completed(), shop.states()), (1, vec![State::Approved]));
}

#[test]
fn a_key_blocked_by_its_declines_is_asked_about_again_after_a_day() {
    let (shop, clock) = limited(AbuseLimits::default());
    (0..6).for_each(|_| _ = charge_order(&shop, 1, "4000000000000119"));
    clock.advance(SignedDuration::from_hours(24));
    assert_eq!(ask(&shop, 600_001), AuthorizeReply::Refused(Refusal::Blocked));
    clock.advance(SignedDuration::from_secs(1));
    assert_eq!(ask(&shop, 600_001), AuthorizeReply::Refused(Refusal::Unknown), "the merchant's answer");
}

/// While no key is taken, a guesser must not find out more keys than while they are: blocked and wrong ones sound alike, and
/// after as many as may be wrong no key is looked up.
#[test]
fn keys_cannot_be_guessed_while_none_are_taken() {
    let wrong_keys = VelocityLimit { per_minute: 3, ..AbuseLimits::default().wrong_keys };
    let (shop, clock, _) = with_an_open_charge(AbuseLimits { wrong_keys, ..AbuseLimits::default() });
    (1..=4).for_each(|key| assert_eq!(ask(&shop, 990_000 + key), AuthorizeReply::Refused(Refusal::Unknown)));
    (1..=4).for_each(|key| assert_eq!(ask(&shop, 980_000 + key), AuthorizeReply::Unavailable));
    assert_eq!(shop.authorize(), AuthorizeReply::Unavailable, "not even the ledger is asked");
    clock.advance(SignedDuration::from_mins(15));
    assert!(matches!(shop.authorize(), AuthorizeReply::Refused(Refusal::AlreadyPaid)));
    assert_eq!(ask(&shop, 111_111), AuthorizeReply::Refused(Refusal::Unknown));
}

#[test]
fn a_key_blocked_here_is_not_told_from_others_while_none_are_taken() {
    let (shop, _) = limited(AbuseLimits::default());
    let blocked = || ask(&shop, 600_001);
    (0..6).for_each(|_| _ = charge_order(&shop, 1, "4000000000000119"));
    assert_eq!(blocked(), AuthorizeReply::Refused(Refusal::Blocked));
    shop.shop.sandbox.inject(Operation::Merchant, Fault::ErrorBefore { status: 401 });
    assert!(shop.shop.cashier.till().check().is_err());
    assert_eq!(blocked(), AuthorizeReply::Unavailable);
}

/// A key this box does not charge says nothing of the other keys.
#[test]
fn keys_above_the_limit_or_in_dollars_do_not_count_as_an_authorizer_that_fails() {
    let breaker = BreakerConfig { failures: 2, rest: SignedDuration::from_secs(30) };
    let (shop, _) = limited(AbuseLimits { authorizer: breaker, ..AbuseLimits::default() });
    for (order, amount) in
        [("dear", Money::mxn(1_200_000)), ("dollars", Money { centavos: 100, currency: Currency::Usd })]
    {
        let key = shop.shop.issue(Digits::Random(8), amount, order).unwrap();
        for _ in 0..3 {
            let reply = shop.shop.cashier.perform(Request::Authorize { key: key.clone(), values: Vec::new() });
            assert_eq!(reply, Reply::Authorize(AuthorizeReply::Unavailable), "{order}");
        }
    }
    assert!(matches!(shop.authorize(), AuthorizeReply::Authorized(_)));
}

#[test]
fn services_that_fail_again_and_again_are_left_alone_for_a_while() {
    let breaker = BreakerConfig { failures: 2, rest: SignedDuration::from_secs(30) };
    let (mut shop, clock) = limited(AbuseLimits { authorizer: breaker, gateway: breaker, ..AbuseLimits::default() });
    for _ in 0..4 {
        shop.shop.sandbox.inject(Operation::Token, Fault::ErrorBefore { status: 503 });
    }
    assert_eq!(shop.charge(GOOD), ChargeReply::Unavailable, "two tokens failed");
    assert_eq!(shop.authorize(), AuthorizeReply::Unavailable, "no caller need key a card");
    clock.advance(SignedDuration::from_secs(30));
    assert_eq!(shop.charge(GOOD), ChargeReply::Unavailable, "one charge was let through to see");
    clock.advance(SignedDuration::from_secs(30));
    assert!(is_approved(&shop.charge(GOOD)));
    let server = shop.shop.authorizer.take();
    drop(server);
    let key = PaymentKey::new("999999");
    let ask = || shop.shop.cashier.perform(Request::Authorize { key: key.clone(), values: Vec::new() });
    assert_eq!([ask(), ask(), ask()], [const { Reply::Authorize(AuthorizeReply::Unavailable) }; 3]);
}

/// The one charge let through after the gateway's rest was a card's that is not tried: nobody asked the gateway, and the next
/// caller was turned away for another rest.
#[test]
fn a_card_that_is_not_tried_does_not_stand_for_the_charge_that_is_to_see_how_the_gateway_is() {
    let breaker = BreakerConfig { failures: 2, rest: SignedDuration::from_secs(30) };
    let (shop, clock) = limited(AbuseLimits { gateway: breaker, ..AbuseLimits::default() });
    assert!((0..6).all(|order| matches!(charge_order(&shop, order, DECLINED), ChargeReply::Declined(_))));
    (0..2).for_each(|_| shop.shop.sandbox.inject(Operation::Token, Fault::ErrorBefore { status: 503 }));
    assert_eq!(charge_order(&shop, 7, GOOD), ChargeReply::Unavailable, "two tokens failed");
    clock.advance(SignedDuration::from_secs(30));
    assert_eq!(charge_order(&shop, 8, DECLINED), ChargeReply::Declined(Decline::Generic), "it is not tried");
    assert!(is_approved(&charge_order(&shop, 9, GOOD)));
}
