//! A key that comes by two ways, as its sound and as a word beside the sound, counts once.
//!
//! A line may tell of a key that sounds as well, whole or squelched to a stump that is heard at one time and not at another.
//! So each key that came by one way waits a little for the same key by the other, and takes it out; two presses of a key
//! make two that wait, and take out one each.

use zeroize::Zeroize;

use crate::dtmf::Digit;
use crate::media::MediaTime;
use crate::menu::KeyUse;

/// So long after a key's end it may still come by the other way: the far side holds audio back for up to 200 ms, and sends
/// words with a least length and pause of some 130 ms together.
const WAITS: MediaTime = MediaTime::from_ms(400);
/// Keys that wait at once: nobody presses more within [`WAITS`].
const MOST: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Sound,
    Word,
}

/// A key that was taken.
#[derive(Clone, Copy)]
struct Taken {
    key: Digit,
    way: Way,
    used: KeyUse,
    /// When it ended; nothing while it sounds.
    ended: Option<MediaTime>,
}

impl Zeroize for Taken {
    fn zeroize(&mut self) {
        self.key = Digit::at(0, 0);
    }
}

/// The keys of the last moments, which may be a card's: those that are over are wiped.
pub(super) struct TwiceTold {
    /// In the order in which they were taken.
    taken: [Option<Taken>; MOST],
}

impl TwiceTold {
    pub(super) const fn new() -> Self {
        Self { taken: [None; MOST] }
    }

    /// Time has passed: forgets what can't come by the other way any more.
    pub(super) fn pass_time(&mut self, now: MediaTime) {
        let is_over = |taken: &Taken| taken.ended.is_some_and(|ended| now > ended + WAITS);
        while let Some(over) = self.position(is_over) {
            self.remove(over);
        }
    }

    /// A key begins to sound. What it was used for, if a word has already told of it.
    pub(super) fn was_told(&mut self, key: Digit, now: MediaTime) -> Option<KeyUse> {
        self.take_out(key, Way::Word, now)
    }

    /// A word tells of a key. Whether it has already sounded, or does so.
    pub(super) fn was_heard(&mut self, key: Digit, now: MediaTime) -> bool {
        self.take_out(key, Way::Sound, now).is_some()
    }

    /// A key that began to sound was taken.
    pub(super) fn hears(&mut self, key: Digit, used: KeyUse) {
        self.add(Taken { key, way: Way::Sound, used, ended: None });
    }

    /// What sounds ends.
    pub(super) fn sound_ends(&mut self, now: MediaTime) {
        for taken in self.taken.iter_mut().flatten().filter(|taken| taken.ended.is_none()) {
            taken.ended = Some(now);
        }
    }

    /// A key that a word told of was taken.
    pub(super) fn is_told(&mut self, key: Digit, used: KeyUse, now: MediaTime) {
        self.add(Taken { key, way: Way::Word, used, ended: Some(now) });
    }

    fn add(&mut self, taken: Taken) {
        let free = self.taken.iter().position(Option::is_none).unwrap_or_else(|| {
            self.remove(0);
            MOST - 1
        });
        self.taken[free] = Some(taken);
    }

    fn take_out(&mut self, key: Digit, way: Way, now: MediaTime) -> Option<KeyUse> {
        self.pass_time(now);
        let found = self.position(|taken| (taken.key, taken.way) == (key, way))?;
        self.remove(found)
    }

    fn position(&self, is_sought: impl Fn(&Taken) -> bool) -> Option<usize> {
        self.taken.iter().position(|taken| taken.as_ref().is_some_and(&is_sought))
    }

    /// Takes one out, and wipes the place that is free then. What it was used for.
    fn remove(&mut self, at: usize) -> Option<KeyUse> {
        let used = self.taken[at].map(|taken| taken.used);
        self.taken.copy_within(at + 1.., at);
        self.taken[MOST - 1].zeroize();
        used
    }
}

impl Drop for TwiceTold {
    fn drop(&mut self) {
        self.taken.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn five() -> Digit {
        Digit::from_char('5').unwrap()
    }

    /// `H`: begins to sound, `h`: sounds no more, `W`: a word, each 100 ms after the one before, as is `.`; how many count.
    fn count(story: &str) -> usize {
        let (mut keys, mut counted) = (TwiceTold::new(), 0);
        for (step, what) in story.chars().enumerate() {
            let now = MediaTime::from_ms(100 * step as u64);
            match what {
                'H' if keys.was_told(five(), now).is_none() => {
                    counted += 1;
                    keys.hears(five(), KeyUse::Open);
                }
                'W' if !keys.was_heard(five(), now) => {
                    counted += 1;
                    keys.is_told(five(), KeyUse::Open, now);
                }
                'h' => keys.sound_ends(now),
                _ => {}
            }
        }
        counted
    }

    #[test]
    fn a_key_by_two_ways_is_one_and_two_presses_are_two() {
        for (story, expected) in [
            ("HhW", 1),         // the word comes after the sound, as it does as a rule
            ("HWh", 1),         // or before its end
            ("H.........W", 1), // held for a second
            ("WHh", 1),         // the sound is late
            ("HhHhWW", 2),      // a key twice, its words late
            ("HhWHhW", 2),      // a key twice
            ("WHhWHh", 2),      // a key twice, its sound late
            ("WHhWW", 3),       // a stump is heard once and not twice
            ("Hh.....W", 2),    // too late to be the same
            ("W.....Hh", 2),    // too late to be the same
            ("WWWW", 4),        // words only
            ("HhHhHh", 3),      // sound only
        ] {
            assert_eq!(count(story), expected, "{story}");
        }
    }

    #[test]
    fn what_is_over_is_wiped_and_more_than_can_be_kept_leaves_the_latest() {
        let mut keys = TwiceTold::new();
        let kept = |keys: &TwiceTold| keys.taken.iter().flatten().map(|taken| taken.key.as_char()).collect::<String>();
        for (step, key) in Digit::all().chain(Digit::all().take(4)).enumerate() {
            keys.is_told(key, KeyUse::Secret, MediaTime::from_ms(10 * step as u64));
        }
        assert_eq!(kept(&keys), "456B789C*0#D123A");
        keys.pass_time(MediaTime::from_ms(400 + 10 * 12));
        assert_eq!(kept(&keys), "*0#D123A");
        keys.pass_time(MediaTime::from_ms(1000));
        assert_eq!(kept(&keys), "");
    }

    #[test]
    fn another_key_is_another() {
        let mut keys = TwiceTold::new();
        keys.hears(Digit::from_char('7').unwrap(), KeyUse::Open);
        assert!(!keys.was_heard(five(), MediaTime::ZERO));
    }

    #[test]
    fn what_a_word_was_used_for_holds_for_its_sound() {
        let mut keys = TwiceTold::new();
        keys.is_told(five(), KeyUse::Secret, MediaTime::ZERO);
        assert_eq!(keys.was_told(five(), MediaTime::from_ms(300)), Some(KeyUse::Secret));
    }
}
