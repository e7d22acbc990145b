//! Card brands by their first digits.

/// Digits of an issuer identification number the ranges below are written in.
const IIN_DIGITS: u32 = 6;

/// Issuer identification ranges, first and last inclusive. Visa, Mastercard and American Express are as the networks
/// publish them (Mastercard's 2-series since 2017); Carnet's are the ones Openpay's own forms recognise.
const RANGES: [(Brand, u32, u32); 15] = [
    (Brand::Visa, 400_000, 499_999),
    (Brand::Mastercard, 510_000, 559_999),
    (Brand::Mastercard, 222_100, 272_099),
    (Brand::AmericanExpress, 340_000, 349_999),
    (Brand::AmericanExpress, 370_000, 379_999),
    (Brand::Carnet, 506_199, 506_499),
    (Brand::Carnet, 286_900, 286_900),
    (Brand::Carnet, 502_275, 502_275),
    (Brand::Carnet, 606_333, 606_333),
    (Brand::Carnet, 627_535, 627_535),
    (Brand::Carnet, 636_318, 636_318),
    (Brand::Carnet, 636_379, 636_379),
    (Brand::Carnet, 639_388, 639_388),
    (Brand::Carnet, 639_484, 639_484),
    (Brand::Carnet, 639_559, 639_559),
];

/// Who issued a card, as far as its length and its CVV depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Brand {
    /// Visa.
    Visa,
    /// Mastercard, with its 2-series 2221-2720.
    Mastercard,
    /// American Express.
    AmericanExpress,
    /// Carnet (Mexico).
    Carnet,
    /// Any other.
    Other,
}

impl Brand {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Visa, Self::Mastercard, Self::AmericanExpress, Self::Carnet, Self::Other];

    /// The brand of a number that starts with these digits, as soon as they decide it; `None` while more than one
    /// brand is possible, or if there is anything but digits.
    pub fn of_prefix(digits: &str) -> Option<Self> {
        let iin = &digits.as_bytes()[..digits.len().min(IIN_DIGITS as usize)];
        if !iin.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let span = 10_u32.pow(IIN_DIGITS - u32::try_from(iin.len()).ok()?);
        let first = iin.iter().fold(0, |number, byte| number * 10 + u32::from(byte - b'0')) * span;
        let last = first + span - 1;
        let mut possible = RANGES.iter().filter(|(_, low, high)| *low <= last && first <= *high);
        match possible.next() {
            None => Some(Self::Other),
            Some((brand, low, high)) => (*low <= first && last <= *high).then_some(*brand),
        }
    }

    /// The lengths its card numbers have, ascending.
    pub const fn lengths(self) -> &'static [usize] {
        match self {
            Self::Visa => &[13, 16, 18, 19],
            Self::Mastercard | Self::Carnet => &[16],
            Self::AmericanExpress => &[15],
            Self::Other => &[13, 14, 15, 16, 17, 18, 19],
        }
    }

    /// The length of its longest number.
    pub const fn max_length(self) -> usize {
        match self.lengths() {
            [.., longest] => *longest,
            [] => 0,
        }
    }

    /// Its length where it has just one, so that a caller need not end the number with `#`.
    pub const fn single_length(self) -> Option<usize> {
        match self.lengths() {
            [length] => Some(*length),
            _ => None,
        }
    }

    /// Digits of its card verification value.
    pub const fn cvv_length(self) -> usize {
        match self {
            Self::AmericanExpress => 4,
            Self::Visa | Self::Mastercard | Self::Carnet | Self::Other => 3,
        }
    }

    /// Its name as Openpay writes it in a charge's `card.brand`, in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Visa => "Visa",
            Self::Mastercard => "Mastercard",
            Self::AmericanExpress => "American Express",
            Self::Carnet => "Carnet",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decides_as_early_as_the_prefix_allows() {
        for (prefix, brand) in [
            ("", None),
            ("4", Some(Brand::Visa)),
            ("3", None),
            ("34", Some(Brand::AmericanExpress)),
            ("36", Some(Brand::Other)),
            ("37", Some(Brand::AmericanExpress)),
            ("5", None),
            ("55", Some(Brand::Mastercard)),
            ("56", Some(Brand::Other)),
            ("50", None),
            ("506", None),
            ("506198", Some(Brand::Other)),
            ("506199", Some(Brand::Carnet)),
            ("5062", Some(Brand::Carnet)),
            ("506499", Some(Brand::Carnet)),
            ("5065", Some(Brand::Other)),
            ("639388", Some(Brand::Carnet)),
            ("222", None),
            ("2220", Some(Brand::Other)),
            ("2221", Some(Brand::Mastercard)),
            ("2720", Some(Brand::Mastercard)),
            ("2721", Some(Brand::Other)),
            ("9", Some(Brand::Other)),
            ("4x", None),
            ("é", None),
        ] {
            assert_eq!(Brand::of_prefix(prefix), brand, "{prefix:?}");
        }
    }

    #[test]
    fn a_decision_never_changes_with_more_digits() {
        for number in 0..1_000_000 {
            let digits = format!("{number:06}");
            let decisions: Vec<_> = (1..=6).filter_map(|n| Brand::of_prefix(&digits[..n])).collect();
            assert!(decisions.windows(2).all(|pair| pair[0] == pair[1]), "{digits}: {decisions:?}");
            assert!(!decisions.is_empty(), "{digits} undecided");
        }
    }

    #[test]
    fn stops_early_only_where_the_brand_has_one_length() {
        for brand in [Brand::Visa, Brand::Mastercard, Brand::AmericanExpress, Brand::Carnet, Brand::Other] {
            assert_eq!(brand.lengths().last(), Some(&brand.max_length()));
            assert!(brand.lengths().is_sorted());
        }
        assert_eq!(Brand::Visa.single_length(), None);
        assert_eq!(Brand::Mastercard.single_length(), Some(16));
        assert_eq!(Brand::AmericanExpress.single_length(), Some(15));
        assert_eq!(Brand::AmericanExpress.cvv_length(), 4);
    }
}
