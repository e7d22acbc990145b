//! Test signals with their truth.

use crate::dtmf::{Digit, GeneratorConfig};

/// Rate of all test signals in Hz.
pub(super) const RATE: u32 = 8000;

/// A digit that was sent: from and to in samples.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) digit: Digit,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A signal under construction.
pub(super) struct Signal {
    pub(super) samples: Vec<f32>,
    pub(super) sent: Vec<Sent>,
    pub(super) rng: fastrand::Rng,
}

impl Signal {
    /// Begins with 200 ms of silence.
    pub(super) fn new(seed: u64) -> Self {
        Self { samples: vec![0.0; RATE as usize / 5], sent: Vec::new(), rng: fastrand::Rng::with_seed(seed) }
    }

    /// `count` random digits with random phases and up to 2 ms of random alignment, and silence at the end.
    pub(super) fn random(seed: u64, count: usize, config: &GeneratorConfig) -> Self {
        let mut signal = Self::new(seed);
        for _ in 0..count {
            let digit = Digit::at(signal.rng.usize(0..4), signal.rng.usize(0..4));
            signal.send(digit, config);
        }
        signal.silence(200.0);
        signal
    }

    /// Adds a digit with random phases and its pause.
    pub(super) fn send(&mut self, digit: Digit, config: &GeneratorConfig) {
        let mut phase = || self.rng.f64() * std::f64::consts::TAU;
        let config = GeneratorConfig { sample_rate: RATE, phase: (phase(), phase()), ..*config };
        let tone = config.tone(digit).expect("the configurations of this room are in range");
        let start = self.samples.len();
        self.samples.extend(tone);
        self.sent.push(Sent { digit, start, end: self.samples.len() });
        let alignment = self.rng.f64() * 2.0;
        self.silence(config.pause_ms + alignment);
    }

    /// Adds silence in ms.
    pub(super) fn silence(&mut self, ms: f64) {
        let samples = (ms * f64::from(RATE) / 1000.0).round() as usize;
        self.samples.resize(self.samples.len() + samples, 0.0);
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
