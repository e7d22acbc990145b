//! Names and codes of the wire contract, as configuration.

use serde::{Deserialize, Serialize};

use crate::service::Refusal;

/// The code of an unknown key where nothing else is said.
const UNKNOWN: &str = "1";

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
    /// What a menu sends along (`with:`), an object of strings; absent where it sends nothing.
    pub values: String,
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
    /// What a menu is told besides (`tells:`), an object of strings and numbers, or absent.
    pub values: String,
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

/// Why a profile can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// No JSON, or no profile's; where, and what.
    #[error("{0}")]
    Json(String),
    /// One code for two meanings: a wrong key would be taken for a good one, or the other way round.
    #[error("the code {code:?} means {one} and {other}: give each a code of its own")]
    Ambiguous {
        /// The code.
        code: String,
        /// What it means.
        one: &'static str,
        /// What it means, too.
        other: &'static str,
    },
    /// A wrong key has no code.
    #[error("no code says that a key is unknown: write one, such as unknown: [\"1\"]")]
    NoUnknown,
    /// Two fields of one object have one name.
    #[error("two fields of the {object} are named {name:?}: give each a name of its own")]
    SameName {
        /// `request`, `answer` or `customer`.
        object: &'static str,
        /// The name.
        name: String,
    },
}

impl Profile {
    /// Reads a profile's JSON: what differs from the default.
    ///
    /// # Errors
    /// [`ProfileError`], also if two things would be told alike.
    pub fn parse(json: &str) -> Result<Self, ProfileError> {
        let profile: Self = serde_json::from_str(json).map_err(|error| ProfileError::Json(error.to_string()))?;
        // Each by its name, so that none can be forgotten.
        let RequestNames { key, phone_number, local_date, values } = &profile.request;
        names_differ("request", &[key, phone_number, local_date, values])?;
        let AnswerNames {
            code,
            amount,
            currency,
            order_id,
            description,
            customer,
            customer_names: CustomerNames { name, last_name, email, phone_number },
            error,
            values,
        } = &profile.answer;
        names_differ("answer", &[code, amount, currency, order_id, description, customer, error, values])?;
        names_differ("customer", &[name, last_name, email, phone_number])?;
        profile.codes.check()?;
        Ok(profile)
    }
}

fn names_differ(object: &'static str, names: &[&String]) -> Result<(), ProfileError> {
    let twice = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
    twice.map_or(Ok(()), |(_, name)| Err(ProfileError::SameName { object, name: (*name).clone() }))
}

impl Codes {
    /// Whether each code has one meaning, and a wrong key a code.
    fn check(&self) -> Result<(), ProfileError> {
        let meanings = [
            ("authorized", std::slice::from_ref(&self.authorized)),
            ("unknown", &self.unknown),
            ("expired", &self.expired),
            ("already_paid", &self.already_paid),
            ("blocked", &self.blocked),
        ];
        for (at, (other, codes)) in meanings.iter().enumerate() {
            for (one, before) in &meanings[..at] {
                if let Some(code) = codes.iter().find(|code| before.contains(code)) {
                    return Err(ProfileError::Ambiguous { code: code.clone(), one, other });
                }
            }
        }
        if self.unknown.is_empty() { Err(ProfileError::NoUnknown) } else { Ok(()) }
    }

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

    /// The code to answer with. A refusal that has none is told as an unknown key.
    pub fn code(&self, refusal: Refusal) -> &str {
        let codes = match refusal {
            Refusal::Unknown => &self.unknown,
            Refusal::Expired => &self.expired,
            Refusal::AlreadyPaid => &self.already_paid,
            Refusal::Blocked => &self.blocked,
        };
        codes.first().or_else(|| self.unknown.first()).map_or(UNKNOWN, String::as_str)
    }
}

impl Default for RequestNames {
    fn default() -> Self {
        Self {
            key: "ivr_key".into(),
            phone_number: "phone_number".into(),
            local_date: "local_date".into(),
            values: "values".into(),
        }
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
            values: "values".into(),
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
        let (unknown, expired, already_paid, blocked) = (one(UNKNOWN), one("2"), one("3"), one("4"));
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
            assert_eq!(codes.refusal(codes.code(refusal)), refusal);
        }
        assert_eq!(codes.refusal("77"), Refusal::Unknown);
    }

    #[test]
    fn a_profile_names_only_what_differs_and_refuses_what_it_does_not_know() {
        let profile = Profile::parse(r#"{"request":{"key":"clave"},"codes":{"expired":["51"]}}"#).unwrap();
        assert_eq!(profile.request.key, "clave");
        assert_eq!(profile.request.local_date, "local_date");
        assert_eq!(profile.codes.refusal("51"), Refusal::Expired);
        assert!(matches!(Profile::parse(r#"{"requests":{}}"#), Err(ProfileError::Json(_))));
    }

    /// A wrong key was answered with the code of a good one: callers were told to try later, and guesses were not counted.
    #[test]
    fn two_things_that_would_be_told_alike_are_refused() {
        for (json, told) in [
            (r#"{"codes":{"authorized":"1"}}"#, "the code \"1\" means authorized and unknown"),
            (r#"{"codes":{"blocked":["9","2"]}}"#, "the code \"2\" means expired and blocked"),
            (r#"{"codes":{"unknown":[]}}"#, "no code says that a key is unknown"),
            (r#"{"request":{"key":"local_date"}}"#, "two fields of the request are named \"local_date\""),
            (r#"{"request":{"key":"values"}}"#, "two fields of the request are named \"values\""),
            (r#"{"answer":{"error":"amount"}}"#, "two fields of the answer are named \"amount\""),
            (r#"{"answer":{"values":"customer"}}"#, "two fields of the answer are named \"customer\""),
        ] {
            let error = Profile::parse(json).unwrap_err().to_string();
            assert!(error.starts_with(told), "{json}: {error}");
        }
    }

    #[test]
    fn a_refusal_without_a_code_is_told_as_an_unknown_key() {
        let profile = Profile::parse(r#"{"codes":{"authorized":"1","unknown":["7"],"expired":[]}}"#).unwrap();
        assert_eq!(profile.codes.code(Refusal::Expired), "7");
    }
}
