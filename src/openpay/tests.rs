//! The client against the sandbox, over real HTTP.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use super::sandbox::{Fault, Operation, OrderIds, Sandbox, SandboxConfig};
use super::*;
use crate::card::{Cvv, Expiry, Pan, YearMonth};
use crate::clock::{Clock, ManualClock};
use crate::http::{Credentials, HttpClient, Timeouts};
use crate::money::{Currency, Money};
use crate::service::Card;

const GOOD: &str = "4111111111111111";
const AMOUNT: Money = Money::mxn(20_000);

fn card(number: &str, mmyy: &str) -> Card {
    let pan = Pan::parse(number).ok().unwrap();
    let expiry = Expiry::parse_mmyy(mmyy, YearMonth { year: 2020, month: 1 }).ok().unwrap();
    Card { pan, expiry, cvv: Cvv::parse("123", None).ok().unwrap() }
}

fn payer() -> Payer {
    Payer { name: "Juan".into(), last_name: None, email: "juan@example.com".into(), phone_number: None }
}

fn client(sandbox: &Sandbox, key: &str) -> Client {
    let merchant = SandboxConfig::default().merchant_id;
    Client::new(&Config::new(&sandbox.base_url(), &merchant, PrivateKey::parse(key).unwrap()).unwrap())
}

fn start(config: SandboxConfig) -> (Sandbox, Client) {
    let key = config.private_key.clone();
    let sandbox = Sandbox::start(config).unwrap();
    let client = client(&sandbox, &key);
    (sandbox, client)
}

fn token(client: &Client, number: &str) -> String {
    client.create_token(&TokenRequest { holder_name: "Juan", card: &card(number, "1230") }).unwrap().id
}

fn charge(client: &Client, token: &str, order_id: &str) -> Result<Charge, Error> {
    let (payer, description) = (payer(), "Cargo IVR");
    client.create_charge(&ChargeRequest {
        token,
        amount: AMOUNT,
        description,
        order_id,
        customer: &payer,
        months: None,
    })
}

fn code(result: Result<Charge, Error>) -> u32 {
    result.unwrap_err().api().unwrap().error_code
}

#[test]
fn a_charge_is_made_read_listed_and_refunded() {
    let (_sandbox, client) = start(SandboxConfig::default());
    assert_eq!(client.merchant().unwrap().status.as_deref(), Some("active"));
    let made = charge(&client, &token(&client, GOOD), "ord-1").unwrap();
    assert!(made.is_paid() && made.id.len() == 20 && made.authorization.as_ref().unwrap().len() == 6);
    assert_eq!(client.charge(&made.id).unwrap(), made);
    let filter = OrderFilter { order_id: "ord-1", limit: 10, offset: 0 };
    assert_eq!(client.charges_of_order(filter).unwrap(), std::slice::from_ref(&made));
    assert_eq!(client.charges_of_order(OrderFilter { order_id: "ord", ..filter }).unwrap(), []);
    let partly = client.refund(&made.id, "wrong \"size\"", Some(Money::mxn(5_000))).unwrap();
    assert_eq!(partly.status, ChargeStatus::Completed);
    assert_eq!(code(client.refund(&made.id, "too much", Some(AMOUNT))), 1014);
    assert_eq!(client.refund(&made.id, "the rest", None).unwrap().status, ChargeStatus::Refunded);
    assert_eq!(code(client.charge("nothing")), 1005);
}

#[test]
fn a_token_is_good_for_one_charge_even_a_declined_one() {
    let (_sandbox, client) = start(SandboxConfig::default());
    for (number, first) in [(GOOD, None), ("4222222222222220", Some(3001))] {
        let token = token(&client, number);
        let result = charge(&client, &token, &format!("first-{number}"));
        assert_eq!(result.err().map(|error| error.api().unwrap().error_code), first);
        let second = charge(&client, &token, &format!("second-{number}")).unwrap_err();
        assert_eq!(second.api().map(ApiError::action), Some(Action::NewToken));
    }
    assert_eq!(code(charge(&client, "knobody", "ord-9")), 1005);
}

