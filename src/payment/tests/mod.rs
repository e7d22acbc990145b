//! Payments over real HTTP on loopback, with every fault the sandbox knows.

mod alarms;
mod codes;
mod customers;
mod doubles;
mod elsewhere;
mod limits;
mod refunds;

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use super::{Background, ReconcileReport, RefundError, Rehearsal, RehearsalConfig};
use crate::card::{Brand, Cvv, Expiry, Pan, YearMonth};
use crate::clock::{Clock, ManualClock};
use crate::ledger::{Digits, KeyStatus, NewAttempt, State};
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
        let Reply::Authorize(reply) = self.shop.cashier.perform(Request::Authorize { key: self.key.clone() }) else {
            panic!("a charge's reply to an authorization")
        };
        reply
    }

    fn authorization() -> Authorization {
        let (order_id, description) = (ORDER.to_owned(), "Cargo IVR".to_owned());
        Authorization { amount: AMOUNT, order_id, description, customer: None }
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

    fn states(&self) -> Vec<State> {
        self.shop.ledger.find_attempts(ORDER).unwrap().iter().map(|attempt| attempt.state).collect()
    }
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
    let reply = shop.shop.cashier.perform(Request::Authorize { key });
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
fn an_outcome_nobody_can_find_out_stays_open_until_reconciled() {
    let shop = Shop::open(quick());
    shop.inject(Fault::DropAfter);
    for _ in 0..10 {
        shop.shop.sandbox.inject(Operation::ListCharges, Fault::ErrorBefore { status: 503 });
    }
    let ChargeReply::Unknown { reference } = shop.charge(GOOD) else { panic!("known") };
    assert!(reference.len() >= 6 && shop.shop.ledger.find_attempts(&reference).unwrap().len() == 1);
    assert_eq!(shop.states(), [State::Unknown]);
    let pending = AuthorizeReply::Pending { reference: reference.clone() };
    assert_eq!(shop.authorize(), pending, "no card need be asked for");
    assert_eq!(shop.charge(GOOD), ChargeReply::Unknown { reference }, "still open: nothing is charged");
    while shop.shop.cashier.till().reconcile().unwrap().open > 0 {}
    assert_eq!(shop.states(), [State::Approved]);
    assert!(matches!(shop.charge(GOOD), ChargeReply::AlreadyPaid { .. }));
    assert_eq!(shop.completed(), 1);
}

#[test]
fn the_background_finds_out_and_takes_payments_again() {
    let shop = Shop::open(quick());
    shop.inject(Fault::DropAfter);
    (0..4).for_each(|_| shop.shop.sandbox.inject(Operation::ListCharges, Fault::DropBefore));
    assert!(matches!(shop.charge(GOOD), ChargeReply::Unknown { .. }));
    shop.shop.sandbox.inject(Operation::Merchant, Fault::ErrorBefore { status: 401 });
    assert!(shop.shop.cashier.till().check().is_err());
    let _background = Background::reconciling(Arc::clone(&shop.shop.cashier), Duration::from_secs(3600)).unwrap();
    let is_done = || {
        std::thread::sleep(Duration::from_millis(10));
        shop.states() == [State::Approved] && !shop.shop.cashier.till().is_halted()
    };
    assert!((0..6000).any(|_| is_done()), "its first round is made at once");
}

/// A stop waited for all that was due, with a gateway or merchant that answers nothing a time-out for each.
#[test]
fn a_stop_ends_a_round_between_two_exchanges() {
    let shop = Shop::open(quick());
    for order in ["first", "second"] {
        let authorization = Authorization { order_id: order.into(), ..Shop::authorization() };
        let (key, pan) = (PaymentKey::new(format!("key of {order}")), card(GOOD).pan);
        let (brand, last_four) = (pan.brand(), pan.last_four());
        let new = NewAttempt { key: &key, authorization: &authorization, brand, last_four, months: None };
        let attempt = shop.shop.ledger.prepare_attempt(&new).unwrap().unwrap();
        shop.shop.ledger.mark_sent(attempt.id).unwrap();
    }
    let reconciled = shop.shop.cashier.till().reconcile_while(&mut |done, all| (done, all) == (0, 2)).unwrap();
    assert_eq!(reconciled, ReconcileReport { open: 1, ..ReconcileReport::default() });
    let (began, has_begun) = std::sync::mpsc::channel();
    let (ended, how) = std::sync::mpsc::channel();
    let background = Background::every(Duration::from_secs(3600), "test", move |stop| {
        began.send(()).unwrap();
        let mut was_asked = false;
        for _ in 0..6000 {
            was_asked |= stop.is_asked();
            if was_asked {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        ended.send(was_asked).unwrap();
    });
    has_begun.recv().unwrap();
    drop(background.unwrap());
    assert_eq!(how.try_iter().collect::<Vec<_>>(), [true], "in the middle of the first round, and no other");
}

#[test]
fn an_open_attempt_is_looked_up_when_its_key_is_keyed_again() {
    let shop = Shop::open(quick());
    shop.inject(Fault::DropAfter);
    (0..4).for_each(|_| shop.shop.sandbox.inject(Operation::ListCharges, Fault::DropBefore));
    assert!(matches!(shop.charge(GOOD), ChargeReply::Unknown { .. }));
    assert!(matches!(shop.charge(GOOD), ChargeReply::AlreadyPaid { .. }), "found on the second call");
    assert_eq!(shop.completed(), 1);
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

/// A process that dies leaves its attempts as they were: what it leaves is made here by hand.
#[test]
fn what_a_crash_leaves_is_reconciled() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.sqlite");
    let clock = Arc::new(ManualClock::at("2026-11-23T10:15:00Z".parse().unwrap()));
    let sandbox = SandboxConfig { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..SandboxConfig::default() };
    let shop = Shop::open(RehearsalConfig { ledger: Some(file), sandbox, ..quick() });
    // Charged, but the process died before it could say so.
    shop.inject(Fault::DropAfter);
    (0..4).for_each(|_| shop.shop.sandbox.inject(Operation::ListCharges, Fault::DropBefore));
    assert!(matches!(shop.charge(GOOD), ChargeReply::Unknown { .. }));
    // Died between reserving and sending, and between recording and sending.
    for (key, order) in [("111111", "reserved"), ("222222", "recorded")] {
        let authorization = Authorization { order_id: order.into(), ..Shop::authorization() };
        let (key, pan) = (PaymentKey::new(key), card(GOOD).pan);
        let (brand, last_four) = (pan.brand(), pan.last_four());
        let new = NewAttempt { key: &key, authorization: &authorization, brand, last_four, months: None };
        let attempt = shop.shop.ledger.prepare_attempt(&new).unwrap().unwrap();
        if order == "recorded" {
            shop.shop.ledger.mark_sent(attempt.id).unwrap();
        }
    }
    let report = shop.shop.cashier.till().reconcile().unwrap();
    assert_eq!(report, ReconcileReport { approved: 1, open: 2, ..ReconcileReport::default() });
    clock.advance(SignedDuration::from_mins(31));
    let report = shop.shop.cashier.till().reconcile().unwrap();
    assert_eq!(report, ReconcileReport { lapsed: 1, abandoned: 1, ..ReconcileReport::default() });
    assert_eq!(shop.shop.cashier.till().reconcile().unwrap(), ReconcileReport::default(), "nothing is left open");
}

#[test]
fn a_key_of_another_ledger_is_blocked_here_after_its_declines() {
    let shop = Shop::open(calm());
    let key = PaymentKey::new("999999");
    let authorize = || shop.shop.cashier.perform(Request::Authorize { key: key.clone() });
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

#[test]
fn a_paid_charge_is_given_back_once_and_stays_in_the_ledger() {
    let shop = Shop::open(calm());
    assert!(is_approved(&shop.charge(GOOD)));
    let (till, attempt) = (shop.shop.cashier.till(), &shop.shop.ledger.find_attempts(ORDER).unwrap()[0]);
    assert_eq!(till.refund(attempt.id, Some(Money::mxn(5_000))).unwrap(), Money::mxn(5_000));
    assert_eq!(till.refund(attempt.id, None).unwrap(), Money::mxn(15_000), "what was left, not the whole charge");
    assert_eq!(shop.shop.read_back(ORDER).unwrap()[0].status, ChargeStatus::Refunded);
    assert!(matches!(till.refund(attempt.id, None), Err(RefundError::NothingLeft(AMOUNT))));
    assert!(matches!(till.refund(attempt.id, Some(Money::mxn(1))), Err(RefundError::NothingLeft(AMOUNT))));
    assert!(matches!(till.refund(77, None), Err(RefundError::Ledger(_))));
    assert_eq!(shop.states(), [State::Approved], "a success is never downgraded");
    let audit = shop.shop.ledger.audit(4).unwrap().into_iter().rev();
    let told: Vec<_> = audit.map(|entry| format!("{} {}", entry.event, entry.detail)).collect();
    assert_eq!(told, ["refunding 50.00 MXN", "refunded 50.00 MXN", "refunding 150.00 MXN", "refunded 150.00 MXN"]);
}

/// Somebody gave a part back on Openpay's dashboard: what is left is not guessed.
#[test]
fn after_a_refund_elsewhere_the_amount_must_be_said() {
    let shop = Shop::open(calm());
    assert!(is_approved(&shop.charge(GOOD)));
    let (till, attempt) = (shop.shop.cashier.till(), &shop.shop.ledger.find_attempts(ORDER).unwrap()[0]);
    let charge = attempt.charge_id.as_deref().unwrap();
    shop.shop.openpay().refund(charge, "dashboard", Some(Money::mxn(5_000))).unwrap();
    assert!(matches!(till.refund(attempt.id, None), Err(RefundError::Openpay(_))));
    assert_eq!(till.refund(attempt.id, Some(Money::mxn(15_000))).unwrap(), Money::mxn(15_000));
}

#[test]
fn what_was_not_paid_is_not_given_back() {
    let shop = Shop::open(calm());
    assert_eq!(shop.charge(DECLINED), ChargeReply::Declined(Decline::OtherCard));
    let attempt = &shop.shop.ledger.find_attempts(ORDER).unwrap()[0];
    assert!(matches!(shop.shop.cashier.till().refund(attempt.id, None), Err(RefundError::NotPaid(State::Declined))));
}
