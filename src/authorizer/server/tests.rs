//! The service over real HTTP, with a clock that moves when it is told to.

use jiff::SignedDuration;

use super::super::{AuthorizerClient, AuthorizerConfig};
use super::*;
use crate::clock::{Clock, ManualClock};
use crate::http::{Endpoint, HttpClient, Timeouts};
use crate::ledger::{Digits, End, NewKey, Report};
use crate::limits::VelocityLimit;
use crate::money::Money;
use crate::service::AuthorizeReply;

const SECRET: &str = "0123456789abcdef";

struct Merchant {
    ledger: Arc<Ledger>,
    clock: Arc<ManualClock>,
    server: AuthorizerServer,
}

impl Merchant {
    fn open(protection: Protection) -> Self {
        let clock = Arc::new(ManualClock::at("2026-11-23T10:15:00Z".parse().unwrap()));
        let ledger = Arc::new(Ledger::in_memory(Arc::clone(&clock) as Arc<dyn Clock>).unwrap());
        let digits = Digits::Given(PaymentKey::new("257139"));
        let (order_id, description) = ("ord-234".to_owned(), "Cargo IVR".to_owned());
        let (customer, expires, max_failures) = (None, None, 3);
        let amount = Money::mxn(20_000);
        ledger.issue_key(NewKey { digits, amount, order_id, description, customer, expires, max_failures }).unwrap();
        let (bind, credentials) = ("127.0.0.1:0".parse().unwrap(), Credentials::new("ivr", "secret"));
        let config = ServerConfig { bind, credentials, profile: Profile::default() };
        let server = AuthorizerServer::start_with(config, Arc::clone(&ledger), protection).unwrap();
        Self { ledger, clock, server }
    }

    fn authorize_as(&self, password: &str, key: &str) -> AuthorizeReply {
        let endpoint = Endpoint::parse(&self.server.url()).unwrap();
        let config = AuthorizerConfig::new(endpoint, Credentials::new("ivr", password));
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        AuthorizerClient::new(config, clock).authorize(&PaymentKey::new(key))
    }

    fn authorize(&self, key: &str) -> AuthorizeReply {
        self.authorize_as("secret", key)
    }

    fn get(&self, path: &str, password: &str) -> (u16, String) {
        let url = self.server.url().replace(AuthorizerServer::PATH, path);
        let answer = http("ivr", password).get(&url).unwrap();
        (answer.status, String::from_utf8(answer.body).unwrap())
    }

    fn report(&self, body: &str, signature: &str) -> u16 {
        let url = self.server.url().replace(AuthorizerServer::PATH, AuthorizerServer::REPORT_PATH);
        http("x", "").post_with(&url, body.as_bytes(), &[(SIGNATURE_HEADER, signature)]).unwrap().status
    }
}

fn http(user: &str, password: &str) -> HttpClient {
    HttpClient::new(Credentials::new(user, password), Timeouts::answering_within(Duration::from_secs(20)))
}

#[test]
fn a_good_key_gives_amount_order_and_description() {
    let merchant = Merchant::open(Protection::default());
    let AuthorizeReply::Authorized(found) = merchant.authorize("257139") else { panic!("refused") };
    assert_eq!((found.amount, found.order_id.as_str()), (Money::mxn(20_000), "ord-234"));
}

#[test]
fn refused_is_not_unavailable() {
    let merchant = Merchant::open(Protection::default());
    assert_eq!(merchant.authorize("257138"), AuthorizeReply::Refused(Refusal::Unknown));
    merchant.ledger.cancel_key(1).unwrap();
    assert_eq!(merchant.authorize("257139"), AuthorizeReply::Refused(Refusal::Blocked));
    assert_eq!(merchant.authorize_as("wrong", "257139"), AuthorizeReply::Unavailable);
    assert_eq!(merchant.get("/nothing", "secret").0, 404);
}

#[test]
fn bad_requests_are_answered_and_health_is_open() {
    let merchant = Merchant::open(Protection::default());
    let status = |body: &[u8]| http("ivr", "secret").post(&merchant.server.url(), body).unwrap().status;
    assert_eq!(status(b"{}"), 400);
    assert_eq!(status(b"garbage"), 400);
    assert_eq!(status(&vec![b' '; MAX_BODY_BYTES + 1]), 413);
    assert_eq!(http("ivr", "secret").get(&merchant.server.url()).unwrap().status, 405);
    assert_eq!(http("x", "").post(&merchant.server.url(), b"{}").unwrap().status, 401);
    assert_eq!(merchant.get("/healthz", "wrong"), (200, "ok".into()));
}

