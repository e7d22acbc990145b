//! How payments are written: for people, as JSON lines, as CSV.

use std::borrow::Cow;
use std::io::Write;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde::Serialize;
use tonopago::ledger::Attempt;
use tonopago::money::Money;

use super::super::Failure;
use super::super::merchant::{Format, no_formula, write_csv};

/// An attempt, for machines. The payment key is left out: it is a credential.
#[derive(Serialize)]
struct Line<'a> {
    reference: String,
    state: &'static str,
    order_id: Cow<'a, str>,
    gateway_order_id: Cow<'a, str>,
    amount: String,
    currency: &'static str,
    brand: &'a str,
    last_four: &'a str,
    months: Option<u8>,
    charge_id: Option<&'a str>,
    authorization: Option<&'a str>,
    error_code: Option<u32>,
    refunded: String,
    refund_open: String,
    created: String,
    updated: String,
    description: Cow<'a, str>,
}

/// What the columns of a table of lines are named, in their order.
const COLUMNS: [&str; 17] = [
    "reference",
    "state",
    "order_id",
    "gateway_order_id",
    "amount",
    "currency",
    "brand",
    "last_four",
    "months",
    "charge_id",
    "authorization",
    "error_code",
    "refunded",
    "refund_open",
    "created",
    "updated",
    "description",
];

/// Writes attempts, with the times of a zone and its offset.
pub(super) fn write(
    attempts: &[Attempt],
    format: Format,
    zone: &TimeZone,
    mut output: impl Write,
) -> Result<(), Failure> {
    match format {
        Format::Text => attempts.iter().try_for_each(|attempt| writeln!(output, "{}", text(attempt, zone)))?,
        Format::Jsonl => {
            for attempt in attempts {
                writeln!(output, "{}", serde_json::to_string(&line(attempt, zone)).map_err(Failure::failed)?)?;
            }
        }
        Format::Csv => {
            write_csv(output, &COLUMNS, attempts.iter().map(|attempt| row(attempt, zone)))?;
        }
    }
    Ok(())
}

fn text(attempt: &Attempt, zone: &TimeZone) -> String {
    let result = attempt.charge_id.clone().or_else(|| attempt.error_code.map(|code| format!("error {code}")));
    format!(
        "{}  {}  {:<9}  {:>14}  {} ...{}  {:<20}  {}{}",
        attempt.ledger_reference(),
        in_zone(to_second(attempt.created), zone),
        attempt.state,
        attempt.amount.to_string(),
        attempt.brand,
        attempt.last_four,
        attempt.gateway_order_id,
        result.unwrap_or_default(),
        refunds(attempt),
    )
}

fn refunds(attempt: &Attempt) -> String {
    let told = |amount: Money, what: &str| {
        if amount.centavos == 0 { String::new() } else { format!("  {what} {amount}") }
    };
    told(attempt.refunded, "refunded") + &told(attempt.refund_open, "perhaps refunded")
}

/// A line of a table that a spreadsheet may open.
fn row<'a>(attempt: &'a Attempt, zone: &TimeZone) -> Line<'a> {
    Line {
        order_id: no_formula(&attempt.order_id),
        gateway_order_id: no_formula(&attempt.gateway_order_id),
        description: no_formula(&attempt.description),
        ..line(attempt, zone)
    }
}

/// Without what people do not read.
pub(super) fn to_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

pub(super) fn in_zone(time: Timestamp, zone: &TimeZone) -> String {
    match zone.to_offset(time) {
        Offset::UTC => time.to_string(),
        offset => time.display_with_offset(offset).to_string(),
    }
}

fn line<'a>(attempt: &'a Attempt, zone: &TimeZone) -> Line<'a> {
    Line {
        reference: attempt.ledger_reference(),
        state: attempt.state.name(),
        order_id: Cow::from(&attempt.order_id),
        gateway_order_id: Cow::from(&attempt.gateway_order_id),
        amount: attempt.amount.decimal(),
        currency: attempt.amount.currency.code(),
        brand: &attempt.brand,
        last_four: &attempt.last_four,
        months: attempt.months,
        charge_id: attempt.charge_id.as_deref(),
        authorization: attempt.authorization.as_deref(),
        error_code: attempt.error_code,
        refunded: attempt.refunded.decimal(),
        refund_open: attempt.refund_open.decimal(),
        created: in_zone(attempt.created, zone),
        updated: in_zone(attempt.updated, zone),
        description: Cow::from(&attempt.description),
    }
}
