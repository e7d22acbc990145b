//! Compares what was heard with what was sent.

use super::signal::{RATE, Sent, Signal};
use crate::dtmf::{Detection, Detector, Event, Profile};

/// What became of the digits that were sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Score {
    pub(super) sent: usize,
    pub(super) missed: usize,
    pub(super) doubled: usize,
    pub(super) extra: usize,
    /// Onset to report of each digit found, in ms.
    pub(super) latencies: Vec<f64>,
}

impl Score {
    /// Hears a signal and scores it.
    pub(super) fn of(signal: &Signal, profile: &Profile) -> Self {
        Self::compare(&signal.sent, &hear(&signal.samples, RATE, profile))
    }

    fn compare(sent: &[Sent], heard: &[Detection]) -> Self {
        let mut score = Self { sent: sent.len(), ..Self::default() };
        let mut matched = vec![false; heard.len()];
        for truth in sent {
            let fits = |digit: &Detection| {
                let middle = (digit.start + digit.end) as usize / 2;
                digit.digit == truth.digit && middle + 80 >= truth.start && middle <= truth.end + 240
            };
            let mut found = 0;
            for (index, digit) in heard.iter().enumerate().filter(|(_, digit)| fits(digit)) {
                if !std::mem::replace(&mut matched[index], true) {
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
    pub(super) fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.missed += other.missed;
        self.doubled += other.doubled;
        self.extra += other.extra;
        self.latencies.extend(other.latencies);
    }

    /// Mean and greatest latency in ms.
    pub(super) fn latency(&self) -> (f64, f64) {
        let mean = self.latencies.iter().sum::<f64>() / self.latencies.len().max(1) as f64;
        (mean, self.latencies.iter().copied().fold(0.0, f64::max))
    }
}

/// All digits in a recording.
pub(super) fn hear(samples: &[f32], rate: u32, profile: &Profile) -> Vec<Detection> {
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
