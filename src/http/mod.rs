//! HTTP as the payment side speaks it: checked endpoints, Basic credentials, exchanges that are never repeated, amounts
//! in JSON without binary fractions, and small servers on a thread of their own.

mod amount;
mod connections;
mod credentials;
mod endpoint;
mod exchange;
mod resolving;
mod secret_file;
mod server;
mod signature;
mod termination;
mod tls;
mod wiping;

pub use amount::{amount_from_json, amount_to_json, text_from_json};
pub use connections::{Peer, ServerLimits};
pub use credentials::Credentials;
pub use endpoint::{Endpoint, EndpointError};
pub use exchange::{Answer, HttpClient, Timeouts, TransportError, redirected};
pub use secret_file::{Secret, SecretError};
pub use server::{Server, ServerError};
pub use signature::{SignatureError, SigningSecret};
pub use termination::Termination;
pub use tls::{Authorities, TlsError, TlsIdentity};
