//! `tonopago keys`: issue, import, list and cancel payment keys.

mod import;
mod untaken;

use std::borrow::Cow;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tonopago::ledger::{Digits, KeyRecord, Ledger, NewKey};
use tonopago::money::{Currency, Money};
use tonopago::openpay::{Config, ErrorKind, IvrChargeRequest, OrderFilter, Payer};
use tonopago::service::{Customer, PaymentKey};

use super::merchant::{Format, LedgerArgs, OpenpayArgs, no_formula, write_csv};
use super::{Failure, Outcome};

/// Most digits of a payment key in `menus/pago.yaml`.
const MENU_DIGITS: usize = 10;

/// Issue, import, list and cancel payment keys
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tonopago keys issue --ledger ledger.sqlite --order ord-234 --amount 200.00 --expires-in 72h
  tonopago keys issue --ledger ledger.sqlite --order ord-235 --amount 99.50 --key 257139 \\
           --description \"Pedido 235\"
  tonopago keys issue --ledger ledger.sqlite --order ord-236 --amount 99.50 --name Juan \\
           --email juan@example.com --at-openpay --merchant mzdtln0bmtms6o3kck8f \\
           --key-file openpay.key
  tonopago keys import --ledger ledger.sqlite orders.csv > keys.csv
  tonopago keys list --ledger ledger.sqlite
  tonopago keys cancel --ledger ledger.sqlite 12")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Issue a key and print it
    Issue(Box<Issue>),
    /// Issue a key for each line of a CSV file, or none if any line is wrong
    Import(import::Import),
    /// List keys, newest first, without their digits
    List(List),
    /// Take a key back
    Cancel(Cancel),
}

#[derive(clap::Args)]
#[command(after_help = "Examples:
  tonopago keys issue --ledger ledger.sqlite --order ord-234 --amount 200.00 --expires-in 72h
  tonopago keys issue --ledger ledger.sqlite --order ord-235 --amount 99.50 --key 257139 \\
           --description \"Pedido 235\"")]
struct Issue {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The order to be paid, at most 90 characters, unique; not ending as -retry2 does
    #[arg(long, value_name = "ID")]
    order: String,
    /// What is to be paid, as 200 or 200.50
    #[arg(long, allow_negative_numbers = true)]
    amount: String,
    /// MXN; or USD, for a key paid elsewhere: boxes charge MXN only
    #[arg(long, default_value = "MXN")]
    currency: String,
    /// Shown on the charge, at most 250 characters; the order, if not given
    #[arg(long)]
    description: Option<String>,
    /// Digits of the random key, 6 to 20
    #[arg(long, value_name = "N", default_value_t = 8)]
    digits: usize,
    /// This key instead of a random one
    #[arg(long, value_name = "DIGITS", conflicts_with = "digits")]
    key: Option<String>,
    /// How long it is good, as 72h, 30m or 1h30m; for ever, if not given
    #[arg(long, value_name = "TIME", value_parser = parse_span, allow_hyphen_values = true)]
    expires_in: Option<SignedDuration>,
    /// Declined charges until it locks
    #[arg(long, value_name = "N", default_value_t = 3)]
    max_failures: u32,
    /// The payer's name
    #[arg(long)]
    name: Option<String>,
    /// The payer's e-mail address
    #[arg(long, requires = "name")]
    email: Option<String>,
    /// Have Openpay make the key (confirm: ivr): it is paid by calling Openpay's own number, which is printed, too
    #[arg(long, requires = "merchant", requires = "email", conflicts_with_all = ["key", "digits", "expires_in"])]
    at_openpay: bool,
    /// Openpay's address, for --at-openpay
    #[arg(long, value_name = "URL", default_value = Config::SANDBOX)]
    openpay: String,
    /// The merchant's id at Openpay
    #[arg(long, value_name = "ID", requires = "at_openpay")]
    merchant: Option<String>,
    /// File with Openpay's private key, readable by its owner only; else the key is taken from TONOPAGO_OPENPAY_KEY
    #[arg(long, value_name = "FILE", requires = "at_openpay")]
    key_file: Option<PathBuf>,
    /// Trust only the certificates in this PEM file at Openpay, not the public authorities
    #[arg(long, value_name = "FILE", requires = "at_openpay")]
    ca_file: Option<PathBuf>,
}

