//! Charges of an order that another box made, or an earlier attempt: each is booked once, by whoever made it.

use super::*;
use crate::payment::Alarms;
use crate::payment::finding::Finding;

const MASTERCARD: &str = "5555555555554444";

impl Shop {
    /// Charges the order as a box with a ledger of its own does; gives the charge's id if it is paid.
    pub(super) fn charge_elsewhere(&self, number: &str) -> Option<String> {
        self.charge_elsewhere_as(ORDER, number)
    }

    /// The same under another order id.
    fn charge_elsewhere_as(&self, order_id: &str, number: &str) -> Option<String> {
        let payer = Payer { name: "x".into(), last_name: None, email: "x@example.com".into(), phone_number: None };
        let openpay = self.shop.openpay();
        let token = openpay.create_token(&TokenRequest { holder_name: "x", card: &card(number) }).unwrap();
        let (token, description, customer) = (token.id.as_str(), "elsewhere", &payer);
        let request = ChargeRequest { token, amount: AMOUNT, description, order_id, customer, months: None };
        openpay.create_charge(&request).ok().map(|charge| charge.id)
    }

    /// Charges a card; nobody finds out what became of it, as it is lost and the gateway can't be asked.
    pub(super) fn charge_into_the_unknown(&self, number: &str) {
        self.inject(Fault::DropBefore);
        (0..4).for_each(|_| self.shop.sandbox.inject(Operation::ListCharges, Fault::DropBefore));
        assert!(matches!(self.charge(number), ChargeReply::Unknown { .. }));
    }

    fn approved(&self) -> u64 {
        self.shop.ledger.attempts_in(State::Approved).unwrap().iter().map(|attempt| attempt.amount.centavos).sum()
    }
}

/// It was booked as approved with the card that was keyed here, and the merchant was told so: two exports had it.
#[test]
fn what_another_boxs_card_paid_is_no_payment_of_this_card() {
    let shop = Shop::open(calm());
    shop.shop.ledger.keep_notifications().unwrap();
    let charge = shop.charge_elsewhere(GOOD).unwrap();
    let reply = shop.charge(MASTERCARD);
    assert!(matches!(reply, ChargeReply::AlreadyPaid { .. }), "{reply:?}");
    assert_eq!((shop.states(), shop.approved(), shop.completed()), (vec![State::Elsewhere], 0, 1));
    let attempt = &shop.shop.ledger.find_attempts(ORDER).unwrap()[0];
    assert_eq!(attempt.charge_id.as_ref(), Some(&charge));
    assert_eq!((attempt.brand.as_str(), attempt.last_four.as_str()), ("Visa", "1111"), "the card that paid");
    let told = shop.shop.ledger.latest_notifications(10).unwrap();
    assert_eq!(told.iter().map(|one| one.event.as_str()).collect::<Vec<_>>(), ["payment.elsewhere"]);
    assert!(told[0].body.contains(&charge) && !told[0].body.contains("4444"), "{}", told[0].body);
    let ChargeReply::AlreadyPaid { reference } = reply else { unreachable!() };
    assert_eq!(shop.authorize(), AuthorizeReply::Refused(Refusal::AlreadyPaid));
    assert_eq!(shop.charge(GOOD), ChargeReply::AlreadyPaid { reference }, "nor is it charged again");
    assert_eq!(shop.shop.ledger.find_key(&shop.key).unwrap().unwrap().status, KeyStatus::Paid);
    let refund = shop.shop.cashier.till().refund(attempt.id, None);
    assert!(matches!(refund, Err(RefundError::NotPaid(State::Elsewhere))), "the other box gives it back");
    assert_eq!(shop.completed(), 1);
}

/// The customer was not sure and called again, with the same card, and got another box.
#[test]
fn an_earlier_charge_of_the_same_card_is_another_boxs_where_the_gateway_knew_the_order() {
    for pause in [60, 600] {
        let (config, clock) = clocked();
        let shop = Shop::open(config);
        shop.charge_elsewhere(GOOD).unwrap();
        clock.advance(SignedDuration::from_secs(pause));
        assert!(matches!(shop.charge(GOOD), ChargeReply::AlreadyPaid { .. }));
        assert_eq!((shop.states(), shop.approved(), shop.completed()), (vec![State::Elsewhere], 0, 1), "{pause} s");
    }
}

