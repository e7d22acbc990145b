//! Payments over real HTTP on loopback, with every fault the sandbox knows.

mod accounts;
mod alarms;
mod codes;
mod customers;
mod doubles;
mod elsewhere;
mod findings;
mod ledger_fails;
mod limits;
mod reconcile;
mod refunds;

use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use super::{Background, ReconcileReport, RefundError, Rehearsal, RehearsalConfig};
use crate::card::{Brand, Cvv, Expiry, Pan, YearMonth};
use crate::clock::{Clock, ManualClock};
use crate::ledger::{Digits, KeyRecord, KeyStatus, NewAttempt, State};
use crate::money::Money;
use crate::openpay::sandbox::{Fault, Operation, OrderIds, SandboxConfig};
use crate::openpay::{ChargeRequest, ChargeStatus, OrderFilter, Payer, TokenRequest};
use crate::service::{
    Authorization, AuthorizeReply, Card, CardField, ChargeReply, Decline, PaymentKey, Refusal, Reply, Request,
};

const GOOD: &str = "4111111111111111";
const DECLINED: &str = "4222222222222220";
const ORDER: &str = "ord-234";
const AMOUNT: Money = Money::mxn(20_000);

fn card(number: &str) -> Card {
    let pan = Pan::parse(number).ok().unwrap();
    let cvv = Cvv::parse(if pan.brand() == Brand::AmericanExpress { "1234" } else { "123" }, None).ok().unwrap();
    let expiry = Expiry::parse_mmyy("1230", YearMonth { year: 2026, month: 11 }).ok().unwrap();
    Card { pan, expiry, cvv }
}

/// For payments whose answers are not lost, however busy the machine is.
fn calm() -> RehearsalConfig {
    RehearsalConfig { charge_answer: Duration::from_secs(20), ..quick() }
}

/// Short time-outs, so that lost answers cost tenths of seconds.
fn quick() -> RehearsalConfig {
    let ms = Duration::from_millis;
    RehearsalConfig {
        charge_answer: ms(400),
        queries: vec![ms(0), ms(50), ms(150), ms(500)],
        gateway_limit: ms(400),
        ..RehearsalConfig::default()
    }
}

/// The same, with everybody's clock in the test's hand.
fn clocked() -> (RehearsalConfig, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at("2026-11-23T10:15:00Z".parse().unwrap()));
    let sandbox = SandboxConfig { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..SandboxConfig::default() };
    (RehearsalConfig { sandbox, ..quick() }, clock)
}

struct Shop {
    shop: Rehearsal,
    key: PaymentKey,
}

impl Shop {
    fn open(config: RehearsalConfig) -> Self {
        let shop = Rehearsal::start(config).unwrap();
        let key = shop.issue(Digits::Given(PaymentKey::new("257139")), AMOUNT, ORDER).unwrap();
        Self { shop, key }
    }

    fn authorize(&self) -> AuthorizeReply {
        let Reply::Authorize(reply) =
            self.shop.cashier.perform(Request::Authorize { key: self.key.clone(), values: Vec::new() })
        else {
            panic!("a charge's reply to an authorization")
        };
        reply
    }

    fn authorization() -> Authorization {
        let (order_id, description) = (ORDER.to_owned(), "Cargo IVR".to_owned());
        Authorization { amount: AMOUNT, order_id, description, customer: None, values: Vec::new() }
    }

    fn charge(&self, number: &str) -> ChargeReply {
        let (key, authorization) = (self.key.clone(), Self::authorization());
        let request = Request::Charge { key, authorization, card: card(number), months: None };
        let Reply::Charge(reply) = self.shop.cashier.perform(request) else {
            panic!("an authorization's reply to a charge")
        };
        reply
    }

    fn inject(&self, fault: Fault) {
        self.shop.sandbox.inject(Operation::Charge, fault);
    }

    fn completed(&self) -> usize {
        self.shop.sandbox.charges().unwrap().iter().filter(|charge| charge.status == "completed").count()
    }

