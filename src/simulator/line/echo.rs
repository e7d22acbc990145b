//! Delayed, weaker copies of a signal, and rooms.

use std::sync::Arc;

/// A delay line with a gain.
#[derive(Clone, Debug)]
pub(super) struct Delay {
    ring: Vec<f32>,
    position: usize,
    gain: f32,
}

impl Delay {
    pub(super) fn new(samples: usize, gain: f64) -> Self {
        Self { ring: vec![0.0; samples + 1], position: 0, gain: gain as f32 }
    }

    pub(super) fn next(&mut self, sample: f32) -> f32 {
        self.ring[self.position] = sample;
        self.position = (self.position + 1) % self.ring.len();
        self.ring[self.position] * self.gain
    }
}

/// A measured impulse response, convolved as it stands.
#[derive(Clone, Debug)]
pub(super) struct Response {
    taps: Arc<[f32]>,
    ring: Vec<f32>,
    position: usize,
}

impl Response {
    pub(super) fn new(taps: Arc<[f32]>) -> Self {
        Self { ring: vec![0.0; taps.len().max(1)], taps, position: 0 }
    }

    pub(super) fn next(&mut self, sample: f32) -> f32 {
        self.ring[self.position] = sample;
        // The newest sample meets the first tap; the ring is read backwards from it, in two pieces.
        let (newer, older) = self.ring.split_at(self.position + 1);
        let past = newer.iter().rev().chain(older.iter().rev());
        let heard = self.taps.iter().zip(past).map(|(tap, sample)| tap * sample).sum();
        self.position = (self.position + 1) % self.ring.len();
        heard
    }
}

/// Direct sound and reflections that grow denser and weaker: one every 16 samples on average.
#[derive(Clone, Debug)]
pub(super) struct Room {
    ring: Vec<f32>,
    position: usize,
    reflections: Vec<(usize, f32)>,
}

impl Room {
    /// `length` is the time in samples in which the reflections fade by 60 dB; `gain` is their root-mean-square sum.
    pub(super) fn new(seed: u64, length: usize, gain: f64) -> Self {
        let length = length.max(16);
        let mut rng = fastrand::Rng::with_seed(seed ^ 0x726f_6f6d);
        let count = length / 16;
        let mut reflections: Vec<(usize, f64)> = (0..count)
            .map(|_| {
                let delay = rng.usize(1..=length);
                let fade = 10f64.powf(-3.0 * delay as f64 / length as f64);
                (delay, fade * (2.0 * rng.f64() - 1.0))
            })
            .collect();
        reflections.sort_by_key(|(delay, _)| *delay);
        let power: f64 = reflections.iter().map(|(_, gain)| gain * gain).sum();
        let scale = gain / power.sqrt().max(1e-9);
        let reflections = reflections.into_iter().map(|(delay, gain)| (delay, (gain * scale) as f32)).collect();
        Self { ring: vec![0.0; length + 1], position: 0, reflections }
    }

    pub(super) fn next(&mut self, sample: f32) -> f32 {
        let size = self.ring.len();
        self.ring[self.position] = sample;
        let echo: f32 =
            self.reflections.iter().map(|(delay, gain)| gain * self.ring[(self.position + size - delay) % size]).sum();
        self.position = (self.position + 1) % size;
        sample + echo
    }
}