#[test]
fn an_order_id_is_taken_once_among_all_or_among_successful() {
    for (rule, after_decline) in [(OrderIds::AmongAll, Some(1006)), (OrderIds::AmongSuccessful, None)] {
        let (_sandbox, client) = start(SandboxConfig { order_ids: rule, ..SandboxConfig::default() });
        assert_eq!(code(charge(&client, &token(&client, "4222222222222220"), "ord-1")), 3001);
        let again = charge(&client, &token(&client, GOOD), "ord-1");
        assert_eq!(again.err().map(|error| error.api().unwrap().error_code), after_decline, "{rule:?}");
        charge(&client, &token(&client, GOOD), "ord-2").unwrap();
        assert_eq!(code(charge(&client, &token(&client, GOOD), "ord-2")), 1006);
    }
}

#[test]
fn wrong_and_public_keys_are_told_apart() {
    let (sandbox, _) = start(SandboxConfig::default());
    let wrong = client(&sandbox, "sk_wrong").merchant().unwrap_err();
    assert_eq!(wrong.api().map(|error| (error.error_code, error.http_status)), Some((1002, 401)));
    let public = Credentials::new(&SandboxConfig::default().public_key, "");
    let http = HttpClient::new(public, Timeouts::answering_within(Duration::from_secs(5)));
    let url = format!("{}/v1/{}", sandbox.base_url(), SandboxConfig::default().merchant_id);
    assert_eq!(http.get(&url).unwrap().status, 403);
    let token = br#"{"holder_name":"J","card_number":"4111111111111111","cvv2":"123","expiration_month":"12","expiration_year":"45"}"#;
    assert_eq!(http.post(&format!("{url}/tokens"), token).unwrap().status, 200);
}

#[test]
fn cards_are_checked_before_any_bank_is_asked() {
    let (sandbox, client) = start(SandboxConfig::default());
    let expired = TokenRequest { holder_name: "Juan", card: &card(GOOD, "0120") };
    let error = client.create_token(&expired).unwrap_err();
    assert_eq!(error.api().map(ApiError::action), Some(Action::Correct(crate::service::CardField::Expiry)));
    let key = Credentials::new(&SandboxConfig::default().private_key, "");
    let http = HttpClient::new(key, Timeouts::answering_within(Duration::from_secs(5)));
    let url = format!("{}/v1/{}/tokens", sandbox.base_url(), SandboxConfig::default().merchant_id);
    for (body, status, code) in [
        ("garbage", 400, 1001),
        ("{}", 400, 1001),
        (
            r#"{"holder_name":"J","card_number":"4111111111111112","expiration_month":"12","expiration_year":"30","cvv2":"123"}"#,
            422,
            2004,
        ),
        (
            r#"{"holder_name":"J","card_number":"4111111111111111","expiration_month":"12","expiration_year":"30"}"#,
            400,
            2006,
        ),
        (
            r#"{"holder_name":"J","card_number":"4111111111111111","expiration_month":"12","expiration_year":"30","cvv2":"12"}"#,
            412,
            2009,
        ),
        (
            r#"{"holder_name":"J","card_number":"4111","expiration_month":"12","expiration_year":"30","cvv2":"123"}"#,
            400,
            1001,
        ),
    ] {
        let answer = http.post(&url, body.as_bytes()).unwrap();
        let error = ApiError::of(answer.status, &answer.body);
        assert_eq!((error.http_status, error.error_code), (status, code), "{body}");
        assert!(error.request_id.is_some());
        let whole: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert!(whole["description"].is_string() && whole["category"].is_string(), "{whole}");
    }
}

