//! Openpay's rules for tokens, charges, lists and refunds: bodies in, answers out, no HTTP.

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::cards::{CardBody, CheckedCard, MaskedCard};
use super::errors::Refusal;
use super::routes::App;
use super::store::{ListFilter, StoredCharge, StoredRefund, Taken};
use super::{OrderIds, SandboxConfig};
use crate::http::{amount_from_json, amount_to_json};
use crate::money::{Currency, Money};

/// Characters of an id.
const ID_CHARACTERS: usize = 20;
/// Most charges a page has, and how many it has unasked.
const PAGE: (u32, u32) = (100, 10);
/// Months Openpay offers without interest.
const MONTHS: [u8; 5] = [3, 6, 9, 12, 18];
/// Central Mexican time, which has had no summer time since 2022.
const MEXICO: Offset = Offset::constant(-6);

/// The JSON of a good answer, or the refusal.
pub(super) type Answer = Result<String, Refusal>;

#[derive(Deserialize)]
struct ChargeBody<'a> {
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    source_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    card: Option<CardBody<'a>>,
    #[serde(borrow)]
    confirm: Option<Cow<'a, str>>,
    #[serde(borrow)]
    amount: Option<&'a RawValue>,
    #[serde(borrow)]
    currency: Option<Cow<'a, str>>,
    #[serde(borrow)]
    description: Option<Cow<'a, str>>,
    #[serde(borrow)]
    order_id: Option<Cow<'a, str>>,
    customer: Option<CustomerBody>,
    payment_plan: Option<PlanBody>,
}

#[derive(Deserialize, Serialize)]
struct CustomerBody {
    name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    phone_number: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct PlanBody {
    payments: u8,
}

#[derive(Deserialize)]
struct RefundBody<'a> {
    #[serde(borrow)]
    description: Option<Cow<'a, str>>,
    #[serde(borrow)]
    amount: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct TransactionJson<'a> {
    id: &'a str,
    authorization: Option<&'a str>,
    operation_type: &'static str,
    transaction_type: &'static str,
    method: &'static str,
    status: &'a str,
    conciliated: bool,
    amount: Box<RawValue>,
    currency: &'static str,
    creation_date: String,
    operation_date: String,
    description: &'a str,
    error_message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<u32>,
    order_id: Option<&'a str>,
    card: Option<MaskedCard>,
    customer: Option<CustomerBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_plan: Option<PlanBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<RefundJson<'a>>,
}

#[derive(Serialize)]
struct RefundJson<'a> {
    id: &'a str,
    amount: Box<RawValue>,
    operation_type: &'static str,
    transaction_type: &'static str,
    method: &'static str,
    status: &'static str,
    currency: &'static str,
    description: Option<&'a str>,
}

