//! Options shared by the merchant's commands: where the ledger is, how to reach Openpay.

use std::path::PathBuf;
use std::sync::Arc;

use tonopago::clock::SystemClock;
use tonopago::http::read_secret;
use tonopago::ledger::Ledger;
use tonopago::openpay::{Client, Config, Payer, PrivateKey};
use tonopago::payment::{CashierConfig, Till};

use super::Failure;

/// Environment variable of Openpay's private key.
const OPENPAY_KEY: &str = "TONOPAGO_OPENPAY_KEY";

#[derive(clap::Args)]
pub(super) struct LedgerArgs {
    /// The ledger, an SQLite file; issuing and serving make it if it does not exist
    #[arg(long, value_name = "FILE")]
    ledger: PathBuf,
}

#[derive(clap::Args)]
pub(super) struct OpenpayArgs {
    /// Openpay's address: its production, its sandbox, or a local `tonopago sandbox`
    #[arg(long, value_name = "URL", default_value = Config::SANDBOX)]
    openpay: String,
    /// The merchant's id at Openpay
    #[arg(long, value_name = "ID")]
    merchant: String,
    /// File with the private key, readable by its owner only; else the key is taken from TONOPAGO_OPENPAY_KEY
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

impl LedgerArgs {
    /// A ledger that must be there, for commands that only look at what is in it.
    pub(super) fn open_existing(&self) -> Result<Arc<Ledger>, Failure> {
        if !self.ledger.is_file() {
            return Err(Failure::failed(format!("{}: there is no such ledger", self.ledger.display())));
        }
        self.open()
    }

    pub(super) fn open(&self) -> Result<Arc<Ledger>, Failure> {
        let in_file = |error| Failure::failed(format!("{}: {error}", self.ledger.display()));
        Ledger::open(&self.ledger, Arc::new(SystemClock)).map(Arc::new).map_err(in_file)
    }
}

impl OpenpayArgs {
    pub(super) fn client(&self) -> Result<Client, Failure> {
        let key = read_secret("Openpay private key", OPENPAY_KEY, self.key_file.as_deref()).map_err(Failure::failed)?;
        let key = PrivateKey::parse(&key).map_err(Failure::failed)?;
        let config =
            Config::new(&self.openpay, &self.merchant, key).map_err(|error| Failure::usage(error.to_string()))?;
        Ok(Client::new(&config))
    }

    /// A till for reconciling and refunding; it charges nobody, so it needs no payer.
    pub(super) fn till(&self, ledger: Arc<Ledger>) -> Result<Till, Failure> {
        let payer = Payer { name: String::new(), last_name: None, email: String::new(), phone_number: None };
        Ok(Till::new(self.client()?, ledger, CashierConfig::new(payer)))
    }
}
