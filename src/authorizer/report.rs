//! Boxes' reports of payments made, as the merchant's service takes them: signed, tolerant, taken once.

use serde::Deserialize;

use crate::ledger::{End, Ledger, LedgerError, MessageKind, Receipt, Report};

/// The header with the signature, see [`crate::http::SigningSecret`].
pub const SIGNATURE_HEADER: &str = "tonopago-signature";
/// The header that repeats the event's id, the same at each try.
pub const EVENT_ID_HEADER: &str = "tonopago-event-id";

/// The part of a notification this service uses; unknown fields are accepted.
#[derive(Deserialize)]
struct Notification {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    order_id: String,
    #[serde(default)]
    counts_as_failure: bool,
    attempt: Option<String>,
    /// Older boxes have no more than this; another box may have the same.
    reference: Option<String>,
}

/// Why a report is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReportError {
    #[error("the report can't be read: line {line}, column {column}")]
    Unreadable { line: usize, column: usize },
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Takes a report down whose signature is right.
pub(super) fn take(ledger: &Ledger, body: &[u8]) -> Result<Receipt, ReportError> {
    let unreadable = |error: serde_json::Error| ReportError::Unreadable { line: error.line(), column: error.column() };
    let told: Notification = serde_json::from_slice(body).map_err(unreadable)?;
    let Notification { id, kind, order_id, counts_as_failure, attempt, reference } = told;
    let attempt = attempt.unwrap_or_else(|| format!("{order_id} {}", reference.unwrap_or_default()));
    let end = MessageKind::parse(&kind).map_or(End::Other, |kind| kind.end(counts_as_failure));
    Ok(ledger.receive_report(&Report { event_id: &id, order_id: &order_id, attempt: &attempt, end })?)
}