    fn key_record(&self) -> KeyRecord {
        self.shop.ledger.find_key(&self.key).unwrap().unwrap()
    }

    fn states(&self) -> Vec<State> {
        self.shop.ledger.find_attempts(ORDER).unwrap().iter().map(|attempt| attempt.state).collect()
    }
}

/// The address of a way to a shop's gateway that is closed after so many exchanges.
fn way_to(shop: &Shop, exchanges: usize) -> String {
    let gateway = shop.shop.sandbox.base_url().replace("http://", "");
    let entrance = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", entrance.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut entrance = Some(entrance);
        for exchange in 1..=exchanges {
            let (mut caller, _) = entrance.as_ref().unwrap().accept().unwrap();
            entrance = entrance.filter(|_| exchange < exchanges); // closed before the last is answered
            let mut service = TcpStream::connect(&gateway).unwrap();
            let (mut asked, mut sent) = (caller.try_clone().unwrap(), service.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut asked, &mut sent);
                let _ = sent.shutdown(Shutdown::Write);
            });
            let _ = std::io::copy(&mut service, &mut caller);
        }
    });
    address
}

fn is_approved(reply: &ChargeReply) -> bool {
    matches!(reply, ChargeReply::Approved { reference } if reference.len() >= 6 && reference.bytes().all(|b| b.is_ascii_digit()))
}

#[test]
fn a_payment_from_key_to_charge_read_back() {
    let shop = Shop::open(calm());
    shop.shop.cashier.till().check().unwrap();
    let AuthorizeReply::Authorized(authorization) = shop.authorize() else { panic!("refused") };
    assert_eq!((authorization.amount, authorization.order_id.as_str()), (AMOUNT, ORDER));
    let reply = shop.charge(GOOD);
    assert!(is_approved(&reply), "{reply:?}");
    let charges = shop.shop.read_back(ORDER).unwrap();
    assert_eq!(charges.len(), 1);
    assert!(charges[0].is_paid());
    assert_eq!(charges[0].amount, AMOUNT);
    // The gateway masks with X's.
    assert_eq!(charges[0].masked_card.as_deref(), Some("411111XXXXXX1111"));
    assert_eq!(shop.authorize(), AuthorizeReply::Refused(Refusal::AlreadyPaid));
    let ChargeReply::Approved { reference } = reply else { unreachable!() };
    assert_eq!(shop.charge(GOOD), ChargeReply::AlreadyPaid { reference }, "a paid key is not charged again");
    assert_eq!(shop.completed(), 1);
}

/// The merchant's ledger may be elsewhere and hear of the payment later: its authorizer still says "good".
#[test]
fn a_key_paid_here_is_refused_even_if_the_merchant_does_not_know() {
    let shop = Shop::open(calm());
    let key = PaymentKey::new("999999"); // of another ledger
    let (authorization, card) = (Shop::authorization(), card(GOOD));
    let request = Request::Charge { key: key.clone(), authorization, card, months: None };
    assert!(matches!(shop.shop.cashier.perform(request), Reply::Charge(reply) if is_approved(&reply)));
    let reply = shop.shop.cashier.perform(Request::Authorize { key, values: Vec::new() });
    assert_eq!(reply, Reply::Authorize(AuthorizeReply::Refused(Refusal::AlreadyPaid)));
}

#[test]
fn every_test_card_has_its_reply_and_a_declined_order_can_be_paid_with_another_card() {
    for (number, reply) in [
        (DECLINED, ChargeReply::Declined(Decline::OtherCard)),
        ("4000000000000069", ChargeReply::Correct(CardField::Expiry)),
        ("4444444444444448", ChargeReply::Declined(Decline::OtherCard)),
        ("4000000000000119", ChargeReply::Declined(Decline::Generic)),
        ("4000000000000044", ChargeReply::Declined(Decline::Generic)),
    ] {
        let shop = Shop::open(calm());
        assert_eq!(shop.charge(number), reply, "{number}");
        assert_eq!(shop.states(), [State::Declined]);
        assert!(is_approved(&shop.charge("345678000000007")), "after {number}");
        let orders: Vec<_> =
            shop.shop.sandbox.charges().unwrap().into_iter().map(|c| (c.order_id.unwrap(), c.status)).collect();
        assert_eq!(orders, [(ORDER.into(), "failed".into()), (format!("{ORDER}-retry2"), "completed".into())]);
    }
}

