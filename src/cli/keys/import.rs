//! `tonopago keys import`: a key for each line of a CSV file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tonopago::ledger::{Digits, NewKey, RefusedKey};
use tonopago::money::{Currency, Money};
use tonopago::service::{Customer, PaymentKey};
use tonopago::text_file::{self, TextError};

use super::super::merchant::{LedgerArgs, into_io, no_formula};
use super::super::{Failure, Outcome};
use super::{digits, issue_written, untaken, warn_of_length};

/// The columns a file may have; the first two it must have.
const COLUMNS: [&str; 9] = ["order", "amount", "currency", "description", "key", "digits", "expires", "name", "email"];
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

/// Stand for what a line does not say in a way that can be read; such a line is never issued.
const UNREAD_AMOUNT: Money = Money::mxn(1);
const UNREAD_DIGITS: Digits = Digits::Random(20);

/// What is wrong, and where: line and column of the file, both from 1.
struct Problem {
    line: u64,
    column: Option<usize>,
    text: String,
}

/// Keys read, each with the line it stands on, and what is wrong. A line with a mistake stands for its order and its key, so
/// that what the ledger says to them is told with the rest; if there is any mistake, none is issued.
struct Orders {
    keys: Vec<NewKey>,
    lines: Vec<u64>,
    problems: Vec<Problem>,
}

