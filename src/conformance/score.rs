//! Compares what was heard with what was sent: by time, or by order where a receiver tells no times.

use super::signal::{RATE, Sent, Signal};
use crate::dtmf::{Detection, Detector, Digit, Event, Profile};

/// A report may claim a digit's middle this much before its onset, in samples.
const EARLY: usize = 80;
/// And this much after its end: what comes later belongs to another.
const LATE: usize = 240;

/// A digit that a receiver told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Heard {
    pub(super) digit: Digit,
    /// `None` where the receiver tells none.
    pub(super) times: Option<Times>,
}

/// When a digit was heard, in samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Times {
    pub(super) start: u64,
    pub(super) end: u64,
    /// When it was told that it had begun.
    pub(super) reported: u64,
}

impl From<&Detection> for Heard {
    fn from(heard: &Detection) -> Self {
        let Detection { digit, start, end, begin_reported: reported, .. } = *heard;
        Self { digit, times: Some(Times { start, end, reported }) }
    }
}

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
    /// Onset to report of each digit found, in ms; none where the receiver tells no times.
    pub latencies: Vec<f64>,
}

impl Score {
    /// Hears a signal and scores it.
    ///
    /// # Panics
    /// If the profile asks for what the detector can't keep.
    pub fn of(signal: &Signal, profile: &Profile) -> Self {
        Self::compare(&signal.sent, &hear_ours(&signal.samples, RATE, profile))
    }

    /// By time if all that was heard has times, else by order.
    pub(super) fn compare(sent: &[Sent], heard: &[Heard]) -> Self {
        let with_times = |heard: &Heard| heard.times.map(|times| (heard.digit, times));
        match heard.iter().map(with_times).collect::<Option<Vec<_>>>() {
            Some(heard) => Self::by_time(sent, &heard),
            None => Self::by_order(sent, heard),
        }
    }

    fn by_time(sent: &[Sent], heard: &[(Digit, Times)]) -> Self {
        let mut score = Self { sent: sent.len(), ..Self::default() };
        let mut matched = vec![false; heard.len()];
        let mut from = 0;
        for truth in sent {
            let middle = |times: &Times| (times.start + times.end) as usize / 2;
            // Digits are in order, so that what is before this one's time is before the next one's, too.
            while heard.get(from).is_some_and(|(_, times)| middle(times) + EARLY < truth.start) {
                from += 1;
            }
            let near = heard[from..].iter().take_while(|(_, times)| middle(times) <= truth.end + LATE);
            let mut found = 0;
            let same = near.zip(&mut matched[from..]).filter(|((digit, _), _)| *digit == truth.digit);
            for ((_, times), matched) in same {
                if !std::mem::replace(matched, true) {
                    found += 1;
                    let samples = times.reported as f64 - truth.start as f64;
                    score.latencies.push(samples * 1000.0 / f64::from(RATE));
                }
            }
            score.missed += usize::from(found == 0);
            score.doubled += usize::from(found > 1);
        }
        score.extra = matched.iter().filter(|matched| !**matched).count();
        score
    }

    /// As many are doubled as more digits follow themselves than were sent so.
    fn by_order(sent: &[Sent], heard: &[Heard]) -> Self {
        let digits: String = sent.iter().map(|sent| sent.digit.as_char()).collect();
        let Edits { missed, .. } = Edits::between(&digits, &text(heard));
        let others = heard.len() - (sent.len() - missed);
        let repeats = heard.windows(2).filter(|pair| pair[0].digit == pair[1].digit).count();
        let sent_so = sent.windows(2).filter(|pair| pair[0].digit == pair[1].digit).count();
        let doubled = repeats.saturating_sub(sent_so).min(others);
        Self { sent: sent.len(), missed, doubled, extra: others - doubled, ..Self::default() }
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

/// The digits alone.
pub(super) fn text(heard: &[Heard]) -> String {
    heard.iter().map(|heard| heard.digit.as_char()).collect()
}

/// What our detector tells, as any receiver does.
pub(super) fn hear_ours(samples: &[f32], rate: u32, profile: &Profile) -> Vec<Heard> {
    hear(samples, rate, profile).iter().map(Heard::from).collect()
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
        let heard = hear_ours(&signal.samples, RATE, &Profile::default());
        let lacking = Score::compare(&signal.sent, &heard[1..]);
        assert_eq!((lacking.missed, lacking.extra), (1, 0));
        let other = Score::compare(&signal.sent[1..], &heard);
        assert_eq!((other.missed, other.extra), (0, 1));
        let twice: Vec<Heard> = heard.iter().flat_map(|digit| [*digit, *digit]).collect();
        assert_eq!(Score::compare(&signal.sent, &twice).doubled, 30);
    }

    #[test]
    fn digits_without_times_are_scored_by_their_order() {
        let signal = Signal::random(4, 20, &GeneratorConfig::default().timing(50.0, 50.0));
        let without = |digits: &[Sent]| -> Vec<Heard> {
            digits.iter().map(|sent| Heard { digit: sent.digit, times: None }).collect()
        };
        let score = |heard: &[Heard]| {
            let score = Score::compare(&signal.sent, heard);
            (score.missed, score.doubled, score.extra, score.accepted(), score.latencies.len())
        };
        assert_eq!(score(&without(&signal.sent)), (0, 0, 0, 20, 0));
        assert_eq!(score(&without(&signal.sent[3..])), (3, 0, 0, 17, 0));
        let mut wrong = without(&signal.sent);
        wrong[7].digit = Digit::all().find(|digit| signal.sent[6..=8].iter().all(|sent| sent.digit != *digit)).unwrap();
        assert_eq!(score(&wrong), (1, 0, 1, 20, 0), "one missed, and another heard");
        let twice: Vec<Heard> = without(&signal.sent).iter().flat_map(|heard| [*heard; 2]).collect();
        assert_eq!(score(&twice), (0, 20, 0, 20, 0));
    }
}
