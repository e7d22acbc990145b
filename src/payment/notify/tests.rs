//! Merchants that answer, fail, and come back; time moves when it is told to.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;

use super::*;
use crate::authorizer::{AuthorizerServer, Profile, Protection, ServerConfig};
use crate::clock::{Clock, ManualClock};
use crate::http::{Credentials, Server};
use crate::ledger::{Digits, KeyStatus, NewKey, Outcome, RefundState, ToldBefore, bench};
use crate::money::Money;
use crate::service::PaymentKey;

fn secret() -> SigningSecret {
    SigningSecret::new("0123456789abcdef").unwrap()
}

/// A merchant's endpoint that notes what it hears and answers as it is told.
struct Merchant {
    server: Server,
    heard: Arc<Mutex<Vec<(String, String, Bytes)>>>,
    status: Arc<AtomicU16>,
}

impl Merchant {
    fn open() -> Self {
        let (heard, status) = (Arc::<Mutex<Vec<_>>>::default(), Arc::new(AtomicU16::new(204)));
        let (noted, told) = (Arc::clone(&heard), Arc::clone(&status));
        let routes = Router::new().route(
            "/hook",
            post(async move |headers: HeaderMap, body: Bytes| {
                let text = |name: &str| headers.get(name).unwrap().to_str().unwrap().to_owned();
                noted.lock().unwrap().push((text(EVENT_ID_HEADER), text(SIGNATURE_HEADER), body));
                StatusCode::from_u16(told.load(Ordering::Relaxed)).unwrap()
            }),
        );
        let server = Server::start("merchant", "127.0.0.1:0".parse().unwrap(), routes).unwrap();
        Self { server, heard, status }
    }

    fn config(&self) -> NotifierConfig {
        NotifierConfig::new(Endpoint::parse(&format!("{}/hook", self.server.url())).unwrap(), secret())
    }
}

fn ledger() -> (Arc<Ledger>, Arc<ManualClock>) {
    let (ledger, clock) = bench::ledger();
    (Arc::new(ledger), clock)
}

fn pay(ledger: &Ledger, key: &str, order: &str) {
    let outcome = Outcome::Approved { charge_id: format!("trx-{order}"), authorization: Some("801585".into()) };
    bench::ended(ledger, key, order, Money::mxn(20_000), &outcome);
}

fn report(delivered: u32, failed: u32, given_up: u32) -> NotifyReport {
    NotifyReport { delivered, failed, given_up }
}

#[test]
fn a_payment_is_told_once_signed_and_named() {
    let (merchant, (ledger, clock)) = (Merchant::open(), ledger());
    let notifier = Notifier::new(Arc::clone(&ledger), merchant.config()).unwrap();
    pay(&ledger, "257139", "ord-1");
    assert_eq!(notifier.deliver().unwrap(), report(1, 0, 0));
    assert_eq!(notifier.deliver().unwrap(), report(0, 0, 0));
    let heard = merchant.heard.lock().unwrap();
    let [(event_id, signature, body)] = heard.as_slice() else { panic!("heard {} times", heard.len()) };
    assert_eq!(secret().verify(signature, body, clock.now()), Ok(()));
    let json: serde_json::Value = serde_json::from_slice(body).unwrap();
    assert_eq!((&json["type"], &json["order_id"]), (&"payment.approved".into(), &"ord-1".into()));
    assert_eq!(json["id"], event_id.as_str());
}

#[test]
fn a_failing_merchant_is_told_again_with_growing_pauses_and_the_same_id() {
    let (merchant, (ledger, clock)) = (Merchant::open(), ledger());
    let notifier = Notifier::new(Arc::clone(&ledger), merchant.config()).unwrap();
    pay(&ledger, "257139", "ord-1");
    merchant.status.store(500, Ordering::Relaxed);
    for pause in [5, 30, 120] {
        assert_eq!(notifier.deliver().unwrap(), report(0, 1, 0));
        clock.advance(SignedDuration::from_secs(pause - 1));
        assert_eq!(notifier.deliver().unwrap(), report(0, 0, 0), "not yet");
        clock.advance(SignedDuration::from_secs(1));
    }
    merchant.status.store(200, Ordering::Relaxed);
    assert_eq!(notifier.deliver().unwrap(), report(1, 0, 0));
    let heard = merchant.heard.lock().unwrap();
    assert!(heard.len() == 4 && heard.iter().all(|(id, _, body)| (id, body) == (&heard[0].0, &heard[0].2)));
    assert_ne!(heard[0].1, heard[3].1, "each try is signed with its own time");
}

