use std::sync::Arc;

use super::super::{Digits, KeyStatus, NewKey};
use super::*;
use crate::clock::SystemClock;
use crate::ledger::bench::{self, approved};

fn prepare(ledger: &Ledger, key: &str, order_id: &str) -> Result<Attempt, Conflict> {
    bench::prepare(ledger, key, order_id, Money::mxn(20_000))
}

fn prepare_for(ledger: &Ledger, key: PaymentKey, order_id: &str) -> Result<Attempt, Conflict> {
    bench::prepare_for(ledger, &key, order_id, Money::mxn(20_000))
}

const DECLINED: Outcome = Outcome::Declined { code: Some(3001), counts: true };

fn ledger() -> Ledger {
    Ledger::in_memory(Arc::new(SystemClock)).unwrap()
}

#[test]
fn one_attempt_per_key_and_per_order_until_it_is_declined() {
    let ledger = ledger();
    let first = prepare(&ledger, "257139", "ord-1").unwrap();
    assert_eq!((first.state, first.gateway_order_id.as_str()), (State::Prepared, "ord-1"));
    assert!(matches!(prepare(&ledger, "257139", "ord-1"), Err(Conflict::Open(_))));
    assert!(matches!(prepare(&ledger, "257139", "ord-other"), Err(Conflict::Open(_))), "same key, other order");
    assert!(matches!(prepare(&ledger, "999999", "ord-1"), Err(Conflict::Open(_))), "same order, other key");
    ledger.mark_sent(first.id).unwrap();
    ledger.settle(first.id, &DECLINED).unwrap();
    let second = prepare(&ledger, "257139", "ord-1").unwrap();
    assert_eq!(second.gateway_order_id, "ord-1-retry2");
    ledger.mark_sent(second.id).unwrap();
    ledger.settle(second.id, &approved()).unwrap();
    let Err(Conflict::Paid(paid)) = prepare(&ledger, "257139", "ord-1") else { panic!("paid twice") };
    assert_eq!((paid.id, paid.reference().as_str()), (second.id, "801585"));
}

/// The order is what an account and a payment without a key are known by: a key that was issued for it stayed open, and no
/// decline locked it. One of the account's digits, for another order, has nothing to do with it.
#[test]
fn an_order_paid_or_declined_under_an_account_or_no_key_is_so_for_its_key() {
    let ledger = ledger();
    let issue = |digits: &str, order_id: &str| {
        let (digits, order_id) = (Digits::Given(PaymentKey::new(digits)), order_id.to_owned());
        let (amount, description) = (Money::mxn(20_000), "d".to_owned());
        let new = NewKey { digits, amount, order_id, description, customer: None, expires: None, max_failures: 1 };
        ledger.issue_key(new).unwrap();
    };
    let status = |digits: &str| ledger.find_key(&PaymentKey::new(digits)).unwrap().unwrap().status;
    for (digits, order) in [("111111", "oct"), ("222222", "don-1"), ("333333", "nov"), ("20230017", "other")] {
        issue(digits, order);
    }
    let account = || PaymentKey::account("20230017");
    for (key, order, outcome) in
        [(account(), "oct", approved()), (PaymentKey::none(), "don-1", approved()), (account(), "nov", DECLINED)]
    {
        let attempt = prepare_for(&ledger, key, order).unwrap();
        ledger.mark_sent(attempt.id).unwrap();
        ledger.settle(attempt.id, &outcome).unwrap();
    }
    let told = ["111111", "222222", "333333", "20230017"].map(status);
    assert_eq!(told, [KeyStatus::Paid, KeyStatus::Paid, KeyStatus::Locked, KeyStatus::Open]);
}

