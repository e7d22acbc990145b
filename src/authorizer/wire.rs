//! The JSON that travels between box and authorizer. Amounts are read and written digit for digit.

use std::collections::HashMap;

use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use zeroize::Zeroizing;

use super::{Profile, customer};
use crate::http::{amount_from_json, amount_to_json, text_from_json};
use crate::money::{Currency, Money};
use crate::order_id::{self, OrderIdError};
use crate::service::{Authorization, Customer, PaymentKey, Refusal};

/// Most values a merchant may tell with an answer, and the longest of them in characters; others are left out.
const MAX_VALUES: usize = 50;
const MAX_VALUE: usize = 100;
/// Longest payment key that is looked up, in digits.
const MAX_KEY_DIGITS: usize = 32;
/// Characters of a response code that nobody knows which are told.
const MAX_TOLD_CODE: usize = 12;

/// Why a body is not what the contract says. Texts never repeat the body, but for an amount that is one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Nothing at all.
    #[error("the body is empty")]
    Empty,
    /// Not a JSON object.
    #[error("not a JSON object: line {line}, column {column}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A field is missing, or not of its type.
    #[error("field {0:?} is missing or of the wrong type")]
    Field(String),
    /// The amount can't be charged.
    #[error("the amount can't be charged: {0}")]
    Amount(&'static str),
    /// Zero, or above the configured limit.
    #[error("the amount {amount} is not above zero and up to max_amount, {limit}")]
    Limit {
        /// What was asked for.
        amount: Money,
        /// The configured limit.
        limit: Money,
    },
    /// A currency other than the limit's.
    #[error("the currency is not the one this box charges in")]
    Currency,
    /// An order number that can't be used.
    #[error("the order number can't be used: {0}")]
    OrderId(#[from] OrderIdError),
}

/// The box's question: key, caller's number if known, and local time; and the values a menu sends along, if it does.
pub fn encode_request(
    profile: &Profile,
    key: &PaymentKey,
    values: &[(String, String)],
    phone_number: Option<&str>,
    local_date: &str,
) -> Zeroizing<Vec<u8>> {
    let names = &profile.request;
    let mut fields = vec![
        (names.key.as_str(), raw(&Some(key.expose()).filter(|_| !key.is_none()))),
        (&names.phone_number, raw(&phone_number)),
        (&names.local_date, raw(local_date)),
    ];
    if !values.is_empty() {
        fields.push((&names.values, raw(&texts(values))));
    }
    Zeroizing::new(serde_json::to_vec(&Object(fields)).expect("texts always serialize"))
}

/// Reads the key of the box's question.
///
/// # Errors
/// [`WireError`] if there is no payment key in it.
pub fn decode_request(profile: &Profile, body: &[u8]) -> Result<PaymentKey, WireError> {
    decode_question(profile, body).map(|question| question.key)
}

/// What a box asks, as far as this service cares.
pub(super) struct Question {
    pub(super) key: PaymentKey,
    /// The caller's number, where the box knows it.
    pub(super) caller: Option<String>,
}

pub(super) fn decode_question(profile: &Profile, body: &[u8]) -> Result<Question, WireError> {
    let fields = fields(body)?;
    let name = &profile.request.key;
    let digits = text(&fields, name).ok_or_else(|| WireError::Field(name.clone()))?;
    let is_key = (1..=MAX_KEY_DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_key {
        return Err(WireError::Field(name.clone()));
    }
    let caller = text(&fields, &profile.request.phone_number).filter(|number| !number.is_empty());
    Ok(Question { key: PaymentKey::new(digits), caller })
}

/// The authorizer's answer.
pub fn encode_answer(profile: &Profile, answer: &Result<Authorization, Refusal>) -> Vec<u8> {
    let names = &profile.answer;
    let fields = match answer {
        Err(refusal) => {
            let code = profile.codes.code(*refusal);
            vec![(names.code.as_str(), raw_code(code)), (&names.error, raw(refusal.words()))]
        }
        Ok(authorization) => vec![
            (names.code.as_str(), raw_code(&profile.codes.authorized)),
            (&names.amount, amount_to_json(authorization.amount)),
            (&names.currency, raw(authorization.amount.currency.code())),
            (&names.order_id, raw(&authorization.order_id)),
            (&names.description, raw(&authorization.description)),
            (&names.customer, raw(&authorization.customer.as_ref().map(|payer| customer_fields(profile, payer)))),
            (&names.error, raw(&None::<String>)),
        ]
        .into_iter()
        .chain((!authorization.values.is_empty()).then(|| (names.values.as_str(), raw(&texts(&authorization.values)))))
        .collect(),
    };
    serde_json::to_vec(&Object(fields)).expect("texts always serialize")
}

/// Reads the authorizer's answer. Amounts must be above zero, at most `limit`, and in its currency.
///
/// # Errors
/// [`WireError`]: the authorizer is to be treated as unavailable.
pub fn decode_answer(
    profile: &Profile,
    body: &[u8],
    limit: Money,
) -> Result<Result<Authorization, Refusal>, WireError> {
    let fields = fields(body)?;
    let names = &profile.answer;
    let code = text(&fields, &names.code).ok_or_else(|| WireError::Field(names.code.clone()))?;
    if code != profile.codes.authorized {
        if !profile.codes.is_listed(&code) {
            let code = code.chars().take(MAX_TOLD_CODE).collect::<String>();
            tracing::warn!(code, "a response code that the profile does not list: it counts as an unknown key");
        }
        return Ok(Err(profile.codes.refusal(&code)));
    }
    let order_id = text(&fields, &names.order_id).ok_or_else(|| WireError::Field(names.order_id.clone()))?;
    order_id::check(&order_id)?;
    let description = text(&fields, &names.description).filter(|text| !text.is_empty());
    let description = description.unwrap_or_else(|| order_id.clone());
    let description = description.chars().take(Authorization::MAX_DESCRIPTION).collect(); // the rest is cut
    let customer = fields.get(names.customer.as_str()).and_then(|json| read_customer(profile, json));
    let values = fields.get(names.values.as_str()).map_or_else(Vec::new, |json| read_values(json));
    Ok(Ok(Authorization { amount: read_amount(profile, &fields, limit)?, order_id, description, customer, values }))
}

type Fields<'a> = HashMap<String, &'a RawValue>;

fn fields(body: &[u8]) -> Result<Fields<'_>, WireError> {
    // Programs whose files were saved with a mark of their encoding send it before all else; RFC 8259 lets readers ignore it.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.trim_ascii().is_empty() {
        return Err(WireError::Empty);
    }
    serde_json::from_slice(body).map_err(|error| WireError::Json { line: error.line(), column: error.column() })
}