/// `GET /v1/{merchant}`
pub(super) fn merchant(app: &App) -> Answer {
    let id = &app.config.merchant_id;
    Ok(format!(r#"{{"id":"{id}","name":"tonopago sandbox","status":"active","balance":0.00}}"#))
}

/// `POST /v1/{merchant}/tokens`
pub(super) fn create_token(app: &App, body: &[u8]) -> Answer {
    let card: CardBody<'_> = parse(body)?;
    let CheckedCard { masked, decline } = card.check(app.config.clock.year_month())?;
    let id = new_id('k');
    let card = json(&masked);
    app.store.add_token(&id, &card, decline)?;
    Ok(format!(r#"{{"id":"{id}","card":{card}}}"#))
}

/// `POST /v1/{merchant}/charges`
pub(super) fn create_charge(app: &App, body: &[u8]) -> Answer {
    let body: ChargeBody<'_> = parse(body)?;
    let mut charge = checked(app, &body)?;
    let mut token = None;
    let mut decline = None;
    if body.confirm.as_deref() == Some("ivr") {
        charge.payment_method = Some(ivr_method());
        "charge_pending".clone_into(&mut charge.status);
    } else {
        let source = find_source(app, &body)?;
        (charge.card, decline, token) = (Some(source.card), source.decline, source.token);
        decide(&app.config, &mut charge, decline);
    }
    let taken = match app.config.order_ids {
        OrderIds::AmongAll => "'completed', 'charge_pending', 'refunded', 'failed'",
        OrderIds::AmongSuccessful => "'completed', 'charge_pending', 'refunded'",
    };
    match app.store.add_charge(&charge, token.as_deref(), taken)? {
        Err(Taken::OrderId) => Err(Refusal::new(409, 1006, "The order_id has already been processed")),
        Err(Taken::Token) => Err(used_token()),
        Ok(()) => decline.map_or_else(|| Ok(transaction_json(&charge)), |code| Err(Refusal::declined(code))),
    }
}

/// `GET /v1/{merchant}/charges/{id}`
pub(super) fn charge(app: &App, id: &str) -> Answer {
    Ok(transaction_json(&app.store.charge(id)?.ok_or_else(Refusal::not_found)?))
}

/// `GET /v1/{merchant}/charges?order_id=&limit=&offset=&creation[gte]=&creation[lte]=`, newest first
pub(super) fn list(app: &App, query: &HashMap<String, String>) -> Answer {
    let number = |name: &str, default: u32| {
        let bad = || Refusal::new(400, 1001, format!("{name} is not a number"));
        query.get(name).map_or(Ok(default), |text| text.parse().map_err(|_| bad()))
    };
    let exact = day(query, "creation")?;
    let from = exact.or(day(query, "creation[gte]")?);
    let to = exact.or(day(query, "creation[lte]")?);
    let filter = ListFilter {
        order_id: query.get("order_id").cloned(),
        from_ms: from.map_or(Ok(i64::MIN), start_of)?,
        to_ms: to.map_or(Ok(i64::MAX), |last| start_of(last.tomorrow().unwrap_or(last)))?,
        limit: number("limit", PAGE.1)?.min(PAGE.0),
        offset: number("offset", 0)?,
    };
    let charges: Vec<String> = app.store.list(&filter)?.iter().map(transaction_json).collect();
    Ok(format!("[{}]", charges.join(",")))
}

/// `POST /v1/{merchant}/charges/{id}/refund`
pub(super) fn refund(app: &App, id: &str, body: &[u8]) -> Answer {
    let body: RefundBody<'_> =
        if body.is_empty() { RefundBody { description: None, amount: None } } else { parse(body)? };
    let charge = app.store.charge(id)?.ok_or_else(Refusal::not_found)?;
    let amount = match body.amount {
        Some(amount) => positive_amount(amount, charge.amount.currency)?.centavos,
        None => charge.amount.centavos - charge.refunded,
    };
    let description = body.description.as_deref().map(|text| bounded("description", Some(text), 250)).transpose()?;
    if !app.store.refund(id, &StoredRefund { id: new_id('t'), centavos: amount, description })? {
        return Err(Refusal::new(412, 1014, "The charge can't be refunded by this amount"));
    }
    self::charge(app, id)
}

/// Everything about a charge that does not depend on its card.
fn checked(app: &App, body: &ChargeBody<'_>) -> Result<StoredCharge, Refusal> {
    if body.method.as_deref() != Some("card") {
        return Err(Refusal::new(400, 1001, "method must be card"));
    }
    let currency = body.currency.as_deref().map_or(Some(Currency::Mxn), Currency::parse);
    let currency = currency.ok_or_else(|| Refusal::new(400, 1001, "currency must be MXN or USD"))?;
    let amount = positive_amount(body.amount.ok_or_else(|| Refusal::missing("amount"))?, currency)?;
    let description = bounded("description", body.description.as_deref(), 250)?;
    let order_id = body.order_id.as_deref().map(|id| bounded("order_id", Some(id), 100)).transpose()?;
    let customer = checked_customer(body)?;
    let months = checked_months(body)?;
    Ok(StoredCharge {
        id: new_id('t'),
        order_id,
        amount,
        description,
        status: String::new(),
        authorization: None,
        error_code: None,
        error_message: None,
        card: None,
        customer: Some(json(customer)),
        payment_method: None,
        months,
        refunded: 0,
        refund: None,
        created_ms: app.config.clock.now().as_millisecond(),
    })
}

fn checked_customer<'a>(body: &'a ChargeBody<'_>) -> Result<&'a CustomerBody, Refusal> {
    let customer = body.customer.as_ref().ok_or_else(|| Refusal::missing("customer"))?;
    bounded("customer.name", customer.name.as_deref(), 100)?;
    let email = bounded("customer.email", customer.email.as_deref(), 100)?;
    if !email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.')) {
        return Err(Refusal::new(400, 1001, "customer.email is not a well-formed email address"));
    }
    Ok(customer)
}

fn checked_months(body: &ChargeBody<'_>) -> Result<Option<u8>, Refusal> {
    let months = body.payment_plan.as_ref().map(|plan| plan.payments);
    if months.is_some_and(|months| !MONTHS.contains(&months)) {
        return Err(Refusal::new(400, 1001, "payment_plan.payments must be 3, 6, 9, 12 or 18"));
    }
    Ok(months)
}

/// Where a charge's money is to come from.
struct Source {
    card: String,
    decline: Option<u32>,
    token: Option<String>,
}

fn find_source(app: &App, body: &ChargeBody<'_>) -> Result<Source, Refusal> {
    if let Some(card) = &body.card {
        let CheckedCard { masked, decline } = card.check(app.config.clock.year_month())?;
        return Ok(Source { card: json(&masked), decline, token: None });
    }
    let id = bounded("source_id", body.source_id.as_deref(), 45)?;
    let token = app.store.token(&id)?.ok_or_else(Refusal::not_found)?;
    if token.used {
        return Err(used_token());
    }
    Ok(Source { card: token.card, decline: token.decline, token: Some(id) })
}

/// Approves, declines, or asks for 3-D Secure.
fn decide(config: &SandboxConfig, charge: &mut StoredCharge, decline: Option<u32>) {
    let secure = config.three_d_secure_from;
    if let Some(code) = decline {
        "failed".clone_into(&mut charge.status);
        charge.error_code = Some(code);
        charge.error_message = Some(Refusal::declined(code).description().to_owned());
    } else if secure
        .is_some_and(|from| from.currency == charge.amount.currency && charge.amount.centavos >= from.centavos)
    {
        "charge_pending".clone_into(&mut charge.status);
        charge.payment_method = Some(r#"{"type":"redirect","url":"http://127.0.0.1/3ds"}"#.to_owned());
    } else {
        "completed".clone_into(&mut charge.status);
        charge.authorization = Some(authorization_number(&charge.order_id));
    }
}

/// Six digits, the same for the same order: a bank's are arbitrary, and a rehearsal that repeats is easier to check.
fn authorization_number(order_id: &Option<String>) -> String {
    let order = order_id.as_deref().unwrap_or_default();
    let hash = order.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3) // FNV-1a
    });
    format!("{:06}", 100_000 + hash % 900_000)
}

fn ivr_method() -> String {
    let key = fastrand::u32(100_000..1_000_000);
    format!(r#"{{"type":"ivr","phone_number":"525588969143","ivr_key":{key},"attempts":0}}"#)
}

fn used_token() -> Refusal {
    Refusal::new(422, 1003, "The source_id has already been used")
}

fn positive_amount(json: &RawValue, currency: Currency) -> Result<Money, Refusal> {
    if json.get().starts_with('"') {
        return Err(Refusal::new(400, 1001, "amount must be a number"));
    }
    let amount = amount_from_json(json, currency).ok().filter(|amount| amount.centavos > 0);
    amount.ok_or_else(|| Refusal::new(400, 1001, "amount must be greater than 0 with at most two decimals"))
}

fn bounded(field: &str, text: Option<&str>, characters: usize) -> Result<String, Refusal> {
    let text = text.filter(|text| !text.is_empty()).ok_or_else(|| Refusal::missing(field))?;
    if text.chars().count() > characters {
        return Err(Refusal::new(400, 1001, format!("{field} length must be at most {characters}")));
    }
    Ok(text.to_owned())
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|_| Refusal::new(400, 1001, "The request's body is not valid JSON"))
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers always serialize")
}

fn day(query: &HashMap<String, String>, name: &str) -> Result<Option<Date>, Refusal> {
    let bad = || Refusal::new(400, 1001, format!("{name} is not a date, YYYY-MM-DD"));
    query.get(name).map(|text| text.parse().map_err(|_| bad())).transpose()
}

fn start_of(day: Date) -> Result<i64, Refusal> {
    let start =
        day.to_zoned(TimeZone::fixed(MEXICO)).map_err(|_| Refusal::new(400, 1001, "the date is out of range"))?;
    Ok(start.timestamp().as_millisecond())
}

/// Openpay's kind of id.
fn new_id(first: char) -> String {
    let rest = std::iter::repeat_with(|| char::from_digit(fastrand::u32(0..36), 36).expect("below 36"));
    std::iter::once(first).chain(rest.take(ID_CHARACTERS - 1)).collect()
}

fn transaction_json(charge: &StoredCharge) -> String {
    let created = Timestamp::from_millisecond(charge.created_ms).unwrap_or_default();
    let date = created.to_zoned(TimeZone::fixed(MEXICO)).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    json(&TransactionJson {
        id: &charge.id,
        authorization: charge.authorization.as_deref(),
        operation_type: "in",
        transaction_type: "charge",
        method: "card",
        status: &charge.status,
        conciliated: false,
        amount: amount_to_json(charge.amount),
        currency: charge.amount.currency.code(),
        creation_date: date.clone(),
        operation_date: date,
        description: &charge.description,
        error_message: charge.error_message.as_deref(),
        error_code: charge.error_code,
        order_id: charge.order_id.as_deref(),
        card: charge.card.as_deref().and_then(|text| serde_json::from_str(text).ok()),
        customer: charge.customer.as_deref().and_then(|text| serde_json::from_str(text).ok()),
        payment_method: charge.payment_method.clone().and_then(|text| RawValue::from_string(text).ok()),
        payment_plan: charge.months.map(|payments| PlanBody { payments }),
        refund: charge.refund.as_ref().map(|refund| refund_json(refund, charge.amount.currency)),
    })
}

fn refund_json(refund: &StoredRefund, currency: Currency) -> RefundJson<'_> {
    RefundJson {
        id: &refund.id,
        amount: amount_to_json(Money { centavos: refund.centavos, currency }),
        operation_type: "out",
        transaction_type: "refund",
        method: "card",
        status: "completed",
        currency: currency.code(),
        description: refund.description.as_deref(),
    }
}