/// A caller on the phone knows what was keyed, and nothing was found by it.
#[test]
fn payments_are_found_by_the_account_or_the_key_that_was_keyed() {
    let ledger = ledger();
    let account = |digits: &str| PaymentKey::account(digits);
    for (key, order) in [
        (account("20230017"), "oct"),
        (account("20230017"), "nov@"),
        (account("202300170"), "other"),
        (account("2023001"), "another"),
        (PaymentKey::new("257139"), "ord-1"),
        (PaymentKey::none(), "don-1"),
    ] {
        let attempt = prepare_for(&ledger, key, order).unwrap();
        ledger.mark_sent(attempt.id).unwrap();
        ledger.settle(attempt.id, &approved()).unwrap();
    }
    for (keyed, orders) in [
        ("20230017", &["oct", "nov@"][..]),
        ("257139", &["ord-1"]),
        ("20230017@oct", &["oct"]),
        ("25713", &[]),
        ("", &[]),
    ] {
        let named = |found: Vec<Attempt>| found.into_iter().map(|attempt| attempt.order_id).collect::<Vec<_>>();
        assert_eq!(named(ledger.find_attempts(keyed).unwrap()), orders, "{keyed}");
        assert_eq!(named(ledger.find_attempts_by(Naming::Keyed, keyed).unwrap()), orders, "{keyed}");
    }
    assert!(ledger.find_attempts_by(Naming::Order, "20230017").unwrap().is_empty());
}

/// Whatever the merchant calls its orders: the last one's name is not known.
#[test]
fn an_account_with_an_open_order_of_any_name_is_not_paid_under_another() {
    for order in ["@", "a@b", "\u{10ffff}", "\u{10ffff}b", " "] {
        let ledger = ledger();
        prepare_for(&ledger, PaymentKey::account("12"), order).unwrap();
        assert!(matches!(prepare_for(&ledger, PaymentKey::account("12"), "x"), Err(Conflict::Open(_))), "{order:?}");
        for (at, other) in
            [PaymentKey::account("123"), PaymentKey::account("1"), PaymentKey::new("12"), PaymentKey::none()]
                .into_iter()
                .enumerate()
        {
            assert!(prepare_for(&ledger, other, &format!("y{at}")).is_ok(), "{order:?} {at}");
        }
    }
}

/// A student's number is the same every month: what was paid in October kept November from being paid.
#[test]
fn an_account_is_paid_order_by_order_and_never_while_one_is_open() {
    let (ledger, account) = (ledger(), || PaymentKey::account("20230017"));
    let october = prepare_for(&ledger, account(), "oct").unwrap();
    let Err(Conflict::Open(open)) = prepare_for(&ledger, account(), "nov") else { panic!("October may yet be paid") };
    assert_eq!(open.id, october.id);
    ledger.mark_sent(october.id).unwrap();
    assert_eq!(ledger.open_attempt_of(&account()).unwrap().unwrap().id, october.id);
    ledger.settle(october.id, &approved()).unwrap();
    assert!(matches!(prepare_for(&ledger, account(), "oct"), Err(Conflict::Paid(paid)) if paid.id == october.id));
    assert!(ledger.payment_of(&account()).unwrap().is_none() && ledger.open_attempt_of(&account()).unwrap().is_none());
    let november = prepare_for(&ledger, account(), "nov").unwrap();
    ledger.mark_sent(november.id).unwrap();
    ledger.settle(november.id, &DECLINED).unwrap();
    assert_eq!(ledger.declines_of(&account(), Timestamp::MIN).unwrap(), 1);
    // Neither a key of the same digits nor an account whose number begins so has anything to do with it.
    for other in [PaymentKey::new("20230017"), PaymentKey::account("2023001"), PaymentKey::account("202300170")] {
        assert_eq!(ledger.declines_of(&other, Timestamp::MIN).unwrap(), 0);
        assert!(ledger.payment_of(&other).unwrap().is_none());
    }
    assert!(prepare(&ledger, "20230017", "other").is_ok());
}

