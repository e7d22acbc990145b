//! What the merchant's commands share: where the ledger is, how to reach Openpay, how lists are written.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tonopago::clock::{Clock, SystemClock};
use tonopago::http::{Authorities, Secret};
use tonopago::ledger::{Ledger, LedgerError};
use tonopago::openpay::{Client, Config, Payer, PrivateKey};
use tonopago::payment::{CashierConfig, Till};

use super::Failure;

/// How long a service that is told to end waits for the answers under way.
pub(super) const GRACE: Duration = Duration::from_secs(10);

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
    pub(super) openpay: String,
    /// The merchant's id at Openpay
    #[arg(long, value_name = "ID")]
    pub(super) merchant: String,
    /// File with the private key, readable by its owner only; else the key is taken from TONOPAGO_OPENPAY_KEY
    #[arg(long, value_name = "FILE")]
    pub(super) key_file: Option<PathBuf>,
    /// Trust only the certificates in this PEM file at Openpay, not the public authorities
    #[arg(long, value_name = "FILE")]
    pub(super) ca_file: Option<PathBuf>,
}

/// How what a ledger knows is written.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// One JSON object per line
    Jsonl,
    /// Comma-separated values with a header
    Csv,
}

/// A text as a cell of a table: one that a spreadsheet would take for a formula has an apostrophe before it.
pub(super) fn no_formula(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t']) { format!("'{text}").into() } else { text.into() }
}

/// Writes a table, the names of whose columns stand first also where it has no rows.
pub(super) fn write_csv<T: Serialize>(
    output: impl Write,
    columns: &[&str],
    rows: impl Iterator<Item = T>,
) -> Result<(), Failure> {
    let mut csv = csv::WriterBuilder::new().has_headers(false).from_writer(output);
    csv.write_record(columns).map_err(into_io)?;
    for row in rows {
        csv.serialize(row).map_err(into_io)?;
    }
    Ok(csv.flush()?)
}

/// The error of what is written to, for what wants to know its kind.
pub(super) fn into_io(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

impl LedgerArgs {
    /// What is in a ledger that must be there, for commands that only look: it is not written to.
    pub(super) fn look<T>(&self, read: impl Fn(&Ledger) -> Result<T, LedgerError>) -> Result<T, Failure> {
        self.must_be_there()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Ledger::look(&self.ledger, &clock, read).map_err(|error| self.in_file(&error))
    }

    /// A ledger that must be there.
    pub(super) fn open_existing(&self) -> Result<Arc<Ledger>, Failure> {
        self.must_be_there()?;
        let ledger = Ledger::open_existing(&self.ledger, Arc::new(SystemClock));
        ledger.map(Arc::new).map_err(|error| self.in_file(&error))
    }

    fn must_be_there(&self) -> Result<(), Failure> {
        if self.ledger.is_file() {
            return Ok(());
        }
        Err(Failure::failed(format!(
            "{}: there is no such ledger: see whether the path is right",
            self.ledger.display()
        )))
    }

    fn in_file(&self, error: &LedgerError) -> Failure {
        Failure::failed(format!("{}: {error}; {}", self.ledger.display(), error.cure()))
    }

    /// The ledger, to try out what could be written into it: one that is not there is not made either.
    pub(super) fn open_or_imagine(&self) -> Result<Arc<Ledger>, Failure> {
        if self.ledger.exists() {
            return self.open();
        }
        Ledger::in_memory(Arc::new(SystemClock)).map(Arc::new).map_err(Failure::failed)
    }

    pub(super) fn open(&self) -> Result<Arc<Ledger>, Failure> {
        let ledger = Ledger::open(&self.ledger, Arc::new(SystemClock));
        ledger.map(Arc::new).map_err(|error| self.in_file(&error))
    }
}

impl OpenpayArgs {
    pub(super) fn client(&self) -> Result<Client, Failure> {
        let key = Secret::OpenpayKey.read(self.key_file.as_deref()).map_err(Failure::failed)?;
        let key = PrivateKey::parse(&key).map_err(Failure::failed)?;
        let config =
            Config::new(&self.openpay, &self.merchant, key).map_err(|error| Failure::usage(error.to_string()))?;
        let authorities = self.ca_file.as_deref().map(Authorities::from_file).transpose().map_err(Failure::failed)?;
        Ok(Client::new(&Config { authorities, ..config }))
    }

    /// A client, once Openpay has said that the merchant and the key are good.
    pub(super) fn checked_client(&self) -> Result<Client, Failure> {
        let client = self.client()?;
        client.merchant().map_err(|error| Failure::failed(format!("{}: {error}", self.openpay)))?;
        Ok(client)
    }

    /// A till for reconciling and refunding; it charges nobody, so it needs no payer.
    pub(super) fn till(&self, ledger: Arc<Ledger>) -> Result<Till, Failure> {
        let payer = Payer { name: String::new(), last_name: None, email: String::new(), phone_number: None };
        Ok(Till::new(self.checked_client()?, ledger, CashierConfig::new(payer)))
    }
}
