//! Test signals with their truth.

use crate::dtmf::{Digit, GeneratorConfig};

/// Rate of all test signals in Hz.
pub const RATE: u32 = 8000;

/// A digit that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The key.
    pub digit: Digit,
    /// Its first sample.
    pub start: usize,
    /// The sample after its last.
    pub end: usize,
}

/// A signal at [`RATE`] (full scale 1.0) with the digits in it; built up piece by piece, the same for the same seed.
#[derive(Clone, Debug)]
pub struct Signal {
    /// The sound.
    pub samples: Vec<f32>,
    /// The digits, in order.
    pub sent: Vec<Sent>,
    pub(super) rng: fastrand::Rng,
}

impl Signal {
    /// Begins with 200 ms of silence.
    pub fn new(seed: u64) -> Self {
        Self { samples: vec![0.0; RATE as usize / 5], sent: Vec::new(), rng: fastrand::Rng::with_seed(seed) }
    }

    /// `count` random digits with random phases and up to 2 ms of random alignment, and silence at the end.
    ///
    /// # Panics
    /// If the configuration is out of the generator's range.
    pub fn random(seed: u64, count: usize, config: &GeneratorConfig) -> Self {
        let mut signal = Self::new(seed);
        for _ in 0..count {
            let digit = signal.any_digit();
            signal.send(digit, config);
        }
        signal.silence(200.0);
        signal
    }

    /// Any of the sixteen digits.
    pub fn any_digit(&mut self) -> Digit {
        Digit::at(self.rng.usize(0..4), self.rng.usize(0..4))
    }

    /// Adds a digit with random phases, then its pause and up to 2 ms more.
    ///
    /// # Panics
    /// If the configuration is out of the generator's range.
    pub fn send(&mut self, digit: Digit, config: &GeneratorConfig) {
        self.tone(digit, config);
        let alignment = self.rng.f64() * 2.0;
        self.silence(config.pause_ms + alignment);
    }

    /// Adds a digit with random phases and no pause.
    ///
    /// # Panics
    /// If the configuration is out of the generator's range.
    pub fn tone(&mut self, digit: Digit, config: &GeneratorConfig) {
        let mut phase = || self.rng.f64() * std::f64::consts::TAU;
        let config = GeneratorConfig { sample_rate: RATE, phase: (phase(), phase()), ..*config };
        let start = self.samples.len();
        self.samples.extend(config.tone(digit).expect("the configurations of this room are in range"));
        self.sent.push(Sent { digit, start, end: self.samples.len() });
    }

    /// The same digit twice with a gap of exactly so many ms, and a pause behind it. It counts as `counts` digits, 1 or 2.
    pub(super) fn twice(&mut self, config: &GeneratorConfig, gap_ms: f64, counts: usize) {
        let digit = self.any_digit();
        self.tone(digit, config);
        self.silence(gap_ms);
        self.tone(digit, config);
        if counts == 1 {
            let end = self.samples.len();
            self.sent.pop();
            if let Some(both) = self.sent.last_mut() {
                both.end = end;
            }
        }
        let alignment = self.rng.f64() * 2.0;
        self.silence(100.0 + alignment);
    }

    /// Adds silence in ms.
    pub fn silence(&mut self, ms: f64) {
        let samples = (ms * f64::from(RATE) / 1000.0).round() as usize;
        self.samples.resize(self.samples.len() + samples, 0.0);
    }

    /// The digits sent, as text.
    pub fn digits(&self) -> String {
        self.sent.iter().map(|sent| sent.digit.as_char()).collect()
    }

    /// Lets everything come so many ms later.
    pub(super) fn delay(&mut self, ms: f64) {
        let later = (ms * f64::from(RATE) / 1000.0).round() as usize;
        self.samples.splice(..0, std::iter::repeat_n(0.0, later));
        for sent in &mut self.sent {
            sent.start += later;
            sent.end += later;
        }
    }

    /// Lets the level of each digit fall by 6 to 12 dB, 30 to 150 ms after its onset, as a line that adjusts levels does.
    pub(super) fn let_fall(&mut self) {
        for &Sent { start, end, .. } in &self.sent {
            let at = start + self.rng.usize(3 * RATE as usize / 100..15 * RATE as usize / 100);
            let factor = 10f64.powf(-(6.0 + 6.0 * self.rng.f64()) / 20.0) as f32;
            self.samples[at.min(end)..end].iter_mut().for_each(|sample| *sample *= factor);
        }
    }

    /// Cuts 1 to 31 samples out of most digits at a random place: a sound card's slip.
    pub(super) fn slip(&mut self) {
        for index in (0..self.sent.len()).rev() {
            let Sent { start, end, .. } = self.sent[index];
            let length = self.rng.usize(1..=31);
            if self.rng.f64() < 0.8 {
                let at = self.rng.usize(start..end - length);
                self.samples.drain(at..at + length);
                self.sent[index].end -= length;
                self.sent[index + 1..].iter_mut().for_each(|later| {
                    later.start -= length;
                    later.end -= length;
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_truth_points_at_the_tones() {
        let mut signal = Signal::random(1, 20, &GeneratorConfig::default().timing(46.0, 30.0));
        signal.slip();
        assert_eq!(signal.digits().len(), 20);
        let power = |range: std::ops::Range<usize>| {
            let length = range.len() as f32;
            signal.samples[range].iter().map(|x| x * x).sum::<f32>() / length
        };
        for sent in &signal.sent {
            assert!(power(sent.start..sent.end) > 0.01, "{sent:?}");
            assert!(power(sent.end..sent.end + 200) < 1e-9, "{sent:?}");
        }
    }

    #[test]
    fn a_digit_with_a_gap_counts_as_told() {
        let mut signal = Signal::new(2);
        let config = GeneratorConfig::default().timing(50.0, 0.0);
        signal.twice(&config, 20.0, 1);
        signal.twice(&config, 30.0, 2);
        assert_eq!(signal.sent.len(), 3);
        assert_eq!(signal.sent[0].end - signal.sent[0].start, 960);
        assert_eq!(signal.sent[2].start - signal.sent[1].end, 240);
    }
}