#[test]
fn payments_without_a_key_are_told_apart_by_their_orders() {
    let ledger = ledger();
    let first = prepare_for(&ledger, PaymentKey::none(), "don-1").unwrap();
    assert!(
        matches!(prepare_for(&ledger, PaymentKey::none(), "don-1"), Err(Conflict::Open(open)) if open.id == first.id)
    );
    assert!(prepare_for(&ledger, PaymentKey::none(), "don-2").is_ok(), "another caller's");
    assert!(ledger.open_attempt_of(&PaymentKey::none()).unwrap().is_none());
}

#[test]
fn an_order_id_the_gateway_never_saw_is_used_again() {
    let ledger = ledger();
    let first = prepare(&ledger, "257139", "ord-1").unwrap();
    ledger.settle(first.id, &Outcome::Abandoned).unwrap();
    let second = prepare(&ledger, "257139", "ord-1").unwrap();
    assert_eq!(second.gateway_order_id, "ord-1");
    ledger.mark_sent(second.id).unwrap();
    ledger.settle(second.id, &Outcome::Unknown).unwrap();
    ledger.settle(second.id, &Outcome::Lapsed).unwrap();
    assert_eq!(prepare(&ledger, "257139", "ord-1").unwrap().gateway_order_id, "ord-1");
}

/// A charge of order 234 once had the id of order 234-2 at the gateway, which was then found paid when nobody had.
#[test]
fn a_later_attempt_never_has_the_id_of_another_order() {
    let ledger = ledger();
    for number in 2..=12 {
        let declined = prepare(&ledger, "1", "234").unwrap();
        ledger.mark_sent(declined.id).unwrap();
        ledger.settle(declined.id, &DECLINED).unwrap();
        let other = prepare(&ledger, "2", &format!("234-{number}")).unwrap();
        assert_eq!(other.gateway_order_id, other.order_id);
        ledger.settle(other.id, &Outcome::Abandoned).unwrap();
    }
    let later = prepare(&ledger, "1", "234").unwrap().gateway_order_id;
    assert!(order_id::check(&later).is_err(), "a merchant may call an order {later:?}");
}

#[test]
fn a_ledger_with_ids_of_the_old_form_works_on() {
    let ledger = ledger();
    for order in ["234", "235"] {
        let declined = prepare(&ledger, "1", order).unwrap();
        ledger.mark_sent(declined.id).unwrap();
        ledger.settle(declined.id, &DECLINED).unwrap();
    }
    ledger.lock().execute("UPDATE attempt SET gateway_order_id = '234-2' WHERE order_id = '235'", []).unwrap();
    assert_eq!(prepare(&ledger, "2", "234-2").unwrap().gateway_order_id, "234-2-retry2", "taken by an old attempt");
    assert_eq!(prepare(&ledger, "3", "234").unwrap().gateway_order_id, "234-retry2");
    assert_eq!(ledger.find_attempts("234-2").unwrap().len(), 2, "both are found by it");
}

#[test]
fn an_outcome_is_recorded_once_and_a_success_stays() {
    let ledger = ledger();
    let id = prepare(&ledger, "257139", "ord-1").unwrap().id;
    ledger.mark_sent(id).unwrap();
    ledger.mark_sent(id).unwrap();
    let attempt = ledger.settle(id, &approved()).unwrap();
    assert_eq!(attempt.charge_id.as_deref(), Some("trx1"));
    ledger.settle(id, &approved()).unwrap();
    for outcome in [DECLINED, Outcome::Unknown, Outcome::Lapsed, Outcome::Abandoned] {
        assert!(matches!(ledger.settle(id, &outcome), Err(LedgerError::Transition { .. })), "{outcome:?}");
    }
    let events: Vec<_> = ledger.audit(10).unwrap().into_iter().rev().map(|entry| entry.event).collect();
    assert_eq!(events, ["prepared", "sent", "approved"]);
    assert!(matches!(ledger.mark_sent(77), Err(LedgerError::Missing(_))));
}

