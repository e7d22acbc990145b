//! `tonopago keys import`: a key for each line of a CSV file.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tonopago::ledger::{OrderProblem, Orders, ReadOrders, RefusedKey};
use tonopago::text_file::{self, TextError};

use super::super::merchant::{LedgerArgs, into_io, no_formula};
use super::super::{Failure, Outcome};
use super::{digits, issue_written, untaken, warn_of_length};

/// Problems shown; a file with more has one cause.
const MAX_SHOWN: usize = 50;

#[derive(clap::Args)]
#[command(after_help = "\
The first line names the columns: order and amount, and any of currency (MXN; boxes take no other), description (the \
order), key (random), digits (8, of a random key), expires (2026-12-31, good through that day, or 2026-12-31T18:00:00Z), \
name, email (which needs a name). Where the first line has no commas, semicolons or tabs stand for them. \
Printed are order and key of each line, as CSV (with an apostrophe before an order that a spreadsheet would take for a \
formula); if that fails, as on a full disk, no key is issued.

Example:
  tonopago keys import --ledger ledger.sqlite orders.csv > keys.csv")]
pub(super) struct Import {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The CSV file, UTF-8
    file: PathBuf,
    /// Declined charges until a key locks
    #[arg(long, value_name = "N", default_value_t = 3)]
    max_failures: u32,
}

impl Import {
    pub(super) fn run(self) -> Outcome {
        let Orders { keys, lines, mut problems } =
            read(&self.file, self.max_failures).map_err(|problems| tell_all(&self.file, problems))?;
        let drawn = self.ledger.open_or_imagine()?.draw_keys(keys).map_err(Failure::failed)?;
        let problem = |refused: &RefusedKey| OrderProblem {
            line: lines[refused.place],
            column: None,
            text: refused.error.to_string(),
        };
        problems.extend(drawn.as_ref().err().into_iter().flatten().map(problem));
        let Ok(drawn) = drawn else { return Err(tell_all(&self.file, problems)) };
        if !problems.is_empty() {
            return Err(tell_all(&self.file, problems));
        }
        let ledger = self.ledger.open()?;
        untaken::warn(&drawn.iter().map(|key| key.amount).collect::<Vec<_>>());
        warn_of_length(&drawn);
        let mut output = csv::Writer::from_writer(std::io::stdout().lock());
        let mut write = |fields: [&str; 2]| output.write_record(fields).map_err(|error| Failure::from(into_io(error)));
        write(["order", "key"])?;
        for key in &drawn {
            write([&no_formula(&key.order_id), digits(key)])?;
        }
        output.flush()?;
        drop(output);
        issue_written(&ledger, &drawn)
    }
}

/// All problems, one a line, in the file's order, after which nothing has been issued.
fn tell_all(file: &Path, mut problems: Vec<OrderProblem>) -> Failure {
    problems.sort_by_key(|problem| problem.line);
    let count = problems.len();
    let mut text = String::new();
    for OrderProblem { line, column, text: what } in problems.into_iter().take(MAX_SHOWN) {
        let column = column.map_or_else(String::new, |column| format!(":{column}"));
        text += &format!("{}:{line}{column}: {what}\n", file.display());
    }
    let more = if count > MAX_SHOWN { format!("and {} more; ", count - MAX_SHOWN) } else { String::new() };
    Failure::failed(format!("no key was issued:\n{text}{more}{count} wrong in {}", file.display()))
}

fn read(file: &Path, max_failures: u32) -> Result<Orders, Vec<OrderProblem>> {
    let at = |line, text: String| vec![OrderProblem { line, column: None, text }];
    let text = text_file::read(file).map_err(|error| match error {
        TextError::NotUtf8 { line, column } => {
            let cure = "save the file as UTF-8, which Excel calls \"CSV UTF-8\"";
            at(line as u64, format!("character {column} of the line is not UTF-8: {cure}"))
        }
        TextError::System(_) => at(1, format!("{error}: {}", error.cure())),
    })?;
    ReadOrders { max_failures, now: Timestamp::now(), zone: TimeZone::system() }.read(&text)
}
