//! How payments are written: for people, as JSON lines, as CSV.

use std::io::Write;

use clap::ValueEnum;
use serde::Serialize;
use tonopago::ledger::Attempt;
use tonopago::money::Money;

use super::super::Failure;

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(super) enum Format {
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
    refunded: String,
    refund_open: String,
    created: String,
    updated: String,
}

pub(super) fn write(attempts: &[Attempt], format: Format, mut output: impl Write) -> Result<(), Failure> {
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
    Ok(())
}

fn text(attempt: &Attempt) -> String {
    let result = attempt.charge_id.clone().or_else(|| attempt.error_code.map(|code| format!("error {code}")));
    format!(
        "{}  {:.0}  {:<9}  {:>14}  {} ...{}  {:<20}  {}{}",
        attempt.ledger_reference(),
        attempt.created,
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
        refunded: attempt.refunded.decimal(),
        refund_open: attempt.refund_open.decimal(),
        created: attempt.created.to_string(),
        updated: attempt.updated.to_string(),
    }
}
