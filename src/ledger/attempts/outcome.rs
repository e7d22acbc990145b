//! What an outcome does to an attempt, its key, the audit trail and the merchant's notifications, inside one transaction.

use rusqlite::{OptionalExtension as _, Transaction, params};
use zeroize::Zeroizing;

use super::super::{LedgerError, Outcome, audit, keys, outbox};
use super::{Attempt, find, read, select};
use crate::card::{Brand, SeenCard};

/// Stand for a card that nobody told of.
const UNKNOWN_CARD: (&str, &str) = ("unknown", "????");

/// What the audit trail says of an outcome: the charge, or the error.
pub(super) fn detail(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Approved { charge_id, .. } | Outcome::Elsewhere { charge_id, .. } => charge_id.clone(),
        Outcome::Declined { code: Some(code), .. } => code.to_string(),
        _ => String::new(),
    }
}

/// Gives an attempt and its key the outcome. One that was paid for by an earlier attempt of this ledger is abandoned, and
/// the earlier one approved.
pub(super) fn set_outcome(
    transaction: &Transaction<'_>,
    attempt: &Attempt,
    outcome: &Outcome,
    now: i64,
) -> Result<(), LedgerError> {
    match outcome {
        Outcome::Approved { charge_id, authorization } => {
            keys::mark_paid(transaction, &issued_key(transaction, attempt)?)?;
            set(transaction, attempt, outcome, (Some(charge_id), authorization.as_ref(), None), now)?;
        }
        Outcome::Elsewhere { charge_id, authorization, card } => {
            if let Some(earlier) = given_up(transaction, attempt, card.as_ref())? {
                set_outcome(transaction, attempt, &Outcome::Abandoned, now)?;
                let (charge_id, authorization) = (charge_id.clone(), authorization.clone());
                return approve(transaction, &earlier, &Outcome::Approved { charge_id, authorization }, now);
            }
            keys::mark_paid(transaction, &issued_key(transaction, attempt)?)?;
            set(transaction, attempt, outcome, (Some(charge_id), authorization.as_ref(), None), now)?;
            let named = |card: &SeenCard| (card.brand.map_or(UNKNOWN_CARD.0, Brand::name), card.last_four.clone());
            let unknown = || (UNKNOWN_CARD.0, UNKNOWN_CARD.1.to_owned());
            let (brand, last_four) = card.as_ref().map_or_else(unknown, named);
            let paid_with = "UPDATE attempt SET brand = ?2, last_four = ?3 WHERE id = ?1";
            transaction.execute(paid_with, params![attempt.id, brand, last_four])?;
        }
        Outcome::Declined { code, counts } => {
            if *counts {
                keys::count_failure(transaction, &issued_key(transaction, attempt)?, now)?;
            }
            set(transaction, attempt, outcome, (None, None, *code), now)?;
        }
        Outcome::Unknown | Outcome::Lapsed | Outcome::Abandoned => {
            set(transaction, attempt, outcome, (None, None, None), now)?;
        }
    }
    Ok(())
}

/// The digits of the key that this ledger has issued for what an attempt paid: the attempt's own key, or else the latest of its
/// order, of which an account or no key tells nothing. None of either is no key's digits.
fn issued_key(transaction: &Transaction<'_>, attempt: &Attempt) -> Result<Zeroizing<String>, rusqlite::Error> {
    let digits =
        "SELECT digits FROM payment_key WHERE digits = ?1 OR order_id = ?2 ORDER BY digits = ?1 DESC, id DESC LIMIT 1";
    let mut statement = transaction.prepare_cached(digits)?;
    let found = statement.query_row(params![attempt.key.expose(), attempt.order_id], |row| row.get(0)).optional()?;
    Ok(Zeroizing::new(found.unwrap_or_default()))
}

/// A step's line in the audit trail and, where the merchant is told of it, its notification; gives the attempt after it.
pub(super) fn write_down(
    transaction: &Transaction<'_>,
    id: i64,
    detail: &str,
    told: Option<&Outcome>,
    now: i64,
) -> Result<Attempt, LedgerError> {
    let after = find(transaction, id)?;
    audit::append(transaction, now, &format!("attempt {id}"), after.state.name(), detail)?;
    if let Some(outcome) = told {
        outbox::enqueue(transaction, &after, outcome, now)?;
    }
    Ok(after)
}

fn set(
    transaction: &Transaction<'_>,
    attempt: &Attempt,
    outcome: &Outcome,
    (charge_id, authorization, code): (Option<&String>, Option<&String>, Option<u32>),
    now: i64,
) -> Result<(), rusqlite::Error> {
    transaction
        .execute(
            "UPDATE attempt SET state = ?2, charge_id = ?3, authorization = ?4, error_code = ?5, updated_ms = ?6
             WHERE id = ?1",
            params![attempt.id, outcome.state().name(), charge_id, authorization, code, now],
        )
        .map(drop)
}

fn approve(transaction: &Transaction<'_>, attempt: &Attempt, outcome: &Outcome, now: i64) -> Result<(), LedgerError> {
    set_outcome(transaction, attempt, outcome, now)?;
    write_down(transaction, attempt.id, &detail(outcome), Some(outcome), now).map(drop)
}

/// The attempt that was given up under the same order id at the gateway, with the card that paid there.
fn given_up(
    transaction: &Transaction<'_>,
    attempt: &Attempt,
    card: Option<&SeenCard>,
) -> Result<Option<Attempt>, rusqlite::Error> {
    let clause = "WHERE gateway_order_id = ?1 AND state = 'lapsed' AND id <> ?2 ORDER BY id DESC";
    let mut statement = transaction.prepare_cached(&select(clause))?;
    let lapsed = statement.query_map(params![attempt.gateway_order_id, attempt.id], read)?;
    for earlier in lapsed {
        let earlier = earlier?;
        if card.is_some_and(|card| card.can_be(&earlier.brand, &earlier.last_four)) {
            return Ok(Some(earlier));
        }
    }
    Ok(None)
}
