//! A whole shop on loopback: sandbox, authorizer, ledger and cashier, talking real HTTP. For the demo and the tests.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{AbuseLimits, Cashier, CashierConfig, Till};
use crate::authorizer::{AuthorizerClient, AuthorizerConfig, AuthorizerServer, Profile, ServerConfig};
use crate::http::{Credentials, Endpoint, EndpointError, ServerError, Timeouts};
use crate::ledger::{Digits, IssuedKey, Ledger, LedgerError, NewKey};
use crate::money::Money;
use crate::openpay::sandbox::{Sandbox, SandboxConfig, SandboxError};
use crate::openpay::{Charge, Client, Config, ConfigError, Error, Payer, PrivateKey};
use crate::service::PaymentKey;

/// Declined charges until a rehearsed key locks.
const MAX_FAILURES: u32 = 3;

/// How a rehearsal is set up. The default needs no files and is patient for about a second.
#[derive(Clone)]
pub struct RehearsalConfig {
    /// The ledger's file; in memory if `None`.
    pub ledger: Option<PathBuf>,
    /// The sandbox; its clock is everybody's.
    pub sandbox: SandboxConfig,
    /// How long the cashier waits for an answer to a charge.
    pub charge_answer: Duration,
    /// When the cashier looks for a charge whose answer was lost, counted from the loss.
    pub queries: Vec<Duration>,
    /// When a charge the sandbox does not know is sent once more, counted from its sending.
    pub gateway_limit: Duration,
    /// How much abuse the cashier bears.
    pub abuse: AbuseLimits,
}

/// A running rehearsal.
pub struct Rehearsal {
    /// Openpay's stand-in.
    pub sandbox: Sandbox,
    /// The merchant's authorizer; take it away to see what happens.
    pub authorizer: Option<AuthorizerServer>,
    /// The ledger of both sides.
    pub ledger: Arc<Ledger>,
    /// Performs the calls' requests.
    pub cashier: Arc<Cashier>,
    openpay: Client,
}

/// Why a rehearsal does not start, or can't read back.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// The sandbox.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The authorizer's server.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Openpay's configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The authorizer's address.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// Openpay's client.
    #[error(transparent)]
    Openpay(#[from] Error),
}

impl Default for RehearsalConfig {
    fn default() -> Self {
        Self {
            ledger: None,
            sandbox: SandboxConfig::default(),
            charge_answer: Duration::from_millis(400),
            queries: [0, 100, 250, 500].map(Duration::from_millis).to_vec(),
            gateway_limit: Duration::from_millis(500),
            abuse: AbuseLimits::default(),
        }
    }
}

impl Rehearsal {
    /// Starts everything. All of it stops when the rehearsal is dropped.
    ///
    /// # Errors
    /// [`RehearsalError`] names the part that does not start.
    pub fn start(config: RehearsalConfig) -> Result<Self, RehearsalError> {
        let clock = Arc::clone(&config.sandbox.clock);
        let ledger = Arc::new(match &config.ledger {
            Some(file) => Ledger::open(file, Arc::clone(&clock))?,
            None => Ledger::in_memory(Arc::clone(&clock))?,
        });
        let password = format!("{:032x}", fastrand::u128(..));
        let credentials = Credentials::new("ivr", &password);
        let server = serve_authorizer(credentials.clone(), &ledger)?;
        let openpay = openpay_config(&config)?;
        let sandbox = Sandbox::start(config.sandbox.clone())?;
        let openpay = Config { endpoint: Endpoint::parse(&sandbox.base_url())?, ..openpay };
        let authorizer = AuthorizerConfig::new(Endpoint::parse(&server.url())?, credentials);
        let authorizer = AuthorizerClient::new(authorizer, clock);
        let till = Till::new(Client::new(&openpay), Arc::clone(&ledger), patience(&config));
        let (cashier, openpay) = (Arc::new(Cashier::new(authorizer, till)), Client::new(&openpay));
        Ok(Self { sandbox, authorizer: Some(server), ledger, cashier, openpay })
    }

    /// Issues a payment key.
    ///
    /// # Errors
    /// [`RehearsalError::Ledger`] if the key or the order exists.
    pub fn issue(&self, digits: Digits, amount: Money, order_id: &str) -> Result<PaymentKey, RehearsalError> {
        let (order_id, description) = (order_id.to_owned(), format!("Pedido {order_id}"));
        let new =
            NewKey { digits, amount, order_id, description, customer: None, expires: None, max_failures: MAX_FAILURES };
        let IssuedKey { key, .. } = self.ledger.issue_key(new)?;
        Ok(key)
    }

    /// Reads the charges of an order back from the sandbox over HTTP, one request for each charge the ledger knows by
    /// its id.
    ///
    /// # Errors
    /// [`RehearsalError::Openpay`] if the sandbox does not know one of them.
    pub fn read_back(&self, order_id: &str) -> Result<Vec<Charge>, RehearsalError> {
        let attempts = self.ledger.find_attempts(order_id)?;
        let ids = attempts.into_iter().filter_map(|attempt| attempt.charge_id);
        ids.map(|id| Ok(self.openpay.charge(&id)?)).collect()
    }

    /// A client of the sandbox, for looking at it as Openpay's dashboard would.
    pub const fn openpay(&self) -> &Client {
        &self.openpay
    }
}

fn serve_authorizer(credentials: Credentials, ledger: &Arc<Ledger>) -> Result<AuthorizerServer, ServerError> {
    let config = ServerConfig { bind: ([127, 0, 0, 1], 0).into(), credentials, profile: Profile::default() };
    AuthorizerServer::start(config, Arc::clone(ledger))
}

/// Checked before the sandbox starts; its address is filled in afterwards.
fn openpay_config(config: &RehearsalConfig) -> Result<Config, ConfigError> {
    let key = PrivateKey::parse(&config.sandbox.private_key)?;
    let mut openpay = Config::new("http://127.0.0.1", &config.sandbox.merchant_id, key)?;
    openpay.charge_timeouts = Timeouts::answering_within(config.charge_answer);
    openpay.charge_timeouts.body = config.charge_answer;
    Ok(openpay)
}

fn patience(config: &RehearsalConfig) -> CashierConfig {
    let (name, email) = ("Cliente".to_owned(), "cliente@example.com".to_owned());
    let payer = Payer { name, last_name: None, email, phone_number: None };
    let (queries, gateway_limit) = (config.queries.clone(), config.gateway_limit);
    CashierConfig { queries, gateway_limit, abuse: config.abuse, ..CashierConfig::new(payer) }
}
