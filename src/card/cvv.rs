//! A card's verification value.

use super::{Brand, SecretDigits};

/// Card verification value, three or four digits. It is good for one authorization and never outlives it (PCI DSS
/// 3.3.1): there is no way to copy one. Wiped when dropped.
pub struct Cvv {
    digits: SecretDigits,
}

/// Why keyed digits are not a CVV. Never contains them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CvvError {
    /// Something other than digits.
    #[error("the verification value has digits only")]
    NotDigits,
    /// Not as long as the brand's.
    #[error("the verification value has {expected} digits, not {actual}")]
    WrongLength {
        /// Digits wanted: `3`, `4`, or `3 or 4` if the brand is not known.
        expected: &'static str,
        /// Digits keyed.
        actual: usize,
    },
}

impl Cvv {
    /// Parses a CVV of the brand's length, or of three or four digits if the brand is not known.
    ///
    /// # Errors
    /// [`CvvError`] says what to key again.
    pub fn parse(text: &str, brand: Option<Brand>) -> Result<Self, CvvError> {
        let digits = SecretDigits::of_decimal(text).ok_or(CvvError::NotDigits)?;
        let (fits, expected) = match brand.map(Brand::cvv_length) {
            Some(length) => (digits.len() == length, if length == 4 { "4" } else { "3" }),
            None => ((3..=4).contains(&digits.len()), "3 or 4"),
        };
        if fits { Ok(Self { digits }) } else { Err(CvvError::WrongLength { expected, actual: digits.len() }) }
    }

    /// The digits, for the gateway's request only.
    pub fn expose(&self) -> &str {
        self.digits.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_length_is_the_brands() {
        let parse = |text, brand| Cvv::parse(text, brand).map(|cvv| cvv.expose().to_owned());
        assert_eq!(parse("123", Some(Brand::Visa)), Ok("123".into()));
        assert_eq!(parse("1234", Some(Brand::AmericanExpress)), Ok("1234".into()));
        assert_eq!(parse("123", Some(Brand::AmericanExpress)), Err(CvvError::WrongLength { expected: "4", actual: 3 }));
        assert_eq!(parse("1234", Some(Brand::Carnet)), Err(CvvError::WrongLength { expected: "3", actual: 4 }));
        assert_eq!(parse("1234", None), Ok("1234".into()));
        assert_eq!(parse("12", None), Err(CvvError::WrongLength { expected: "3 or 4", actual: 2 }));
        assert_eq!(parse("12*", None), Err(CvvError::NotDigits));
        assert_eq!(parse("", None), Err(CvvError::WrongLength { expected: "3 or 4", actual: 0 }));
    }
}