/// A merchant who hears of the refund first has no payment to take it off.
#[test]
fn a_refund_is_told_after_its_payment_and_waits_for_no_other() {
    let (merchant, (ledger, clock)) = (Merchant::open(), ledger());
    let notifier = Notifier::new(Arc::clone(&ledger), merchant.config()).unwrap();
    let refund = |attempt| {
        let refund = ledger.begin_refund(attempt, None, &ToldBefore::default()).unwrap().unwrap();
        ledger.settle_refund(refund.id, RefundState::Refunded, "").unwrap();
    };
    merchant.status.store(500, Ordering::Relaxed);
    pay(&ledger, "257139", "ord-1");
    assert_eq!(notifier.deliver().unwrap(), report(0, 1, 0));
    refund(1);
    assert_eq!(notifier.deliver().unwrap(), report(0, 0, 0), "it waits for the payment's pause");
    assert_eq!(ledger.due_notifications(LONGEST).unwrap(), [0; 0], "nor is the ledger asked of each, round by round");
    merchant.status.store(200, Ordering::Relaxed);
    pay(&ledger, "257140", "ord-2");
    refund(2);
    assert_eq!(notifier.deliver().unwrap(), report(2, 0, 0), "in one round");
    clock.advance(SignedDuration::from_secs(5));
    assert_eq!(notifier.deliver().unwrap(), report(2, 0, 0), "in one round, whatever was due first");
    let told = |heard: &(String, String, Bytes)| -> String {
        let json: serde_json::Value = serde_json::from_slice(&heard.2).unwrap();
        format!("{} {}", json["order_id"].as_str().unwrap(), json["type"].as_str().unwrap())
    };
    let heard: Vec<_> = merchant.heard.lock().unwrap().iter().skip(1).map(told).collect();
    let [paid, back] = ["payment.approved", "payment.refunded"];
    assert_eq!(
        heard,
        [("ord-2", paid), ("ord-2", back), ("ord-1", paid), ("ord-1", back)].map(|(a, b)| format!("{a} {b}"))
    );
}

/// A merchant who took no `payment.pending` knew of the payment, and heard of the refund three days late.
#[test]
fn a_refund_waits_for_the_report_of_its_payment_alone() {
    let (merchant, (ledger, clock)) = (Merchant::open(), ledger());
    let notifier = Notifier::new(Arc::clone(&ledger), merchant.config()).unwrap();
    bench::ended(&ledger, "257139", "ord-1", Money::mxn(20_000), &Outcome::Unknown);
    merchant.status.store(400, Ordering::Relaxed);
    assert_eq!(notifier.deliver().unwrap(), report(0, 1, 0));
    merchant.status.store(200, Ordering::Relaxed);
    ledger.settle(1, &bench::approved()).unwrap();
    let refund = ledger.begin_refund(1, None, &ToldBefore::default()).unwrap().unwrap();
    ledger.settle_refund(refund.id, RefundState::Refunded, "").unwrap();
    clock.advance(SignedDuration::from_secs(1));
    assert_eq!(notifier.deliver().unwrap(), report(2, 0, 0), "the payment and its refund");
}

/// The payment's report was given up, and nothing of the order was told any more.
#[test]
fn a_refund_waits_for_no_report_that_was_given_up() {
    let (merchant, (ledger, clock)) = (Merchant::open(), ledger());
    let notifier = Notifier::new(Arc::clone(&ledger), merchant.config()).unwrap();
    pay(&ledger, "257139", "ord-1");
    ledger.notification_failed(1, "HTTP 500", None).unwrap();
    let refund = ledger.begin_refund(1, None, &ToldBefore::default()).unwrap().unwrap();
    ledger.settle_refund(refund.id, RefundState::Refunded, "").unwrap();
    clock.advance(SignedDuration::from_secs(1));
    assert_eq!(notifier.deliver().unwrap(), report(1, 0, 0));
}

/// Only "HTTP 401" was told, and the secret was looked at again and again.
#[test]
fn a_refused_signature_may_be_a_matter_of_the_clock() {
    let (merchant, (ledger, _clock)) = (Merchant::open(), ledger());
    let notifier = Notifier::new(Arc::clone(&ledger), merchant.config()).unwrap();
    pay(&ledger, "257139", "ord-1");
    merchant.status.store(401, Ordering::Relaxed);
    assert_eq!(notifier.deliver().unwrap(), report(0, 1, 0));
    let error = ledger.latest_notifications(1).unwrap()[0].last_error.clone().unwrap();
    assert_eq!(error, "HTTP 401: the merchant has another secret, or one of the two clocks is wrong");
}