#[test]
fn a_key_locks_after_its_declines() {
    let shop = Shop::open(calm());
    for _ in 0..3 {
        assert_eq!(shop.charge(DECLINED), ChargeReply::Declined(Decline::OtherCard));
    }
    assert_eq!(shop.shop.ledger.find_key(&shop.key).unwrap().unwrap().status, KeyStatus::Locked);
    assert_eq!(shop.authorize(), AuthorizeReply::Refused(Refusal::Blocked));
}

/// No bank was asked: what the gateway refuses to make a token of says nothing of the payer.
#[test]
fn a_card_refused_before_it_is_charged_does_not_count_towards_the_keys_lock() {
    let shop = Shop::open(calm());
    for _ in 0..4 {
        shop.shop.sandbox.inject(Operation::Token, Fault::ApiError { status: 412, code: 2009 });
        assert_eq!(shop.charge(GOOD), ChargeReply::Correct(CardField::Cvv));
    }
    assert_eq!((shop.states(), shop.key_record().failures), (vec![State::Declined; 4], 0));
    assert!(is_approved(&shop.charge(GOOD)));
}

/// The heart of the matter: whatever happens to the charge's answer, the caller is told what is so, once.
#[test]
fn every_lost_answer_ends_in_one_charge_and_the_truth() {
    let faults = [
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::DelayAfter { ms: 1_000 },
        Fault::StallBefore { ms: 1_000 },
        Fault::Duplicate,
        Fault::ErrorBefore { status: 502 },
        Fault::ErrorBefore { status: 503 },
        Fault::ErrorAfter { status: 500 },
        Fault::ErrorAfter { status: 504 },
        Fault::Garbage,
        Fault::Truncated,
        Fault::SlowBody { ms: 100 },
    ];
    std::thread::scope(|scope| {
        for fault in faults {
            scope.spawn(move || pay_through(fault));
        }
    });
}

fn pay_through(fault: Fault) {
    for rule in [OrderIds::AmongAll, OrderIds::AmongSuccessful] {
        let sandbox = SandboxConfig { order_ids: rule, ..SandboxConfig::default() };
        let shop = Shop::open(RehearsalConfig { sandbox, ..quick() });
        shop.inject(fault);
        let reply = shop.charge(GOOD);
        assert!(is_approved(&reply), "{fault:?} {rule:?}: {reply:?}");
        assert_eq!((shop.completed(), shop.states()), (1, vec![State::Approved]), "{fault:?} {rule:?}");
    }
    let shop = Shop::open(quick());
    shop.inject(fault);
    let reply = shop.charge(DECLINED);
    assert_eq!(reply, ChargeReply::Declined(Decline::OtherCard), "{fault:?}");
    assert_eq!((shop.completed(), shop.states()), (0, vec![State::Declined]), "{fault:?}");
}

#[test]
fn a_gateway_that_is_down_is_unavailable_and_charges_nothing() {
    let config = calm();
    let Shop { mut shop, key } = Shop::open(config);
    let down = Rehearsal::start(calm()).unwrap();
    shop.sandbox = down.sandbox; // the cashier's sandbox is gone
    let shop = Shop { shop, key };
    assert_eq!(shop.charge(GOOD), ChargeReply::Unavailable);
    assert_eq!(shop.states(), [State::Abandoned]);
}

#[test]
fn an_authorizer_that_is_down_is_unavailable_not_a_refusal() {
    let mut shop = Shop::open(calm());
    shop.shop.authorizer = None;
    assert_eq!(shop.authorize(), AuthorizeReply::Unavailable);
}

