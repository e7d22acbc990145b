//! What stands in columns of the ledger's tables, read and written alike everywhere.

use jiff::Timestamp;
use rusqlite::Row;

use crate::money::{Currency, Money};

/// An amount from its two columns.
pub(super) fn money(row: &Row<'_>, centavos: usize, currency: usize) -> Result<Money, rusqlite::Error> {
    let code: String = row.get(currency)?;
    let parsed = Currency::parse(&code).ok_or_else(|| unreadable(currency, &code))?;
    let hundredths: i64 = row.get(centavos)?;
    let hundredths = u64::try_from(hundredths).map_err(|_| unreadable(centavos, "negative amount"))?;
    Ok(Money { centavos: hundredths, currency: parsed })
}

/// An amount's column.
pub(super) fn centavos(amount: Money) -> Result<i64, rusqlite::Error> {
    i64::try_from(amount.centavos).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// A column holds what this program never writes.
pub(super) fn unreadable(column: usize, text: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, format!("unreadable: {text}").into())
}

/// A time from its column, in ms since the Unix epoch; one that no clock has is the epoch's.
pub(super) fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}