#[test]
fn the_database_itself_refuses_a_second_success() {
    let ledger = ledger();
    let id = prepare(&ledger, "257139", "ord-1").unwrap().id;
    ledger.mark_sent(id).unwrap();
    ledger.settle(id, &approved()).unwrap();
    let connection = ledger.lock();
    let another = "INSERT INTO attempt (key_digits, order_id, gateway_order_id, centavos, currency, description, brand,
        last_four, state, created_ms, updated_ms) VALUES (?1, ?2, ?3, 1, 'MXN', 'd', 'Visa', '1111', ?4, 1, 1)";
    for state in ["prepared", "sent", "unknown", "approved", "elsewhere"] {
        for (values, column) in [
            (["257139", "ord-2", "ord-2", state], "key_digits"),
            (["2", "ord-1", "ord-2", state], "order_id"),
            (["2", "ord-2", "ord-1", state], "gateway_order_id"),
        ] {
            let error = connection.execute(another, values).unwrap_err().to_string();
            assert_eq!(error, format!("UNIQUE constraint failed: attempt.{column}"), "{state}");
        }
    }
    let error = connection.execute(another, ["257139", "ord-1", "ord-1", "declined"]).unwrap_err().to_string();
    assert_eq!(error, "UNIQUE constraint failed: attempt.gateway_order_id", "an order id that the gateway may know");
    let downgrade = connection.execute("UPDATE attempt SET state = 'declined'", []).unwrap_err();
    assert!(downgrade.to_string().contains("final"), "{downgrade}");
    assert!(connection.execute("DELETE FROM attempt", []).is_err());
}

#[test]
fn declines_lock_the_key_and_a_success_pays_it() {
    let ledger = ledger();
    let digits = Digits::Given(PaymentKey::new("257139"));
    let (order_id, description) = ("ord-1".to_owned(), "d".to_owned());
    let (customer, expires) = (None, None);
    let new = NewKey { digits, amount: Money::mxn(1), order_id, description, customer, expires, max_failures: 2 };
    let key = ledger.issue_key(new).unwrap().key;
    let status = || ledger.find_key(&key).unwrap().unwrap().status;
    for expected in [KeyStatus::Open, KeyStatus::Locked] {
        let id = prepare(&ledger, "257139", "ord-1").unwrap().id;
        ledger.settle(id, &DECLINED).unwrap();
        ledger.settle(id, &DECLINED).unwrap(); // counted once
        assert_eq!(status(), expected);
    }
    let id = prepare(&ledger, "257139", "ord-1").unwrap().id;
    ledger.mark_sent(id).unwrap();
    ledger.settle(id, &approved()).unwrap();
    assert_eq!(status(), KeyStatus::Paid);
}

#[test]
fn attempts_are_found_by_whatever_the_caller_or_the_merchant_has() {
    let ledger = ledger();
    let id = prepare(&ledger, "257139", "ord-1").unwrap().id;
    ledger.mark_sent(id).unwrap();
    let attempt = ledger.settle(id, &approved()).unwrap();
    assert!(attempt.ledger_reference().len() >= 6);
    for text in ["ord-1", "trx1", "801585", &attempt.ledger_reference()] {
        assert_eq!(ledger.find_attempts(text).unwrap().len(), 1, "{text}");
    }
    assert!(ledger.find_attempts("nothing").unwrap().is_empty());
    assert_eq!(ledger.attempts_in(State::Approved).unwrap().len(), 1);
    assert_eq!(ledger.latest_attempts(10).unwrap().len(), 1);
}

#[test]
fn two_processes_on_one_file_reserve_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let open = || Ledger::open(&path, Arc::new(SystemClock)).unwrap();
    drop(open());
    let winners: usize = std::thread::scope(|scope| {
        let race = || usize::from(prepare(&open(), "257139", "ord-1").is_ok());
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(race)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(winners, 1);
}
