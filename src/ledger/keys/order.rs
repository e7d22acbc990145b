//! Whether an order can have a key: none that could be paid, no payment, no charge that may become one.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::digits::OpenKeys;
use crate::ledger::state::{LIVE, OPEN};
use crate::ledger::{audit, received};

/// Why an order can't have a key now: it has one that is neither expired nor cancelled, is paid, or may be.
pub(super) fn refusal(connection: &Connection, order_id: &str, now: i64) -> Result<Option<String>, rusqlite::Error> {
    let key = "SELECT status FROM payment_key WHERE order_id = ?1 AND (status IN ('paid', 'locked')
               OR (status = 'open' AND (expires_ms IS NULL OR expires_ms > ?2))) ORDER BY status <> 'paid' LIMIT 1";
    let status: Option<String> =
        connection.prepare_cached(key)?.query_row(params![order_id, now], |row| row.get(0)).optional()?;
    let attempt = format!("SELECT state FROM attempt WHERE order_id = ?1 AND state IN {LIVE}");
    let state: Option<String> =
        connection.prepare_cached(&attempt)?.query_row([order_id], |row| row.get(0)).optional()?;
    let cause = match (status.as_deref(), state.as_deref()) {
        (Some("paid"), _) | (_, Some("approved" | "elsewhere")) => "is paid already",
        (Some("locked"), _) => "has a key already, which is locked: cancel it first",
        (Some(_), _) => "has a key already",
        (None, Some(_)) => "has a charge that is not decided: see `payments list`",
        (None, None) if received::is_pending(connection, order_id)? => {
            "has a charge that is not decided: a box reported it pending, and will report how it ends"
        }
        (None, None) => return Ok(None),
    };
    Ok(Some(format!("order {order_id:?} {cause}")))
}

/// Whether a charge of the order, of this ledger or reported to it, may still become a payment.
pub(super) fn is_undecided(connection: &Connection, order_id: &str) -> Result<bool, rusqlite::Error> {
    let attempt = format!("SELECT 1 FROM attempt WHERE order_id = ?1 AND state IN {OPEN}");
    Ok(connection.prepare_cached(&attempt)?.exists([order_id])? || received::is_pending(connection, order_id)?)
}

/// Ends the order's expired keys for good, before it gets another.
pub(super) fn end_expired(
    transaction: &Transaction<'_>,
    order_id: &str,
    open: &mut OpenKeys,
    now: i64,
) -> Result<(), rusqlite::Error> {
    let end = "UPDATE payment_key SET status = 'expired' WHERE order_id = ?1 AND status = 'open'
               RETURNING id, length(digits)";
    let mut end = transaction.prepare_cached(end)?;
    let ended = end.query_map([order_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (id, length) in ended.collect::<Result<Vec<(i64, u32)>, _>>()? {
        open.ended(length as usize);
        audit::append(transaction, now, &format!("key {id}"), "expired", "replaced")?;
    }
    Ok(())
}
