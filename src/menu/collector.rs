//! Collecting a field's digits by the six rules (those of VoiceXML's DTMF grammars), without a clock: the runtime owns
//! the timers and tells the collector when one has fired.
//!
//! - Rule 1: no key before *first digit*: no-input.
//! - Rule 2: *inter-digit* fires, entry incomplete: no-match.
//! - Rule 3: *inter-digit* fires, entry complete: match.
//! - Rule 4: end key: match if the entry is complete, else no-match.
//! - Rule 5: full, no end key: match at once.
//! - Rule 6: full, with an end key: wait *terminator grace* and swallow the end key if it comes.
//!
//! Digits beyond a full entry are held back until it is known what they are: the next field's, if that follows at once and
//! they are enough for it; the rest of a card number that was not asked for; or too many.

use std::ops::RangeInclusive;

use crate::card::{Brand, Pan, SecretDigits};
use crate::dtmf::Digit;

use super::model::{CENTAVO_DIGITS, MOST_SHOWN};

/// What a key did to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyed {
    /// Taken; more may come.
    More,
    /// Taken; no more can come but the end key (rule 6).
    Full,
    /// The entry is complete.
    Match,
    /// The entry was complete before the digits held back, which belong to the next field, as does this key: the last of them,
    /// or their end key.
    MatchBefore,
    /// The end key behind more digits than the entry can have.
    TooMany,
    /// The end key on an incomplete entry.
    NoMatch,
    /// The entry was emptied by the clear key.
    Cleared,
    /// The clear key on an empty entry.
    Back,
    /// Not a digit of any entry (`A`-`D`).
    Ignored,
    /// The entry is full; what the digit is will be known later.
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

/// How a field is collected.
pub(super) struct Rules {
    /// How many digits its entries have.
    pub(super) length: RangeInclusive<usize>,
    /// The key that ends an entry.
    pub(super) end_key: Option<Digit>,
    /// What its digits are watched for.
    pub(super) watches: Watches,
    /// Whether `*` parts centavos from pesos, once in an entry, before it clears.
    pub(super) star_parts: bool,
    /// The fewest digits of the next field, where that is asked for right after this one: so many digits beyond a full entry
    /// were keyed ahead for it, and fewer by mistake.
    pub(super) next_takes: Option<usize>,
}

/// One field's entry in progress.
pub(super) struct Collector {
    digits: SecretDigits,
    rules: Rules,
    /// Digits keyed right before it, for other fields and questions: a card number may have begun there.
    before: SecretDigits,
    /// Digits beyond a full entry.
    held_back: SecretDigits,
}

impl Collector {
    /// Starts an empty entry.
    pub(super) fn new(rules: Rules) -> Self {
        Self { digits: SecretDigits::new(), rules, before: SecretDigits::new(), held_back: SecretDigits::new() }
    }

    /// For states that collect no digits.
    pub(super) fn nothing() -> Self {
        let (length, end_key, watches) = (0..=0, None, Watches::Nothing);
        Self::new(Rules { length, end_key, watches, star_parts: false, next_takes: None })
    }

