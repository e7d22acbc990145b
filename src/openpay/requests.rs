//! What Openpay is asked: bodies of tokens and charges.

use serde::Serialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::http::amount_to_json;
use crate::money::Money;
use crate::service::Card;

/// Bytes a request's body starts with room for, besides what its texts may need: card data is never copied by a growing
/// buffer, which would leave an unwiped copy.
const BODY_CAPACITY: usize = 4096;
/// Most bytes JSON makes of one: `\u0000`.
const ESCAPED_BYTES: usize = 6;

/// A card to be tokenized.
pub struct TokenRequest<'a> {
    /// The name on the card; a telephone payer can't key it, so it is the payer's or a configured one.
    pub holder_name: &'a str,
    /// The card.
    pub card: &'a Card,
}

/// The payer of a charge; Openpay requires name and e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Payer {
    /// Given name, at most 100 characters.
    pub name: String,
    /// Family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// E-mail address, at most 100 characters.
    pub email: String,
    /// Telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
}

/// A token to be charged.
#[derive(Debug, Clone)]
pub struct ChargeRequest<'a> {
    /// The token's id.
    pub token: &'a str,
    /// What to charge.
    pub amount: Money,
    /// At most 250 characters.
    pub description: &'a str,
    /// At most 100 characters, unique: the idempotency key.
    pub order_id: &'a str,
    /// The payer.
    pub customer: &'a Payer,
    /// Months without interest.
    pub months: Option<u8>,
}

/// A charge to be paid by telephone with a key Openpay makes (`confirm: ivr`).
#[derive(Debug, Clone)]
pub struct IvrChargeRequest<'a> {
    /// What is to be paid.
    pub amount: Money,
    /// At most 250 characters.
    pub description: &'a str,
    /// At most 100 characters, unique.
    pub order_id: &'a str,
    /// The payer.
    pub customer: &'a Payer,
}

#[derive(Serialize)]
struct TokenBody<'a> {
    holder_name: &'a str,
    card_number: &'a str,
    cvv2: &'a str,
    expiration_month: &'a str,
    expiration_year: &'a str,
}

#[derive(Serialize)]
struct PaymentPlan {
    payments: u8,
}

#[derive(Serialize)]
struct ChargeBody<'a> {
    method: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirm: Option<&'static str>,
    amount: Box<RawValue>,
    currency: &'static str,
    description: &'a str,
    order_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_session_id: Option<String>,
    customer: &'a Payer,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_plan: Option<PaymentPlan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_phone_order: Option<bool>,
}

impl TokenRequest<'_> {
    pub(super) fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let Card { pan, expiry, cvv } = self.card;
        let body = TokenBody {
            holder_name: self.holder_name,
            card_number: pan.expose(),
            cvv2: cvv.expose(),
            expiration_month: expiry.month2(),
            expiration_year: expiry.year2(),
        };
        write(&body, BODY_CAPACITY + ESCAPED_BYTES * self.holder_name.len())
    }
}

impl ChargeRequest<'_> {
    pub(super) fn to_json(&self, device_session_id: Option<String>, phone_order: bool) -> Zeroizing<Vec<u8>> {
        let body = ChargeBody {
            method: "card",
            source_id: Some(self.token),
            confirm: None,
            amount: amount_to_json(self.amount),
            currency: self.amount.currency.code(),
            description: self.description,
            order_id: self.order_id,
            device_session_id,
            customer: self.customer,
            payment_plan: self.months.map(|payments| PaymentPlan { payments }),
            is_phone_order: phone_order.then_some(true),
        };
        write(&body, BODY_CAPACITY)
    }
}

impl IvrChargeRequest<'_> {
    pub(super) fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let body = ChargeBody {
            method: "card",
            source_id: None,
            confirm: Some("ivr"),
            amount: amount_to_json(self.amount),
            currency: self.amount.currency.code(),
            description: self.description,
            order_id: self.order_id,
            device_session_id: None,
            customer: self.customer,
            payment_plan: None,
            is_phone_order: None,
        };
        write(&body, BODY_CAPACITY)
    }
}

fn write(body: &impl Serialize, capacity: usize) -> Zeroizing<Vec<u8>> {
    let mut json = Zeroizing::new(Vec::with_capacity(capacity));
    serde_json::to_writer(&mut *json, body).expect("texts and numbers always serialize, a vector takes every byte");
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::{Brand, Cvv, Expiry, Pan, YearMonth};

    fn payer() -> Payer {
        Payer { name: "Juan".into(), last_name: None, email: "juan@example.com".into(), phone_number: None }
    }

    fn card() -> Card {
        let today = YearMonth { year: 2026, month: 11 };
        Card {
            pan: Pan::parse("4111111111111111").ok().unwrap(),
            expiry: Expiry::parse_mmyy("0727", today).ok().unwrap(),
            cvv: Cvv::parse("123", Some(Brand::Visa)).ok().unwrap(),
        }
    }

    #[test]
    fn a_token_body_is_exactly_what_the_reference_says() {
        let card = card();
        let json = TokenRequest { holder_name: "Juan", card: &card }.to_json();
        assert_eq!(
            std::str::from_utf8(&json).unwrap(),
            r#"{"holder_name":"Juan","card_number":"4111111111111111","cvv2":"123","expiration_month":"07","expiration_year":"27"}"#
        );
    }

    /// A buffer that grows is copied, and what it leaves behind has the card number. One that grew has another capacity
    /// than it began with.
    #[test]
    fn no_holders_name_makes_the_body_of_a_card_grow() {
        let card = card();
        for name in ["Juan".to_owned(), "ñ".repeat(4000), "\0".repeat(4000)] {
            let json = TokenRequest { holder_name: &name, card: &card }.to_json();
            let began = BODY_CAPACITY + ESCAPED_BYTES * name.len();
            assert!(json.len() <= began && json.capacity() == began, "{} bytes of {began}", json.len());
        }
    }

    #[test]
    fn a_charge_body_has_an_exact_amount_and_only_what_is_configured() {
        let payer = payer();
        let (description, order_id, customer) = ("Cargo IVR", "ord-234", &payer);
        let charge =
            ChargeRequest { token: "tok", amount: Money::mxn(20_000), description, order_id, customer, months: None };
        assert_eq!(
            std::str::from_utf8(&charge.to_json(None, false)).unwrap(),
            r#"{"method":"card","source_id":"tok","amount":200.00,"currency":"MXN","description":"Cargo IVR","order_id":"ord-234","customer":{"name":"Juan","email":"juan@example.com"}}"#
        );
        let full = ChargeRequest { months: Some(6), ..charge }.to_json(Some("dev".into()), true);
        let full = std::str::from_utf8(&full).unwrap();
        for part in [r#""payment_plan":{"payments":6}"#, r#""device_session_id":"dev""#, r#""is_phone_order":true"#] {
            assert!(full.contains(part), "{full}");
        }
    }

    #[test]
    fn an_ivr_charge_has_no_card() {
        let payer = payer();
        let charge =
            IvrChargeRequest { amount: Money::mxn(5), description: "d", order_id: "o", customer: &payer }.to_json();
        let text = std::str::from_utf8(&charge).unwrap();
        assert!(text.contains(r#""confirm":"ivr","amount":0.05"#) && !text.contains("source_id"), "{text}");
    }
}
