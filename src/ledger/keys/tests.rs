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

/// One in ten random numbers of 16 digits passes the check of a card's, and no menu would take it as a key.
#[test]
fn a_random_key_is_never_a_card_number() {
    let (ledger, _) = ledger();
    let asked: Vec<_> = (0..300).map(|n| new(Digits::Random(16), &format!("o{n}"))).collect();
    let issued = ledger.issue_keys(&asked).unwrap().ok().unwrap();
    assert!(issued.iter().all(|issued| crate::card::Pan::parse(issued.key.expose()).is_err()));
}

#[test]
fn short_keys_run_out_before_they_can_be_guessed() {
    let (ledger, _) = ledger();
    let result = (0..=100).try_for_each(|n| ledger.issue_key(new(Digits::Random(6), &format!("o{n}"))).map(drop));
    assert!(result.unwrap_err().to_string().contains("use longer keys"));
    assert_eq!(ledger.list_keys().unwrap().len(), 100);
}

/// They were counted for each key: an import of 50,000 held the ledger's lock for minutes, and payments could not be recorded.
#[test]
fn open_keys_are_counted_once_for_many_and_right_all_the_same() {
    let (ledger, clock) = ledger();
    let mut open = OpenKeys::default();
    let random = |order: &str| new(Digits::Random(6), order);
    {
        let mut connection = ledger.lock();
        let transaction = connection.transaction().unwrap();
        issue(&transaction, &random("counted"), &mut open, 0).unwrap().unwrap();
        let behind = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100)
                      INSERT INTO payment_key (digits, order_id, centavos, currency, description, issued_ms, status,
                      max_failures) SELECT 200000 + n, 'p' || n, 1, 'MXN', 'd', 0, 'open', 3 FROM c";
        transaction.execute(behind, []).unwrap();
        assert!(issue(&transaction, &random("more"), &mut open, 0).unwrap().is_ok(), "not counted again");
        assert!(issue(&transaction, &random("more"), &mut OpenKeys::default(), 0).unwrap().is_err());
    }
    // A hundred of six digits, as many as there may be; all expire, and are replaced in one go.
    let expires = Some(clock.now() + SignedDuration::from_hours(1));
    let first: Vec<_> = (0..100).map(|n| NewKey { expires, ..random(&format!("o{n}")) }).collect();
    assert!(ledger.issue_keys(&first).unwrap().is_ok());
    clock.advance(SignedDuration::from_hours(1));
    ledger.cancel_key(1).unwrap();
    let again: Vec<_> = (1..100).map(|n| random(&format!("o{n}"))).collect();
    assert!(ledger.issue_keys(&again).unwrap().is_ok(), "each takes the place of the one it replaces");
    assert!(ledger.issue_keys(&[random("a"), random("b")]).unwrap().is_err(), "there is room for one");
    assert!(ledger.issue_keys(&[random("a")]).unwrap().is_ok());
}

#[test]
fn what_cannot_be_issued_says_why() {
    let (ledger, clock) = ledger();
    ledger.issue_key(new(given("257139"), "ord-1")).unwrap();
    for (key, cause) in [
        (new(given("257139"), "ord-2"), "issued before"),
        (new(given("123456"), "ord-1"), "has a key already"),
        (new(given("12345"), "ord-3"), "6 to 20 digits"),
        (new(given("12345x"), "ord-3"), "6 to 20 digits"),
        (new(Digits::Random(5), "ord-3"), "6 to 20 digits"),
        (new(given("4111111111111111"), "ord-3"), "looks like a card number"),
        (NewKey { expires: Some(clock.now()), ..new(Digits::Random(6), "ord-3") }, "expired already"),
        (
            NewKey { amount: Money::mxn(0), ..new(given("257139"), "ord-1") },
            "zero; order \"ord-1\" has a key already; this key",
        ),
        (new(Digits::Random(6), ""), "order id"),
        (new(Digits::Random(6), "ord-3-retry2"), "later attempts of an order"),
        (NewKey { amount: Money::mxn(0), ..new(Digits::Random(6), "ord-3") }, "zero"),
    ] {
        let error = ledger.issue_key(key).err().unwrap().to_string();
        assert!(error.contains(cause), "{error}");
        assert!(!error.contains("257139") && !error.contains("4111"), "{error}");
    }
}

fn is_refused(result: Result<IssuedKey, LedgerError>, cause: &str) {
    let error = result.err().unwrap().to_string();
    assert!(error.contains(cause), "{error}");
}

