//! Fields: what their digits are, how many, and what of them may be seen.

use std::ops::RangeInclusive;

use crate::dtmf::Digit;
use crate::money::Money;

/// Digits of the centavos in an amount.
pub(in crate::menu) const CENTAVO_DIGITS: usize = 2;
/// Digits of a card number's beginning that may be shown (PCI DSS 4.0, requirement 3.4.1).
pub(in crate::menu) const MOST_SHOWN: usize = 6;

/// A field a menu collects.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::menu) struct FieldSpec {
    pub(in crate::menu) name: String,
    pub(in crate::menu) kind: FieldKind,
    pub(in crate::menu) digits: RangeInclusive<usize>,
    pub(in crate::menu) end_key: Option<Digit>,
    /// The value's bounds: of an amount in centavos, of digits as a number.
    pub(in crate::menu) bounds: RangeInclusive<u64>,
    /// How an amount's centavos are keyed.
    pub(in crate::menu) centavos: Centavos,
    /// Card numbers are as good as any digits here.
    pub(in crate::menu) card_like: bool,
}

impl FieldSpec {
    /// Whether a card number keyed here is told from an entry, and kept from recordings.
    pub(in crate::menu) fn watches_for_cards(&self) -> bool {
        let open = matches!(self.kind, FieldKind::PaymentKey | FieldKind::Digits | FieldKind::Amount);
        open && !self.card_like
    }

    /// How many digits of an entry traces show, all if nothing: what is keyed may be a card number, whatever was asked for.
    pub(in crate::menu) const fn most_shown(&self) -> Option<usize> {
        match (self.kind.is_masked(), self.card_like) {
            (true, _) => Some(0),
            (false, true) => None,
            (false, false) => Some(MOST_SHOWN),
        }
    }

    /// An amount keyed here, in centavos.
    pub(in crate::menu) fn centavos_of(&self, digits: &str) -> Option<u64> {
        let of_pesos = |pesos: &str| pesos.parse::<u64>().ok()?.checked_mul(100);
        let centavos = match (self.centavos, digits.split_once('*')) {
            (Centavos::LastTwoDigits, _) => digits.parse().ok()?,
            (Centavos::AfterStar, Some((pesos, ""))) => of_pesos(pesos)?,
            (Centavos::AfterStar, Some((pesos, centavos))) if centavos.len() == CENTAVO_DIGITS => {
                of_pesos(pesos)?.checked_add(centavos.parse().ok()?)?
            }
            _ => of_pesos(digits)?,
        };
        (centavos <= Money::MAX_CENTAVOS).then_some(centavos)
    }
}

/// How an amount's centavos are keyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::menu) enum Centavos {
    /// Not at all: whole pesos.
    Never,
    /// As the last two digits of every entry.
    LastTwoDigits,
    /// As two digits after the key `*`, where there are any.
    AfterStar,
}

/// What a field's digits are; secrecy and validation follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::menu) enum FieldKind {
    /// The merchant's key: masked in traces, may be recorded.
    PaymentKey,
    /// Card number.
    CardNumber,
    /// Card expiry, MMYY.
    Expiry,
    /// Card verification value.
    Cvv,
    /// Any digits.
    Digits,
    /// An amount of money.
    Amount,
    /// Yes (1) or no (2).
    YesNo,
}

impl FieldKind {
    /// All kinds with the name a menu's author writes.
    pub(in crate::menu) const NAMED: [(&'static str, Self); 7] = [
        ("payment_key", Self::PaymentKey),
        ("card_number", Self::CardNumber),
        ("expiry", Self::Expiry),
        ("cvv", Self::Cvv),
        ("digits", Self::Digits),
        ("amount", Self::Amount),
        ("yes_no", Self::YesNo),
    ];

    /// Whether the digits are card data: never traced, recorded or kept.
    pub(in crate::menu) const fn is_card_data(self) -> bool {
        matches!(self, Self::CardNumber | Self::Expiry | Self::Cvv)
    }

    /// Whether callers read the digits off something while they key them, which takes time.
    pub(in crate::menu) const fn is_read_off(self) -> bool {
        matches!(self, Self::PaymentKey) || self.is_card_data()
    }

    /// Whether traces show the digits.
    pub(in crate::menu) const fn is_masked(self) -> bool {
        !matches!(self, Self::Digits | Self::Amount | Self::YesNo)
    }

    /// Shortest and longest entry where the menu does not say.
    pub(in crate::menu) const fn default_digits(self) -> RangeInclusive<usize> {
        match self {
            Self::PaymentKey => 6..=10,
            Self::CardNumber => 13..=19,
            Self::Expiry => 4..=4,
            Self::Cvv => 3..=4,
            Self::Digits => 1..=20,
            Self::Amount => 1..=9,
            Self::YesNo => 1..=1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_what_was_keyed_to_the_centavo() {
        let of = |centavos: Centavos, digits: &str| {
            let (name, kind, end_key) = ("monto".to_owned(), FieldKind::Amount, None);
            let (bounds, card_like) = (1..=u64::MAX, false);
            FieldSpec { name, kind, digits: 1..=9, end_key, bounds, centavos, card_like }.centavos_of(digits)
        };
        assert_eq!(of(Centavos::Never, "250"), Some(25_000));
        assert_eq!(of(Centavos::LastTwoDigits, "25050"), Some(25_050));
        let after_star = |digits| of(Centavos::AfterStar, digits);
        assert_eq!(["250", "250*", "250*05", "0*50"].map(after_star), [25_000, 25_000, 25_005, 50].map(Some));
        assert_eq!(["250*5", "*50", "250*500", "2*5*50", "99999999999999999999"].map(after_star), [None; 5]);
    }
}
