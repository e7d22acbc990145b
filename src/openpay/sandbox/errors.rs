//! Openpay's error objects, as the sandbox writes them.

use serde::Serialize;

/// A request that is answered with an error.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: u32,
    description: String,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    category: &'static str,
    error_code: u32,
    description: &'a str,
    http_code: u16,
    request_id: String,
    fraud_rules: Option<Vec<String>>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: u32, description: impl Into<String>) -> Self {
        Self { status, code, description: description.into() }
    }

    pub(super) fn missing(field: &str) -> Self {
        Self::new(400, 1001, format!("{field} is required"))
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, 1005, "The requested resource doesn't exist")
    }

    /// A bank's decline, in Openpay's words.
    pub(super) fn declined(code: u32) -> Self {
        let description = match code {
            3001 => "The card was declined",
            3002 => "The card has expired",
            3003 => "The card doesn't have sufficient funds",
            3004 => "The card was reported as stolen",
            3005 => "The card was rejected by the anti-fraud system",
            _ => "The card was rejected",
        };
        Self::new(402, code, description)
    }

    pub(super) fn description(&self) -> &str {
        &self.description
    }

    pub(super) fn to_json(&self) -> String {
        let category = match self.code {
            3000..4000 => "gateway",
            _ if self.status >= 500 => "internal",
            _ => "request",
        };
        let request_id = format!("{:032x}", fastrand::u128(..));
        let (error_code, description, http_code) = (self.code, self.description.as_str(), self.status);
        let body = ErrorBody { category, error_code, description, http_code, request_id, fraud_rules: None };
        serde_json::to_string(&body).expect("texts and numbers always serialize")
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(%error, "the sandbox's store failed");
        Self::new(500, 1000, "Internal server error")
    }
}