#[derive(clap::Args)]
#[command(after_help = "Examples:
  tonopago keys list --ledger ledger.sqlite
  tonopago keys list --ledger ledger.sqlite --format csv > keys.csv")]
struct List {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Show the keys' digits: who knows them can pay, and see what is owed
    #[arg(long)]
    reveal: bool,
    /// How they are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(clap::Args)]
#[command(after_help = "Example:
  tonopago keys cancel --ledger ledger.sqlite 12")]
struct Cancel {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The key's number in the list
    number: i64,
}

pub(super) fn run(args: Args) -> Outcome {
    match args.command {
        Command::Issue(issue) => issue.run(),
        Command::Import(import) => import.run(),
        Command::List(list) => list.run(),
        Command::Cancel(cancel) => {
            let is_undecided = cancel.ledger.open_existing()?.cancel_key(cancel.number).map_err(Failure::failed)?;
            if is_undecided {
                say!(
                    "tonopago: a charge of this key's order is not decided yet: if it ends paid, the order is paid all the \
                     same. Until it has ended the order gets no other key"
                );
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The digits of a key that was drawn.
fn digits(key: &NewKey) -> &str {
    match &key.digits {
        Digits::Given(key) => key.expose(),
        Digits::Random(_) => "",
    }
}

/// Warns of keys, the longest of them, that the payment menu that ships does not take.
fn warn_of_length(keys: &[NewKey]) {
    let length = keys.iter().map(|key| digits(key).len()).max().unwrap_or_default();
    if length > MENU_DIGITS {
        say!(
            "tonopago: a key of {length} digits: the payment menu that ships takes {MENU_DIGITS} at most; write digits: \
             6..{length} in yours"
        );
    }
}

/// Issues keys once they are written, so that no key is lost in a write that fails. The ledger is not locked meanwhile:
/// whoever reads may take their time.
fn issue_written(ledger: &Ledger, keys: &[NewKey]) -> Outcome {
    let bad =
        |error: &dyn std::fmt::Display| Failure::failed(format!("what was written is no good, try again: {error}"));
    match ledger.issue_keys(keys) {
        Ok(Ok(_)) => Ok(ExitCode::SUCCESS),
        Ok(Err(refused)) => Err(refused.first().map_or_else(|| bad(&"refused"), |refused| bad(&refused.error))),
        Err(error) => Err(bad(&error)),
    }
}

/// A time span as people write it.
fn parse_span(text: &str) -> Result<SignedDuration, String> {
    let span: SignedDuration = text.parse().map_err(|_| "write it as 72h, 30m or 1h30m".to_owned())?;
    if span.is_positive() { Ok(span) } else { Err("it must be longer than nothing, as 72h".to_owned()) }
}

impl Issue {
    fn run(self) -> Outcome {
        let currency = Currency::parse(&self.currency).ok_or_else(|| Failure::usage("--currency is MXN or USD"))?;
        let amount = Money::parse(&self.amount, currency);
        let amount = amount.map_err(|error| Failure::usage(format!("--amount: {error}")))?;
        if self.at_openpay {
            return self.issue_at_openpay(amount);
        }
        let expires = self.expires_in.map(|time| Timestamp::now().checked_add(time)).transpose();
        let expires = expires.map_err(|_| Failure::usage("--expires-in: that is later than any calendar"))?;
        let ledger = self.ledger.open()?;
        let email = self.email;
        let new = NewKey {
            digits: self.key.map_or(Digits::Random(self.digits), |key| Digits::Given(PaymentKey::new(key))),
            amount,
            description: self.description.unwrap_or_else(|| self.order.clone()),
            order_id: self.order,
            customer: self.name.map(|name| Customer { name, email, ..Customer::default() }),
            expires,
            max_failures: self.max_failures,
        };
        let drawn = ledger.draw_keys(vec![new]).map_err(Failure::failed)?;
        let drawn = drawn.map_err(|mut refused| refused.swap_remove(0).error).map_err(Failure::failed)?;
        untaken::warn(&[amount]);
        warn_of_length(&drawn);
        let mut output = std::io::stdout().lock();
        drawn.iter().try_for_each(|key| writeln!(output, "{}", digits(key)))?;
        output.flush()?;
        issue_written(&ledger, &drawn)
    }

    /// The key is Openpay's and is paid at Openpay: this ledger only remembers which charge it belongs to.
    fn issue_at_openpay(self, amount: Money) -> Outcome {
        let (Some(merchant), Some(name), Some(email)) = (self.merchant, self.name, self.email) else {
            return Err(Failure::usage("--at-openpay needs --merchant, --name and --email"));
        };
        let openpay = OpenpayArgs { openpay: self.openpay, merchant, key_file: self.key_file, ca_file: self.ca_file };
        let ledger = self.ledger.open()?;
        ledger.check_order(&self.order).map_err(Failure::failed)?;
        let client = openpay.checked_client()?;
        let customer = Payer { name, last_name: None, email, phone_number: None };
        let description = self.description.unwrap_or_else(|| self.order.clone());
        let request =
            IvrChargeRequest { amount, description: &description, order_id: &self.order, customer: &customer };
        let made = client.create_ivr_charge(&request).or_else(|error| match error.kind() {
            // It may have been made: an order id is taken once, so what is there under it is this.
            ErrorKind::Unclear => {
                let filter = OrderFilter { order_id: &self.order, limit: 1, offset: 0 };
                client.charges_of_order(filter).ok().and_then(|mut found| found.pop()).ok_or(error)
            }
            _ => Err(error),
        });
        let made = made.map_err(Failure::failed)?;
        let method = made.payment_method.filter(|method| method.kind == "ivr");
        let Some((key, phone)) = method.and_then(|method| Some((method.ivr_key?.0, method.phone_number))) else {
            return Err(Failure::failed(format!("Openpay's charge {} has no payment key", made.id)));
        };
        ledger
            .remark_order(&self.order, "key at Openpay", &format!("{} {amount}", made.id))
            .map_err(Failure::failed)?;
        writeln!(
            std::io::stdout().lock(),
            "{key}\tcall {}\tcharge {}",
            phone.as_deref().unwrap_or("Openpay"),
            made.id
        )?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A key, for machines.
#[derive(Serialize)]
struct Line<'a> {
    number: i64,
    status: &'static str,
    key: String,
    order_id: Cow<'a, str>,
    amount: String,
    currency: &'static str,
    expires: Option<String>,
    failures: u32,
}

/// What the columns of a table of keys are named, in their order.
const COLUMNS: [&str; 8] = ["number", "status", "key", "order_id", "amount", "currency", "expires", "failures"];

impl List {
    fn run(self) -> Outcome {
        let keys = self.ledger.look(Ledger::list_keys)?;
        let mut output = std::io::stdout().lock();
        match self.format {
            Format::Text => keys.iter().try_for_each(|record| writeln!(output, "{}", self.text(record)))?,
            Format::Jsonl => {
                for record in &keys {
                    writeln!(output, "{}", serde_json::to_string(&self.line(record)).map_err(Failure::failed)?)?;
                }
            }
            Format::Csv => {
                write_csv(output, &COLUMNS, keys.iter().map(|record| self.row(record)))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn digits(&self, record: &KeyRecord) -> String {
        let digits = record.key.expose();
        if self.reveal { digits.to_owned() } else { "*".repeat(digits.len()) }
    }

    fn text(&self, record: &KeyRecord) -> String {
        let expires = record.expires.map_or_else(|| "never".to_owned(), |time| format!("{time:.0}"));
        format!(
            "{:>6}  {:<9}  {:<10}  {:>14}  expires {expires:<20}  failures {}  {}",
            record.id,
            record.status.name(),
            self.digits(record),
            record.amount.to_string(),
            record.failures,
            record.order_id,
        )
    }

    /// A line of a table that a spreadsheet may open.
    fn row<'a>(&self, record: &'a KeyRecord) -> Line<'a> {
        Line { order_id: no_formula(&record.order_id), ..self.line(record) }
    }

    fn line<'a>(&self, record: &'a KeyRecord) -> Line<'a> {
        Line {
            number: record.id,
            status: record.status.name(),
            key: self.digits(record),
            order_id: Cow::from(&record.order_id),
            amount: record.amount.decimal(),
            currency: record.amount.currency.code(),
            expires: record.expires.map(|time| time.to_string()),
            failures: record.failures,
        }
    }
}
