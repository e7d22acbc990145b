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

use crate::card::{Brand, SecretDigits};
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
}

/// One field's entry in progress.
pub(super) struct Collector {
    digits: SecretDigits,
    length: RangeInclusive<usize>,
    end_key: Option<Digit>,
    is_card_number: bool,
}

impl Collector {
    /// Starts an empty entry. A card number's longest length narrows once its brand is known to have one length.
    pub(super) fn new(length: RangeInclusive<usize>, end_key: Option<Digit>, is_card_number: bool) -> Self {
        Self { digits: SecretDigits::new(), length, end_key, is_card_number }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.digits.is_empty()
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
                if self.is_complete() {
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
            return Keyed::MatchBefore;
        }
        self.digits.push(digit);
        match (self.is_full(), self.end_key) {
            (false, _) => Keyed::More,
            (true, None) => Keyed::Match,
            (true, Some(_)) => Keyed::Full,
        }
    }

    fn max_length(&self) -> usize {
        let longest = *self.length.end();
        if !self.is_card_number {
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
        Collector::new(6..=10, end_key.and_then(Digit::from_char), false)
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
            let mut collector = Collector::new(13..=19, Digit::from_char('#'), true);
            keys.chars().position(|key| feed(&mut collector, &key.to_string()) == Keyed::Full).map(|at| at + 1)
        };
        assert_eq!(full_after("5555555555554444000"), Some(16), "Mastercard");
        assert_eq!(full_after("345678000000007000"), Some(15), "American Express");
        assert_eq!(full_after("4111111111111111111"), Some(19), "Visa also has 19 digits");
    }
}
