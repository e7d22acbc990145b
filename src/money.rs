//! Amounts of money: integer centavos with a currency, from the JSON border to the spoken word.

use std::fmt;

/// ISO 4217 currencies Openpay (Mexico) charges in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Currency {
    /// Mexican peso.
    Mxn,
    /// United States dollar.
    Usd,
}

impl Currency {
    /// The three-letter ISO 4217 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Mxn => "MXN",
            Self::Usd => "USD",
        }
    }

    /// Parses an ISO 4217 code, upper or lower case.
    pub fn parse(code: &str) -> Option<Self> {
        [Self::Mxn, Self::Usd].into_iter().find(|currency| currency.code().eq_ignore_ascii_case(code))
    }
}

/// A non-negative amount in centavos (or cents). Never a binary fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// Hundredths of the currency's unit.
    pub centavos: u64,
    /// What the hundredths are hundredths of.
    pub currency: Currency,
}

/// Why a text is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not digits with at most one decimal point (an exponent or a sign is refused, too).
    #[error("{0:?} is not an amount: write pesos and centavos as 200 or 200.50")]
    Malformed(String),
    /// Money goes one way here: a refund is asked for as what it gives back.
    #[error("{0:?} is negative: an amount is 0.01 or more")]
    Negative(String),
    /// A third decimal would have to be rounded, and money is never rounded silently.
    #[error("{0:?} has more than two decimals")]
    TooPrecise(String),
    /// Where a point stands between thousands that is twelve thousand five hundred, elsewhere twelve and a half.
    #[error("{0:?} has three decimals, as if the point stood between thousands: write 12500 or 12.50")]
    Thousands(String),
    /// More than the largest amount that can be held or spoken, 999,999,999.99.
    #[error("{0:?} is larger than 999,999,999.99")]
    TooLarge(String),
}

impl AmountError {
    /// What is wrong, without the text: for logs of what others sent, which may be of any length and hold anything.
    pub const fn what(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "it is no number with at most one decimal point",
            Self::Negative(_) => "it is negative",
            Self::TooPrecise(_) => "it has more than two decimals",
            Self::Thousands(_) => "it has three decimals",
            Self::TooLarge(_) => "it is larger than 999,999,999.99",
        }
    }
}

impl Money {
    /// The largest amount that can be spoken: 999,999,999.99.
    pub const MAX_CENTAVOS: u64 = 99_999_999_999;

    /// Mexican pesos.
    pub const fn mxn(centavos: u64) -> Self {
        Self { centavos, currency: Currency::Mxn }
    }

    /// Parses what a person wrote: `200`, `200.5` or `200.00`, but not `12.500`, which may be meant either way.
    ///
    /// # Errors
    /// [`AmountError`] names what is wrong with the text.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, AmountError> {
        let amount = Self::parse_number(text, currency)?;
        if text.split_once('.').is_some_and(|(_, decimals)| decimals.len() == 3) {
            return Err(AmountError::Thousands(text.to_owned()));
        }
        Ok(amount)
    }

    /// Parses what a program wrote, such as `200`, `200.5` or `200.00`. Zeros beyond two decimals are accepted (`200.000`).
    ///
    /// # Errors
    /// [`AmountError`] names what is wrong with the text.
    pub fn parse_number(text: &str, currency: Currency) -> Result<Self, AmountError> {
        match text.strip_prefix('-') {
            Some(rest) if Self::parse_unsigned(rest, currency).is_ok() => Err(AmountError::Negative(text.to_owned())),
            Some(_) => Err(AmountError::Malformed(text.to_owned())),
            None => Self::parse_unsigned(text, currency),
        }
    }

    fn parse_unsigned(text: &str, currency: Currency) -> Result<Self, AmountError> {
        let malformed = || AmountError::Malformed(text.to_owned());
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) {
            return Err(malformed());
        }
        let significant = fraction.trim_end_matches('0');
        if significant.len() > 2 {
            return Err(AmountError::TooPrecise(text.to_owned()));
        }
        let hundredths: u64 = format!("{significant:0<2}").parse().map_err(|_| malformed())?;
        let too_large = || AmountError::TooLarge(text.to_owned());
        let units: u64 = whole.parse().map_err(|_| too_large())?;
        let centavos = units
            .checked_mul(100)
            .and_then(|c| c.checked_add(hundredths))
            .filter(|c| *c <= Self::MAX_CENTAVOS)
            .ok_or_else(too_large)?;
        Ok(Self { centavos, currency })
    }

    /// Whole units (pesos).
    pub const fn units(self) -> u64 {
        self.centavos / 100
    }

    /// Hundredths left over, 0..=99.
    pub const fn hundredths(self) -> u64 {
        self.centavos % 100
    }

    /// Decimal text with two decimals and no currency, as Openpay wants it: `200.00`.
    pub fn decimal(self) -> String {
        format!("{}.{:02}", self.units(), self.hundredths())
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_decimal_text_without_rounding() {
        let centavos = |text| Money::parse(text, Currency::Mxn).map(|money| money.centavos);
        assert_eq!(centavos("200"), Ok(20_000));
        assert_eq!(centavos("0.1"), Ok(10));
        assert_eq!(centavos("1.0500"), Ok(105));
        assert_eq!(centavos("999999999.99"), Ok(Money::MAX_CENTAVOS));
        assert_eq!(centavos("1.005"), Err(AmountError::TooPrecise("1.005".into())));
        assert_eq!(centavos("12.500"), Err(AmountError::Thousands("12.500".into())));
        assert_eq!(Money::parse_number("12.500", Currency::Mxn), Ok(Money::mxn(1250)), "a program's twelve and a half");
        assert_eq!(centavos("1000000000"), Err(AmountError::TooLarge("1000000000".into())));
        assert_eq!(centavos("-1.50"), Err(AmountError::Negative("-1.50".into())));
        for bad in ["", ".", "1.", ".5", "--1", "-", "-x", "1e3", "1,000", "1.2.3", " 1", "٣"] {
            assert_eq!(centavos(bad), Err(AmountError::Malformed(bad.into())), "{bad:?}");
        }
    }

    /// Each sign was looked behind by the function itself: a million of them, which an answer over HTTP may hold, ended the
    /// process.
    #[test]
    fn an_amount_of_many_signs_is_none() {
        let signs = "-".repeat(1 << 20);
        assert!(matches!(Money::parse_number(&signs, Currency::Mxn), Err(AmountError::Malformed(_))));
    }

    #[test]
    fn writes_two_decimals() {
        assert_eq!(Money::mxn(5).decimal(), "0.05");
        assert_eq!(Money::mxn(20_050).to_string(), "200.50 MXN");
    }
}
