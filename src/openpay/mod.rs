//! Openpay (Mexico): the client, its error table, and a local stand-in for tests and demonstrations.
//!
//! The client sends each request once and reports what is certain: [`Error::kind`] says whether a request was refused,
//! never sent, or may have been acted upon. What to do about it is the payment room's business; what each documented
//! error code asks for is the table in [`ApiError::action`].

mod action;
mod api_error;
mod client;
mod config;
mod requests;
pub mod sandbox;
#[cfg(test)]
mod tests;
mod transaction;

pub use action::Action;
pub use api_error::ApiError;
pub use client::{Client, Error, ErrorKind, OrderFilter};
#[cfg(fuzzing)]
pub(crate) use client::{read_charge, read_charges};
pub use config::{Config, ConfigError, DeviceSession, PrivateKey};
pub use requests::{ChargeRequest, IvrChargeRequest, Payer, TokenRequest};
pub use transaction::{Charge, ChargeStatus, IvrKey, Merchant, PaymentMethod, Token, ToldRefund};
