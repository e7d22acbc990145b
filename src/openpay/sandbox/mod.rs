//! A local Openpay, served over real HTTP: what this program uses of it, and nothing more.
//!
//! It keeps Openpay's rules that matter to a payer's money: a token is good for one charge, an order id for one
//! transaction, `completed` is paid. Card numbers are looked at once, when they arrive, and kept masked. Faults are to
//! be had on demand, from code ([`Sandbox::inject`]) or over HTTP (`POST /admin/faults`).

mod cards;
mod errors;
mod faults;
mod routes;
mod rules;
mod store;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::http::{Credentials, Server, ServerError};
use crate::money::Money;

pub use faults::{Fault, Operation};
use routes::App;
use store::Store;
pub use store::{StoredCharge, StoredRefund};

/// What an order id is unique among; Openpay's documentation says one, one of its SDKs the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OrderIds {
    /// All transactions, declined ones too.
    #[default]
    AmongAll,
    /// Successful and undecided transactions: a declined order may be tried again under its own id.
    AmongSuccessful,
}

/// How a sandbox is set up.
#[derive(Clone)]
pub struct SandboxConfig {
    /// Where it listens; port 0 takes any free one.
    pub bind: SocketAddr,
    /// The one merchant it knows.
    pub merchant_id: String,
    /// The merchant's private key.
    pub private_key: String,
    /// The merchant's public key, good for tokens only.
    pub public_key: String,
    /// Its SQLite file, so that a restart forgets nothing; in memory if `None`.
    pub file: Option<PathBuf>,
    /// What an order id is unique among.
    pub order_ids: OrderIds,
    /// Charges of this amount and more want 3-D Secure (`charge_pending` with a redirect).
    pub three_d_secure_from: Option<Money>,
    /// Where its dates come from.
    pub clock: Arc<dyn Clock>,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            merchant_id: "mtonopagosandbox0001".to_owned(),
            private_key: "sk_sandbox00000000000000000000000000".to_owned(),
            public_key: "pk_sandbox00000000000000000000000000".to_owned(),
            file: None,
            order_ids: OrderIds::default(),
            three_d_secure_from: None,
            clock: Arc::new(SystemClock),
        }
    }
}

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Its address.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// Its file.
    #[error("the sandbox's file: {0}")]
    Storage(#[from] rusqlite::Error),
}

/// A running sandbox; dropping it stops it.
pub struct Sandbox {
    server: Server,
    app: Arc<App>,
}

impl Sandbox {
    /// Starts a sandbox; it is listening when this returns.
    ///
    /// # Errors
    /// [`SandboxError`] if the address or the file can't be had.
    pub fn start(config: SandboxConfig) -> Result<Self, SandboxError> {
        let store = Store::open(config.file.as_deref())?;
        let private = Credentials::new(&config.private_key, "");
        let public = Credentials::new(&config.public_key, "");
        let bind = config.bind;
        let app = Arc::new(App::new(config, store, private, public));
        let server = Server::start("sandbox", bind, routes::router(Arc::clone(&app)))?;
        Ok(Self { server, app })
    }

    /// Where it is reached, without trailing slash.
    pub fn base_url(&self) -> String {
        self.server.url()
    }

    /// Makes the next request of this kind fail so; faults queue up.
    pub fn inject(&self, operation: Operation, fault: Fault) {
        self.app.faults.push(operation, fault);
    }

    /// Everything it was asked to charge, oldest first, read past HTTP and past all faults.
    ///
    /// # Errors
    /// [`SandboxError::Storage`].
    pub fn charges(&self) -> Result<Vec<StoredCharge>, SandboxError> {
        Ok(self.app.store.charges()?)
    }

    /// Takes no more requests and lets the answers under way end, for `grace` at most; `true` if all did.
    pub fn stop(self, grace: Duration) -> bool {
        self.server.stop(grace)
    }

    /// Blocks for as long as it serves.
    pub fn wait(self) {
        self.server.wait();
    }
}
