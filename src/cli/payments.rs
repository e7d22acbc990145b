//! `tonopago payments`: what the ledger knows, reconciliation, refunds, telling the merchant, backups.

mod backup;
mod export;
mod lines;
mod notify;
mod one;
mod refund_lines;
mod settle;

use std::io::Write as _;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::tz::TimeZone;
use tonopago::ledger::{Attempt, RefundState};
use tonopago::money::Money;
use tonopago::payment::ReconcileReport;

use self::lines::write;
use self::one::{By, OneArgs};
use super::merchant::{Format, LedgerArgs, OpenpayArgs};
use super::{Failure, Outcome};

/// List, show, export, reconcile, settle and refund payments; back the ledger up
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tonopago payments list --ledger ledger.sqlite
  tonopago payments export --ledger ledger.sqlite --from 2026-11-01 --to 2026-11-30 \\
           --out november.csv
  tonopago payments show --ledger ledger.sqlite 100017
  tonopago payments reconcile --ledger ledger.sqlite --merchant mzdtln0bmtms6o3kck8f \\
           --key-file openpay.key
  tonopago payments refund --ledger ledger.sqlite --merchant mzdtln0bmtms6o3kck8f \\
           --key-file openpay.key 100017
  tonopago payments notify --ledger ledger.sqlite --to https://merchant.example/openpay/result \\
           --secret-file report.secret
  tonopago payments backup --ledger ledger.sqlite --out /backup/ledger-2026-11-30.sqlite")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// List charge attempts, newest first
    List(List),
    /// Show what is known by a reference, order, charge id, authorization number, or what was keyed
    Show(Show),
    /// Write the charge attempts, or the refunds, of some days to a file, oldest first
    Export(export::Export),
    /// Ask Openpay what became of every open attempt and refund
    Reconcile(Reconcile),
    /// Give an approved charge back
    Refund(Refund),
    /// End an attempt that Openpay's answers can't decide, by what a person saw there
    Settle(settle::Settle),
    /// Tell the merchant of every outcome and refund that is due, now; or list what was told
    Notify(notify::Notify),
    /// Show the audit trail, newest first
    Audit(Audit),
    /// Copy the ledger, whole, while boxes and services use it
    Backup(backup::Backup),
}

#[derive(clap::Args)]
#[command(after_help = "Example:
  tonopago payments list --ledger ledger.sqlite --limit 20")]
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
#[command(after_help = "Examples:
  tonopago payments show --ledger ledger.sqlite 100017
  tonopago payments show --ledger ledger.sqlite --is keyed 20230017

A number that was keyed, as the last one, is an account's, with all that was paid under it, or a payment key.")]
struct Show {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// What the caller or the merchant has: a reference, an order, a charge id, an authorization number, an account's number
    /// or a payment key
    reference: String,
    /// What it is, if it could be several things
    #[arg(long, value_name = "WHAT", value_enum)]
    is: Option<By>,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(clap::Args)]
#[command(after_help = "Example:
  tonopago payments reconcile --ledger ledger.sqlite --merchant mzdtln0bmtms6o3kck8f \\
           --key-file openpay.key")]
struct Reconcile {
    #[command(flatten)]
    ledger: LedgerArgs,
    #[command(flatten)]
    openpay: OpenpayArgs,
}

#[derive(clap::Args)]
#[command(after_help = "Examples:
  tonopago payments refund --ledger ledger.sqlite --merchant mzdtln0bmtms6o3kck8f \\
           --key-file openpay.key 100017
  tonopago payments refund --ledger ledger.sqlite --merchant mzdtln0bmtms6o3kck8f \\
           --key-file openpay.key 100017 --amount 50")]
struct Refund {
    #[command(flatten)]
    ledger: LedgerArgs,
    #[command(flatten)]
    openpay: OpenpayArgs,
    #[command(flatten)]
    payment: OneArgs,
    /// Give back this much, in the charge's currency; without it, all that this ledger has not given back yet
    #[arg(long, allow_negative_numbers = true)]
    amount: Option<String>,
}

#[derive(clap::Args)]
#[command(after_help = "Example:
  tonopago payments audit --ledger ledger.sqlite --limit 20")]
struct Audit {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
}