#[test]
fn only_a_status_of_2xx_acknowledges() {
    let (merchant, (ledger, clock)) = (Merchant::open(), ledger());
    let notifier = Notifier::new(Arc::clone(&ledger), merchant.config()).unwrap();
    pay(&ledger, "257139", "ord-1");
    for status in [302, 404, 503] {
        merchant.status.store(status, Ordering::Relaxed);
        assert_eq!(notifier.deliver().unwrap(), report(0, 1, 0), "{status}");
        clock.advance(LONGEST);
    }
    merchant.status.store(299, Ordering::Relaxed);
    assert_eq!(notifier.deliver().unwrap(), report(1, 0, 0));
}

#[test]
fn after_three_days_it_is_given_up_and_can_be_revived() {
    let (merchant, (ledger, clock)) = (Merchant::open(), ledger());
    let notifier = Notifier::new(Arc::clone(&ledger), merchant.config()).unwrap();
    pay(&ledger, "257139", "ord-1");
    merchant.status.store(404, Ordering::Relaxed);
    let mut tries = 0;
    while notifier.deliver().unwrap().given_up == 0 {
        tries += 1;
        assert!(tries < 100, "it is tried for ever");
        let due = ledger.latest_notifications(1).unwrap()[0].due;
        clock.advance(due.duration_since(clock.now()));
    }
    println!("given up after {} tries in three days", tries + 1);
    merchant.status.store(204, Ordering::Relaxed);
    assert_eq!(notifier.deliver().unwrap(), report(0, 0, 0));
    assert_eq!(ledger.retry_notifications().unwrap(), 1);
    assert_eq!(notifier.deliver().unwrap(), report(1, 0, 0));
}

/// Made while the clock was behind by years: the first failure gave it up.
#[test]
fn a_date_that_is_wrong_gives_nothing_up_before_its_tries() {
    let (merchant, (ledger, clock)) = (Merchant::open(), ledger());
    let notifier = Notifier::new(Arc::clone(&ledger), merchant.config()).unwrap();
    pay(&ledger, "257139", "ord-1");
    merchant.status.store(500, Ordering::Relaxed);
    clock.advance(SignedDuration::from_hours(24 * 365));
    let begun = clock.now();
    while notifier.deliver().unwrap().given_up == 0 {
        let due = ledger.latest_notifications(1).unwrap()[0].due;
        clock.advance(due.duration_since(clock.now()));
    }
    assert!(clock.now().duration_since(begun) > SignedDuration::from_hours(60), "given up on {}", clock.now());
}

/// A round went on with what came due while it lasted: with a slow merchant, for minutes, and it counted tries.
#[test]
fn a_round_tries_each_notification_once() {
    let (ledger, clock) = ledger();
    let slow = Arc::clone(&clock);
    let (heard, tries) = (Arc::new(AtomicU16::new(0)), SignedDuration::from_secs(30));
    let noted = Arc::clone(&heard);
    let hook = post(async move || {
        noted.fetch_add(1, Ordering::Relaxed);
        slow.advance(tries); // by the time it answers, the one before is due again
        StatusCode::SERVICE_UNAVAILABLE
    });
    let routes = Router::new().route("/hook", hook);
    let server = Server::start("merchant", "127.0.0.1:0".parse().unwrap(), routes).unwrap();
    let endpoint = Endpoint::parse(&format!("{}/hook", server.url())).unwrap();
    let notifier = Notifier::new(Arc::clone(&ledger), NotifierConfig::new(endpoint, secret())).unwrap();
    (0..5).for_each(|n| pay(&ledger, &format!("25713{n}"), &format!("ord-{n}")));
    assert_eq!(notifier.deliver().unwrap(), report(0, 5, 0));
    assert_eq!(heard.load(Ordering::Relaxed), 5);
}

