//! Spanish numbers as clip ids: apocope before masculine nouns, `cien`, `mil` without `un`, `de` after round millions.

use jiff::civil::Date;

use super::currency::unit;
use crate::money::Money;

/// An amount below a thousand million units.
pub(super) fn amount(money: Money) -> Vec<String> {
    let (units, centavos) = (money.units(), money.hundredths());
    let mut ids = Vec::new();
    if units > 0 || centavos == 0 {
        before_masculine(units, &mut ids);
        ids.push(unit(money.currency, units, centavos > 0).to_owned());
    }
    if centavos > 0 {
        before_masculine(centavos, &mut ids);
        ids.push(if centavos == 1 { "centavo" } else { "centavos" }.to_owned());
    }
    ids
}

/// A cardinal below a thousand million, standing alone: "veintiuno".
pub(super) fn cardinal(number: u64) -> Vec<String> {
    let mut ids = Vec::new();
    push_number(number, Uno::Full, &mut ids);
    ids
}

/// "primero de marzo de dos mil veintiocho"
pub(super) fn date(date: Date) -> Vec<String> {
    let day = date.day().unsigned_abs();
    let mut ids = vec![if day == 1 { "primero".to_owned() } else { format!("n{day}") }];
    ids.push(format!("mes_{}", date.month()));
    ids.push("de".to_owned());
    push_number(u64::from(date.year().unsigned_abs()), Uno::Full, &mut ids);
    ids
}

/// How a number ending in one is spoken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Uno {
    /// "uno", "veintiuno": nothing follows.
    Full,
    /// "un", "veintiún": a masculine noun, `mil` or `millones` follows.
    Short,
}

fn before_masculine(number: u64, ids: &mut Vec<String>) {
    push_number(number, Uno::Short, ids);
    // "un millón de pesos", but "un millón mil pesos".
    if number > 0
        && number.is_multiple_of(1_000_000)
        && let Some(last) = ids.last_mut()
    {
        last.push_str("_de");
    }
}

fn push_number(number: u64, uno: Uno, ids: &mut Vec<String>) {
    let (millions, thousands, rest) = (number / 1_000_000, number / 1000 % 1000, number % 1000);
    if millions > 0 {
        push_hundreds(millions, Uno::Short, ids);
        ids.push(if millions == 1 { "millon" } else { "millones" }.to_owned());
    }
    if thousands > 0 {
        if thousands > 1 {
            push_hundreds(thousands, Uno::Short, ids);
        }
        ids.push("mil".to_owned());
    }
    if rest > 0 || number == 0 {
        push_hundreds(rest, uno, ids);
    }
}

/// A number below a thousand.
fn push_hundreds(number: u64, uno: Uno, ids: &mut Vec<String>) {
    let (hundreds, rest) = (number / 100 * 100, number % 100);
    if hundreds == 100 && rest > 0 {
        ids.push("ciento".to_owned());
    } else if hundreds > 0 {
        ids.push(format!("n{hundreds}"));
    }
    if rest > 0 || number == 0 {
        let apocope = uno == Uno::Short && rest % 10 == 1 && rest != 11;
        ids.push(format!("n{rest}{}", if apocope { "_un" } else { "" }));
    }
}
