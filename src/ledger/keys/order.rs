//! Whether an order can have a key: none that could be paid, no payment, no charge that may become one.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::super::audit;
use super::LedgerError;

/// # Errors
/// [`LedgerError::Key`] if the order has a key that is neither expired nor cancelled, is paid, or may be.
pub(super) fn check(connection: &Connection, order_id: &str, now: i64) -> Result<(), LedgerError> {
    let refuse = |why: &str| Err(LedgerError::Key(format!("order {order_id:?} {why}")));
    let key = "SELECT status FROM payment_key WHERE order_id = ?1 AND (status IN ('paid', 'locked')
               OR (status = 'open' AND (expires_ms IS NULL OR expires_ms > ?2))) ORDER BY status <> 'paid' LIMIT 1";
    let status: Option<String> =
        connection.prepare_cached(key)?.query_row(params![order_id, now], |row| row.get(0)).optional()?;
    let attempt =
        "SELECT state FROM attempt WHERE order_id = ?1 AND state IN ('prepared', 'sent', 'unknown', 'approved')";
    let state: Option<String> =
        connection.prepare_cached(attempt)?.query_row([order_id], |row| row.get(0)).optional()?;
    match (status.as_deref(), state.as_deref()) {
        (Some("paid"), _) | (_, Some("approved")) => refuse("is paid already"),
        (Some("locked"), _) => refuse("has a key already, which is locked: cancel it first"),
        (Some(_), _) => refuse("has a key already"),
        (None, Some(_)) => refuse("has a charge that is not decided: see `payments list`"),
        (None, None) => Ok(()),
    }
}

/// Ends the order's expired keys for good, before it gets another.
pub(super) fn end_expired(transaction: &Transaction<'_>, order_id: &str, now: i64) -> Result<(), rusqlite::Error> {
    let end = "UPDATE payment_key SET status = 'expired' WHERE order_id = ?1 AND status = 'open' RETURNING id";
    let ended: Vec<i64> =
        transaction.prepare_cached(end)?.query_map([order_id], |row| row.get(0))?.collect::<Result<_, _>>()?;
    ended.into_iter().try_for_each(|id| audit::append(transaction, now, &format!("key {id}"), "expired", "replaced"))
}