fn text(fields: &Fields<'_>, name: &str) -> Option<String> {
    text_from_json(fields.get(name)?)
}

fn read_amount(profile: &Profile, fields: &Fields<'_>, limit: Money) -> Result<Money, WireError> {
    let names = &profile.answer;
    let currency = text(fields, &names.currency);
    let currency = currency.map_or(Some(Currency::Mxn), |code| Currency::parse(&code));
    let currency = currency.filter(|currency| *currency == limit.currency).ok_or(WireError::Currency)?;
    let json = fields.get(names.amount.as_str()).ok_or_else(|| WireError::Field(names.amount.clone()))?;
    let amount = amount_from_json(json, currency).map_err(|error| WireError::Amount(error.what()))?;
    if amount.centavos == 0 || amount.centavos > limit.centavos {
        return Err(WireError::Limit { amount, limit });
    }
    Ok(amount)
}

/// The payer, as far as it can be read and fits: a bad one does not stop a payment.
fn read_customer(profile: &Profile, json: &RawValue) -> Option<Customer> {
    let fields: Fields<'_> = serde_json::from_str(json.get()).ok()?;
    let names = &profile.answer.customer_names;
    let field = |name: &str| text(&fields, name);
    customer::fitted(Customer {
        name: field(&names.name)?,
        last_name: field(&names.last_name),
        email: field(&names.email),
        phone_number: field(&names.phone_number),
    })
}

/// What else the merchant tells, as far as it is texts and numbers of a bounded length: a bad one does not stop a payment.
fn read_values(json: &RawValue) -> Vec<(String, String)> {
    let fields: Fields<'_> = serde_json::from_str(json.get()).unwrap_or_default();
    let short = |text: &String| text.chars().count() <= MAX_VALUE;
    let mut values: Vec<(String, String)> =
        fields.iter().filter_map(|(name, json)| Some((name.clone(), text_from_json(json).filter(short)?))).collect();
    values.sort();
    values.truncate(MAX_VALUES);
    values
}

fn texts(values: &[(String, String)]) -> Object<'_> {
    Object(values.iter().map(|(name, value)| (name.as_str(), raw(value))).collect())
}

fn customer_fields<'a>(profile: &'a Profile, payer: &Customer) -> Object<'a> {
    let names = &profile.answer.customer_names;
    Object(vec![
        (&names.name, raw(&payer.name)),
        (&names.last_name, raw(&payer.last_name)),
        (&names.email, raw(&payer.email)),
        (&names.phone_number, raw(&payer.phone_number)),
    ])
}

/// A JSON object with names known at run time, in order.
struct Object<'a>(Vec<(&'a str, Box<RawValue>)>);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn raw<T: Serialize + ?Sized>(value: &T) -> Box<RawValue> {
    to_raw_value(value).expect("texts always serialize")
}

/// A code as a JSON number where it is one.
fn raw_code(code: &str) -> Box<RawValue> {
    let number = code.parse::<i64>().ok().filter(|number| number.to_string() == code); // "00" stays a string
    number.map_or_else(|| raw(code), |number| raw(&number))
}

#[cfg(test)]
mod tests;