#[test]
fn charges_are_validated_as_the_reference_says() {
    let (sandbox, client) = start(SandboxConfig::default());
    let key = Credentials::new(&SandboxConfig::default().private_key, "");
    let http = HttpClient::new(key, Timeouts::answering_within(Duration::from_secs(5)));
    let url = format!("{}/v1/{}/charges", sandbox.base_url(), SandboxConfig::default().merchant_id);
    let source = token(&client, GOOD);
    let body = |amount: &str, extra: &str| {
        format!(
            r#"{{"method":"card","source_id":"{source}","amount":{amount},"description":"d",
            "customer":{{"name":"J","email":"j@example.com"}}{extra}}}"#
        )
    };
    let code = |body: String| {
        let answer = http.post(&url, body.as_bytes()).unwrap();
        ApiError::of(answer.status, &answer.body).error_code
    };
    for amount in ["0", "-1", "1.001", "\"200.00\"", "null"] {
        assert_eq!(code(body(amount, "")), 1001, "{amount}");
    }
    assert_eq!(code(body("1", r#","currency":"EUR""#)), 1001);
    assert_eq!(code(body("1", r#","payment_plan":{"payments":5}"#)), 1001);
    assert_eq!(code(body("1", &format!(r#","order_id":"{}""#, "o".repeat(101)))), 1001);
    assert_eq!(code(r#"{"method":"bank_account","amount":1}"#.into()), 1001);
    assert_eq!(code(body("1", r#","order_id":"ok","payment_plan":{"payments":6}"#)), 0, "the token is still good");
    let direct = r#"{"method":"card","card":{"holder_name":"J","card_number":"5555555555554444","cvv2":"123",
        "expiration_month":"12","expiration_year":"30"},"amount":10.5,"description":"d","order_id":"direct",
        "currency":"USD","customer":{"name":"J","email":"j@example.com"}}"#;
    assert_eq!(code(direct.into()), 0);
    let charges = client.charges_of_order(OrderFilter { order_id: "direct", limit: 1, offset: 0 }).unwrap();
    assert_eq!(charges[0].amount, Money { centavos: 1_050, currency: Currency::Usd });
}

#[test]
fn lists_are_newest_first_paged_and_filtered_by_day() {
    let clock = Arc::new(ManualClock::at("2026-11-23T18:00:00Z".parse().unwrap()));
    let config = SandboxConfig {
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        order_ids: OrderIds::AmongSuccessful,
        ..SandboxConfig::default()
    };
    let (sandbox, client) = start(config);
    for _ in 0..3 {
        assert_eq!(code(charge(&client, &token(&client, "4222222222222220"), "ord")), 3001);
        clock.advance(SignedDuration::from_hours(24));
    }
    let days = |limit, offset| -> Vec<String> {
        let charges = client.charges_of_order(OrderFilter { order_id: "ord", limit, offset }).unwrap();
        charges.into_iter().map(|charge| charge.creation_date.unwrap()[..10].to_owned()).collect()
    };
    assert_eq!(days(10, 0), ["2026-11-25", "2026-11-24", "2026-11-23"]);
    assert_eq!(days(1, 1), ["2026-11-24"]);
    let key = Credentials::new(&SandboxConfig::default().private_key, "");
    let http = HttpClient::new(key, Timeouts::answering_within(Duration::from_secs(5)));
    let url = format!("{}/v1/{}/charges", sandbox.base_url(), SandboxConfig::default().merchant_id);
    for (query, count) in [
        ("creation[gte]=2026-11-24", 2),
        ("creation%5Blte%5D=2026-11-24", 2),
        ("creation=2026-11-24", 1),
        ("creation[gte]=2026-11-26", 0),
    ] {
        let answer = http.get(&format!("{url}?{query}")).unwrap();
        let list: Vec<serde_json::Value> = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(list.len(), count, "{query}");
    }
    assert_eq!(http.get(&format!("{url}?creation=yesterday")).unwrap().status, 400);
    assert_eq!(http.get(&format!("{url}?limit=x")).unwrap().status, 400);
}

#[test]
fn openpay_makes_a_payment_key() {
    let (_sandbox, client) = start(SandboxConfig::default());
    let payer = payer();
    let request = IvrChargeRequest { amount: AMOUNT, description: "d", order_id: "ord-1", customer: &payer };
    let pending = client.create_ivr_charge(&request).unwrap();
    assert_eq!((pending.status.clone(), pending.is_paid()), (ChargeStatus::ChargePending, false));
    let method = pending.payment_method.unwrap();
    assert_eq!((method.kind.as_str(), method.ivr_key.unwrap().0.len()), ("ivr", 6));
}

#[test]
fn a_restart_forgets_nothing_and_stores_no_card_number() {
    let folder = tempfile::tempdir().unwrap();
    let config = || SandboxConfig { file: Some(folder.path().join("sandbox.sqlite")), ..SandboxConfig::default() };
    let (sandbox, client) = start(config());
    let unused = token(&client, GOOD);
    let made = charge(&client, &token(&client, GOOD), "ord-1").unwrap();
    drop(sandbox);
    let (_sandbox, client) = start(config());
    assert_eq!(client.charge(&made.id).unwrap(), made);
    assert_eq!(code(charge(&client, &unused, "ord-1")), 1006);
    assert!(charge(&client, &unused, "ord-2").unwrap().is_paid());
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(GOOD.len()).any(|window| window == GOOD.as_bytes()));
    }
}

#[test]
fn every_fault_leaves_what_its_name_says() {
    use ErrorKind::{Refused, Unclear};
    let (sandbox, _) = start(SandboxConfig::default());
    let key = PrivateKey::parse(&SandboxConfig::default().private_key).unwrap();
    let mut config = Config::new(&sandbox.base_url(), &SandboxConfig::default().merchant_id, key).unwrap();
    config.charge_timeouts = Timeouts::answering_within(Duration::from_millis(600));
    config.charge_timeouts.body = Duration::from_millis(600);
    let client = Client::new(&config);
    for (n, (fault, kind, made)) in [
        (Fault::DropBefore, Unclear, 0),
        (Fault::DropAfter, Unclear, 1),
        (Fault::DelayAfter { ms: 2_000 }, Unclear, 1),
        (Fault::StallBefore { ms: 2_000 }, Unclear, 0),
        (Fault::Duplicate, Refused, 1),
        (Fault::ErrorBefore { status: 503 }, Unclear, 0),
        (Fault::ErrorAfter { status: 502 }, Unclear, 1),
        (Fault::Garbage, Unclear, 1),
        (Fault::Truncated, Unclear, 1),
        (Fault::SlowBody { ms: 300 }, Unclear, 1),
    ]
    .into_iter()
    .enumerate()
    {
        let order_id = format!("ord-{n}");
        let token = token(&client, GOOD);
        sandbox.inject(Operation::Charge, fault);
        assert_eq!(charge(&client, &token, &order_id).unwrap_err().kind(), kind, "{fault:?}");
        let filter = OrderFilter { order_id: &order_id, limit: 10, offset: 0 };
        assert_eq!(client.charges_of_order(filter).unwrap().len(), made, "{fault:?}");
    }
}

#[test]
fn faults_are_ordered_over_http_with_the_private_key() {
    let (sandbox, client) = start(SandboxConfig::default());
    let url = format!("{}/admin/faults", sandbox.base_url());
    let order = br#"{"operation":"merchant","fault":{"kind":"error_before","status":502},"times":2}"#;
    let timeouts = Timeouts::answering_within(Duration::from_secs(5));
    assert_eq!(HttpClient::new(Credentials::new("x", ""), timeouts).post(&url, order).unwrap().status, 401);
    let http = HttpClient::new(Credentials::new(&SandboxConfig::default().private_key, ""), timeouts);
    assert_eq!(http.post(&url, b"{}").unwrap().status, 400);
    assert_eq!(http.post(&url, order).unwrap().status, 204);
    assert!(client.merchant().is_err() && client.merchant().is_err() && client.merchant().is_ok());
}