    /// Says which digits were keyed right before the first of this entry.
    pub(super) fn follow(&mut self, before: SecretDigits) {
        self.before = before;
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

    /// Whether everything keyed, alone or with the digits right before it, is a card number that was not asked for: a right
    /// one, or one mistyped that went on past the end of the entry.
    pub(super) fn is_card(&self) -> bool {
        let is_right = |run: &str| Pan::parse(run).is_ok_and(|pan| pan.brand() != Brand::Other);
        let is_long = |run: &str| {
            let brand = Brand::of_prefix(run).filter(|brand| *brand != Brand::Other);
            run.len() == self.keyed() && brand.is_some_and(|brand| run.len() >= brand.lengths()[0])
        };
        let goes_on = !self.held_back.is_empty();
        self.rules.watches == Watches::ForCards && self.any_run(|run| is_right(run) || (goes_on && is_long(run)))
    }

    /// Whether more digits may make a card number of what was keyed, alone or with the digits right before it, where that is
    /// longer than so many digits.
    pub(super) fn may_become_card(&self, longer_than: usize) -> bool {
        let may_go_on = |run: &str| {
            let brand = Brand::of_prefix(run);
            run.len() > longer_than && brand.is_none_or(|brand| brand != Brand::Other && run.len() < brand.max_length())
        };
        self.rules.watches == Watches::ForCards && self.any_run(may_go_on)
    }

    /// Whether everything keyed is like this, alone or with the digits right before it. Wiped afterwards.
    fn any_run(&self, is: impl Fn(&str) -> bool) -> bool {
        let before = self.before.expose();
        let room = SecretDigits::CAPACITY.saturating_sub(self.keyed()).min(before.len());
        let mut all = SecretDigits::new();
        let digits = [&before[before.len() - room..], self.digits.expose(), self.held_back.expose()];
        digits.iter().flat_map(|part| part.chars()).for_each(|digit| _ = all.push(digit));
        // No card number has a key * in it.
        self.parted().is_none() && [0, room].into_iter().any(|start| is(&all.expose()[start..]))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.digits.is_empty()
    }

    /// Digits keyed so far, with those held back.
    pub(super) fn keyed(&self) -> usize {
        self.digits.len() + self.held_back.len()
    }

    /// What was keyed so far; instead of digits after the first `most`, dots.
    pub(super) fn shown(&self, most: Option<usize>) -> String {
        dots_after(most, self.digits.expose())
    }

    /// What was keyed; leaves the entry empty.
    pub(super) fn take(&mut self) -> SecretDigits {
        std::mem::take(&mut self.digits)
    }

    pub(super) fn clear(&mut self) {
        self.digits.clear();
        self.held_back.clear();
    }

    /// The digits before and after the key `*`, where that is part of the entry.
    fn parted(&self) -> Option<(&str, &str)> {
        self.digits.expose().split_once('*')
    }

    pub(super) fn is_full(&self) -> bool {
        match self.parted() {
            Some((_, centavos)) => centavos.len() >= CENTAVO_DIGITS,
            None => self.digits.len() >= self.max_length(),
        }
    }

    /// Rules 2 and 3. One digit of centavos is none: 5 may be 05 or 50.
    pub(super) fn is_complete(&self) -> bool {
        let least = *self.rules.length.start();
        match self.parted() {
            Some((pesos, centavos)) => pesos.len() >= least && matches!(centavos.len(), 0 | CENTAVO_DIGITS),
            None => self.digits.len() >= least,
        }
    }

    pub(super) fn key(&mut self, key: Digit) -> Keyed {
        match key.as_char() {
            _ if Some(key) == self.rules.end_key => self.end(),
            // It would have ended by itself, but for what may be a card number.
            '#' if self.rules.end_key.is_none() && self.is_full() && self.held_back.is_empty() => self.end(),
            '*' if self.is_empty() => Keyed::Back,
            '*' if self.rules.star_parts && self.parted().is_none() && self.held_back.is_empty() => {
                self.digits.push('*');
                Keyed::More
            }
            '*' => {
                self.clear();
                Keyed::Cleared
            }
            digit @ '0'..='9' if self.is_full() => self.beyond(digit),
            digit @ '0'..='9' => self.digit(digit),
            _ => Keyed::Ignored,
        }
    }

    fn end(&self) -> Keyed {
        if self.is_card() {
            Keyed::Card
        } else if self.is_too_long() {
            Keyed::TooMany
        } else if !self.held_back.is_empty() {
            Keyed::MatchBefore
        } else if self.is_complete() {
            Keyed::Match
        } else {
            Keyed::NoMatch
        }
    }

    fn digit(&mut self, digit: char) -> Keyed {
        self.digits.push(digit);
        match (self.is_full(), self.rules.end_key) {
            (false, _) => Keyed::More,
            (true, None) if self.is_card() => Keyed::Card,
            // So many digits of a card number may be seen, but no more.
            (true, None) if !self.may_become_card(MOST_SHOWN) => Keyed::Match,
            (true, _) => Keyed::Full,
        }
    }

    /// A digit beyond a full entry.
    fn beyond(&mut self, digit: char) -> Keyed {
        let of_a_card = self.may_become_card(0) || self.is_card();
        if !self.held_back.push(digit) {
            return Keyed::Ignored; // nobody means so many
        }
        if self.is_too_long() || of_a_card { Keyed::HeldBack } else { Keyed::MatchBefore }
    }

    /// Whether more digits have been keyed than the entry can have, and too few of them for the next field. An entry without
    /// an end key is over when it is full, whatever comes then.
    pub(super) fn is_too_long(&self) -> bool {
        let enough = self.rules.next_takes.is_some_and(|fewest| self.held_back.len() >= fewest);
        !self.held_back.is_empty() && self.rules.end_key.is_some() && !enough
    }

    fn max_length(&self) -> usize {
        let longest = *self.rules.length.end();
        if self.rules.watches != Watches::ForItsBrand {
            return longest;
        }
        let single = Brand::of_prefix(self.digits.expose()).and_then(Brand::single_length);
        single.map_or(longest, |length| length.min(longest))
    }
}

/// A text with dots for its digits after the first `most`; without any if there is no such limit.
pub(super) fn dots_after(most: Option<usize>, text: &str) -> String {
    let mut seen = 0;
    let shown = text.chars().map(|character| {
        seen += usize::from(character.is_ascii_digit());
        let is_hidden = character.is_ascii_digit() && most.is_some_and(|most| seen > most);
        if is_hidden { '•' } else { character }
    });
    shown.collect()
}

#[cfg(test)]
mod tests;
