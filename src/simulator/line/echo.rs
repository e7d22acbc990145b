//! Delayed, weaker copies of a signal.

/// A delay line with a gain.
#[derive(Clone, Debug)]
pub(super) struct Delay {
    ring: Vec<f32>,
    position: usize,
    gain: f32,
}

impl Delay {
    pub(super) fn new(sample_rate: u32, delay_ms: f64, gain: f64) -> Self {
        let samples = (delay_ms.max(0.0) * f64::from(sample_rate) / 1000.0).round() as usize;
        Self { ring: vec![0.0; samples + 1], position: 0, gain: gain as f32 }
    }

    pub(super) fn next(&mut self, sample: f32) -> f32 {
        self.ring[self.position] = sample;
        self.position = (self.position + 1) % self.ring.len();
        self.ring[self.position] * self.gain
    }
}
