//! Compares what was heard with what was sent: by time for our own detector, by order for digits without times.

use super::signal::{RATE, Sent, Signal};
use crate::dtmf::{Detection, Detector, Event, Profile};

/// A report may claim a digit's middle this much before its onset, in samples.
const EARLY: usize = 80;
/// And this much after its end: what comes later belongs to another.
const LATE: usize = 240;

/// What became of the digits that were sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// Digits sent.
    pub sent: usize,
    /// Digits sent and not heard.
    pub missed: usize,
    /// Digits sent once and heard more than once.
    pub doubled: usize,
    /// Digits heard where none, or another, was sent.
    pub extra: usize,
    /// Onset to report of each digit found, in ms.
    pub latencies: Vec<f64>,
}

impl Score {
    /// Hears a signal and scores it.
    ///
    /// # Panics
    /// If the profile asks for what the detector can't keep.
    pub fn of(signal: &Signal, profile: &Profile) -> Self {
        Self::compare(&signal.sent, &hear(&signal.samples, RATE, profile))
    }

    fn compare(sent: &[Sent], heard: &[Detection]) -> Self {
        let mut score = Self { sent: sent.len(), ..Self::default() };
        let mut matched = vec![false; heard.len()];
        let mut from = 0;
        for truth in sent {
            let middle = |digit: &Detection| (digit.start + digit.end) as usize / 2;
            // Digits are in order, so that what is before this one's time is before the next one's, too.
            while heard.get(from).is_some_and(|digit| middle(digit) + EARLY < truth.start) {
                from += 1;
            }
            let near = heard[from..].iter().take_while(|digit| middle(digit) <= truth.end + LATE);
            let mut found = 0;
            for (digit, matched) in near.zip(&mut matched[from..]).filter(|(digit, _)| digit.digit == truth.digit) {
                if !std::mem::replace(matched, true) {
                    found += 1;
                    let samples = digit.begin_reported as f64 - truth.start as f64;
                    score.latencies.push(samples * 1000.0 / f64::from(RATE));
                }
            }
            score.missed += usize::from(found == 0);
            score.doubled += usize::from(found > 1);
        }
        score.extra = matched.iter().filter(|matched| !**matched).count();
        score
    }

    /// Adds another signal's score.
    pub fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.missed += other.missed;
        self.doubled += other.doubled;
        self.extra += other.extra;
        self.latencies.extend(other.latencies);
    }

    /// Digits heard, of those sent and of those not sent.
    pub fn accepted(&self) -> usize {
        self.sent - self.missed + self.extra
    }

    /// Mean and greatest latency in ms.
    pub fn latency(&self) -> (f64, f64) {
        let mean = self.latencies.iter().sum::<f64>() / self.latencies.len().max(1) as f64;
        (mean, self.latencies.iter().copied().fold(0.0, f64::max))
    }
}

/// What must be done to the digits heard to make them those that were sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// Digits sent and not heard, or heard as another.
    pub missed: usize,
    /// Digits heard and not sent.
    pub extra: usize,
}

impl Edits {
    /// The fewest edits between two texts of digits (Levenshtein's distance; a wrong digit counts once, as missed).
    pub fn between(sent: &str, heard: &str) -> Self {
        let heard: Vec<char> = heard.chars().collect();
        let mut row: Vec<Self> = (0..=heard.len()).map(|extra| Self { missed: 0, extra }).collect();
        for expected in sent.chars() {
            let mut diagonal = row[0];
            row[0].missed += 1;
            for (at, found) in heard.iter().enumerate() {
                let wrong = Self { missed: diagonal.missed + usize::from(*found != expected), ..diagonal };
                diagonal = row[at + 1];
                let missed = Self { missed: diagonal.missed + 1, ..diagonal };
                let extra = Self { extra: row[at].extra + 1, ..row[at] };
                row[at + 1] = if wrong.total() <= missed.total().min(extra.total()) {
                    wrong
                } else if missed.total() <= extra.total() {
                    missed
                } else {
                    extra
                };
            }
        }
        row[heard.len()]
    }

    /// All edits.
    pub const fn total(self) -> usize {
        self.missed + self.extra
    }
}

/// All digits in a recording at `rate` Hz.
///
/// # Panics
/// If the detector does not take the rate or the profile.
pub fn hear(samples: &[f32], rate: u32, profile: &Profile) -> Vec<Detection> {
    let mut heard = Vec::new();
    let mut on_event = |event| {
        if let Event::End(digit) = event {
            heard.push(digit);
        }
    };
    let mut detector = Detector::new(rate, profile).expect("the rates of this room are in range");
    detector.process(samples, &mut on_event);
    detector.finish(&mut on_event);
    heard
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::GeneratorConfig;

    #[test]
    fn edits_tell_missing_wrong_and_extra_digits_apart() {
        let edits = |sent, heard| {
            let Edits { missed, extra } = Edits::between(sent, heard);
            (missed, extra)
        };
        assert_eq!(edits("123456", "123456"), (0, 0));
        assert_eq!(edits("123456", "12456"), (1, 0));
        assert_eq!(edits("123456", "1293456"), (0, 1));
        assert_eq!(edits("123456", "12*456"), (1, 0));
        assert_eq!(edits("1123", "11233"), (0, 1));
        assert_eq!(edits("", "5"), (0, 1));
        assert_eq!(edits("159D", ""), (4, 0));
    }

    #[test]
    fn a_clean_signal_scores_full_and_a_missing_digit_is_missed() {
        let signal = Signal::random(3, 30, &GeneratorConfig::default().timing(50.0, 50.0));
        let score = Score::of(&signal, &Profile::default());
        assert_eq!((score.sent, score.missed, score.doubled, score.extra), (30, 0, 0, 0));
        assert_eq!(score.latencies.len(), 30);
        let heard = hear(&signal.samples, RATE, &Profile::default());
        let lacking = Score::compare(&signal.sent, &heard[1..]);
        assert_eq!((lacking.missed, lacking.extra), (1, 0));
        let other = Score::compare(&signal.sent[1..], &heard);
        assert_eq!((other.missed, other.extra), (0, 1));
        let twice: Vec<Detection> = heard.iter().flat_map(|digit| [*digit, *digit]).collect();
        assert_eq!(Score::compare(&signal.sent, &twice).doubled, 30);
    }
}