#[test]
fn an_order_whose_keys_expired_or_were_cancelled_gets_another() {
    let (ledger, clock) = ledger();
    let expires = Some(clock.now() + SignedDuration::from_hours(1));
    let first = ledger.issue_key(NewKey { expires, ..new(given("111111"), "ord-1") }).unwrap();
    is_refused(ledger.issue_key(new(given("222222"), "ord-1")), "has a key already");
    clock.advance(SignedDuration::from_hours(1));
    let second = ledger.issue_key(new(given("222222"), "ord-1")).unwrap();
    is_refused(ledger.issue_key(new(given("333333"), "ord-1")), "has a key already");
    ledger.cancel_key(second.id).unwrap();
    is_refused(ledger.issue_key(new(given("111111"), "ord-1")), "issued before");
    let third = ledger.issue_key(new(given("333333"), "ord-1")).unwrap();
    clock.advance(SignedDuration::from_hours(-2));
    let status = |key: &IssuedKey| ledger.find_key(&key.key).unwrap().unwrap().status;
    assert_eq!(
        [&first, &second, &third].map(status),
        [KeyStatus::Expired, KeyStatus::Cancelled, KeyStatus::Open],
        "old digits stay bad even if the clock is set back"
    );
}

#[test]
fn an_order_that_is_paid_or_may_be_gets_no_other_key() {
    for (state, refused) in [
        ("prepared", Some("not decided")),
        ("sent", Some("not decided")),
        ("unknown", Some("not decided")),
        ("approved", Some("is paid already")),
        ("elsewhere", Some("is paid already")),
        ("declined", None),
        ("lapsed", None),
        ("abandoned", None),
    ] {
        let (ledger, _) = ledger();
        let first = ledger.issue_key(new(given("111111"), "ord-1")).unwrap();
        ledger.cancel_key(first.id).unwrap();
        let attempt =
            "INSERT INTO attempt (key_digits, order_id, gateway_order_id, centavos, currency, description, brand,
                       last_four, state, created_ms, updated_ms)
                       VALUES ('111111', 'ord-1', 'ord-1', 1, 'MXN', 'd', 'Visa', '1111', ?1, 1, 1)";
        ledger.lock().execute(attempt, [state]).unwrap();
        match (ledger.issue_key(new(given("222222"), "ord-1")), refused) {
            (Ok(_), None) => assert!(ledger.check_order("ord-1").unwrap_err().to_string().contains("a key already")),
            (result, refused) => is_refused(result, refused.unwrap_or("anything else")),
        }
    }
}

/// A charge under the old key was given up, and turns up after all.
#[test]
fn a_payment_by_an_old_key_ends_the_orders_new_one() {
    let (ledger, _) = ledger();
    let old = ledger.issue_key(new(given("111111"), "ord-1")).unwrap();
    ledger.cancel_key(old.id).unwrap();
    ledger.issue_key(new(given("222222"), "ord-1")).unwrap();
    ledger.issue_key(new(given("333333"), "ord-2")).unwrap();
    let mut connection = ledger.lock();
    let transaction = connection.transaction().unwrap();
    mark_paid(&transaction, "111111").unwrap();
    transaction.commit().unwrap();
    drop(connection);
    let status = |digits: &str| ledger.find_key(&PaymentKey::new(digits)).unwrap().unwrap().status;
    assert_eq!(["111111", "222222", "333333"].map(status), [KeyStatus::Paid, KeyStatus::Paid, KeyStatus::Open]);
}

#[test]
fn drawn_keys_are_issued_only_when_they_are_asked_for() {
    let (ledger, _) = ledger();
    let asked = vec![new(Digits::Random(8), "ord-1"), new(given("257139"), "ord-2")];
    let drawn = ledger.draw_keys(asked).unwrap().ok().unwrap();
    assert!(ledger.list_keys().unwrap().is_empty());
    let issued = ledger.issue_keys(&drawn).unwrap().ok().unwrap();
    let digits = |new: &NewKey| match &new.digits {
        Digits::Given(key) => key.expose().to_owned(),
        Digits::Random(_) => String::new(),
    };
    let issued: Vec<_> = issued.iter().map(|issued| issued.key.expose()).collect();
    assert_eq!(drawn.iter().map(digits).collect::<Vec<_>>(), issued);
    assert_eq!((issued[0].len(), issued[1]), (8, "257139"));
    assert_eq!(ledger.draw_keys(vec![new(Digits::Random(8), "ord-1")]).unwrap().err().unwrap()[0].place, 0);
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
