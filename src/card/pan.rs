//! Primary account numbers.

use std::fmt;

use super::{Brand, SecretDigits};

/// Fewest digits of a card number Openpay takes.
const MIN_DIGITS: usize = 13;
/// Most digits of a card number (ISO/IEC 7812-1).
const MAX_DIGITS: usize = 19;

/// A card number that can exist: 13 to 19 digits, its Luhn check digit right, its length one of its brand's. Wiped when
/// dropped.
pub struct Pan {
    digits: SecretDigits,
    brand: Brand,
}

/// The last four digits of a card number, which may be shown, stored and spoken (PCI DSS 3.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LastFour([u8; 4]);

/// Why keyed digits are not a card number. Never contains them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PanError {
    /// Something other than digits.
    #[error("a card number has digits only")]
    NotDigits,
    /// Outside 13 to 19 digits.
    #[error("a card number has {MIN_DIGITS} to {MAX_DIGITS} digits, not {0}")]
    Length(usize),
    /// A length this brand does not have.
    #[error("no {} number has {digits} digits", brand.name())]
    BrandLength {
        /// The brand its first digits say.
        brand: Brand,
        /// Digits keyed.
        digits: usize,
    },
    /// The Luhn check digit (ISO/IEC 7812-1 annex B) is wrong: a digit was mistyped.
    #[error("the card number's check digit is wrong: a digit was mistyped")]
    CheckDigit,
}

impl Pan {
    /// Parses a card number keyed without spaces.
    ///
    /// # Errors
    /// [`PanError`] says what is wrong, without a digit of it.
    pub fn parse(text: &str) -> Result<Self, PanError> {
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PanError::NotDigits);
        }
        if !(MIN_DIGITS..=MAX_DIGITS).contains(&text.len()) {
            return Err(PanError::Length(text.len()));
        }
        let digits = SecretDigits::of_decimal(text).ok_or(PanError::NotDigits)?;
        let brand = Brand::of_prefix(text).unwrap_or(Brand::Other);
        if !brand.lengths().contains(&text.len()) {
            return Err(PanError::BrandLength { brand, digits: text.len() });
        }
        if !luhn_sum(text).is_multiple_of(10) {
            return Err(PanError::CheckDigit);
        }
        Ok(Self { digits, brand })
    }

    /// The digits, for the gateway's request only.
    pub fn expose(&self) -> &str {
        self.digits.expose()
    }

    /// The brand its first digits say.
    pub const fn brand(&self) -> Brand {
        self.brand
    }

    /// The part that may be shown.
    pub fn last_four(&self) -> LastFour {
        let digits = self.expose().as_bytes();
        LastFour(*digits.last_chunk().expect("a card number has at least 13 digits"))
    }
}

impl fmt::Display for LastFour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&byte| fmt::Write::write_char(f, char::from(byte)))
    }
}

/// Sum of the digits with every second one from the right doubled, its own digits added (ISO/IEC 7812-1 annex B).
fn luhn_sum(digits: &str) -> u32 {
    let doubled = |value: u32| if value > 4 { 2 * value - 9 } else { 2 * value };
    let values = digits.bytes().rev().map(|byte| u32::from(byte - b'0'));
    values.enumerate().map(|(place, value)| if place % 2 == 1 { doubled(value) } else { value }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Openpay's published sandbox cards; none belongs to anybody.
    const TEST_CARDS: [(&str, Brand); 8] = [
        ("4111111111111111", Brand::Visa),
        ("4242424242424242", Brand::Visa),
        ("5555555555554444", Brand::Mastercard),
        ("5105105105105100", Brand::Mastercard),
        ("345678000000007", Brand::AmericanExpress),
        ("4222222222222220", Brand::Visa),
        ("4000000000000069", Brand::Visa),
        ("4444444444444448", Brand::Visa),
    ];

    #[test]
    fn accepts_the_sandbox_cards() {
        for (number, brand) in TEST_CARDS {
            let pan = Pan::parse(number).ok().unwrap_or_else(|| panic!("{number} refused"));
            assert_eq!(pan.brand(), brand);
            assert_eq!(pan.expose(), number);
            assert_eq!(pan.last_four().to_string(), number[number.len() - 4..]);
        }
    }

    #[test]
    fn accepts_every_length_from_13_to_19() {
        for length in 13..=19 {
            let body = "6".repeat(length - 1);
            let valid = (0..10).filter(|check| Pan::parse(&format!("{body}{check}")).is_ok()).count();
            assert_eq!(valid, 1, "{length} digits");
        }
        assert_eq!(Pan::parse("4222222222222").err(), None, "13-digit Visa");
        assert!((0..10).any(|check| Pan::parse(&format!("411111111111111111{check}")).is_ok()), "19-digit Visa");
    }

    #[test]
    fn every_single_wrong_digit_is_caught() {
        let number = "4111111111111111";
        for place in 1..number.len() {
            for digit in "0123456789".chars().filter(|digit| !number[place..].starts_with(*digit)) {
                let mut wrong = number.to_owned();
                wrong.replace_range(place..=place, &digit.to_string());
                assert_eq!(Pan::parse(&wrong).err(), Some(PanError::CheckDigit), "{wrong}");
            }
        }
    }

    #[test]
    fn says_what_is_wrong_without_the_digits() {
        assert_eq!(Pan::parse("").err(), Some(PanError::Length(0)));
        assert_eq!(Pan::parse("411111111111").err(), Some(PanError::Length(12)));
        assert_eq!(Pan::parse(&"4".repeat(20)).err(), Some(PanError::Length(20)));
        assert_eq!(Pan::parse("4111 1111 1111 1111").err(), Some(PanError::NotDigits));
        assert_eq!(Pan::parse("٤١١١١١١١١١١١١١١١").err(), Some(PanError::NotDigits));
        let short = Pan::parse("34567800000000").err().unwrap();
        assert_eq!(short.to_string(), "no American Express number has 14 digits");
    }
}
