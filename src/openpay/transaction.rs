//! What Openpay answers: transactions, tokens, the merchant.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::http::{amount_from_json, text_from_json};
use crate::money::{Currency, Money};

/// A transaction's status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChargeStatus {
    /// Paid.
    Completed,
    /// Not decided.
    InProgress,
    /// Waiting for the payer: 3-D Secure in a browser, or a payment key.
    ChargePending,
    /// Not paid.
    Failed,
    /// Taken back before it was settled.
    Cancelled,
    /// Paid and given back.
    Refunded,
    /// One this program does not know.
    Other(String),
}

/// A transaction as Openpay tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Openpay's id.
    pub id: String,
    /// The order id it was made under.
    pub order_id: Option<String>,
    /// What was charged.
    pub amount: Money,
    /// Where it stands.
    pub status: ChargeStatus,
    /// The bank's authorization number.
    pub authorization: Option<String>,
    /// The error code of a failed charge, where Openpay tells it.
    pub error_code: Option<u32>,
    /// The card number with Openpay's own mask, an X for each hidden digit: `411111XXXXXX1111`.
    pub masked_card: Option<String>,
    /// When it was made, as Openpay writes it.
    pub creation_date: Option<String>,
    /// How it is to be paid, for pending ones.
    pub payment_method: Option<PaymentMethod>,
    /// The refund it tells of: the reference shows one, and does not say which of several.
    pub refund: Option<ToldRefund>,
}

/// A refund as a transaction tells it. What of it can't be read is missing, and the refund is there all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldRefund {
    /// Openpay's id.
    pub id: Option<String>,
    /// How much.
    pub amount: Option<Money>,
    /// Where it stands.
    pub status: Option<ChargeStatus>,
    /// The text it was asked for with.
    pub description: Option<String>,
}

/// How a pending transaction is to be paid.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PaymentMethod {
    /// `ivr`, `redirect` (3-D Secure) and others.
    #[serde(rename = "type")]
    pub kind: String,
    /// The number to call, for `ivr`.
    #[serde(default)]
    pub phone_number: Option<String>,
    /// The payment key, for `ivr`.
    #[serde(default)]
    pub ivr_key: Option<IvrKey>,
    /// Tries so far, for `ivr`.
    #[serde(default)]
    pub attempts: Option<u32>,
}

/// A payment key made by Openpay: a number in its documentation, a string in its SDKs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IvrKey(pub String);

/// A tokenized card: good for one charge.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Token {
    /// What to charge.
    pub id: String,
}

/// The merchant behind the credentials.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Merchant {
    /// The merchant's id.
    pub id: String,
    /// The merchant's name.
    #[serde(default)]
    pub name: Option<String>,
    /// `active` or not.
    #[serde(default)]
    pub status: Option<String>,
}

impl ChargeStatus {
    fn parse(text: &str) -> Self {
        match text {
            "completed" => Self::Completed,
            "in_progress" => Self::InProgress,
            "charge_pending" => Self::ChargePending,
            "failed" => Self::Failed,
            "cancelled" => Self::Cancelled,
            "refunded" => Self::Refunded,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl Charge {
    /// Whether it is paid: `completed`, and nothing else.
    pub fn is_paid(&self) -> bool {
        self.status == ChargeStatus::Completed
    }

    /// When it was made, if Openpay said so readably.
    pub fn created(&self) -> Option<Timestamp> {
        self.creation_date.as_deref()?.parse().ok()
    }

    /// Whether it waits for 3-D Secure, which a telephone can't do.
    pub fn needs_browser(&self) -> bool {
        self.status == ChargeStatus::ChargePending
            && self.payment_method.as_ref().is_some_and(|method| method.kind == "redirect")
    }
}

impl<'de> Deserialize<'de> for IvrKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw: &RawValue = Deserialize::deserialize(deserializer)?;
        Ok(Self(raw.get().trim_matches('"').to_owned()))
    }
}

/// The JSON of a transaction, before its fields are understood. What says whether a charge is paid must be as it should; a
/// number where text is due, or the other way round, in what only describes it is no reason to lose a charge.
#[derive(Deserialize)]
struct RawCharge<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(borrow)]
    order_id: Option<&'a RawValue>,
    #[serde(borrow)]
    amount: &'a RawValue,
    currency: Option<String>,
    status: String,
    #[serde(borrow)]
    authorization: Option<&'a RawValue>,
    #[serde(borrow)]
    error_code: Option<&'a RawValue>,
    #[serde(borrow)]
    card: Option<&'a RawValue>,
    #[serde(borrow)]
    creation_date: Option<&'a RawValue>,
    #[serde(borrow)]
    payment_method: Option<&'a RawValue>,
    #[serde(borrow)]
    refund: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct RawRefund<'a> {
    id: Option<String>,
    #[serde(borrow)]
    amount: Option<&'a RawValue>,
    status: Option<String>,
    description: Option<String>,
}

