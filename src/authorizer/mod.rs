//! The merchant's authorizer, both sides: the client the box uses and the service a merchant runs.
//!
//! Openpay's page on its remote IVR authorizer says what travels (payment key in; amount, order number and description,
//! or an error code, out) but no copy of its table of JSON names survives. So all names and codes are data, a
//! [`Profile`], and the default one is inferred, not Openpay's.

mod client;
mod customer;
mod guard;
mod metrics;
mod profile;
mod report;
mod server;
mod wire;

pub(crate) use client::reply_to;
pub use client::{AskError, AuthorizerClient, AuthorizerConfig};
pub use customer::{MAX_CUSTOMER_CHARACTERS, is_email};
pub use guard::GuessLimits;
pub use profile::{AnswerNames, Codes, CustomerNames, Profile, ProfileError, RequestNames};
pub use report::{EVENT_ID_HEADER, SIGNATURE_HEADER};
pub use server::{AuthorizerServer, Protection, ServerConfig};
pub use wire::{WireError, decode_answer, decode_request, encode_answer, encode_request};
