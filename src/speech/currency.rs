//! The clips of currencies' units, whose ids all languages share.

use crate::money::Currency;

/// The clip of a currency's unit, the same id in every language; `goes_on` where hundredths follow.
pub(super) fn unit(currency: Currency, units: u64, goes_on: bool) -> &'static str {
    match (currency, units == 1, goes_on) {
        (Currency::Mxn, true, false) => "peso",
        (Currency::Mxn, true, true) => "peso_con",
        (Currency::Mxn, false, false) => "pesos",
        (Currency::Mxn, false, true) => "pesos_con",
        (Currency::Usd, true, false) => "dolar",
        (Currency::Usd, true, true) => "dolar_con",
        (Currency::Usd, false, false) => "dolares",
        (Currency::Usd, false, true) => "dolares_con",
    }
}