#[test]
fn reconciling_looks_at_the_card_too() {
    let shop = Shop::open(quick());
    shop.charge_into_the_unknown(MASTERCARD);
    shop.charge_elsewhere(GOOD).unwrap();
    let report = shop.shop.cashier.till().reconcile().unwrap();
    assert_eq!(report, ReconcileReport { elsewhere: 1, ..ReconcileReport::default() });
    assert_eq!((shop.states(), shop.approved()), (vec![State::Elsewhere], 0));
    assert!(matches!(shop.charge(MASTERCARD), ChargeReply::AlreadyPaid { .. }));
    assert_eq!(shop.completed(), 1);
}

/// Two attempts of one ledger: the first, given up, turns up when the second is refused. It was booked under the second's
/// card, and the first was never looked for again.
#[test]
fn a_charge_given_up_that_turns_up_is_booked_to_the_card_that_paid() {
    let (config, clock) = clocked();
    let shop = Shop::open(config);
    shop.charge_into_the_unknown(GOOD);
    clock.advance(SignedDuration::from_mins(31));
    assert_eq!(shop.shop.cashier.till().reconcile().unwrap().lapsed, 1);
    let charge = shop.charge_elsewhere(GOOD).unwrap(); // the lost one, late
    assert!(matches!(shop.charge(MASTERCARD), ChargeReply::AlreadyPaid { .. }));
    assert_eq!(shop.states(), [State::Approved, State::Abandoned]);
    let first = &shop.shop.ledger.find_attempts(ORDER).unwrap()[0];
    assert_eq!((first.charge_id.as_ref(), first.last_four.as_str()), (Some(&charge), "1111"));
    assert_eq!((shop.approved(), shop.completed()), (AMOUNT.centavos, 1));
    assert!(shop.shop.cashier.till().refund(first.id, None).is_ok(), "it can be given back here");
}

/// The first was given up, and the charge that the second meets is of neither's card.
#[test]
fn what_a_third_card_paid_is_not_booked_to_the_attempt_that_was_given_up() {
    let (config, clock) = clocked();
    let shop = Shop::open(config);
    shop.charge_into_the_unknown(MASTERCARD);
    clock.advance(SignedDuration::from_mins(31));
    assert_eq!(shop.shop.cashier.till().reconcile().unwrap().lapsed, 1);
    shop.charge_elsewhere(GOOD).unwrap();
    assert!(matches!(shop.charge("4242424242424242"), ChargeReply::AlreadyPaid { .. }));
    assert_eq!((shop.states(), shop.approved()), (vec![State::Lapsed, State::Elsewhere], 0));
}

/// Whether the gateway's charge is this attempt's or an older one's of the same card, where it does not say that it knew the
/// order: dates alone can't tell within what clocks may differ by.
#[test]
fn where_the_gateway_did_not_know_the_order_an_earlier_charge_of_the_card_decides_nothing() {
    for (pause, second, is_own) in [(60, 1003, true), (600, 1003, false), (600, 3001, false)] {
        let (config, clock) = clocked();
        let shop = Shop::open(config);
        shop.charge_elsewhere(GOOD).unwrap();
        clock.advance(SignedDuration::from_secs(pause));
        shop.inject(Fault::ApiError { status: 422, code: 1003 });
        shop.inject(Fault::ApiError { status: 402, code: second });
        let reply = shop.charge(GOOD);
        let states = if is_own { [State::Approved] } else { [State::Unknown] };
        assert_eq!((is_approved(&reply), shop.states()), (is_own, states.to_vec()), "{pause} s, {second}: {reply:?}");
    }
}

/// The first may have been doubled; that another card failed before says nothing of the double.
#[test]
fn another_cards_failure_decides_nothing_of_a_charge_that_may_have_been_doubled() {
    let sandbox = SandboxConfig { order_ids: OrderIds::AmongSuccessful, ..SandboxConfig::default() };
    let shop = Shop::open(RehearsalConfig { sandbox, ..quick() });
    assert_eq!(shop.charge_elsewhere(DECLINED), None);
    shop.inject(Fault::ApiError { status: 422, code: 1003 });
    shop.inject(Fault::ApiError { status: 402, code: 3001 });
    assert!(matches!(shop.charge(GOOD), ChargeReply::Unknown { .. }));
    assert_eq!((shop.completed(), shop.states()), (0, vec![State::Unknown]));
}

