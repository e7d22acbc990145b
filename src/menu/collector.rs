//! Collecting a field's digits by the six rules (those of VoiceXML's DTMF grammars), without a clock: the runtime owns
//! the timers and tells the collector when one has fired.
//!
//! - Rule 1: no key before *first digit*: no-input.
//! - Rule 2: *inter-digit* fires, entry incomplete: no-match.
//! - Rule 3: *inter-digit* fires, entry complete: match.
//! - Rule 4: end key: match if the entry is complete, else no-match.
//! - Rule 5: full, no end key: match at once.
//! - Rule 6: full, with an end key: wait *terminator grace* and swallow the end key if it comes.

use std::ops::RangeInclusive;

use crate::card::{Brand, Pan, SecretDigits};
use crate::dtmf::Digit;
use crate::media::MediaTime;

/// What a key did to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyed {
    /// Taken; more may come.
    More,
    /// Taken; no more can come but the end key (rule 6).
    Full,
    /// The entry is complete.
    Match,
    /// The entry was complete before this key, which belongs to the next field.
    MatchBefore,
    /// The end key on an incomplete entry.
    NoMatch,
    /// The entry was emptied by the clear key.
    Cleared,
    /// The clear key on an empty entry.
    Back,
    /// Not a digit of any entry (`A`-`D`).
    Ignored,
    /// The entry is full; the digit may be the next field's, or show that all of it is a card number.
    HeldBack,
    /// What was keyed, digits held back included, is a card number, and none was asked for.
    Card,
}

/// What an entry's digits are watched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watches {
    /// Nothing.
    Nothing,
    /// A card number: its longest length narrows once its brand is known to have one length.
    ForItsBrand,
    /// A card number where none was asked for.
    ForCards,
}

/// Digits of the shortest card number.
const SHORTEST_CARD: usize = 13;

/// One field's entry in progress.
pub(super) struct Collector {
    digits: SecretDigits,
    length: RangeInclusive<usize>,
    end_key: Option<Digit>,
    watches: Watches,
    /// Digits beyond a full entry that began like a card number.
    held_back: SecretDigits,
}

impl Collector {
    /// Starts an empty entry.
    pub(super) fn new(length: RangeInclusive<usize>, end_key: Option<Digit>, watches: Watches) -> Self {
        Self { digits: SecretDigits::new(), length, end_key, watches, held_back: SecretDigits::new() }
    }

    /// For states that collect no digits.
    pub(super) fn nothing() -> Self {
        Self::new(0..=0, None, Watches::Nothing)
    }

    /// How many digits beyond the entry are held back.
    pub(super) const fn held_back(&self) -> usize {
        self.held_back.len()
    }

    /// The digits beyond the entry, which are not held back any more.
    pub(super) fn take_held_back(&mut self) -> Vec<Digit> {
        let digits = self.held_back.expose().chars().filter_map(Digit::from_char).collect();
        self.held_back.clear();
        digits
    }

    /// Whether everything keyed is a card number that was not asked for: a right one, or one mistyped that went on past
    /// the end of the entry.
    pub(super) fn is_card(&self) -> bool {
        let is_right = |all: &str| Pan::parse(all).is_ok_and(|pan| pan.brand() != Brand::Other);
        let is_long = |all: &str| !self.held_back.is_empty() && all.len() >= SHORTEST_CARD;
        self.watches == Watches::ForCards && self.with_all(|all| is_right(all) || is_long(all))
    }

    /// The entry and the digits held back as one number, wiped afterwards.
    fn with_all<T>(&self, look: impl FnOnce(&str) -> T) -> T {
        let mut all = SecretDigits::new();
        for digit in self.digits.expose().chars().chain(self.held_back.expose().chars()) {
            all.push(digit);
        }
        look(all.expose())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.digits.is_empty()
    }

    /// Digits keyed so far, with those held back.
    pub(super) fn keyed(&self) -> usize {
        self.digits.len() + self.held_back.len()
    }

    /// What was keyed so far, or as many dots.
    pub(super) fn shown(&self, masked: bool) -> String {
        if masked { "•".repeat(self.digits.len()) } else { self.digits.expose().to_owned() }
    }

    /// What was keyed; leaves the entry empty.
    pub(super) fn take(&mut self) -> SecretDigits {
        std::mem::take(&mut self.digits)
    }

    pub(super) fn clear(&mut self) {
        self.digits.clear();
        self.held_back.clear();
    }

    pub(super) fn is_full(&self) -> bool {
        self.digits.len() >= self.max_length()
    }

    /// Rules 2 and 3.
    pub(super) fn is_complete(&self) -> bool {
        self.digits.len() >= *self.length.start()
    }

    pub(super) fn key(&mut self, key: Digit) -> Keyed {
        match key.as_char() {
            _ if Some(key) == self.end_key => {
                if self.is_card() {
                    Keyed::Card
                } else if !self.held_back.is_empty() {
                    Keyed::MatchBefore
                } else if self.is_complete() {
                    Keyed::Match
                } else {
                    Keyed::NoMatch
                }
            }
            '*' if self.is_empty() => Keyed::Back,
            '*' => {
                self.clear();
                Keyed::Cleared
            }
            digit @ '0'..='9' => self.digit(digit),
            _ => Keyed::Ignored,
        }
    }

