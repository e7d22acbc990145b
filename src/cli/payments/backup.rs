//! `tonopago payments backup`: a whole copy of the ledger.

use std::path::PathBuf;
use std::process::ExitCode;

use tonopago::ledger::LedgerError;

use super::super::merchant::LedgerArgs;
use super::super::{Failure, Outcome};

#[derive(clap::Args)]
#[command(after_help = "\
Example:
  tonopago payments backup --ledger ledger.sqlite --out /backup/ledger-2026-11-30.sqlite

A ledger in use must not be copied with cp: what was written last stands in the file beside it that ends in -wal. The backup \
is whole and in one file, its owner's only; the box goes on meanwhile. docs/ledger.md says how to restore it.")]
pub(super) struct Backup {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The copy, a file that is not there yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Backup {
    pub(super) fn run(self) -> Outcome {
        self.ledger.open_existing()?.back_up(&self.out).map_err(|error| match error {
            LedgerError::Copy { path, source } => Failure::unwritable(&path, &source),
            error => Failure::failed(error),
        })?;
        say!("the ledger was copied to {}", self.out.display());
        Ok(ExitCode::SUCCESS)
    }
}
