use std::sync::Arc;

use jiff::SignedDuration;

use super::*;
use crate::clock::{Clock as _, ManualClock};

fn ledger() -> (Ledger, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at("2026-11-23T10:15:00Z".parse().unwrap()));
    (Ledger::in_memory(clock.clone()).unwrap(), clock)
}

fn new(digits: Digits, order_id: &str) -> NewKey {
    let (order_id, description) = (order_id.to_owned(), "Cargo IVR".to_owned());
    NewKey { digits, amount: Money::mxn(20_000), order_id, description, customer: None, expires: None, max_failures: 3 }
}

fn given(digits: &str) -> Digits {
    Digits::Given(PaymentKey::new(digits))
}

#[test]
fn an_issued_key_is_found_again_and_printed_masked() {
    let (ledger, _) = ledger();
    let customer = Customer { name: "Juan".into(), email: Some("juan@example.com".into()), ..Customer::default() };
    let issued =
        ledger.issue_key(NewKey { customer: Some(customer.clone()), ..new(given("257139"), "ord-1") }).unwrap();
    let found = ledger.find_key(&issued.key).unwrap().unwrap();
    assert_eq!((found.id, found.status, found.failures), (issued.id, KeyStatus::Open, 0));
    assert_eq!((found.amount, found.customer.clone()), (Money::mxn(20_000), Some(customer)));
    assert!(!format!("{found:?}").contains("257139"));
    assert!(ledger.find_key(&PaymentKey::new("257138")).unwrap().is_none());
    assert_eq!(ledger.audit(10).unwrap()[0].event, "issued");
}

#[test]
fn random_keys_have_the_length_asked_for_and_differ() {
    let (ledger, _) = ledger();
    let keys: std::collections::HashSet<String> = (0..50)
        .map(|n| ledger.issue_key(new(Digits::Random(8), &format!("o{n}"))).unwrap().key.expose().to_owned())
        .collect();
    assert_eq!(keys.len(), 50);
    assert!(keys.iter().all(|key| key.len() == 8 && key.bytes().all(|byte| byte.is_ascii_digit())));
}

#[test]
fn short_keys_run_out_before_they_can_be_guessed() {
    let (ledger, _) = ledger();
    let result = (0..=100).try_for_each(|n| ledger.issue_key(new(Digits::Random(6), &format!("o{n}"))).map(drop));
    assert!(result.unwrap_err().to_string().contains("use longer keys"));
    assert_eq!(ledger.list_keys().unwrap().len(), 100);
}

#[test]
fn what_cannot_be_issued_says_why() {
    let (ledger, _) = ledger();
    ledger.issue_key(new(given("257139"), "ord-1")).unwrap();
    for (key, cause) in [
        (new(given("257139"), "ord-2"), "issued before"),
        (new(given("123456"), "ord-1"), "has a key already"),
        (new(given("12345"), "ord-3"), "6 to 20 digits"),
        (new(given("12345x"), "ord-3"), "6 to 20 digits"),
        (new(Digits::Random(5), "ord-3"), "6 to 20 digits"),
        (new(Digits::Random(6), ""), "order id"),
        (new(Digits::Random(6), "ord-3-retry2"), "later attempts of an order"),
        (NewKey { amount: Money::mxn(0), ..new(Digits::Random(6), "ord-3") }, "zero"),
    ] {
        let error = ledger.issue_key(key).err().unwrap().to_string();
        assert!(error.contains(cause), "{error}");
        assert!(!error.contains("257139"), "{error}");
    }
}

#[test]
fn keys_expire_and_are_cancelled_once() {
    let (ledger, clock) = ledger();
    let expires = Some(clock.now() + SignedDuration::from_hours(1));
    let issued = ledger.issue_key(NewKey { expires, ..new(given("257139"), "ord-1") }).unwrap();
    let status = || ledger.find_key(&issued.key).unwrap().unwrap().status;
    assert_eq!(status(), KeyStatus::Open);
    clock.advance(SignedDuration::from_hours(1));
    assert_eq!(status(), KeyStatus::Expired);
    ledger.cancel_key(issued.id).unwrap();
    assert_eq!(status(), KeyStatus::Cancelled);
    assert!(matches!(ledger.cancel_key(issued.id), Err(LedgerError::Missing(_))));
    assert!(matches!(ledger.cancel_key(99), Err(LedgerError::Missing(_))));
}
