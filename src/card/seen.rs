//! What a masked card number still tells of its card.

use super::Brand;

/// Digits a mask leaves at the end.
const LAST: usize = 4;

/// A card as others tell of it: enough to know one's own by, and not to charge it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenCard {
    /// Its brand, where the mask leaves enough first digits to tell.
    pub brand: Option<Brand>,
    /// Its last four digits.
    pub last_four: String,
}

impl SeenCard {
    /// The card of a number with another letter for each hidden digit, as `411111XXXXXX1111`; `None` where not even the
    /// last four digits can be read.
    pub fn of_masked(number: &str) -> Option<Self> {
        let (first, last_four) = number.split_at_checked(number.len().checked_sub(LAST)?)?;
        if !last_four.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let shown = first.bytes().take_while(u8::is_ascii_digit).count();
        Some(Self { brand: Brand::of_prefix(&first[..shown]), last_four: last_four.to_owned() })
    }

    /// Whether it can be the card with this brand, by name, and these last four digits.
    pub fn can_be(&self, brand: &str, last_four: &str) -> bool {
        self.last_four == last_four && self.brand.is_none_or(|seen| seen.name() == brand)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_tells_what_it_leaves() {
        for (number, brand, last_four) in [
            ("411111XXXXXX1111", Some(Brand::Visa), "1111"),
            ("345678*****0007", Some(Brand::AmericanExpress), "0007"),
            ("XXXXXXXXXXXX4444", None, "4444"),
            ("5XXXXXXXXXXX4444", None, "4444"),
            ("4444", None, "4444"), // which a Mastercard ends in as well as a Visa
        ] {
            let seen = SeenCard::of_masked(number).unwrap();
            assert_eq!((seen.brand, seen.last_four.as_str()), (brand, last_four), "{number}");
        }
        for number in ["", "111", "411111XXXXXXXXXX", "411111XXXXXX11é1", "é111"] {
            assert_eq!(SeenCard::of_masked(number), None, "{number}");
        }
    }

    #[test]
    fn a_card_is_told_from_another_by_what_is_known() {
        let seen = |number: &str| SeenCard::of_masked(number).unwrap();
        assert!(seen("411111XXXXXX1111").can_be("Visa", "1111"));
        assert!(!seen("411111XXXXXX1111").can_be("Visa", "1112"));
        assert!(!seen("555555XXXXXX1111").can_be("Visa", "1111"), "another brand's card with the same end");
        assert!(seen("XXXXXXXXXXXX1111").can_be("Visa", "1111"), "nothing says that it is another");
        assert!(seen("4444").can_be("Mastercard", "4444"), "its last digits are not its first");
    }
}
