//! `tonopago payments`: what the ledger knows, reconciliation, refunds.

use std::io::Write as _;
use std::process::ExitCode;

use clap::ValueEnum;
use serde::Serialize;
use tonopago::ledger::{Attempt, Ledger};
use tonopago::money::Money;
use tonopago::payment::ReconcileReport;

use super::merchant::{LedgerArgs, OpenpayArgs};
use super::{Failure, Outcome};

/// List, show, reconcile and refund payments
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tonopago payments list --ledger ledger.sqlite
  tonopago payments list --ledger ledger.sqlite --format csv --limit 100000 > payments.csv
  tonopago payments show --ledger ledger.sqlite 100017
  tonopago payments reconcile --ledger ledger.sqlite --merchant mzdtln0bmtms6o3kck8f --key-file openpay.key
  tonopago payments refund --ledger ledger.sqlite --merchant mzdtln0bmtms6o3kck8f --key-file openpay.key 100017")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// List charge attempts, newest first
    List(List),
    /// Show what is known by a reference, order, charge id or authorization number
    Show(Show),
    /// Ask Openpay what became of every open attempt
    Reconcile(Reconcile),
    /// Give an approved charge back
    Refund(Refund),
    /// Show the audit trail, newest first
    Audit(Audit),
}

#[derive(clap::Args)]
struct List {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
    /// How they are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(clap::Args)]
struct Show {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// What the caller or the merchant has
    reference: String,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(clap::Args)]
struct Reconcile {
    #[command(flatten)]
    ledger: LedgerArgs,
    #[command(flatten)]
    openpay: OpenpayArgs,
}

#[derive(clap::Args)]
struct Refund {
    #[command(flatten)]
    ledger: LedgerArgs,
    #[command(flatten)]
    openpay: OpenpayArgs,
    /// Reference, charge id or authorization number of the approved attempt
    reference: String,
    /// Give back only this much, in the charge's currency
    #[arg(long)]
    amount: Option<String>,
}

#[derive(clap::Args)]
struct Audit {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object per line
    Jsonl,
    /// Comma-separated values with a header
    Csv,
}

/// An attempt, for machines. The payment key is left out: it is a credential.
#[derive(Serialize)]
struct Line<'a> {
    reference: String,
    state: &'static str,
    order_id: &'a str,
    gateway_order_id: &'a str,
    amount: String,
    currency: &'static str,
    brand: &'a str,
    last_four: &'a str,
    months: Option<u8>,
    charge_id: Option<&'a str>,
    authorization: Option<&'a str>,
    error_code: Option<u32>,
    created: String,
    updated: String,
}

pub(super) fn run(args: Args) -> Outcome {
    match args.command {
        Command::List(list) => {
            let attempts = list.ledger.open_existing()?.latest_attempts(list.limit).map_err(Failure::failed)?;
            write(&attempts, list.format)
        }
        Command::Show(show) => {
            let ledger = show.ledger.open_existing()?;
            write(&find(&ledger, &show.reference)?, show.format)
        }
        Command::Reconcile(reconcile) => reconcile.run(),
        Command::Refund(refund) => refund.run(),
        Command::Audit(audit) => audit.run(),
    }
}

impl Reconcile {
    fn run(self) -> Outcome {
        let report = self.openpay.till(self.ledger.open_existing()?)?.reconcile().map_err(Failure::failed)?;
        let ReconcileReport { approved, declined, lapsed, abandoned, open } = report;
        writeln!(
            std::io::stdout().lock(),
            "approved {approved}, declined {declined}, lapsed {lapsed}, abandoned {abandoned}, still open {open}"
        )?;
        Ok(if open == 0 { ExitCode::SUCCESS } else { ExitCode::from(super::FAILED) })
    }
}

impl Refund {
    fn run(self) -> Outcome {
        let ledger = self.ledger.open_existing()?;
        let found = find(&ledger, &self.reference)?;
        let mut paid = found.iter().filter(|attempt| attempt.charge_id.is_some());
        let (Some(attempt), None) = (paid.next(), paid.next()) else {
            return Err(Failure::failed(format!("{:?} is not exactly one approved payment", self.reference)));
        };
        let amount = self.amount.map(|text| Money::parse(&text, attempt.amount.currency)).transpose();
        let amount = amount.map_err(|error| Failure::usage(format!("--amount: {error}")))?;
        let refunded = self.openpay.till(ledger)?.refund(attempt.id, amount).map_err(Failure::failed)?;
        writeln!(std::io::stdout().lock(), "refunded {refunded}")?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Audit {
    fn run(self) -> Outcome {
        let entries = self.ledger.open_existing()?.audit(self.limit).map_err(Failure::failed)?;
        let mut output = std::io::stdout().lock();
        for entry in entries {
            writeln!(output, "{:.3}  {:<12}  {:<14}  {}", entry.at, entry.subject, entry.event, entry.detail)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn find(ledger: &Ledger, reference: &str) -> Result<Vec<Attempt>, Failure> {
    let found = ledger.find_attempts(reference).map_err(Failure::failed)?;
    if found.is_empty() { Err(Failure::failed(format!("the ledger has no payment {reference:?}"))) } else { Ok(found) }
}

fn write(attempts: &[Attempt], format: Format) -> Outcome {
    let mut output = std::io::stdout().lock();
    match format {
        Format::Text => attempts.iter().try_for_each(|attempt| writeln!(output, "{}", text(attempt)))?,
        Format::Jsonl => {
            for attempt in attempts {
                writeln!(output, "{}", serde_json::to_string(&line(attempt)).map_err(Failure::failed)?)?;
            }
        }
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(output);
            attempts.iter().try_for_each(|attempt| csv.serialize(line(attempt))).map_err(Failure::failed)?;
            csv.flush()?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn text(attempt: &Attempt) -> String {
    let result = attempt.charge_id.clone().or_else(|| attempt.error_code.map(|code| format!("error {code}")));
    format!(
        "{}  {:.0}  {:<9}  {:>14}  {} ...{}  {:<20}  {}",
        attempt.ledger_reference(),
        attempt.created,
        attempt.state,
        attempt.amount.to_string(),
        attempt.brand,
        attempt.last_four,
        attempt.gateway_order_id,
        result.unwrap_or_default(),
    )
}

fn line(attempt: &Attempt) -> Line<'_> {
    Line {
        reference: attempt.ledger_reference(),
        state: attempt.state.name(),
        order_id: &attempt.order_id,
        gateway_order_id: &attempt.gateway_order_id,
        amount: attempt.amount.decimal(),
        currency: attempt.amount.currency.code(),
        brand: &attempt.brand,
        last_four: &attempt.last_four,
        months: attempt.months,
        charge_id: attempt.charge_id.as_deref(),
        authorization: attempt.authorization.as_deref(),
        error_code: attempt.error_code,
        created: attempt.created.to_string(),
        updated: attempt.updated.to_string(),
    }
}
