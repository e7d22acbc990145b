//! The services of a scenario: a rehearsal of the whole shop on loopback, with one payment key and one fault.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::time::Duration;

use jiff::Zoned;

use crate::clock::{Clock, SystemClock};
use crate::ledger::Digits;
use crate::money::Money;
use crate::openpay::OrderFilter;
use crate::openpay::sandbox::{self, SandboxConfig};
use crate::payment::{Rehearsal, RehearsalConfig};
use crate::service::{PaymentKey, Reply, Request};

use super::files::{LEDGER, SANDBOX};
use super::scenario::{Fault, KEY};

/// What the demo's key is worth.
const AMOUNT: Money = Money::mxn(20_000);
const ORDER: &str = "ord-234";
/// How late a late answer is. The demo's cashier is as impatient as it needs to be to give up before.
const LATE_BY: Duration = Duration::from_millis(1500);
const PATIENCE: Duration = Duration::from_secs(20);
const PATIENCE_WHEN_LATE: Duration = Duration::from_millis(500);
/// A page of charges.
const PAGE: u32 = 100;

/// Why the stage could not be set up.
pub type StageError = Box<dyn Error>;

/// The services of one scenario; stopped when dropped.
pub struct Stage {
    shop: Rehearsal,
    authorizer: String,
}

impl Stage {
    /// Starts the services with a fault, their files in `folder` (in memory if `None`), and issues the payment key.
    ///
    /// # Errors
    /// If no loopback port or file can be had.
    pub fn start(fault: Fault, folder: Option<&Path>) -> Result<Self, StageError> {
        let file = |name: &str| folder.map(|folder| folder.join(name));
        let late = fault == Fault::LateAnswer;
        let mut shop = Rehearsal::start(RehearsalConfig {
            ledger: file(LEDGER),
            sandbox: SandboxConfig { file: file(SANDBOX), ..SandboxConfig::default() },
            charge_answer: if late { PATIENCE_WHEN_LATE } else { PATIENCE },
            ..RehearsalConfig::default()
        })?;
        shop.issue(Digits::Given(PaymentKey::new(KEY)), AMOUNT, ORDER)?;
        let mut authorizer = shop.authorizer.as_ref().map_or_else(String::new, |server| server.url());
        match fault {
            Fault::None => {}
            Fault::AuthorizerDown => {
                shop.authorizer = None;
                authorizer += " (down)";
            }
            Fault::LateAnswer => {
                let ms = u64::try_from(LATE_BY.as_millis()).unwrap_or(u64::MAX);
                shop.sandbox.inject(sandbox::Operation::Charge, sandbox::Fault::DelayAfter { ms });
            }
        }
        Ok(Self { shop, authorizer })
    }

    /// Performs a call's request over HTTP.
    pub fn perform(&self, request: Request) -> Reply {
        self.shop.cashier.perform(request)
    }

    /// What the demo's key is worth.
    pub const fn amount(&self) -> Money {
        AMOUNT
    }

    /// The time by which its services judge cards, for calls to begin at.
    pub fn now(&self) -> Zoned {
        SystemClock.local()
    }

    /// The services' addresses and the key, for people.
    pub fn describe(&self) -> String {
        let (authorizer, gateway) = (&self.authorizer, self.shop.sandbox.base_url());
        format!(
            "authorizer  {authorizer}\ngateway     {gateway} (local stand-in for Openpay)\n\
             key {KEY}  issued for {AMOUNT}, order {ORDER}"
        )
    }

    /// The completed charges for the demo's order, asked of the gateway over HTTP under every order id an attempt
    /// was made with, so that a second charge would be seen even if the ledger knew only of one.
    ///
    /// # Errors
    /// If the gateway does not answer.
    pub fn completed_charges(&self) -> Result<Vec<Money>, StageError> {
        let mut completed = BTreeMap::new();
        for attempt in self.shop.ledger.find_attempts(ORDER)? {
            let filter = OrderFilter { order_id: &attempt.gateway_order_id, limit: PAGE, offset: 0 };
            let charges = self.shop.openpay().charges_of_order(filter)?;
            completed
                .extend(charges.into_iter().filter(|charge| charge.is_paid()).map(|charge| (charge.id, charge.amount)));
        }
        Ok(completed.into_values().collect())
    }
}