#[test]
fn metrics_count_for_those_who_may_ask() {
    let merchant = Merchant::open(Protection::default());
    merchant.authorize("257139");
    merchant.authorize("257138");
    assert_eq!(merchant.get("/metrics", "wrong").0, 401);
    let (status, text) = merchant.get("/metrics", "secret");
    assert_eq!(status, 200);
    for line in ["{answer=\"authorized\"} 1\n", "{answer=\"unknown_key\"} 1\n", "_seconds_count 2\n"] {
        assert!(text.contains(line), "{text}");
    }
    assert!(!text.contains("2571"), "no keys in it: {text}");
}

#[test]
fn guessing_locks_even_right_keys_until_the_lock_ends() {
    let merchant = Merchant::open(Protection::default());
    let mut refused = 0;
    while merchant.authorize(&format!("{:06}", 300_000 + refused)) == AuthorizeReply::Refused(Refusal::Unknown) {
        refused += 1;
    }
    assert_eq!(refused, 21, "the 21st in a minute is answered and locks");
    assert_eq!(merchant.authorize("257139"), AuthorizeReply::Unavailable, "not a refusal: the key is good");
    assert!(merchant.get("/metrics", "secret").1.contains("locks_total 1\n"));
    merchant.clock.advance(SignedDuration::from_mins(15));
    assert!(matches!(merchant.authorize("257139"), AuthorizeReply::Authorized(_)));
}

/// What was right once is worth guessing; who has paid may ask as often as he likes.
#[test]
fn cancelled_and_expired_keys_count_as_guesses_and_paid_ones_do_not() {
    let per_source = VelocityLimit { per_minute: 3, ..GuessLimits::default().per_source };
    let guesses = GuessLimits { per_source, ..GuessLimits::default() };
    let merchant = Merchant::open(Protection { guesses, ..Protection::default() });
    let issue = |digits: &str, order: &str, expires: Option<Timestamp>| {
        let (digits, description, customer) = (Digits::Given(PaymentKey::new(digits)), "d".to_owned(), None);
        let (amount, order_id, max_failures) = (Money::mxn(1), order.to_owned(), 3);
        let new = NewKey { digits, amount, order_id, description, customer, expires, max_failures };
        merchant.ledger.issue_key(new).unwrap().id
    };
    merchant.ledger.cancel_key(issue("111111", "cancelled", None)).unwrap();
    issue("222222", "expired", Some(merchant.clock.now() + SignedDuration::from_secs(1)));
    issue("333333", "paid", None);
    let (event_id, order_id, attempt, end) = ("evt_1", "paid", "b-1", End::Paid);
    merchant.ledger.receive_report(&Report { event_id, order_id, attempt, end }).unwrap();
    merchant.clock.advance(SignedDuration::from_secs(1));
    for (key, refusal, times) in
        [("333333", Refusal::AlreadyPaid, 5), ("111111", Refusal::Blocked, 2), ("222222", Refusal::Expired, 2)]
    {
        (0..times).for_each(|_| assert_eq!(merchant.authorize(key), AuthorizeReply::Refused(refusal)));
    }
    assert_eq!(merchant.authorize("257139"), AuthorizeReply::Unavailable, "the fourth guess locked");
}