/// What a merchant's page says beside the status is not read: a body that came slowly, or was long, made it a failure.
#[test]
fn the_status_alone_acknowledges() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Endpoint::parse(&format!("http://{}/hook", listener.local_addr().unwrap())).unwrap();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let merchant = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = std::io::Read::read(&mut stream, &mut [0; 4096]).unwrap();
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 3000000\r\n\r\n<";
        std::io::Write::write_all(&mut stream, head).unwrap();
        let _ = ended.recv(); // the rest never comes
    });
    let (ledger, _) = ledger();
    let config = NotifierConfig::new(endpoint, secret());
    let body = Duration::from_millis(200);
    let config = NotifierConfig { timeouts: Timeouts { body, ..config.timeouts }, ..config };
    let notifier = Notifier::new(Arc::clone(&ledger), config).unwrap();
    pay(&ledger, "257139", "ord-1");
    assert_eq!(notifier.deliver().unwrap(), report(1, 0, 0));
    drop(end);
    merchant.join().unwrap();
}

#[test]
fn a_crash_between_telling_and_noting_tells_again() {
    let (merchant, (ledger, clock)) = (Merchant::open(), ledger());
    let notifier = Notifier::new(Arc::clone(&ledger), merchant.config()).unwrap();
    pay(&ledger, "257139", "ord-1");
    let due = ledger.due_notifications(LONGEST).unwrap();
    let claimed = ledger.claim_notification(due[0], LEASE, LONGEST).unwrap().unwrap();
    notifier.try_once(&claimed).unwrap(); // and here the process dies
    clock.advance(LEASE);
    assert_eq!(notifier.deliver().unwrap(), report(1, 0, 0));
    let heard = merchant.heard.lock().unwrap();
    assert_eq!((heard.len(), &heard[0].0), (2, &heard[1].0), "told twice under one id, which is what the id is for");
}

#[test]
fn the_thread_delivers_and_stops() {
    let (merchant, (ledger, _)) = (Merchant::open(), ledger());
    let notifier = Notifier::new(Arc::clone(&ledger), merchant.config()).unwrap();
    pay(&ledger, "257139", "ord-1");
    let background = notifier.start(Duration::from_secs(3600)).unwrap();
    let is_done = || {
        std::thread::sleep(Duration::from_millis(10));
        ledger.undelivered_notifications().unwrap() == 0
    };
    assert!((0..6000).any(|_| is_done()), "its first round is made at once");
    drop(background);
}

/// A stop waited for everything due: with a merchant who does not answer, a quarter of a minute for each payment.
#[test]
fn a_stop_waits_for_the_try_under_way_and_for_no_other() {
    let (merchant, (ledger, _)) = (Merchant::open(), ledger());
    let notifier = Notifier::new(Arc::clone(&ledger), merchant.config()).unwrap();
    (0..30).for_each(|n| pay(&ledger, &format!("25713{n}"), &format!("ord-{n}")));
    let stop_comes = || merchant.heard.lock().unwrap().is_empty();
    assert_eq!(notifier.deliver_while(&stop_comes).unwrap(), report(1, 0, 0));
    assert_eq!(ledger.undelivered_notifications().unwrap(), 29);
    assert_eq!(notifier.deliver_while(&|| false).unwrap(), report(0, 0, 0));
    assert_eq!(notifier.deliver().unwrap(), report(29, 0, 0), "none was left claimed");
}

/// The box's ledger and the merchant's are two: the notification is what makes the key "paid" at the merchant's.
#[test]
fn the_projects_own_authorizer_understands_it() {
    let ((boxes, _), (merchants, clock)) = (ledger(), ledger());
    let digits = Digits::Given(PaymentKey::new("257139"));
    let (order_id, description) = ("ord-1".to_owned(), "d".to_owned());
    let (amount, customer, expires) = (Money::mxn(20_000), None, None);
    let new = NewKey { digits, amount, order_id, description, customer, expires, max_failures: 3 };
    merchants.issue_key(new).unwrap();
    let config = ServerConfig {
        bind: "127.0.0.1:0".parse().unwrap(),
        credentials: Credentials::new("ivr", "x"),
        profile: Profile::default(),
    };
    let protection = Protection { reports: Some(secret()), ..Protection::default() };
    let server = AuthorizerServer::start_with(config, Arc::clone(&merchants), protection).unwrap();
    let url = server.url().replace(AuthorizerServer::PATH, AuthorizerServer::REPORT_PATH);
    let config = NotifierConfig::new(Endpoint::parse(&url).unwrap(), secret());
    let notifier = Notifier::new(Arc::clone(&boxes), config).unwrap();
    pay(&boxes, "257139", "ord-1");
    pay(&boxes, "999999", "unknown-here");
    assert_eq!(notifier.deliver().unwrap(), report(1, 1, 0));
    assert_eq!(merchants.find_key(&PaymentKey::new("257139")).unwrap().unwrap().status, KeyStatus::Paid);
    drop(clock);
}
