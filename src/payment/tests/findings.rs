//! What the gateway's answers and lists say of an attempt: "paid" and "not paid" only of what certainly is.

use super::*;
use crate::ledger::{Attempt, Ledger};
use crate::money::Currency;
use crate::openpay::{Charge, PaymentMethod};
use crate::payment::Alarms;
use crate::payment::finding::{Finding, Verdict};

/// An attempt, and its charge as the gateway has it once it is paid.
fn paid() -> (Attempt, Charge) {
    let clock = Arc::new(ManualClock::at("2026-11-23T10:15:00Z".parse().unwrap()));
    let ledger = Ledger::in_memory(clock).unwrap();
    let (key, authorization, pan) = (PaymentKey::new("257139"), Shop::authorization(), card(GOOD).pan);
    let (brand, last_four) = (pan.brand(), pan.last_four());
    let new = NewAttempt { key: &key, authorization: &authorization, brand, last_four, months: None };
    let charge = Charge {
        id: "own".into(),
        order_id: Some(ORDER.into()),
        amount: AMOUNT,
        status: ChargeStatus::Completed,
        authorization: Some("801585".into()),
        error_code: None,
        masked_card: Some("411111XXXXXX1111".into()),
        creation_date: Some("2026-11-23T04:15:00-06:00".into()),
        payment_method: None,
        refund: None,
    };
    (ledger.prepare_attempt(&new).unwrap().unwrap(), charge)
}

fn of_another_card(charge: &Charge) -> Charge {
    Charge { id: "other".into(), masked_card: Some("555555XXXXXX4444".into()), ..charge.clone() }
}

fn with_status(charge: &Charge, status: ChargeStatus) -> Charge {
    Charge { status, ..charge.clone() }
}

fn answered(charge: Charge, attempt: &Attempt, alarms: &Alarms) -> &'static str {
    match Verdict::of(Ok(charge), attempt, alarms) {
        Verdict::Paid(_) => "paid",
        Verdict::NotPaid(_) => "not paid",
        Verdict::Unclear => "undecided",
        _ => "something else",
    }
}

fn listed(charges: Vec<Charge>, attempt: &Attempt, settled: bool, alarms: &Alarms) -> &'static str {
    match Finding::of(Ok(charges), attempt, settled, alarms) {
        Finding::Paid(charge) if charge.id == "own" => "paid",
        Finding::Paid(_) => "paid by another's charge",
        Finding::Elsewhere(_) => "elsewhere",
        Finding::Earlier(_) => "earlier",
        Finding::NotPaid(_) => "not paid",
        Finding::OlderFailure => "older failure",
        Finding::Absent => "absent",
        Finding::Undecided => "undecided",
    }
}

#[test]
fn completed_alone_is_paid_and_what_may_still_be_is_not_unpaid() {
    let (attempt, charge) = paid();
    let alarms = Alarms::default();
    let waiting_for = |kind: &str| {
        let method = PaymentMethod { kind: kind.to_owned(), phone_number: None, ivr_key: None, attempts: None };
        Charge { payment_method: Some(method), ..with_status(&charge, ChargeStatus::ChargePending) }
    };
    for (charge, expected) in [
        (charge.clone(), "paid"),
        (with_status(&charge, ChargeStatus::Failed), "not paid"),
        (with_status(&charge, ChargeStatus::Cancelled), "not paid"),
        (with_status(&charge, ChargeStatus::Refunded), "not paid"),
        (with_status(&charge, ChargeStatus::InProgress), "undecided"),
        (with_status(&charge, ChargeStatus::Other("chargeback_pending".into())), "undecided"),
        (with_status(&charge, ChargeStatus::ChargePending), "undecided"),
        (waiting_for("ivr"), "undecided"),
        (waiting_for("redirect"), "not paid"), // 3-D Secure, which nobody can do on a telephone
    ] {
        assert_eq!(answered(charge.clone(), &attempt, &alarms), expected, "{charge:?}");
        assert_eq!(listed(vec![charge.clone()], &attempt, false, &alarms), expected, "{charge:?}");
    }
    assert_eq!(alarms.count(), 0);
}