#[test]
fn three_d_secure_is_not_paid() {
    let sandbox = SandboxConfig { three_d_secure_from: Some(AMOUNT), ..SandboxConfig::default() };
    let shop = Shop::open(RehearsalConfig { sandbox, ..calm() });
    assert_eq!(shop.charge(GOOD), ChargeReply::Declined(Decline::Generic));
    assert_eq!((shop.completed(), shop.states()), (0, vec![State::Declined]));
}

#[test]
fn many_callers_with_one_key_pay_once() {
    let shop = Shop::open(calm());
    let replies: Vec<ChargeReply> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| shop.charge(GOOD))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(replies.iter().filter(|reply| is_approved(reply)).count(), 1, "{replies:?}");
    assert_eq!(shop.completed(), 1);
}

#[test]
fn a_key_of_another_ledger_is_blocked_here_after_its_declines() {
    let shop = Shop::open(calm());
    let key = PaymentKey::new("999999");
    let authorize = || shop.shop.cashier.perform(Request::Authorize { key: key.clone(), values: Vec::new() });
    for _ in 0..6 {
        assert_eq!(authorize(), Reply::Authorize(AuthorizeReply::Refused(Refusal::Unknown)), "the merchant's answer");
        let (authorization, card) = (Shop::authorization(), card(DECLINED));
        shop.shop.cashier.perform(Request::Charge { key: key.clone(), authorization, card, months: None });
    }
    assert_eq!(authorize(), Reply::Authorize(AuthorizeReply::Refused(Refusal::Blocked)));
}

#[test]
fn a_firewalls_403_does_not_stop_all_payments() {
    let shop = Shop::open(calm());
    shop.shop.sandbox.inject(Operation::Token, Fault::ErrorBefore { status: 403 });
    assert_eq!(shop.charge(GOOD), ChargeReply::Unavailable);
    assert!(!shop.shop.cashier.till().is_halted());
    assert!(is_approved(&shop.charge(GOOD)));
}

#[test]
fn wrong_credentials_stop_payments_until_they_are_mended() {
    let shop = Shop::open(calm());
    shop.shop.sandbox.inject(Operation::Token, Fault::ErrorBefore { status: 401 });
    assert_eq!(shop.charge(GOOD), ChargeReply::Unavailable);
    assert!(shop.shop.cashier.till().is_halted());
    assert_eq!(shop.authorize(), AuthorizeReply::Unavailable);
    shop.shop.cashier.till().check().unwrap();
    assert!(is_approved(&shop.charge(GOOD)));
}

#[test]
fn an_order_id_used_up_elsewhere_gives_way_to_the_next() {
    for amount in [AMOUNT, Money::mxn(19_900)] {
        pay_what_was_declined_elsewhere(amount);
    }
}

/// Another ledger's declined charge, perhaps of another amount: made before this ledger's attempt by more than any clock skew.
fn pay_what_was_declined_elsewhere(amount: Money) {
    let clock = Arc::new(ManualClock::at("2026-11-23T10:15:00Z".parse().unwrap()));
    let sandbox = SandboxConfig { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..SandboxConfig::default() };
    let shop = Shop::open(RehearsalConfig { sandbox, ..calm() });
    let payer = Payer { name: "x".into(), last_name: None, email: "x@example.com".into(), phone_number: None };
    let openpay = shop.shop.openpay();
    let token = openpay.create_token(&TokenRequest { holder_name: "x", card: &card(DECLINED) }).unwrap();
    let request = ChargeRequest {
        token: &token.id,
        amount,
        description: "elsewhere",
        order_id: ORDER,
        customer: &payer,
        months: None,
    };
    assert_eq!(openpay.create_charge(&request).unwrap_err().api().unwrap().error_code, 3001);
    clock.advance(SignedDuration::from_hours(1));
    assert!(is_approved(&shop.charge(GOOD)));
    assert_eq!(shop.states(), [State::Declined, State::Approved]);
}