impl Import {
    pub(super) fn run(self) -> Outcome {
        let Orders { keys, lines, mut problems } =
            read(&self.file, self.max_failures).map_err(|problems| tell_all(&self.file, problems))?;
        let drawn = self.ledger.open_or_imagine()?.draw_keys(keys).map_err(Failure::failed)?;
        let problem = |refused: &RefusedKey| Problem {
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
fn tell_all(file: &Path, mut problems: Vec<Problem>) -> Failure {
    problems.sort_by_key(|problem| problem.line);
    let count = problems.len();
    let mut text = String::new();
    for Problem { line, column, text: what } in problems.into_iter().take(MAX_SHOWN) {
        let column = column.map_or_else(String::new, |column| format!(":{column}"));
        text += &format!("{}:{line}{column}: {what}\n", file.display());
    }
    let more = if count > MAX_SHOWN { format!("and {} more; ", count - MAX_SHOWN) } else { String::new() };
    Failure::failed(format!("no key was issued:\n{text}{more}{count} wrong in {}", file.display()))
}

fn read(file: &Path, max_failures: u32) -> Result<Orders, Vec<Problem>> {
    let at = |line, text: String| vec![Problem { line, column: None, text }];
    let text = text_file::read(file).map_err(|error| match error {
        TextError::NotUtf8 { line, column } => {
            let cure = "save the file as UTF-8, which Excel calls \"CSV UTF-8\"";
            at(line as u64, format!("character {column} of the line is not UTF-8: {cure}"))
        }
        TextError::System(_) => at(1, format!("{error}: {}", error.cure())),
    })?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator(&text))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|error| at(1, error.to_string()))?.clone();
    let columns = Columns::of(&headers)?;
    let mut orders = Orders { keys: Vec::new(), lines: Vec::new(), problems: Vec::new() };
    for record in reader.records() {
        let record = record.map_err(|error| at(error.position().map_or(1, csv::Position::line), error.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let mut row = Row { columns: &columns, record: &record, line, problems: &mut orders.problems };
        if let Some(key) = row.key(max_failures) {
            orders.keys.push(key);
            orders.lines.push(line);
        }
    }
    if orders.keys.is_empty() && orders.problems.is_empty() {
        return Err(at(1, "there is no order in it".to_owned()));
    }
    Ok(orders)
}

/// What stands between columns. Where a comma is a decimal's, spreadsheets write semicolons, and tabs if they are asked to; no
/// column has any of them in its name.
fn separator(text: &str) -> u8 {
    let names = text.lines().next().unwrap_or_default();
    *b",;\t".iter().find(|separator| names.contains(char::from(**separator))).unwrap_or(&b',')
}

/// Which column is where.
struct Columns {
    places: HashMap<&'static str, usize>,
    count: usize,
}

impl Columns {
    fn of(headers: &StringRecord) -> Result<Self, Vec<Problem>> {
        let mut places = HashMap::new();
        let mut problems = Vec::new();
        let mut problem = |column, text| problems.push(Problem { line: 1, column, text });
        for (place, header) in headers.iter().enumerate() {
            let known = COLUMNS.into_iter().find(|name| header.eq_ignore_ascii_case(name));
            match known.map(|name| places.insert(name, place)) {
                None => problem(Some(place + 1), format!("no column {header:?}; known are {}", COLUMNS.join(", "))),
                Some(Some(_)) => problem(Some(place + 1), format!("column {header:?} is there twice")),
                Some(None) => {}
            }
        }
        for name in &COLUMNS[..2] {
            if !places.contains_key(name) {
                problem(None, format!("there is no column {name:?}"));
            }
        }
        if let (Some(place), false) = (places.get("email"), places.contains_key("name")) {
            problem(Some(place + 1), "a column \"email\" needs a column \"name\": Openpay wants both".to_owned());
        }
        if problems.is_empty() { Ok(Self { places, count: headers.len() }) } else { Err(problems) }
    }
}

/// One line being read.
struct Row<'a> {
    columns: &'a Columns,
    record: &'a StringRecord,
    line: u64,
    problems: &'a mut Vec<Problem>,
}

impl Row<'_> {
    /// The key this line asks for, as far as it can be read; `None` if not even its order can be.
    fn key(&mut self, max_failures: u32) -> Option<NewKey> {
        if self.record.len() != self.columns.count {
            let (has, count) = (self.record.len(), self.columns.count);
            self.problem(
                None,
                format!("{has} fields, but the first line names {count}; quote fields that hold commas"),
            );
            return None;
        }
        let order_id = self.required("order");
        let amount = self.amount().unwrap_or(UNREAD_AMOUNT);
        let expires = self.optional("expires").and_then(|text| self.parsed("expires", parse_expiry(&text)));
        let digits = self.digits().unwrap_or(UNREAD_DIGITS);
        let customer = self.customer();
        let description = self.optional("description").or_else(|| order_id.clone());
        let (order_id, description) = (order_id?, description?);
        Some(NewKey { digits, amount, order_id, description, customer, expires, max_failures })
    }

    fn customer(&mut self) -> Option<Customer> {
        let email = self.optional("email");
        let name = self.optional("name");
        if name.is_none() && email.is_some() {
            self.problem(Some("email"), "an e-mail address needs a name beside it: Openpay wants both".to_owned());
        }
        name.map(|name| Customer { name, email, ..Customer::default() })
    }

    fn amount(&mut self) -> Option<Money> {
        let code = self.optional("currency").unwrap_or_else(|| "MXN".to_owned());
        let currency = Currency::parse(&code).ok_or_else(|| format!("{code:?} is neither MXN nor USD"));
        let currency = self.parsed("currency", currency);
        let text = self.required("amount")?;
        let amount = Money::parse(&text, currency.unwrap_or(Currency::Mxn)).map_err(|error| error.to_string());
        let amount = amount
            .and_then(|amount| if amount.centavos > 0 { Ok(amount) } else { Err("the amount is zero".to_owned()) });
        self.parsed("amount", amount)
    }

    fn digits(&mut self) -> Option<Digits> {
        if let Some(key) = self.optional("key") {
            return Some(Digits::Given(PaymentKey::new(key)));
        }
        let Some(text) = self.optional("digits") else { return Some(Digits::Random(8)) };
        let count = text.parse().map_err(|_| format!("{text:?} is no number of digits"));
        self.parsed("digits", count).map(Digits::Random)
    }

    fn optional(&self, name: &'static str) -> Option<String> {
        let text = self.record.get(*self.columns.places.get(name)?)?;
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn required(&mut self, name: &'static str) -> Option<String> {
        let text = self.optional(name);
        if text.is_none() {
            self.problem(Some(name), format!("there is no {name}"));
        }
        text
    }

    fn parsed<T>(&mut self, name: &'static str, result: Result<T, String>) -> Option<T> {
        result.map_err(|text| self.problem(Some(name), text)).ok()
    }

    fn problem(&mut self, column: Option<&'static str>, text: String) {
        let column = column.and_then(|name| self.columns.places.get(name)).map(|place| place + 1);
        self.problems.push(Problem { line: self.line, column, text });
    }
}

/// A time to come, as [`parse_day_or_time`] reads it.
fn parse_expiry(text: &str) -> Result<Timestamp, String> {
    let time = parse_day_or_time(text)?;
    if time > Timestamp::now() { Ok(time) } else { Err(format!("{text:?} is over: the key would be no good")) }
}

/// A day is meant to its end, here.
fn parse_day_or_time(text: &str) -> Result<Timestamp, String> {
    let bad = || format!("{text:?} is no date: write 2026-12-31 or 2026-12-31T18:00:00Z");
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let day: Date = text.parse().map_err(|_| bad())?;
    let next = day.tomorrow().map_err(|_| bad())?;
    Ok(next.to_zoned(TimeZone::system()).map_err(|_| bad())?.timestamp())
}
