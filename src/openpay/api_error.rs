//! Openpay's error object.

use std::fmt;

use serde::Deserialize;

/// An error as Openpay answers it. Its texts for people (`description`, `category`, `fraud_rules`) are not kept: nobody
/// here reads them, and a text from outside might repeat what was sent. Unknown fields are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ApiError {
    /// Openpay's code, 1000 to 4999.
    #[serde(default)]
    pub error_code: u32,
    /// The HTTP status; Openpay repeats it in the body.
    #[serde(default, rename = "http_code")]
    pub http_status: u16,
    /// For Openpay's support.
    #[serde(default)]
    pub request_id: Option<String>,
}

impl ApiError {
    /// Reads an error's body; a body that is none leaves just the status, which decides the safe default.
    pub(super) fn of(status: u16, body: &[u8]) -> Self {
        let parsed: Option<Self> = serde_json::from_slice(body).ok();
        let bare = Self { error_code: 0, http_status: status, request_id: None };
        Self { http_status: status, ..parsed.unwrap_or(bare) }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error {} (HTTP {})", self.error_code, self.http_status)?;
        if let Some(id) = &self.request_id {
            write!(f, ", request {id}")?;
        }
        Ok(())
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
        for body in [&b"<html>Bad gateway</html>"[..], b"", b"[]", b"{\"error_code\":\"x\"}"] {
            let error = ApiError::of(502, body);
            assert_eq!((error.error_code, error.http_status), (0, 502));
        }
    }
}
