//! English numbers as clip ids, as said in the United States: "one hundred one", without "and".

use jiff::civil::Date;

use super::currency::unit;
use crate::money::{Currency, Money};

/// An amount below a thousand million units.
pub(super) fn amount(money: Money) -> Vec<String> {
    let (units, hundredths) = (money.units(), money.hundredths());
    let mut ids = Vec::new();
    if units > 0 || hundredths == 0 {
        push_number(units, &mut ids);
        ids.push(unit(money.currency, units, hundredths > 0).to_owned());
    }
    if hundredths > 0 {
        push_number(hundredths, &mut ids);
        ids.push(hundredth(money.currency, hundredths).to_owned());
    }
    ids
}

/// A cardinal below a thousand million.
pub(super) fn cardinal(number: u64) -> Vec<String> {
    let mut ids = Vec::new();
    push_number(number, &mut ids);
    ids
}

/// "March fifteenth twenty twenty-eight"
pub(super) fn date(date: Date) -> Vec<String> {
    let mut ids = vec![format!("mes_{}", date.month()), format!("ord{}", date.day())];
    let year = u64::from(date.year().unsigned_abs());
    let (century, rest) = (year / 100, year % 100);
    match rest {
        // "nineteen hundred", "twenty twenty-eight"; "nineteen oh five" has no clip and "two thousand five" is usual.
        0 if century % 10 != 0 && (11..100).contains(&century) => {
            ids.extend([format!("n{century}"), "cien".to_owned()])
        }
        10..=99 if (11..100).contains(&century) => ids.extend([format!("n{century}"), format!("n{rest}")]),
        _ => push_number(year, &mut ids),
    }
    ids
}

/// A peso's hundredths keep their name in English; a dollar's are cents.
fn hundredth(currency: Currency, count: u64) -> &'static str {
    match (currency, count == 1) {
        (Currency::Mxn, true) => "centavo",
        (Currency::Mxn, false) => "centavos",
        (Currency::Usd, true) => "cent",
        (Currency::Usd, false) => "cents",
    }
}

fn push_number(number: u64, ids: &mut Vec<String>) {
    let (millions, thousands, rest) = (number / 1_000_000, number / 1000 % 1000, number % 1000);
    for (part, scale) in [(millions, "millon"), (thousands, "mil")] {
        if part > 0 {
            push_hundreds(part, ids);
            ids.push(scale.to_owned());
        }
    }
    if rest > 0 || number == 0 {
        push_hundreds(rest, ids);
    }
}

/// A number below a thousand.
fn push_hundreds(number: u64, ids: &mut Vec<String>) {
    let (hundreds, rest) = (number / 100 * 100, number % 100);
    if hundreds > 0 {
        ids.push(format!("n{hundreds}"));
    }
    if rest > 0 || number == 0 {
        ids.push(format!("n{rest}"));
    }
}
