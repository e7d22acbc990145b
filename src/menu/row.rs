//! Digits keyed in a row, whatever each was taken for: a card number keyed where none was asked for goes on over the ends of
//! entries and of questions.

use crate::card::SecretDigits;
use crate::dtmf::Digit;
use crate::media::MediaTime;

/// Whoever rests for longer has ended a number, or has listened to a question.
const PAUSE: MediaTime = MediaTime::from_ms(3000);
/// One less than the longest card number has: an entry's first digit may complete one that began before it.
const MOST: usize = 18;

/// The latest of the digits that were keyed without a longer pause and without another key between them.
pub(super) struct Row {
    digits: SecretDigits,
    last: MediaTime,
}

impl Row {
    pub(super) fn new() -> Self {
        Self { digits: SecretDigits::new(), last: MediaTime::ZERO }
    }

    /// A key was taken or dropped; any that is no digit ends the row.
    pub(super) fn add(&mut self, key: Digit, now: MediaTime) {
        if self.is_over(now) || !key.as_char().is_ascii_digit() {
            self.digits.clear();
        }
        if key.as_char().is_ascii_digit() {
            if self.digits.len() == MOST {
                self.digits = latest(&self.digits, MOST - 1);
            }
            self.digits.push(key.as_char());
        }
        self.last = now;
    }

    /// The digits a key pressed now would follow.
    pub(super) fn before(&self, now: MediaTime) -> SecretDigits {
        latest(&self.digits, if self.is_over(now) { 0 } else { MOST })
    }

    pub(super) fn clear(&mut self) {
        self.digits.clear();
    }

    fn is_over(&self, now: MediaTime) -> bool {
        now.since(self.last) > PAUSE
    }
}

fn latest(digits: &SecretDigits, most: usize) -> SecretDigits {
    let mut copy = SecretDigits::new();
    let text = digits.expose();
    text[text.len().saturating_sub(most)..].chars().for_each(|digit| _ = copy.push(digit));
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_of_digits_without_a_pause_and_keeps_the_latest() {
        let before = |keys: &str, rests_ms: u64| {
            let (mut row, mut now) = (Row::new(), MediaTime::ZERO);
            for key in keys.chars() {
                now = now + MediaTime::from_ms(if key == ' ' { 4000 } else { 500 });
                if let Some(key) = Digit::from_char(key) {
                    row.add(key, now);
                }
            }
            row.before(now + MediaTime::from_ms(rests_ms)).expose().to_owned()
        };
        assert_eq!(before("12#345", 500), "345");
        assert_eq!(before("12 345", 3000), "345");
        assert_eq!(before("345", 3001), "");
        assert_eq!(before("12345*", 500), "");
        assert_eq!(before("1234567890123456789012", 500), "567890123456789012");
    }
}