/// A box that tells its callers' numbers keeps its address free of one caller's guesses.
#[test]
fn a_guessing_caller_is_locked_and_no_other_of_the_same_box() {
    let merchant = Merchant::open(Protection::default());
    let ask = |caller: &str, key: &str| {
        let body = format!(r#"{{"ivr_key":"{key}","phone_number":"{caller}"}}"#);
        http("ivr", "secret").post(&merchant.server.url(), body.as_bytes()).unwrap().status
    };
    assert_eq!([(); 7].map(|()| ask("5512345678", "257138")), [200, 200, 200, 200, 200, 200, 429]);
    assert_eq!((ask("5512345678", "257139"), ask("5587654321", "257139")), (429, 200));
}

/// All clients of a proxy have its address: whoever guesses there must not lock the boxes out.
#[test]
fn wrong_passwords_lock_wrong_passwords_only() {
    let limit = VelocityLimit { per_minute: 2, ..GuessLimits::default().passwords };
    let guesses = GuessLimits { passwords: limit, ..GuessLimits::default() };
    let secret = SigningSecret::new(SECRET).unwrap();
    let merchant = Merchant::open(Protection { guesses, reports: Some(secret.clone()), ..Protection::default() });
    let status = |password| merchant.get("/metrics", password).0;
    assert_eq!(["a", "b", "c", "d", "secreT"].map(status), [401, 401, 401, 429, 429]);
    assert_eq!(status("secret"), 200);
    assert!(matches!(merchant.authorize("257139"), AuthorizeReply::Authorized(_)));
    let paid = r#"{"id":"evt_1","type":"payment.approved","order_id":"ord-234"}"#;
    assert_eq!(merchant.report(paid, &secret.sign(paid.as_bytes(), merchant.clock.now())), 204);
    assert_eq!(status("e"), 429, "the right one ended nothing");
    merchant.clock.advance(SignedDuration::from_mins(15));
    assert_eq!(status("f"), 401);
}

#[test]
fn a_flood_of_strangers_takes_nothing_from_the_box() {
    let guesses = GuessLimits { requests_per_minute: 3, ..GuessLimits::default() };
    let secret = SigningSecret::new(SECRET).unwrap();
    let merchant = Merchant::open(Protection { guesses, reports: Some(secret.clone()), ..Protection::default() });
    let other = r#"{"id":"evt_1","type":"payment.pending","order_id":"ord-234"}"#;
    assert_eq!([(); 5].map(|()| merchant.report(other, "t=1,v1=00")), [401, 401, 401, 429, 429]);
    assert_eq!([(); 4].map(|()| merchant.get("/metrics", "wrong").0), [401; 4]);
    assert!(matches!(merchant.authorize("257139"), AuthorizeReply::Authorized(_)));
    assert_eq!(merchant.report(other, &secret.sign(other.as_bytes(), merchant.clock.now())), 204);
}

#[test]
fn a_flood_is_turned_away_for_the_rest_of_the_minute() {
    let guesses = GuessLimits { requests_per_minute: 3, ..GuessLimits::default() };
    let merchant = Merchant::open(Protection { guesses, ..Protection::default() });
    let replies: Vec<bool> =
        (0..4).map(|_| matches!(merchant.authorize("257139"), AuthorizeReply::Authorized(_))).collect();
    assert_eq!(replies, [true, true, true, false]);
    merchant.clock.advance(SignedDuration::from_mins(1));
    assert!(matches!(merchant.authorize("257139"), AuthorizeReply::Authorized(_)));
}

#[test]
fn signed_reports_are_taken_once_and_others_never() {
    let secret = SigningSecret::new(SECRET).unwrap();
    let merchant = Merchant::open(Protection { reports: Some(secret.clone()), ..Protection::default() });
    let paid = r#"{"id":"evt_1","type":"payment.approved","order_id":"ord-234","new_field":[]}"#;
    let sign = |body: &str| secret.sign(body.as_bytes(), merchant.clock.now());
    assert_eq!(merchant.report(paid, ""), 401);
    assert_eq!(merchant.report(paid, &sign("other")), 401);
    assert!(matches!(merchant.authorize("257139"), AuthorizeReply::Authorized(_)));
    assert_eq!([merchant.report(paid, &sign(paid)), merchant.report(paid, &sign(paid))], [204, 204]);
    assert_eq!(merchant.authorize("257139"), AuthorizeReply::Refused(Refusal::AlreadyPaid));
    let other = paid.replace("ord-234", "ord-9");
    assert_eq!(merchant.report(&other, &sign(&other)), 404);
    assert_eq!(merchant.report("{}", &sign("{}")), 400);
    let late = sign(paid);
    merchant.clock.advance(SignedDuration::from_mins(6));
    assert_eq!(merchant.report(paid, &late), 401);
    let deaf = Merchant::open(Protection::default());
    assert_eq!(deaf.report(paid, &sign(paid)), 404, "no secret, no reports");
}

/// The old key of an order with an undecided charge was good, and another box would have charged it.
#[test]
fn a_key_whose_charge_is_pending_is_unavailable_until_it_has_ended() {
    let secret = SigningSecret::new(SECRET).unwrap();
    let merchant = Merchant::open(Protection { reports: Some(secret.clone()), ..Protection::default() });
    let told = |id: &str, kind: &str| {
        let body = format!(r#"{{"id":"{id}","type":"payment.{kind}","order_id":"ord-234","attempt":"b-100001"}}"#);
        assert_eq!(merchant.report(&body, &secret.sign(body.as_bytes(), merchant.clock.now())), 204);
    };
    told("e1", "pending");
    assert_eq!(merchant.authorize("257139"), AuthorizeReply::Unavailable, "neither good nor refused");
    assert!(merchant.get("/metrics", "secret").1.contains("{answer=\"undecided\"} 1\n"));
    told("e2", "lapsed");
    assert!(matches!(merchant.authorize("257139"), AuthorizeReply::Authorized(_)));
    told("e3", "elsewhere");
    assert_eq!(merchant.authorize("257139"), AuthorizeReply::Refused(Refusal::AlreadyPaid));
}