    fn digit(&mut self, digit: char) -> Keyed {
        if self.is_full() {
            let may_be_a_card = self.end_key.is_some() && self.begins_like_a_card();
            return if may_be_a_card && self.held_back.push(digit) { Keyed::HeldBack } else { Keyed::MatchBefore };
        }
        self.digits.push(digit);
        if self.is_full() && self.end_key.is_none() && self.is_card() {
            return Keyed::Card;
        }
        match (self.is_full(), self.end_key) {
            (false, _) => Keyed::More,
            (true, None) => Keyed::Match,
            (true, Some(_)) => Keyed::Full,
        }
    }

    /// Whether another digit may make everything keyed a card number.
    fn begins_like_a_card(&self) -> bool {
        let brand = || Brand::of_prefix(self.digits.expose());
        let room = |brand: Brand| self.digits.len() + self.held_back.len() < brand.max_length();
        self.watches == Watches::ForCards && brand().is_none_or(|brand| brand != Brand::Other && room(brand))
    }

    fn max_length(&self) -> usize {
        let longest = *self.length.end();
        if self.watches != Watches::ForItsBrand {
            return longest;
        }
        let single = Brand::of_prefix(self.digits.expose()).and_then(Brand::single_length);
        single.map_or(longest, |length| length.min(longest))
    }
}

/// How long after an entry ended without its end key a lone end key still belongs to it: callers press `#` by habit,
/// and a stray one must not spoil the next field.
pub(super) const STRAY_END_KEY: MediaTime = MediaTime::from_ms(3000);

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(collector: &mut Collector, keys: &str) -> Keyed {
        let mut last = Keyed::Ignored;
        for key in keys.chars().filter_map(Digit::from_char) {
            last = collector.key(key);
        }
        last
    }

    fn six_to_ten(end_key: Option<char>) -> Collector {
        Collector::new(6..=10, end_key.and_then(Digit::from_char), Watches::Nothing)
    }

    #[test]
    fn end_key_matches_a_complete_entry_and_refuses_an_incomplete_one() {
        assert_eq!(feed(&mut six_to_ten(Some('#')), "257139#"), Keyed::Match);
        assert_eq!(feed(&mut six_to_ten(Some('#')), "25713#"), Keyed::NoMatch);
        assert_eq!(feed(&mut six_to_ten(Some('#')), "#"), Keyed::NoMatch);
    }

    #[test]
    fn a_full_entry_matches_at_once_only_without_an_end_key() {
        assert_eq!(feed(&mut six_to_ten(None), "1234567890"), Keyed::Match);
        let mut waits = six_to_ten(Some('#'));
        assert_eq!(feed(&mut waits, "1234567890"), Keyed::Full);
        assert_eq!(feed(&mut waits, "7"), Keyed::MatchBefore);
        assert_eq!(waits.take().expose(), "1234567890");
    }

    #[test]
    fn a_card_number_where_none_was_asked_for_is_told_from_an_entry() {
        let after = |keys: &str| {
            let mut collector = Collector::new(6..=10, Digit::from_char('#'), Watches::ForCards);
            let last = feed(&mut collector, keys);
            (last, collector.held_back())
        };
        assert_eq!(after("4111111111111111#"), (Keyed::Card, 6));
        assert_eq!(after("4111111111111112#"), (Keyed::Card, 6), "mistyped, but no key is so long");
        assert_eq!(after("411111111111#"), (Keyed::MatchBefore, 2), "a key, and two keys ahead");
        assert_eq!(after("4111111111#"), (Keyed::Match, 0), "a key may begin like a card");
        assert_eq!(after("12345678901"), (Keyed::MatchBefore, 0), "no card begins with 1");
        let mut long = Collector::new(1..=16, None, Watches::ForCards);
        assert_eq!(feed(&mut long, "4111111111111111"), Keyed::Card);
    }

    #[test]
    fn the_clear_key_empties_then_goes_back() {
        let mut collector = six_to_ten(Some('#'));
        assert_eq!(feed(&mut collector, "12*"), Keyed::Cleared);
        assert!(collector.is_empty());
        assert_eq!(feed(&mut collector, "*"), Keyed::Back);
        assert_eq!(feed(&mut collector, "A"), Keyed::Ignored);
    }

    #[test]
    fn a_card_number_is_full_early_only_where_the_brand_has_one_length() {
        let full_after = |keys: &str| {
            let mut collector = Collector::new(13..=19, Digit::from_char('#'), Watches::ForItsBrand);
            keys.chars().position(|key| feed(&mut collector, &key.to_string()) == Keyed::Full).map(|at| at + 1)
        };
        assert_eq!(full_after("5555555555554444000"), Some(16), "Mastercard");
        assert_eq!(full_after("345678000000007000"), Some(15), "American Express");
        assert_eq!(full_after("4111111111111111111"), Some(19), "Visa also has 19 digits");
    }
}