/// An attempt whose charge nobody found, and whose order an older one of the same card paid: a person looks, however long.
#[test]
fn an_earlier_charge_of_the_same_card_is_never_given_up_over() {
    let (config, clock) = clocked();
    let shop = Shop::open(config);
    shop.charge_elsewhere(GOOD).unwrap();
    clock.advance(SignedDuration::from_mins(10));
    shop.charge_into_the_unknown(GOOD);
    clock.advance(SignedDuration::from_hours(2));
    let till = shop.shop.cashier.till();
    assert_eq!(till.reconcile().unwrap(), ReconcileReport { open: 1, ..ReconcileReport::default() });
    assert!(till.alarms().told()[0].text.contains("payments settle"), "{:?}", till.alarms().told());
    assert_eq!(shop.states(), [State::Unknown]);
}

/// Each order id another box's failed charge has used up gives way to the next; after a few somebody has to look.
#[test]
fn order_ids_used_up_elsewhere_are_passed_over_and_count_for_nothing() {
    for used in [3, 4] {
        let shop = Shop::open(calm());
        for number in 1..=used {
            assert_eq!(shop.charge_elsewhere_as(&crate::order_id::at_gateway(ORDER, number), DECLINED), None);
        }
        let reply = shop.charge(GOOD);
        assert_eq!((is_approved(&reply), shop.completed()), (used == 3, usize::from(used == 3)), "{used}: {reply:?}");
        assert_eq!(shop.key_record().failures, 0, "no bank said no to this card");
        let told = shop.shop.cashier.till().alarms().told();
        let is_told = told.iter().any(|alarm| alarm.text.contains("too many failed charges"));
        assert_eq!((reply == ChargeReply::Unavailable, is_told), (used == 4, used == 4), "{used}: {told:?}");
    }
}

/// It was told as this card's decline, which no bank had been asked about.
#[test]
fn another_cards_decline_is_not_this_ones() {
    let shop = Shop::open(calm());
    assert_eq!(shop.charge_elsewhere(DECLINED), None);
    assert!(is_approved(&shop.charge(GOOD)));
    assert_eq!((shop.states(), shop.completed()), (vec![State::Declined, State::Approved], 1));
}

/// What can't be told apart is not booked at all until a person has looked.
#[test]
fn a_charge_without_a_card_or_older_than_the_attempt_decides_nothing() {
    let shop = Shop::open(quick());
    shop.charge_into_the_unknown(GOOD);
    let attempt = &shop.shop.ledger.find_attempts(ORDER).unwrap()[0];
    shop.charge_elsewhere(GOOD).unwrap();
    let charge = shop.shop.openpay().charges_of_order(OrderFilter { order_id: ORDER, limit: 1, offset: 0 }).unwrap();
    let alarms = Alarms::default();
    let find = |masked: Option<&str>, date: Option<&str>| {
        let mut charge = charge[0].clone();
        charge.masked_card = masked.map(str::to_owned);
        charge.creation_date = date.map_or(charge.creation_date, |date| Some(date.to_owned()));
        Finding::of(Ok(vec![charge]), attempt, true, &alarms)
    };
    let long_ago = Some("2020-01-01T00:00:00-06:00");
    assert!(matches!(find(Some("411111XXXXXX1111"), None), Finding::Paid(_)));
    assert!(matches!(find(Some("XXXXXXXXXXXX1111"), Some("no date")), Finding::Paid(_)), "nothing speaks against it");
    assert!(matches!(find(Some("411111XXXXXX1111"), long_ago), Finding::Earlier(_)));
    assert!(matches!(find(Some("555555XXXXXX1111"), None), Finding::Elsewhere(_)), "another brand, the same end");
    assert_eq!(alarms.count(), 0);
    assert!(matches!(find(None, None), Finding::Undecided));
    assert!(matches!(find(None, long_ago), Finding::Undecided));
    assert!(alarms.told()[0].text.contains("payments settle"));
}
