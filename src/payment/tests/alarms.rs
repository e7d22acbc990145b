//! What keeps payments from being taken is known before a caller finds out, and goes when it does.

use std::sync::Arc;

use super::super::{Alarms, Cashier, CashierConfig, Fault, Till};
use super::*;
use crate::authorizer::{AskError, AuthorizerClient, AuthorizerConfig};
use crate::clock::SystemClock;
use crate::http::{Credentials, Endpoint};
use crate::openpay::sandbox::Fault as SandboxFault;
use crate::openpay::{Client, Config, PrivateKey};

/// A cashier with these credentials beside a rehearsal's own.
fn cashier(shop: &Shop, openpay_key: &str, password: &str, authorizer: &str) -> Cashier {
    let till = till(shop, &shop.shop.sandbox.base_url(), &SandboxConfig::default().merchant_id, openpay_key);
    let credentials = Credentials::new("ivr", password);
    let config = AuthorizerConfig::new(Endpoint::parse(authorizer).unwrap(), credentials);
    Cashier::new(AuthorizerClient::new(config, Arc::new(SystemClock)), till)
}

/// A till of this merchant, with this key, at this address.
pub(super) fn till(shop: &Shop, address: &str, merchant: &str, key: &str) -> Till {
    let openpay = Config::new(address, merchant, PrivateKey::parse(key).unwrap()).unwrap();
    let payer = Payer { name: "C".into(), last_name: None, email: "c@example.com".into(), phone_number: None };
    Till::new(Client::new(&openpay), Arc::clone(&shop.shop.ledger), CashierConfig::new(payer))
}

fn told(alarms: &Alarms) -> Vec<String> {
    alarms.told().into_iter().map(|alarm| alarm.text).collect()
}

#[test]
fn a_good_box_looks_and_finds_nothing() {
    let shop = Shop::open(calm());
    let cashier = &shop.shop.cashier;
    assert!(cashier.till().abuse.doubts_authorizer());
    cashier.look();
    assert_eq!((cashier.till().alarms().standing(), told(cashier.till().alarms())), (vec![], vec![]));
    assert!(!cashier.till().abuse.doubts_authorizer(), "an authorizer that took the password is not bothered again");
}

#[test]
fn a_wrong_openpay_key_and_a_wrong_password_stand_and_are_told_once() {
    let shop = Shop::open(calm());
    let url = shop.shop.authorizer.as_ref().unwrap().url();
    let wrong = cashier(&shop, "sk_0123456789abcdef0123456789abcdef", "wrong", &url);
    for _ in 0..3 {
        wrong.look();
    }
    let alarms = wrong.till().alarms();
    assert_eq!(alarms.standing(), [Fault::Account, Fault::Password]);
    assert!(wrong.till().is_halted());
    let told = told(alarms);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].ends_with("the authorizer answered with status 401"), "{told:?}");
}

/// The box was well, asked every caller for a card, and could charge none: `doctor` alone said so.
#[test]
fn a_merchant_that_openpay_does_not_know_stands_and_takes_no_payments() {
    let shop = Shop::open(calm());
    let key = SandboxConfig::default().private_key;
    let stranger = till(&shop, &shop.shop.sandbox.base_url(), "mstrangertoopenpay01", &key);
    assert!(stranger.check().is_err());
    assert_eq!((stranger.alarms().standing(), stranger.is_halted()), (vec![Fault::Account], true));
}

/// Likewise of an address where something else answers, which may be right again by itself.
#[test]
fn where_openpay_is_not_there_it_gives_no_usable_answers() {
    let shop = Shop::open(calm());
    let SandboxConfig { merchant_id, private_key, .. } = SandboxConfig::default();
    let authorizer = shop.shop.authorizer.as_ref().unwrap().url();
    let elsewhere = authorizer.strip_suffix("/openpay/authorizer").unwrap();
    let lost = till(&shop, elsewhere, &merchant_id, &private_key);
    assert!(lost.check().is_err());
    assert_eq!((lost.alarms().standing(), lost.is_halted()), (vec![Fault::Gateway], false));
}

/// A merchant's service locks an address that showed wrong passwords, and then tells nothing of the next.
#[test]
fn a_lock_says_nothing_of_the_password() {
    let shop = Shop::open(calm());
    let (abuse, alarms) = (&shop.shop.cashier.till().abuse, shop.shop.cashier.till().alarms());
    for status in [401, 429] {
        abuse.authorizer_shown(Err(AskError::Status(status)));
        assert_eq!((alarms.standing(), abuse.doubts_authorizer()), (vec![Fault::Password], true), "{status}");
    }
    abuse.authorizer_shown(Ok(400));
    assert_eq!((alarms.standing(), abuse.doubts_authorizer()), (vec![], false));
}

#[test]
fn services_that_are_down_stand_until_they_are_back() {
    let mut shop = Shop::open(calm());
    let key = SandboxConfig::default().private_key;
    let down = cashier(&shop, &key, "any", "http://127.0.0.1:1/openpay/authorizer");
    down.look();
    assert_eq!(down.till().alarms().standing(), [Fault::Authorizer]);
    shop.shop.authorizer = None;
    let cashier = Arc::clone(&shop.shop.cashier);
    assert_eq!(shop.authorize(), AuthorizeReply::Unavailable);
    assert_eq!(cashier.till().alarms().standing(), [], "one lost answer may be the network's");
    cashier.look();
    assert_eq!(cashier.till().alarms().standing(), [Fault::Authorizer], "and is looked into");
}

#[test]
fn an_outcome_that_is_not_known_is_told() {
    let shop = Shop::open(quick());
    shop.inject(SandboxFault::DropAfter);
    (0..10).for_each(|_| shop.shop.sandbox.inject(Operation::ListCharges, SandboxFault::ErrorBefore { status: 503 }));
    assert!(matches!(shop.charge(GOOD), ChargeReply::Unknown { .. }));
    let told = told(shop.shop.cashier.till().alarms());
    assert_eq!(told, ["attempt 100001: its charge's outcome is not known; it will be looked for"]);
    // It said "attempt 1", which no command takes.
    let (ledger, named) = (&shop.shop.ledger, "100001");
    assert_eq!(ledger.find_attempts(named).unwrap().len(), 1);
    assert!(ledger.audit(10).unwrap().iter().any(|entry| entry.subject == format!("attempt {named}")));
}

/// The box was well, and every caller heard that the card had expired.
#[test]
fn a_clock_that_is_not_openpays_stands_until_it_is_set() {
    let (config, clock) = clocked();
    let shop = Shop::open(config);
    let SandboxConfig { merchant_id, private_key, .. } = SandboxConfig::default();
    let openpay = Config::new(&shop.shop.sandbox.base_url(), &merchant_id, PrivateKey::parse(&private_key).unwrap());
    let payer = Payer { name: "C".into(), last_name: None, email: "c@example.com".into(), phone_number: None };
    let years = SignedDuration::from_hours(24 * 3652);
    let own = Arc::new(ManualClock::at(clock.now() + years));
    let ledger = Arc::new(crate::ledger::Ledger::in_memory(Arc::clone(&own) as Arc<dyn Clock>).unwrap());
    let till = Till::new(Client::new(&openpay.unwrap()), ledger, CashierConfig::new(payer));
    till.check().unwrap();
    assert_eq!(till.alarms().standing(), [Fault::Clock]);
    let told = told(till.alarms());
    assert!(told.len() == 1 && told[0].ends_with("it is 3652 days ahead of Openpay's"), "{told:?}");
    own.advance(-years);
    till.check().unwrap();
    assert_eq!(till.alarms().standing(), []);
}