#[test]
fn a_charge_of_another_amount_is_no_payment_and_is_told() {
    let (attempt, charge) = paid();
    for amount in [Money::mxn(AMOUNT.centavos - 1), Money { currency: Currency::Usd, ..AMOUNT }] {
        let alarms = Alarms::default();
        let charge = Charge { amount, ..charge.clone() };
        assert_eq!(answered(charge.clone(), &attempt, &alarms), "undecided", "{amount}");
        assert_eq!(listed(vec![charge], &attempt, true, &alarms), "undecided", "{amount}");
        assert!(alarms.told()[0].text.contains("charge own at Openpay is of another amount"), "{:?}", alarms.told());
    }
}

/// An answer about another order is about nothing that was asked; a list may hold what its filter should have left out.
#[test]
fn a_charge_of_another_order_is_no_payment() {
    let (attempt, charge) = paid();
    let of = |order_id: Option<&str>| Charge { order_id: order_id.map(str::to_owned), ..charge.clone() };
    let alarms = Alarms::default();
    assert_eq!(answered(of(Some("ord-2345")), &attempt, &alarms), "undecided");
    assert_eq!(alarms.count(), 1);
    assert_eq!(answered(of(None), &attempt, &alarms), "paid", "the answer to this very charge");
    assert_eq!(listed(vec![of(Some("ord-2345")), of(None)], &attempt, true, &alarms), "absent");
    assert_eq!(listed(vec![of(Some("ord-2345")), charge.clone()], &attempt, true, &alarms), "paid");
    assert_eq!(alarms.count(), 1, "nothing is wrong with this order");
}

/// A charge may have been doubled on its way: that one of them failed says nothing of the other.
#[test]
fn an_order_is_not_unpaid_while_any_charge_of_it_is_undecided() {
    let (attempt, charge) = paid();
    let alarms = Alarms::default();
    let [under_way, failed] =
        [ChargeStatus::InProgress, ChargeStatus::Failed].map(|status| with_status(&charge, status));
    let other = of_another_card(&charge);
    for (list, expected) in [
        (vec![&failed, &under_way], "undecided"),
        (vec![&under_way, &failed], "undecided"),
        (vec![&other, &under_way], "undecided"),
        (vec![&under_way, &charge], "paid"),
        (vec![&failed, &charge], "paid"),
        (vec![&failed, &other], "elsewhere"),
        (vec![&other, &charge], "paid"),
        (vec![&charge, &other], "paid"),
    ] {
        let list: Vec<_> = list.into_iter().cloned().collect();
        assert_eq!(listed(list.clone(), &attempt, true, &alarms), expected, "{list:?}");
    }
}

/// Another card's failure says nothing of a charge that may still be on its way.
#[test]
fn a_failure_before_the_attempt_decides_nothing_until_the_attempt_is_old() {
    let (attempt, charge) = paid();
    let failed = of_another_card(&with_status(&charge, ChargeStatus::Failed));
    let listed = |settled| listed(vec![failed.clone()], &attempt, settled, &Alarms::default());
    assert_eq!((listed(false), listed(true)), ("undecided", "older failure"));
}

#[test]
fn clocks_may_differ_by_two_minutes() {
    let (attempt, charge) = paid();
    for (date, if_paid, if_failed) in
        [("2026-11-23T04:13:00-06:00", "paid", "not paid"), ("2026-11-23T04:12:59-06:00", "earlier", "older failure")]
    {
        let charge = Charge { creation_date: Some(date.to_owned()), ..charge.clone() };
        let failed = with_status(&charge, ChargeStatus::Failed);
        assert_eq!(listed(vec![charge], &attempt, true, &Alarms::default()), if_paid, "{date}");
        assert_eq!(listed(vec![failed], &attempt, true, &Alarms::default()), if_failed, "{date}");
    }
}
