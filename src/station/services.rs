//! The services behind the lines: who is asked, who charges, what is written down.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::config::Services;
use super::disk;
use crate::authorizer::AuthorizerClient;
use crate::clock::{Clock, SystemClock};
use crate::ledger::{Digits, Ledger, LedgerError};
use crate::money::Money;
use crate::openpay::Client;
use crate::openpay::sandbox::SandboxConfig;
use crate::payment::{Background, Cashier, CashierConfig, Notifier, Rehearsal, RehearsalConfig, RehearsalError, Till};
use crate::service::{PaymentKey, Reply, Request};

/// Files of a demonstration, in its folder.
const DEMO_LEDGER: &str = "ledger.sqlite";
const DEMO_SANDBOX: &str = "openpay-sandbox.sqlite";
/// The key a demonstration has from the start, and what it is worth.
const DEMO_KEY: &str = "257139";
const DEMO_AMOUNT: Money = Money::mxn(20_000);
/// How long a demonstration's gateway may take to answer a charge.
const DEMO_PATIENCE: Duration = Duration::from_secs(20);

/// The services at work. Dropping it ends reconciliation and notification after the exchange each is in.
pub struct Shop {
    /// Performs what calls ask for.
    pub cashier: Arc<Cashier>,
    /// Payment keys and attempts.
    pub ledger: Arc<Ledger>,
    /// Reconciliation, and notification where the merchant is to be told.
    pub(super) backgrounds: Vec<Background>,
    /// Where the ledger is.
    pub(super) folder: PathBuf,
    rehearsal: Option<Rehearsal>,
    orders: AtomicU64,
}

/// Why the services do not start.
#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    /// The demonstration.
    #[error("demonstration: {0}")]
    Demo(#[from] RehearsalError),
    /// The ledger.
    #[error("{file}: {source}; {}", source.cure())]
    Ledger {
        /// Its file.
        file: String,
        /// What is wrong.
        source: LedgerError,
    },
    /// The system gave no thread, or no folder.
    #[error("{0}")]
    System(#[from] std::io::Error),
}

impl Shop {
    /// Starts the services, and reconciliation with a first round at once.
    ///
    /// # Errors
    /// [`ShopError`]. A gateway or authorizer that can't be reached is none: calls tell their callers so.
    pub fn start(services: &Services, reconcile_every: Duration) -> Result<Self, ShopError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (cashier, ledger, rehearsal) = match services {
            Services::Demo(folder) => {
                let rehearsal = rehearse(folder)?;
                (Arc::clone(&rehearsal.cashier), Arc::clone(&rehearsal.ledger), Some(rehearsal))
            }
            Services::Live(live) => {
                let is_new = std::fs::metadata(&live.ledger).map_or(true, |found| found.len() == 0);
                let opened = Ledger::open(&live.ledger, Arc::clone(&clock));
                let file = || live.ledger.display().to_string();
                let ledger = Arc::new(opened.map_err(|source| ShopError::Ledger { file: file(), source })?);
                if is_new {
                    tracing::warn!(
                        "{}: there was no ledger, and a new one was made; it knows of no payment: if this box has run \
                         before, stop it and see whether the path is right",
                        file()
                    );
                }
                let config = CashierConfig::new(live.payer.clone());
                let till = Till::new(Client::new(&live.openpay), Arc::clone(&ledger), config);
                let authorizer = AuthorizerClient::new(live.authorizer.clone(), clock);
                (Arc::new(Cashier::new(authorizer, till)), ledger, None)
            }
        };
        let mut backgrounds = vec![Background::reconciling(Arc::clone(&cashier), reconcile_every)?];
        backgrounds.extend(start_notifier(services, &cashier)?);
        let orders = AtomicU64::new(fastrand::u64(1_000_000..1_000_000_000));
        let folder = disk::of_ledger(services);
        Ok(Self { cashier, ledger, backgrounds, folder, rehearsal, orders })
    }

    /// Performs one request; blocks until its end.
    pub fn perform(&self, request: Request) -> Reply {
        self.cashier.perform(request)
    }

    /// A new payment key of a demonstration, for a simulated caller; `None` if the services are real or the ledger fails.
    pub fn demo_key(&self) -> Option<PaymentKey> {
        let rehearsal = self.rehearsal.as_ref()?;
        let order = format!("demo-{}", self.orders.fetch_add(1, Ordering::Relaxed));
        let digits = format!("{:08}", fastrand::u32(10_000_000..100_000_000));
        rehearsal.issue(Digits::Given(PaymentKey::new(digits)), DEMO_AMOUNT, &order).ok()
    }

    /// What a person can try at once, for the log: the demonstration's key.
    pub const fn demo_hint(&self) -> Option<&'static str> {
        if self.rehearsal.is_some() { Some(DEMO_KEY) } else { None }
    }
}

/// Tells the merchant how payments ended, if the configuration says where.
fn start_notifier(services: &Services, cashier: &Cashier) -> Result<Option<Background>, ShopError> {
    let Services::Live(live) = services else { return Ok(None) };
    let Some(config) = live.notify.clone() else { return Ok(None) };
    let till = cashier.till();
    let notifier = Notifier::new(Arc::clone(till.ledger()), config);
    let notifier = notifier.map_err(|source| ShopError::Ledger { file: live.ledger.display().to_string(), source })?;
    Ok(Some(notifier.with_alarms(Arc::clone(till.alarms())).start(Notifier::INTERVAL)?))
}

fn rehearse(folder: &Path) -> Result<Rehearsal, ShopError> {
    let named = |error: std::io::Error| std::io::Error::new(error.kind(), format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(named)?;
    let rehearsal = Rehearsal::start(RehearsalConfig {
        ledger: Some(folder.join(DEMO_LEDGER)),
        sandbox: SandboxConfig { file: Some(folder.join(DEMO_SANDBOX)), ..SandboxConfig::default() },
        charge_answer: DEMO_PATIENCE,
        ..RehearsalConfig::default()
    })?;
    // It was issued at an earlier start, as a rule.
    let _ = rehearsal.issue(Digits::Given(PaymentKey::new(DEMO_KEY)), DEMO_AMOUNT, "demo-0");
    Ok(rehearsal)
}
