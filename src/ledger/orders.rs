//! Orders as a CSV file names them, one a line: the keys that are to be issued for them.

use std::collections::HashMap;

use csv::StringRecord;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Digits, NewKey};
use crate::money::{Currency, Money};
use crate::service::{Customer, PaymentKey};

/// The columns a file may have; the first two it must have.
const COLUMNS: [&str; 9] = ["order", "amount", "currency", "description", "key", "digits", "expires", "name", "email"];
/// Stand for what a line does not say in a way that can be read; such a line is never issued.
const UNREAD_AMOUNT: Money = Money::mxn(1);
const UNREAD_DIGITS: Digits = Digits::Random(20);

/// Keys read, each with the line it stands on, and what is wrong. A line with a mistake stands for its order and its key, so
/// that what the ledger says to them can be told with the rest; if there is any mistake, none is to be issued.
pub struct Orders {
    /// The keys, in the file's order.
    pub keys: Vec<NewKey>,
    /// The line each of them stands on, from 1.
    pub lines: Vec<u64>,
    /// What is wrong with the lines.
    pub problems: Vec<OrderProblem>,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderProblem {
    /// Line of the file, from 1.
    pub line: u64,
    /// Column of the table, from 1, where it is of one.
    pub column: Option<usize>,
    /// What.
    pub text: String,
}

/// What holds for all lines.
#[derive(Debug, Clone)]
pub struct ReadOrders {
    /// Declined charges until a key locks.
    pub max_failures: u32,
    /// What expires must be later.
    pub now: Timestamp,
    /// Where a day that is named ends.
    pub zone: TimeZone,
}

impl ReadOrders {
    /// Reads a whole file. The first line names the columns.
    ///
    /// # Errors
    /// What is wrong with all of it; mistakes of single lines are [`Orders::problems`].
    pub fn read(&self, text: &str) -> Result<Orders, Vec<OrderProblem>> {
        let at = |line, text: String| vec![OrderProblem { line, column: None, text }];
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator(text))
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let headers = reader.headers().map_err(|error| at(1, error.to_string()))?.clone();
        let columns = Columns::of(&headers)?;
        let mut orders = Orders { keys: Vec::new(), lines: Vec::new(), problems: Vec::new() };
        let mut places = Places { text, counted: 0, line: 1 };
        let mut seen = Seen::default();
        for record in reader.records() {
            let record = record.map_err(|error| at(places.line_of(error.position()), error.to_string()))?;
            let line = places.line_of(record.position());
            let (columns, problems) = (&columns, &mut orders.problems);
            let mut row = Row { read: self, columns, record: &record, line, seen: &mut seen, problems };
            if let Some(key) = row.key() {
                orders.keys.push(key);
                orders.lines.push(line);
            }
        }
        if orders.keys.is_empty() && orders.problems.is_empty() {
            return Err(at(1, "there is no order in it".to_owned()));
        }
        Ok(orders)
    }

    /// A time to come, as [`Self::day_or_time`] reads it.
    fn expiry(&self, text: &str) -> Result<Timestamp, String> {
        let time = self.day_or_time(text)?;
        if time > self.now { Ok(time) } else { Err(format!("{text:?} is over: the key would be no good")) }
    }

    /// A day is meant to its end.
    fn day_or_time(&self, text: &str) -> Result<Timestamp, String> {
        let bad = || format!("{text:?} is no date: write 2026-12-31 or 2026-12-31T18:00:00Z");
        if let Ok(time) = text.parse::<Timestamp>() {
            return Ok(time);
        }
        let day: Date = text.parse().map_err(|_| bad())?;
        let next = day.tomorrow().map_err(|_| bad())?;
        Ok(next.to_zoned(self.zone.clone()).map_err(|_| bad())?.timestamp())
    }
}

/// On which line each record begins. The reader's own count begins a record before the end of the line before it has been
/// taken whole, where that is two characters, and before empty lines.
struct Places<'a> {
    text: &'a str,
    /// Bytes in which line ends have been counted, and the line there.
    counted: usize,
    line: u64,
}

impl Places<'_> {
    /// For positions one after another.
    fn line_of(&mut self, position: Option<&csv::Position>) -> u64 {
        let bytes = self.text.as_bytes();
        let begins = position.map_or(0, |position| usize::try_from(position.byte()).unwrap_or(usize::MAX));
        while let Some(byte) = bytes.get(self.counted).filter(|byte| self.counted < begins || is_line_end(**byte)) {
            let is_first_of_two = *byte == b'\r' && bytes.get(self.counted + 1) == Some(&b'\n');
            self.line += u64::from(is_line_end(*byte) && !is_first_of_two);
            self.counted += 1;
        }
        self.line
    }
}

const fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
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
    fn of(headers: &StringRecord) -> Result<Self, Vec<OrderProblem>> {
        let mut places = HashMap::new();
        let mut problems = Vec::new();
        let mut problem = |column, text| problems.push(OrderProblem { line: 1, column, text });
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

/// The lines on which orders and keys stood first: the ledger, which issues line by line, would say of one that stands again
/// that it was there before.
#[derive(Default)]
struct Seen {
    orders: HashMap<String, u64>,
    keys: HashMap<String, u64>,
}

/// One line being read.
struct Row<'a> {
    read: &'a ReadOrders,
    columns: &'a Columns,
    record: &'a StringRecord,
    line: u64,
    seen: &'a mut Seen,
    problems: &'a mut Vec<OrderProblem>,
}

impl Row<'_> {
    /// The key this line asks for, as far as it can be read; `None` if not even its order can be, or another line has it.
    fn key(&mut self) -> Option<NewKey> {
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
        let expires = self.optional("expires").and_then(|text| self.parsed("expires", self.read.expiry(&text)));
        let digits = self.digits().unwrap_or(UNREAD_DIGITS);
        let customer = self.customer();
        let description = self.optional("description").or_else(|| order_id.clone());
        let (order_id, description) = (order_id?, description?);
        if let Some(first) = stood_on(&mut self.seen.orders, &order_id, self.line) {
            self.problem(Some("order"), format!("order {order_id:?} stands on line {first} already"));
            return None;
        }
        let max_failures = self.read.max_failures;
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
            if let Some(first) = stood_on(&mut self.seen.keys, &key, self.line) {
                self.problem(Some("key"), format!("this key stands on line {first} already"));
                return None;
            }
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
        self.problems.push(OrderProblem { line: self.line, column, text });
    }
}

/// The line on which this has stood, if it has; else it stands on this one.
fn stood_on(seen: &mut HashMap<String, u64>, text: &str, line: u64) -> Option<u64> {
    let first = seen.get(text).copied();
    if first.is_none() {
        seen.insert(text.to_owned(), line);
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> (Vec<u64>, Vec<u64>) {
        let read = ReadOrders { max_failures: 3, now: Timestamp::UNIX_EPOCH, zone: TimeZone::UTC };
        let Orders { lines, problems, .. } = read.read(text).unwrap_or_else(|problems| panic!("{problems:?}"));
        (lines, problems.into_iter().map(|problem| problem.line).collect())
    }

    /// Mistakes in a table that a spreadsheet saved were told a line too early, and more so behind empty lines.
    #[test]
    fn a_mistake_is_told_on_its_line_however_lines_end() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["order,amount", "a,1", "", "b,x", "\"c", "d\",1", "e,0", ""].join(end);
            assert_eq!(lines(&text), (vec![2, 4, 5, 7], vec![4, 7]), "{end:?}");
        }
    }
}