#[derive(Deserialize)]
struct RawCard {
    card_number: Option<String>,
}

/// Reads a transaction. The text of the error says what is wrong without repeating any of it.
pub(super) fn parse_charge(json: &[u8]) -> Result<Charge, String> {
    resolve(object(json)?)
}

/// Reads a list of transactions.
pub(super) fn parse_charges(json: &[u8]) -> Result<Vec<Charge>, String> {
    let list: Vec<&RawValue> = serde_json::from_slice(json).map_err(|error| place(&error))?;
    list.into_iter().map(|charge| resolve(object(charge.get().as_bytes())?)).collect()
}

/// Reads an object, and no list of what its fields might be in their order, which serde takes for one.
pub(super) fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, String> {
    if json.trim_ascii_start().first() != Some(&b'{') {
        return Err("no JSON object".to_owned());
    }
    serde_json::from_slice(json).map_err(|error| place(&error))
}

/// Where JSON is wrong; serde_json's own message would quote the value it met.
fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

fn resolve(raw: RawCharge<'_>) -> Result<Charge, String> {
    let currency = raw.currency.as_deref().map_or(Some(Currency::Mxn), Currency::parse);
    let currency = currency.ok_or("a currency that is neither MXN nor USD")?;
    let amount = amount_from_json(raw.amount, currency).map_err(|error| format!("its amount: {}", error.what()))?;
    // A redirect's details vary and matter to nobody here: a method that does not parse is no reason to lose a charge.
    let payment_method = raw.payment_method.and_then(|json| serde_json::from_str(json.get()).ok());
    let card: Option<RawCard> = raw.card.and_then(|json| serde_json::from_str(json.get()).ok());
    // One that can't be read must not be taken for none, which is any order's.
    let order_id = raw.order_id.map(|json| text_from_json(json).ok_or("an order id that can't be read")).transpose()?;
    Ok(Charge {
        id: text_from_json(raw.id).ok_or("an id that can't be read")?,
        order_id,
        amount,
        status: ChargeStatus::parse(&raw.status),
        authorization: raw.authorization.and_then(text_from_json),
        error_code: raw.error_code.and_then(text_from_json).and_then(|code| code.parse().ok()),
        masked_card: card.and_then(|card| card.card_number),
        creation_date: raw.creation_date.and_then(text_from_json),
        payment_method,
        refund: raw.refund.map(|json| told_refund(json, currency)),
    })
}

