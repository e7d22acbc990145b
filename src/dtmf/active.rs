//! The digit that is on: how much of it is left, when it fell, and when it is over.

use super::history::History;
use super::kernel::{HOP, SHORT, SHORT_SAMPLES};
use super::{Begin, Digit, Measurement};

/// Level, as a power, below which a digit that is on has stopped: -6 dB.
const FALLEN_POWER: f32 = 0.25;
/// Power of one tone of a digit that is on, over 24 ms, below which it is gone: -10 dB; and above which it sounds on: -4 dB.
const LOST_POWER: f32 = 0.1;
const KEPT_POWER: f32 = 0.4;
/// Power of one tone that another may show in its place, as a part of its own: -8 dB, while it comes up.
const LEAKED_POWER: f32 = 0.15;
/// Power, as a part of what it was, and share of the band's energy with which a digit that has fallen may go on, as behind a line
/// that adjusts its level: -15 dB. It goes on if it still does after 60 ms, when echoes of lines are over, and its level is within
/// 1.5 dB of what it was so many short windows ago: what reverberates in a room fades, or beats.
const WEAKER_POWER: f32 = 0.03;
const WEAKER_SHARE: f32 = 0.8;
/// Part of the mean of both tones' powers, each as a part of what it was, that the weaker one has then: -5 dB.
const WEAKER_TONE: f32 = 0.3;
const WEAKER_SAMPLES: f64 = 240.0;
const STEADY: [usize; 3] = [1, 2, 3];
const STEADY_POWER: f32 = 0.7;
/// Rise of the power of a digit that went on weaker, and that part of it within 12 ms, with which the key was pressed again.
const RISEN_POWER: f32 = 4.0;
const AT_ONCE: f32 = 3.0;
/// Filtered samples a digit must be up again before it goes on after an interruption; noise comes up for less.
const BRIDGED_SAMPLES: f64 = 16.0;

/// A digit that is on.
#[derive(Clone, Copy)]
pub(crate) struct Active {
    pub(crate) begin: Begin,
    /// Filtered-sample position at which it began.
    pub(crate) start: f64,
    pub(crate) measured: Measurement,
    pub(crate) reference: Reference,
    /// What was left of it when it was looked at last, as in [`Reference::left`].
    left: f32,
    /// Filtered-sample position where the level last fell, while it is down.
    fell: Option<f64>,
    /// Filtered-sample position where it came up again after it fell, while it is down.
    up_since: Option<f64>,
    /// Filtered-sample position where the level first fell, if the digit went on weaker: it is measured against that since.
    weaker_since: Option<f64>,
}

impl Active {
    /// A digit that begins, and may have fallen already.
    pub(crate) fn new(begin: Begin, start: f64, measured: Measurement, fell: Option<f64>, history: &History) -> Self {
        Self {
            begin,
            start,
            measured,
            reference: Reference::of(begin.digit, history),
            left: 1.0,
            fell,
            up_since: None,
            weaker_since: None,
        }
    }

    pub(crate) fn digit(&self) -> Digit {
        self.begin.digit
    }

    /// Filtered-sample position where the level last fell, while it is down.
    pub(crate) fn fell(&self) -> Option<f64> {
        self.fell
    }

    /// Whether one of the tones, or both, has been gone for the last 24 ms.
    pub(crate) fn has_lost_a_tone(&self, history: &History) -> bool {
        self.reference.least_left(history) < LOST_POWER
    }

    /// Whether a pair is one of its tones and another beside it, while both of its tones have sounded on for the last 24 ms.
    pub(crate) fn is_beside(&self, digit: Digit, history: &History) -> bool {
        let on = self.digit();
        if (on.row() == digit.row()) == (on.column() == digit.column())
            || self.reference.least_left(history) < KEPT_POWER
        {
            return false;
        }
        // A tone that is much louder is seen in the place of the other, too.
        let other = usize::from(on.row() == digit.row());
        let power = |digit: Digit| {
            let tone = digit.tones()[other];
            history.power(0, tone) + history.power(SHORT, tone)
        };
        power(on) > LEAKED_POWER * power(digit)
    }

    /// Follows the level through up to `most` sub-blocks behind the one where the history stands, as long as it stays up, or down
    /// for less than `split` samples, and no other pair is the strongest where one is marked, a bit for each sub-block: how many
    /// those are.
    pub(crate) fn stays(&mut self, history: &History, split: f64, most: usize, marked: u64) -> usize {
        for passed in 0..most {
            let left = self.reference.left_of(history.next_powers(passed, self.reference.tones));
            let stays = match self.fell {
                None => left > FALLEN_POWER && !self.has_risen(left),
                Some(fell) => left <= FALLEN_POWER && middle(history, 1 + passed) < fell + split,
            };
            if !stays || marked >> passed & 1 == 1 && !history.is_next_strongest(passed, self.reference.tones) {
                return passed;
            }
            self.left = left;
            self.up_since = None;
        }
        most
    }