pub(super) fn run(args: Args) -> Outcome {
    match args.command {
        Command::List(list) => {
            let attempts = list.ledger.look(|ledger| ledger.latest_attempts(list.limit))?;
            write(&attempts, list.format, &TimeZone::UTC, std::io::stdout().lock())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Show(show) => show.run(),
        Command::Export(export) => export.run(),
        Command::Reconcile(reconcile) => reconcile.run(),
        Command::Refund(refund) => refund.run(),
        Command::Settle(settle) => settle.run(),
        Command::Notify(notify) => notify.run(),
        Command::Audit(audit) => audit.run(),
        Command::Backup(backup) => backup.run(),
    }
}

impl Show {
    fn run(self) -> Outcome {
        let found = self.ledger.look(|ledger| {
            let attempts = one::all(ledger, &self.reference, self.is)?;
            let with_refunds = |attempt: Attempt| ledger.refunds_of(attempt.id).map(|refunds| (attempt, refunds));
            attempts.into_iter().map(with_refunds).collect::<Result<Vec<_>, _>>()
        })?;
        let found = one::some(found, &self.reference)?;
        let mut output = std::io::stdout().lock();
        if self.format != Format::Text {
            let attempts: Vec<Attempt> = found.into_iter().map(|(attempt, _)| attempt).collect();
            write(&attempts, self.format, &TimeZone::UTC, output)?;
            return Ok(ExitCode::SUCCESS);
        }
        for (attempt, refunds) in found {
            write(&[attempt], self.format, &TimeZone::UTC, &mut output)?;
            for refund in refunds {
                writeln!(output, "        {}  refund {}", refund_lines::text(&refund, &TimeZone::UTC), refund.id)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Reconcile {
    fn run(self) -> Outcome {
        let till = self.openpay.till(self.ledger.open_existing()?)?;
        let style = ProgressStyle::with_template("{bar:40} {pos} of {len} open attempts, {elapsed}");
        let bar = ProgressBar::new(0).with_style(style.map_err(Failure::failed)?); // silent but on a terminal
        let report = till.reconcile_while(&mut |done, all| {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
            true
        });
        bar.finish_and_clear();
        let report = report.map_err(Failure::failed)?;
        let refunds = till.reconcile_refunds(&mut || true).map_err(Failure::failed)?;
        let ReconcileReport { approved, elsewhere, declined, lapsed, abandoned, open } = report;
        let elsewhere = if elsewhere > 0 { format!(", paid elsewhere {elsewhere}") } else { String::new() };
        let mut output = std::io::stdout().lock();
        writeln!(
            output,
            "approved {approved}{elsewhere}, declined {declined}, lapsed {lapsed}, abandoned {abandoned}, still open {open}"
        )?;
        for refund in &refunds {
            let payment = till.ledger().attempt(refund.attempt).map_err(Failure::failed)?.ledger_reference();
            let outcome = match refund.state {
                RefundState::Refunded => "was made",
                RefundState::Failed => "was not made and can be asked for again",
                RefundState::Refunding | RefundState::Unknown => "is still open",
            };
            writeln!(output, "the refund of {} of payment {payment} {outcome}", refund.amount)?;
        }
        let is_done = open == 0 && refunds.iter().all(|refund| !refund.state.is_open());
        Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::from(super::FAILED) })
    }
}

impl Refund {
    fn run(self) -> Outcome {
        let ledger = self.ledger.open_existing()?;
        let attempt = self.payment.find(&ledger)?;
        let amount = self.amount.map(|text| Money::parse(&text, attempt.amount.currency)).transpose();
        let amount = amount.map_err(|error| Failure::usage(format!("--amount: {error}")))?;
        one::tell(&attempt);
        let refunded = self.openpay.till(ledger)?.refund(attempt.id, amount).map_err(Failure::failed)?;
        writeln!(std::io::stdout().lock(), "refunded {refunded}")?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Audit {
    fn run(self) -> Outcome {
        let entries = self.ledger.look(|ledger| ledger.audit(self.limit))?;
        let mut output = std::io::stdout().lock();
        for entry in entries {
            writeln!(output, "{:.3}  {:<14}  {:<14}  {}", entry.at, entry.subject, entry.event, entry.detail)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