/// One that can't be read must not be taken for none: money may have been given back.
fn told_refund(json: &RawValue, currency: Currency) -> ToldRefund {
    let raw: RawRefund<'_> = serde_json::from_str(json.get()).unwrap_or_default();
    ToldRefund {
        id: raw.id,
        amount: raw.amount.and_then(|amount| amount_from_json(amount, currency).ok()),
        status: raw.status.as_deref().map(ChargeStatus::parse),
        description: raw.description,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_completed_charge_with_fields_nobody_knows() {
        // The X's in the card number are Openpay's mask.
        let json = br#"{"id":"trzjaozcik8msyqshka4","amount":4035.7,"authorization":"801585","method":"card",
            "operation_type":"in","transaction_type":"charge","card":{"type":"debit","brand":"visa",
            "card_number":"411111XXXXXX1111"},"status":"completed","currency":"MXN","creation_date":
            "2026-11-23T10:15:00-06:00","error_message":null,"order_id":"ord-234","fee":{"amount":10.2}}"#;
        let charge = parse_charge(json).unwrap();
        assert!(charge.is_paid());
        assert_eq!(charge.amount, Money::mxn(403_570));
        assert_eq!(charge.order_id.as_deref(), Some("ord-234"));
        assert_eq!(charge.created(), "2026-11-23T16:15:00Z".parse().ok());
        // As it came: the gateway's own mask.
        assert_eq!(charge.masked_card.as_deref(), Some("411111XXXXXX1111"));
        assert_eq!(parse_charges(&[b"[", &json[..], b"]"].concat()).unwrap(), [charge]);
    }

    #[test]
    fn an_ivr_key_is_a_number_or_a_string() {
        for key in ["257139", "\"257139\""] {
            let json = format!(
                r#"{{"id":"a","amount":200.00,"status":"charge_pending","order_id":null,"authorization":null,
                "payment_method":{{"type":"ivr","phone_number":"525588969143","ivr_key":{key},"attempts":0}}}}"#
            );
            let method = parse_charge(json.as_bytes()).unwrap().payment_method.unwrap();
            assert_eq!((method.ivr_key, method.attempts), (Some(IvrKey("257139".into())), Some(0)));
        }
    }

    /// A paid charge whose authorization was a number could not be read, stayed open, and kept its order until a person
    /// settled it.
    #[test]
    fn what_only_describes_a_charge_does_not_lose_it() {
        let charge = |rest: &str| parse_charge(format!(r#"{{"amount":1,"status":"completed",{rest}}}"#).as_bytes());
        let told = charge(r#""id":7,"order_id":234,"authorization":801585,"error_code":"3001""#).unwrap();
        assert_eq!((told.id.as_str(), told.order_id.as_deref()), ("7", Some("234")));
        assert_eq!((told.authorization.as_deref(), told.error_code), (Some("801585"), Some(3001)));
        let odd = charge(r#""id":"a","authorization":{},"error_code":"x","card":[],"creation_date":true"#).unwrap();
        assert_eq!((odd.is_paid(), odd.authorization, odd.error_code, odd.masked_card), (true, None, None, None));
        assert!(charge(r#""id":"a","order_id":[]"#).is_err(), "perhaps of another order");
        assert!(charge(r#""id":null"#).is_err());
    }

    #[test]
    fn a_refund_is_read_and_one_that_cannot_be_is_still_one() {
        let refund = |json: &str| {
            let charge = format!(r#"{{"id":"a","amount":1,"status":"completed","refund":{json}}}"#);
            parse_charge(charge.as_bytes()).unwrap().refund
        };
        let told =
            refund(r#"{"id":"t","amount":0.50,"status":"completed","description":"d","order_id":null}"#).unwrap();
        assert_eq!(
            (told.id.as_deref(), told.amount, told.description.as_deref()),
            (Some("t"), Some(Money::mxn(50)), Some("d"))
        );
        assert_eq!(told.status, Some(ChargeStatus::Completed));
        assert_eq!(refund("null"), None);
        for json in ["[]", "7", r#"{"id":7}"#] {
            assert_eq!(refund(json), Some(ToldRefund { id: None, amount: None, status: None, description: None }));
        }
    }

    #[test]
    fn only_completed_is_paid() {
        for status in ["in_progress", "charge_pending", "failed", "cancelled", "refunded", "Completed", "paid", ""] {
            let json = format!(r#"{{"id":"a","amount":1,"status":"{status}","payment_method":{{"type":"redirect"}}}}"#);
            let charge = parse_charge(json.as_bytes()).unwrap();
            assert!(!charge.is_paid(), "{status}");
            assert_eq!(charge.needs_browser(), status == "charge_pending");
        }
    }

    /// The text of an amount that is none stood in the log.
    #[test]
    fn what_is_wrong_with_a_charge_is_told_without_repeating_it() {
        let told = parse_charge(br#"{"id":"a","status":"completed","amount":"4111111111111111"}"#).unwrap_err();
        assert_eq!(told, "its amount: it is larger than 999,999,999.99");
    }

    /// A list of values was a charge whose fields have them, and could be a paid one.
    #[test]
    fn a_list_is_no_charge() {
        let list = br#"["a",null,200.00,"MXN","completed",null,null,null,null,null,null]"#;
        assert!(parse_charge(list).is_err());
        assert!(parse_charges(&[b"[", &list[..], b"]"].concat()).is_err());
        assert_eq!(parse_charges(b"[]"), Ok(Vec::new()));
    }

    #[test]
    fn what_is_not_a_charge_is_refused() {
        for json in [
            "",
            "{}",
            "[]",
            "null",
            "garbage",
            r#"{"id":"a","status":"completed"}"#,
            r#"{"id":"a","status":"completed","amount":-1}"#,
            r#"{"id":"a","status":"completed","amount":1,"currency":"EUR"}"#,
        ] {
            assert!(parse_charge(json.as_bytes()).is_err(), "{json}");
        }
    }
}
