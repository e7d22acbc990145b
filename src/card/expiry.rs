//! A card's month of expiry.

use std::cmp::Ordering;

use jiff::civil::Date;

use super::SecretDigits;

/// A card is refused as mistyped if it expires later than this many years from now: no issuer prints more.
const MAX_YEARS_AHEAD: u16 = 20;

/// A calendar month, for comparing with a card's expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct YearMonth {
    /// Four-digit year.
    pub year: u16,
    /// 1 (January) to 12.
    pub month: u8,
}

impl YearMonth {
    /// The month of a day.
    pub fn of(date: Date) -> Self {
        let year = u16::try_from(date.year()).unwrap_or(0); // before the year 0 no card has expired
        Self { year, month: date.month().unsigned_abs() }
    }
}

/// The last month a card is good for. Wiped when dropped.
pub struct Expiry {
    mmyy: SecretDigits,
}

/// Why keyed digits are not an expiry. Never contains them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExpiryError {
    /// Not four digits.
    #[error("the expiry is four digits: two for the month, two for the year")]
    Malformed,
    /// The month is not 01 to 12.
    #[error("the expiry's month is not 01 to 12")]
    BadMonth,
    /// The card's last month is over.
    #[error("the card has expired")]
    Expired,
    /// More than 20 years ahead.
    #[error("the expiry is more than {MAX_YEARS_AHEAD} years ahead")]
    TooFar,
}

impl Expiry {
    /// Parses month and year as printed on the card, `MMYY`. The card is good until the end of that month.
    ///
    /// # Errors
    /// [`ExpiryError`] says which part to key again.
    pub fn parse_mmyy(text: &str, today: YearMonth) -> Result<Self, ExpiryError> {
        let mmyy = SecretDigits::of_decimal(text).filter(|digits| digits.len() == 4).ok_or(ExpiryError::Malformed)?;
        let number = |part: &str| part.parse::<u8>().map_err(|_| ExpiryError::Malformed);
        let (month, year) = (number(&text[..2])?, number(&text[2..])?);
        if !(1..=12).contains(&month) {
            return Err(ExpiryError::BadMonth);
        }
        let year = full_year(year, today.year);
        match (YearMonth { year, month }).cmp(&today) {
            Ordering::Less => Err(ExpiryError::Expired),
            _ if year > today.year + MAX_YEARS_AHEAD => Err(ExpiryError::TooFar),
            _ => Ok(Self { mmyy }),
        }
    }

    /// The month, `01` to `12`.
    pub fn month2(&self) -> &str {
        &self.mmyy.expose()[..2]
    }

    /// The year's last two digits.
    pub fn year2(&self) -> &str {
        &self.mmyy.expose()[2..]
    }
}

/// The year nearest to `now` that ends in `year2`: cards printed in 2098 expire in `03`.
fn full_year(year2: u8, now: u16) -> u16 {
    let same_century = now / 100 * 100 + u16::from(year2);
    if same_century + 50 < now { same_century + 100 } else { same_century }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOVEMBER_2026: YearMonth = YearMonth { year: 2026, month: 11 };

    fn error(text: &str, today: YearMonth) -> Option<ExpiryError> {
        Expiry::parse_mmyy(text, today).err()
    }

    #[test]
    fn a_card_is_good_until_the_end_of_its_month() {
        assert_eq!(error("1126", NOVEMBER_2026), None);
        assert_eq!(error("1026", NOVEMBER_2026), Some(ExpiryError::Expired));
        assert_eq!(error("1225", NOVEMBER_2026), Some(ExpiryError::Expired));
        assert_eq!(error("0127", NOVEMBER_2026), None);
        let expiry = Expiry::parse_mmyy("0727", NOVEMBER_2026).ok().unwrap();
        assert_eq!((expiry.month2(), expiry.year2()), ("07", "27"));
    }

    #[test]
    fn mistyped_expiries_say_what_is_wrong() {
        for text in ["", "1", "112", "11 26", "11-6", "1é6", "11261", "٣٣"] {
            assert_eq!(error(text, NOVEMBER_2026), Some(ExpiryError::Malformed), "{text:?}");
        }
        for text in ["0027", "1327", "9927"] {
            assert_eq!(error(text, NOVEMBER_2026), Some(ExpiryError::BadMonth), "{text:?}");
        }
        assert_eq!(error("1246", NOVEMBER_2026), None);
        assert_eq!(error("0147", NOVEMBER_2026), Some(ExpiryError::TooFar));
    }

    #[test]
    fn the_century_turns() {
        let december_2098 = YearMonth { year: 2098, month: 12 };
        assert_eq!(error("0303", december_2098), None);
        assert_eq!(error("1298", december_2098), None);
        assert_eq!(error("1198", december_2098), Some(ExpiryError::Expired));
    }
}