    /// Follows the level by a sub-block. The digit is over, from a filtered-sample position on, once it was down for so many
    /// samples.
    pub(crate) fn follow(&mut self, history: &History, split: f64) -> Option<f64> {
        let left = self.reference.left(history, 0);
        let before = std::mem::replace(&mut self.left, left);
        let middle = middle(history, 0);
        let crossed = || middle - HOP as f64 * f64::from(part_since(FALLEN_POWER, before, left));
        if self.has_risen(left) {
            return self.follow_rise(history, left);
        }
        if left > FALLEN_POWER {
            let fell = self.fell?;
            let up_since = *self.up_since.get_or_insert_with(crossed);
            if middle < up_since + BRIDGED_SAMPLES {
                return None;
            }
            self.fell = None;
            self.up_since = None;
            let is_over = up_since >= fell + split && !self.came_up_slowly(history, left);
            return is_over.then_some(fell);
        }
        self.up_since = None;
        let fell = *self.fell.get_or_insert_with(crossed);
        if middle < fell + split {
            return None;
        }
        if !self.is_there(history, left) {
            return Some(fell);
        }
        if middle > fell + WEAKER_SAMPLES && self.is_steady(history, left) {
            self.go_on_weaker(fell, history);
        }
        None
    }

    /// Whether what is left of it has been left for some time.
    fn is_steady(&self, history: &History, left: f32) -> bool {
        let was_left = |windows: usize| self.reference.left(history, windows * SHORT);
        STEADY.map(was_left).into_iter().all(|was| left > STEADY_POWER * was && STEADY_POWER * left < was)
    }

    /// Whether what was down, and is up again, was there all the time: the level of the line rose.
    fn came_up_slowly(&self, history: &History, left: f32) -> bool {
        self.is_there(history, left) && left < AT_ONCE * self.reference.left(history, SHORT)
    }

    /// Whether a digit that went on weaker has risen.
    fn has_risen(&self, left: f32) -> bool {
        self.weaker_since.is_some() && left > RISEN_POWER
    }

    /// Follows a digit that went on weaker and has risen: if it did so at once, the key was let go when it fell, and pressed again.
    fn follow_rise(&mut self, history: &History, left: f32) -> Option<f64> {
        if left > AT_ONCE * self.reference.left(history, SHORT) {
            return self.weaker_since;
        }
        self.measure_anew(history);
        None
    }

    /// Whether what has fallen still sounds, alone and with both tones.
    fn is_there(&self, history: &History, left: f32) -> bool {
        left > WEAKER_POWER
            && self.reference.least_left(history) > WEAKER_TONE * left
            && history.shares(self.digit(), 0, 2).iter().sum::<f32>() > WEAKER_SHARE
    }

    fn go_on_weaker(&mut self, fell: f64, history: &History) {
        self.measure_anew(history);
        self.weaker_since.get_or_insert(fell);
        self.fell = None;
    }

    /// What it is now is what will be left, or not.
    fn measure_anew(&mut self, history: &History) {
        self.reference = Reference::of(self.digit(), history);
        self.left = 1.0;
    }
}

/// The middle of the short window that ends so many sub-blocks behind the one where the history stands, as a filtered-sample
/// position.
fn middle(history: &History, later: usize) -> f64 {
    (history.count() + (later * HOP) as u64).saturating_sub((SHORT_SAMPLES / 2) as u64) as f64
}

/// How long ago a power went through a limit, as a part of the time since it was what it was before; by amplitude.
fn part_since(limit: f32, before: f32, now: f32) -> f32 {
    let [limit, before, now] = [limit, before, now].map(f32::sqrt);
    let part = (now - limit) / (now - before);
    // Where the sound is no number, it is over now.
    if part.is_nan() { 0.0 } else { part.clamp(0.0, 1.0) }
}

/// The level of a digit's tones, against which it is measured later.
#[derive(Clone, Copy)]
pub(crate) struct Reference {
    tones: [usize; 2],
    /// Half the inverse of the power that each had over the short window when steady.
    factors: [f32; 2],
}

impl Reference {
    /// The greater of what the short window shows now and what it showed 12 ms ago.
    fn of(digit: Digit, history: &History) -> Self {
        let (now, before) = (history.peaks(0, digit), history.peaks(SHORT, digit));
        let factor = |tone: usize| 0.5 / now[tone].max(before[tone]).max(1e-20);
        Self { tones: digit.tones(), factors: [factor(0), factor(1)] }
    }

    /// Mean power of the tones `back` sub-blocks ago, each as a part of what it was.
    pub(crate) fn left(&self, history: &History, back: usize) -> f32 {
        let (powers, [low, high]) = (history.powers(back), self.tones);
        self.left_of([powers[low], powers[high]])
    }

    #[inline]
    fn left_of(&self, [low, high]: [f32; 2]) -> f32 {
        low * self.factors[0] + high * self.factors[1]
    }

    /// Mean power over the last 24 ms of the tone of which less is left, as a part of what it was.
    fn least_left(&self, history: &History) -> f32 {
        let (now, before) = (history.powers(0), history.powers(SHORT));
        let left = |(tone, factor): (usize, f32)| factor * (now[tone] + before[tone]);
        self.tones.into_iter().zip(self.factors).map(left).fold(f32::MAX, f32::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fall_is_placed_by_amplitude_and_always_somewhere() {
        // A level that falls evenly from 1 to 0.2 was a half after five eighths of the time.
        assert!((part_since(0.25, 1.0, 0.04) - 0.375).abs() < 1e-6);
        assert!((part_since(0.25, 0.04, 1.0) - 0.625).abs() < 1e-6);
        for before in [0.0, 0.25, 1.0, f32::NAN, f32::INFINITY] {
            for now in [0.0, 0.25, 1.0, f32::NAN, f32::INFINITY] {
                assert!((0.0..=1.0).contains(&part_since(0.25, before, now)), "{before} {now}");
            }
        }
    }
}
