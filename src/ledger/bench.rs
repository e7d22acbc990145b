//! What tests of ledgers share: a ledger in memory whose clock stands still, and attempts with an ordinary card.

use std::sync::Arc;

use super::{Attempt, Conflict, Ledger, NewAttempt, Outcome};
use crate::card::Pan;
use crate::clock::{Clock, ManualClock};
use crate::money::Money;
use crate::service::{Authorization, PaymentKey};

/// An empty ledger on a November morning, and its clock.
pub(crate) fn ledger() -> (Ledger, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at("2026-11-23T10:15:00Z".parse().unwrap()));
    (Ledger::in_memory(Arc::clone(&clock) as Arc<dyn Clock>).unwrap(), clock)
}

/// Reserves an attempt with a Visa that ends in 1111.
pub(crate) fn prepare(ledger: &Ledger, key: &str, order_id: &str, amount: Money) -> Result<Attempt, Conflict> {
    prepare_for(ledger, &PaymentKey::new(key), order_id, amount)
}

/// The same for a key of any kind.
pub(crate) fn prepare_for(
    ledger: &Ledger,
    key: &PaymentKey,
    order_id: &str,
    amount: Money,
) -> Result<Attempt, Conflict> {
    let (order_id, description) = (order_id.to_owned(), "Cargo IVR".to_owned());
    let authorization = Authorization { amount, order_id, description, customer: None, values: Vec::new() };
    let pan = Pan::parse("4111111111111111").ok().unwrap();
    let (brand, last_four) = (pan.brand(), pan.last_four());
    let new = NewAttempt { key, authorization: &authorization, brand, last_four, months: None };
    ledger.prepare_attempt(&new).unwrap()
}

/// The number of an attempt that was sent and ended so.
pub(crate) fn ended(ledger: &Ledger, key: &str, order_id: &str, amount: Money, outcome: &Outcome) -> i64 {
    let id = prepare(ledger, key, order_id, amount).unwrap().id;
    ledger.mark_sent(id).unwrap();
    ledger.settle(id, outcome).unwrap();
    id
}

/// Paid, with an authorization number that is spoken.
pub(crate) fn approved() -> Outcome {
    Outcome::Approved { charge_id: "trx1".into(), authorization: Some("801585".into()) }
}
