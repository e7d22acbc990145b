//! What both campaigns share: an impatient cashier, cards, the caller's call, and what a call was told.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tonopago::authorizer::{AuthorizerClient, AuthorizerConfig, AuthorizerServer};
use tonopago::card::{Brand, Cvv, Expiry, Pan, YearMonth};
use tonopago::clock::SystemClock;
use tonopago::http::{Credentials, Endpoint, SigningSecret, Timeouts};
use tonopago::ledger::{Digits, Ledger, NewKey};
use tonopago::money::Money;
use tonopago::openpay::sandbox::SandboxConfig;
use tonopago::openpay::{Client, Config, Payer, PrivateKey};
use tonopago::payment::{AbuseLimits, Cashier, CashierConfig, Notifier, NotifierConfig, Till};
use tonopago::service::{AuthorizeReply, Card, ChargeReply, PaymentKey, Reply, Request};

/// The password between box and authorizer.
pub(crate) const PASSWORD: &str = "hunter2-hunter2-hunter2";
/// The secret between box and merchant.
pub(crate) const SECRET: &str = "0123456789abcdef";
/// What every key is worth.
const AMOUNT: Money = Money::mxn(20_000);
/// How long the campaign's clients wait for an answer.
const ANSWER: Duration = Duration::from_millis(150);
/// Cards callers have: mostly good ones; the others are declined, each with a code of its own.
const CARDS: [&str; 10] = [
    "4111111111111111",
    "4242424242424242",
    "5555555555554444",
    "5105105105105100",
    "345678000000007",
    "4111111111111111",
    "4222222222222220",
    "4444444444444448",
    "4000000000000119",
    "4000000000000069",
];

/// What a caller heard at the end of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Told {
    Paid,
    NotPaid,
    BeingVerified,
    KeyRefused,
    TryLater,
}

/// Time-outs and schedules a hundred times shorter than a box's.
fn patience() -> CashierConfig {
    let payer = Payer { name: "Cliente".into(), last_name: None, email: "c@example.com".into(), phone_number: None };
    CashierConfig {
        queries: [0, 20, 60].map(Duration::from_millis).to_vec(),
        gateway_limit: Duration::from_millis(200),
        lapse_after: Duration::from_secs(3),
        reservation: Duration::from_millis(1_000),
        max_declines: 1_000,
        abuse: AbuseLimits::none(),
        ..CashierConfig::new(payer)
    }
}

/// A box's cashier.
pub(crate) fn cashier(openpay: &str, authorizer: &str, ledger: &Path) -> Cashier {
    let sandbox = SandboxConfig::default();
    let key = PrivateKey::parse(&sandbox.private_key).unwrap();
    let mut config = Config::new(openpay, &sandbox.merchant_id, key).unwrap();
    config.charge_timeouts = Timeouts { body: ANSWER, ..Timeouts::answering_within(ANSWER) };
    config.query_timeouts = config.charge_timeouts;
    let ledger = Arc::new(Ledger::open(ledger, Arc::new(SystemClock)).unwrap());
    let endpoint = Endpoint::parse(&format!("{authorizer}/openpay/authorizer")).unwrap();
    let mut authorizer = AuthorizerConfig::new(endpoint, Credentials::new("ivr", PASSWORD));
    authorizer.timeouts = config.charge_timeouts;
    let authorizer = AuthorizerClient::new(authorizer, Arc::new(SystemClock));
    Cashier::new(authorizer, Till::new(Client::new(&config), ledger, patience()))
}

/// The same, for signing.
pub(crate) fn secret() -> SigningSecret {
    SigningSecret::new(SECRET).unwrap()
}

/// What tells the merchant of a box's outcomes.
pub(crate) fn notifier(ledger: &Arc<Ledger>, authorizer: &str) -> Notifier {
    let endpoint = Endpoint::parse(&format!("{authorizer}{}", AuthorizerServer::REPORT_PATH)).unwrap();
    let timeouts = Timeouts { body: ANSWER, ..Timeouts::answering_within(ANSWER) };
    let config = NotifierConfig { timeouts, ..NotifierConfig::new(endpoint, secret()) };
    Notifier::new(Arc::clone(ledger), config).unwrap()
}

/// Delivers what is left, without waiting for its time.
pub(crate) fn tell_everything(ledger: &Arc<Ledger>, authorizer: &str) {
    let notifier = notifier(ledger, authorizer);
    while ledger.undelivered_notifications().unwrap() > 0 {
        ledger.retry_notifications().unwrap();
        notifier.deliver().unwrap();
    }
}

/// The payment key of an order: the merchant's customers have eight digits each.
pub(crate) fn key_of(order: u32) -> PaymentKey {
    PaymentKey::new(format!("{:08}", 10_000_000 + order))
}

/// The name of an order.
pub(crate) fn name_of(order: u32) -> String {
    format!("order{order}")
}

/// The order a charge belongs to: its order id without an attempt's suffix.
pub(crate) fn order_of(gateway_order_id: &str) -> String {
    gateway_order_id.split('-').next().unwrap_or_default().to_owned()
}

/// Issues an order's key in the merchant's ledger.
pub(crate) fn issue(merchant: &Ledger, order: u32) {
    let new = NewKey {
        digits: Digits::Given(key_of(order)),
        amount: AMOUNT,
        order_id: name_of(order),
        description: "Campaign".into(),
        customer: None,
        expires: None,
        max_failures: 1_000,
    };
    merchant.issue_key(new).unwrap();
}

/// One call: the key, then up to three cards.
pub(crate) fn call(cashier: &Cashier, order: u32, random: &mut fastrand::Rng) -> Told {
    let key = key_of(order);
    let reply = cashier.perform(Request::Authorize { key: key.clone(), values: Vec::new() });
    let authorization = match reply {
        Reply::Authorize(AuthorizeReply::Authorized(authorization)) => authorization,
        Reply::Authorize(AuthorizeReply::Refused(_)) => return Told::KeyRefused,
        Reply::Authorize(AuthorizeReply::Pending { .. }) => return Told::BeingVerified,
        Reply::Authorize(AuthorizeReply::Unavailable) => return Told::TryLater,
        Reply::Charge(_) => panic!("a charge's reply to an authorization"),
    };
    for _ in 0..3 {
        let card = card(random.choice(CARDS).unwrap());
        let (key, authorization) = (key.clone(), authorization.clone());
        match cashier.perform(Request::Charge { key, authorization, card, months: None }) {
            Reply::Charge(ChargeReply::Approved { .. } | ChargeReply::AlreadyPaid { .. }) => return Told::Paid,
            Reply::Charge(ChargeReply::Unknown { .. }) => return Told::BeingVerified,
            Reply::Charge(ChargeReply::Unavailable) => return Told::NotPaid,
            Reply::Charge(ChargeReply::Declined(_) | ChargeReply::Correct(_)) => {}
            Reply::Authorize(_) => panic!("an authorization's reply to a charge"),
        }
    }
    Told::NotPaid
}

fn card(number: &str) -> Card {
    let pan = Pan::parse(number).ok().unwrap();
    let cvv = if pan.brand() == Brand::AmericanExpress { "1234" } else { "123" };
    let expiry = Expiry::parse_mmyy("1230", YearMonth { year: 2026, month: 11 }).ok().unwrap();
    Card { pan, expiry, cvv: Cvv::parse(cvv, None).ok().unwrap() }
}
