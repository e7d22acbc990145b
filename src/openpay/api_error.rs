//! Openpay's error object.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::transaction::object;

/// An error as Openpay answers it. Its texts for people (`description`, `category`, `fraud_rules`) are not kept: nobody
/// here reads them, and a text from outside might repeat what was sent. Unknown fields are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ApiError {
    /// Openpay's code, 1000 to 4999; 0 if it gave none, see [`ApiError::code`].
    #[serde(default, deserialize_with = "number")]
    pub error_code: u32,
    /// The HTTP status; Openpay repeats it in the body.
    #[serde(default, rename = "http_code", deserialize_with = "number")]
    pub http_status: u16,
    /// For Openpay's support.
    #[serde(default)]
    pub request_id: Option<String>,
}

/// What an operator should know of codes that stand for a mistake at this end, where the number alone helps nobody. Openpay's
/// reference has the first three; 1014 is what the local stand-in answers to a refund beyond what is left.
const MEANINGS: [(u32, &str); 4] = [
    (1001, "Openpay finds the request malformed, or a field missing or out of range"),
    (1002, "the private key is wrong, or not this merchant's: check the key and the merchant's id"),
    (1005, "Openpay has no such merchant, charge or token: check the merchant's id, and test or production address"),
    (1014, "the charge can't be given back by this amount: more than is left of it at Openpay"),
];

impl ApiError {
    /// Openpay's code, if it gave one: something on the way answers with a status alone.
    pub const fn code(&self) -> Option<u32> {
        match self.error_code {
            0 => None,
            code => Some(code),
        }
    }

    /// What its code means, for the codes an operator can do something about.
    pub fn meaning(&self) -> Option<&'static str> {
        MEANINGS.iter().find(|(code, _)| *code == self.error_code).map(|(_, meaning)| *meaning)
    }

    /// Reads an error's body; a body that is none leaves just the status, which decides the safe default.
    pub(super) fn of(status: u16, body: &[u8]) -> Self {
        let parsed: Option<Self> = object(body).ok();
        let bare = Self { error_code: 0, http_status: status, request_id: None };
        Self { http_status: status, ..parsed.unwrap_or(bare) }
    }
}

/// A number, or a string that holds one; 0 for anything else, which is no reason to lose the rest of an error.
fn number<'de, D: Deserializer<'de>, T: FromStr + Default>(deserializer: D) -> Result<T, D::Error> {
    let json: &RawValue = Deserialize::deserialize(deserializer)?;
    Ok(json.get().trim_matches('"').parse().unwrap_or_default())
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code() {
            Some(code) => write!(f, "error {code} (HTTP {})", self.http_status)?,
            None => write!(f, "HTTP {}, with no error code of Openpay's", self.http_status)?,
        }
        if let Some(id) = &self.request_id {
            write!(f, ", request {id}")?;
        }
        self.meaning().map_or(Ok(()), |meaning| write!(f, ": {meaning}"))
    }
}

impl std::error::Error for ApiError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_openpays_object_and_anything_else() {
        let body = br#"{"category":"gateway","error_code":3001,"description":"The card was declined","http_code":402,
            "request_id":"20b98b5a-1","fraud_rules":null,"new_field":1}"#;
        let error = ApiError::of(402, body);
        assert!(!format!("{error:?}").contains("declined"), "{error:?}");
        assert_eq!((error.error_code, error.http_status), (3001, 402));
        assert_eq!(error.to_string(), "error 3001 (HTTP 402), request 20b98b5a-1");
        assert_eq!(error.meaning(), None, "a bank's decline is told by the decline");
        for code in [1001, 1002, 1005, 1014] {
            let told = ApiError::of(400, format!("{{\"error_code\":{code}}}").as_bytes()).to_string();
            let (number, words) = told.split_once(": ").unwrap();
            assert!(number == format!("error {code} (HTTP 400)") && words.len() > 20, "{told}");
        }
        let quoted = ApiError::of(412, br#"{"error_code":"2009","http_code":"412","request_id":"r"}"#);
        assert_eq!((quoted.code(), quoted.request_id.as_deref()), (Some(2009), Some("r")), "a number in a string");
        let bare = ApiError::of(429, b"slow down");
        assert_eq!((bare.code(), bare.to_string().as_str()), (None, "HTTP 429, with no error code of Openpay's"));
        for body in [&b"<html>Bad gateway</html>"[..], b"", b"[]", b"[3001]", b"{\"error_code\":\"x\"}"] {
            let error = ApiError::of(502, body);
            assert_eq!((error.error_code, error.http_status), (0, 502));
        }
    }
}
