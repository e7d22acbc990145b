//! Amounts as JSON numbers, and texts that others send as such, digit for digit.

use rust_decimal::Decimal;
use serde_json::value::RawValue;

use crate::money::{AmountError, Currency, Money};

/// The amount as a JSON number with two decimals, `200.00`.
pub fn amount_to_json(amount: Money) -> Box<RawValue> {
    RawValue::from_string(amount.decimal()).expect("digits, a point and two digits are a JSON number")
}

/// Reads an amount from the text of a JSON number or of a string holding one. The text never passes through a binary
/// fraction; an exponent (`2E+2`, as some Java servers write) is resolved exactly.
///
/// # Errors
/// [`AmountError`] for anything but a number that is not negative and has at most two decimals.
pub fn amount_from_json(json: &RawValue, currency: Currency) -> Result<Money, AmountError> {
    let text = json.get();
    let text = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    if !text.contains(['e', 'E']) {
        return Money::parse_number(text, currency);
    }
    let number = Decimal::from_scientific(text).map_err(|_| AmountError::Malformed(text.to_owned()))?;
    Money::parse_number(&number.normalize().to_string(), currency)
}

/// A string, or a number's digits as they stand; `None` for anything else.
pub fn text_from_json(json: &RawValue) -> Option<String> {
    match json.get().as_bytes().first()? {
        b'"' => serde_json::from_str(json.get()).ok(),
        b'0'..=b'9' | b'-' => Some(json.get().to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_may_be_a_number_and_nothing_else() {
        for (json, text) in [
            ("\"a\\u00f1o\"", Some("año")),
            ("257139", Some("257139")),
            ("0.10", Some("0.10")),
            ("-1", Some("-1")),
            ("null", None),
            ("true", None),
            ("[1]", None),
        ] {
            let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
            assert_eq!(text_from_json(&raw).as_deref(), text, "{json}");
        }
    }

    fn centavos(json: &str) -> Result<u64, AmountError> {
        let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
        amount_from_json(&raw, Currency::Mxn).map(|money| money.centavos)
    }

    #[test]
    fn numbers_and_strings_are_read_digit_for_digit() {
        for (json, expected) in [
            ("200", 20_000),
            ("200.0", 20_000),
            ("0.1", 10),
            ("\"200.50\"", 20_050),
            ("4035.7", 403_570),
            ("999999999.99", 99_999_999_999),
            ("2E+2", 20_000),
            ("1.5e1", 1_500),
        ] {
            assert_eq!(centavos(json), Ok(expected), "{json}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for json in ["-1", "null", "true", "{}", "[]", "\"\"", "\"12,00\"", "1e-3", "-1e2", "\"1e\"", "1e300", "0.001"]
        {
            assert!(centavos(json).is_err(), "{json}");
        }
    }

    #[test]
    fn writes_two_decimals_without_quotes() {
        assert_eq!(amount_to_json(Money::mxn(20_000)).get(), "200.00");
        assert_eq!(amount_to_json(Money::mxn(7)).get(), "0.07");
    }
}
