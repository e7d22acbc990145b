//! Names and codes of the wire contract, as configuration.

use serde::{Deserialize, Serialize};

use crate::service::Refusal;

/// The contract's names and codes. The default is inferred (see the module's text); set whatever differs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// Names in the request.
    pub request: RequestNames,
    /// Names in the answer.
    pub answer: AnswerNames,
    /// Response codes.
    pub codes: Codes,
}

/// JSON names in the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequestNames {
    /// The payment key, a string of digits.
    pub key: String,
    /// The caller's number, a string or null.
    pub phone_number: String,
    /// The box's date and time, ISO 8601 without offset.
    pub local_date: String,
}

/// JSON names in the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnswerNames {
    /// The response code, number or string.
    pub code: String,
    /// The amount, number or string, at most two decimals.
    pub amount: String,
    /// ISO 4217; MXN if absent.
    pub currency: String,
    /// The order number, number or string.
    pub order_id: String,
    /// Shown on the charge; the order number if absent.
    pub description: String,
    /// The payer, an object, or absent.
    pub customer: String,
    /// Names inside it.
    pub customer_names: CustomerNames,
    /// Why the key was refused, in words, for logs on the merchant's side.
    pub error: String,
}

/// JSON names of the payer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CustomerNames {
    /// Given name.
    pub name: String,
    /// Family name.
    pub last_name: String,
    /// E-mail address.
    pub email: String,
    /// Telephone number.
    pub phone_number: String,
}

/// Response codes, as text: JSON `0` and `"0"` are the same code. Any code not listed is a refusal of an unknown key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Codes {
    /// The key is good.
    pub authorized: String,
    /// No such key.
    pub unknown: Vec<String>,
    /// The key's time is over.
    pub expired: Vec<String>,
    /// The order is paid.
    pub already_paid: Vec<String>,
    /// Locked or cancelled.
    pub blocked: Vec<String>,
}

impl Codes {
    /// What a code other than [`Codes::authorized`] means.
    pub fn refusal(&self, code: &str) -> Refusal {
        let means = |codes: &[String]| codes.iter().any(|known| known == code);
        match () {
            () if means(&self.expired) => Refusal::Expired,
            () if means(&self.already_paid) => Refusal::AlreadyPaid,
            () if means(&self.blocked) => Refusal::Blocked,
            () => Refusal::Unknown,
        }
    }

    /// Whether a code other than [`Codes::authorized`] is one of those listed.
    pub fn is_listed(&self, code: &str) -> bool {
        let mut listed = [&self.unknown, &self.expired, &self.already_paid, &self.blocked].into_iter().flatten();
        listed.any(|known| known == code)
    }

    /// The code to answer with; `None` if the profile has none for it.
    pub fn code(&self, refusal: Refusal) -> Option<&str> {
        let codes = match refusal {
            Refusal::Unknown => &self.unknown,
            Refusal::Expired => &self.expired,
            Refusal::AlreadyPaid => &self.already_paid,
            Refusal::Blocked => &self.blocked,
        };
        codes.first().map(String::as_str)
    }
}

impl Default for RequestNames {
    fn default() -> Self {
        Self { key: "ivr_key".into(), phone_number: "phone_number".into(), local_date: "local_date".into() }
    }
}

impl Default for AnswerNames {
    fn default() -> Self {
        Self {
            code: "response_code".into(),
            amount: "amount".into(),
            currency: "currency".into(),
            order_id: "order_id".into(),
            description: "description".into(),
            customer: "customer".into(),
            customer_names: CustomerNames::default(),
            error: "error_description".into(),
        }
    }
}

impl Default for CustomerNames {
    fn default() -> Self {
        let (name, last_name) = ("name".into(), "last_name".into());
        Self { name, last_name, email: "email".into(), phone_number: "phone_number".into() }
    }
}

impl Default for Codes {
    fn default() -> Self {
        let one = |code: &str| vec![code.to_owned()];
        let (unknown, expired, already_paid, blocked) = (one("1"), one("2"), one("3"), one("4"));
        Self { authorized: "0".into(), unknown, expired, already_paid, blocked }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_codes_of_the_table_are_listed() {
        let codes = Codes::default();
        assert!(["1", "2", "3", "4"].into_iter().all(|code| codes.is_listed(code)));
        assert!(["5", "01", "OK", ""].into_iter().all(|code| !codes.is_listed(code)));
    }

    #[test]
    fn codes_round_trip_and_an_unlisted_one_is_an_unknown_key() {
        let codes = Codes::default();
        for refusal in [Refusal::Unknown, Refusal::Expired, Refusal::AlreadyPaid, Refusal::Blocked] {
            assert_eq!(codes.refusal(codes.code(refusal).unwrap()), refusal);
        }
        assert_eq!(codes.refusal("77"), Refusal::Unknown);
    }

    #[test]
    fn a_profile_names_only_what_differs_and_refuses_what_it_does_not_know() {
        let profile: Profile =
            serde_json::from_str(r#"{"request":{"key":"clave"},"codes":{"expired":["51"]}}"#).unwrap();
        assert_eq!(profile.request.key, "clave");
        assert_eq!(profile.request.local_date, "local_date");
        assert_eq!(profile.codes.refusal("51"), Refusal::Expired);
        assert!(serde_json::from_str::<Profile>(r#"{"requests":{}}"#).is_err());
    }
}
