//! The fault campaign: payments whose every step may fail, on the way to both services and in them, and processes that
//! are killed at random points. Never two charges for one key, nothing told "paid" that is not, nothing told "not paid"
//! that is, and after reconciliation ledger and gateway agree on everything.
//!
//! Quick in the test suite; `make faults` is the long campaign (10 000 payments, 500 kills) and prints the same tables.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod campaign;
mod kills;
mod proxy;
mod shop;
mod table;

/// A number from the environment, or the quick campaign's.
fn setting(name: &str, quick: u32) -> u32 {
    std::env::var(name).map_or(quick, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}
