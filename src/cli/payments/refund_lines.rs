//! How refunds are written: for people, as JSON lines, as CSV.

use std::borrow::Cow;
use std::io::Write;

use jiff::tz::TimeZone;
use serde::Serialize;
use tonopago::ledger::{Attempt, Ledger, LedgerError, Refund};

use super::super::Failure;
use super::super::merchant::{Format, no_formula, write_csv};
use super::lines::{in_zone, to_second};

/// A refund and the payment it gives back.
pub(super) type Refunded = (Refund, Attempt);

/// A refund, for machines. `reference` to `charge_id` are its payment's, as `payments export` has them without `--refunds`.
#[derive(Serialize)]
struct Line<'a> {
    refund: i64,
    state: &'static str,
    amount: String,
    currency: &'static str,
    reference: String,
    order_id: Cow<'a, str>,
    charge_id: Option<&'a str>,
    paid: String,
    paid_created: String,
    created: String,
    updated: String,
}

/// What the columns of a table of lines are named, in their order.
const COLUMNS: [&str; 11] = [
    "refund",
    "state",
    "amount",
    "currency",
    "reference",
    "order_id",
    "charge_id",
    "paid",
    "paid_created",
    "created",
    "updated",
];

/// Refunds with their payments.
pub(super) fn with_payments(ledger: &Ledger, refunds: Vec<Refund>) -> Result<Vec<Refunded>, LedgerError> {
    refunds.into_iter().map(|refund| ledger.attempt(refund.attempt).map(|attempt| (refund, attempt))).collect()
}

/// Writes refunds, with the times of a zone and its offset.
pub(super) fn write(
    refunds: &[Refunded],
    format: Format,
    zone: &TimeZone,
    mut output: impl Write,
) -> Result<(), Failure> {
    match format {
        Format::Text => {
            for (refund, attempt) in refunds {
                writeln!(output, "{}  {}  {}", attempt.ledger_reference(), text(refund, zone), attempt.order_id)?;
            }
        }
        Format::Jsonl => {
            for refunded in refunds {
                writeln!(output, "{}", serde_json::to_string(&line(refunded, zone)).map_err(Failure::failed)?)?;
            }
        }
        Format::Csv => write_csv(output, &COLUMNS, refunds.iter().map(|refunded| row(refunded, zone)))?,
    }
    Ok(())
}

/// What there is to say of a refund of a payment that is known.
pub(super) fn text(refund: &Refund, zone: &TimeZone) -> String {
    let (at, state) = (in_zone(to_second(refund.created), zone), refund.state.name());
    format!("{at}  {state:<9}  {:>14}", refund.amount.to_string())
}

/// A line of a table that a spreadsheet may open.
fn row<'a>(refunded: &'a Refunded, zone: &TimeZone) -> Line<'a> {
    Line { order_id: no_formula(&refunded.1.order_id), ..line(refunded, zone) }
}

fn line<'a>((refund, attempt): &'a Refunded, zone: &TimeZone) -> Line<'a> {
    Line {
        refund: refund.id,
        state: refund.state.name(),
        amount: refund.amount.decimal(),
        currency: refund.amount.currency.code(),
        reference: attempt.ledger_reference(),
        order_id: Cow::from(&attempt.order_id),
        charge_id: attempt.charge_id.as_deref(),
        paid: attempt.amount.decimal(),
        paid_created: in_zone(attempt.created, zone),
        created: in_zone(refund.created, zone),
        updated: in_zone(refund.updated, zone),
    }
}
