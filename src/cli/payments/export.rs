//! `tonopago payments export`: charge attempts or refunds of some days, for bookkeeping.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tonopago::ledger::State;
use tonopago::private_file;

use super::super::merchant::{Format, LedgerArgs};
use super::super::{Failure, Outcome};
use super::lines::write;
use super::refund_lines;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tonopago payments export --ledger ledger.sqlite --from 2026-11-01 --to 2026-11-30 \\
           --out november.csv
  tonopago payments export --ledger ledger.sqlite --state approved --format jsonl > paid.jsonl
  tonopago payments export --ledger ledger.sqlite --from 2026-11-30 \\
           --time-zone America/Mexico_City --out today.csv
  tonopago payments export --ledger ledger.sqlite --refunds --from 2026-12-01 --to 2026-12-31 \\
           --out december-refunds.csv

Days and times are those of --time-zone, days from midnight to midnight; an attempt belongs to the day it was \
`created`. In CSV, a text that a spreadsheet would take for a formula has an apostrophe before it. A file is written for its \
owner only. An approved payment stays approved when it is given back: `refunded` is how much of `amount` was, on whatever \
day, and is to be taken off; `refund_open` is how much may have been (`payments reconcile` finds out).

With --refunds each refund has a line of its own, on the day it was sent, whenever its payment was made: books that are closed \
each month take payments from one table and refunds from the other, and leave `refunded` alone. What was given back is what has \
the state refunded; failed was not made, and refunding and unknown may have been. One of these that turns out to have been made \
stays on its day: where the books had been closed, no later table has it.")]
pub(super) struct Export {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// First day, as 2026-11-01; else from the beginning
    #[arg(long, value_name = "DATE", value_parser = parse_day)]
    from: Option<Date>,
    /// Last day, as 2026-11-30; else until now
    #[arg(long, value_name = "DATE", value_parser = parse_day)]
    to: Option<Date>,
    /// Whose days and times, as America/Mexico_City; this machine's, if not given
    #[arg(long, value_name = "ZONE", value_parser = parse_zone)]
    time_zone: Option<TimeZone>,
    /// Only attempts in this state: prepared, sent, approved, declined, unknown, lapsed, abandoned, elsewhere
    #[arg(long, value_name = "STATE", value_parser = parse_state)]
    state: Option<State>,
    /// The refunds of these days, not the attempts
    #[arg(long, conflicts_with = "state")]
    refunds: bool,
    /// How they are written
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// The file; standard output, if not given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

fn parse_day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| "write it as 2026-11-30".to_owned())
}

fn parse_zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|_| "no such time zone: write it as America/Mexico_City".to_owned())
}

fn parse_state(text: &str) -> Result<State, String> {
    State::parse(text).ok_or_else(|| format!("one of {}", State::ALL.map(State::name).join(", ")))
}

impl Export {
    pub(super) fn run(self) -> Outcome {
        let zone = self.zone()?;
        let (from, until) = self.span(&zone)?;
        if self.refunds {
            let refunds =
                self.ledger.look(|ledger| refund_lines::with_payments(ledger, ledger.refunds_between(from, until)?))?;
            return self
                .out(refunds.len(), "refunds", |output| refund_lines::write(&refunds, self.format, &zone, output));
        }
        let mut attempts = self.ledger.look(|ledger| ledger.attempts_between(from, until))?;
        attempts.retain(|attempt| self.state.is_none_or(|state| attempt.state == state));
        self.out(attempts.len(), "payments", |output| write(&attempts, self.format, &zone, output))
    }

    /// Writes so many of something to where it is wanted.
    fn out(&self, count: usize, what: &str, write: impl FnOnce(&mut dyn Write) -> Result<(), Failure>) -> Outcome {
        match &self.out {
            None => write(&mut std::io::stdout().lock())?,
            Some(path) => {
                let file = private_file::create(path).map_err(|error| Failure::unwritable(path, &error))?;
                let mut file = BufWriter::new(file);
                write(&mut file)?;
                file.flush()?;
                say!("{count} {what} written to {}", path.display());
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn zone(&self) -> Result<TimeZone, Failure> {
        let zone = self.time_zone.clone().map_or_else(TimeZone::try_system, Ok);
        zone.map_err(|error| Failure::failed(format!("this machine's time zone: {error}: give --time-zone")))
    }

    /// From the first midnight to before the last.
    fn span(&self, zone: &TimeZone) -> Result<(Timestamp, Timestamp), Failure> {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            return Err(Failure::usage(format!("--from {from} is after --to {to}")));
        }
        let midnight_before = |day: Date| {
            let midnight = day.to_zoned(zone.clone()).map_err(|_| out_of_range(day))?;
            Ok(midnight.timestamp())
        };
        let from = self.from.map_or(Ok(Timestamp::UNIX_EPOCH), midnight_before)?;
        let until = self.to.map(|day| day.tomorrow().map_err(|_| out_of_range(day)).and_then(midnight_before));
        Ok((from, until.unwrap_or(Ok(Timestamp::MAX))?))
    }
}

fn out_of_range(day: Date) -> Failure {
    Failure::usage(format!("{day} is not a day this program can count"))
}
