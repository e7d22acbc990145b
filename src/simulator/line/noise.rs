//! Noise and hum.

use std::f64::consts::TAU;

/// White Gaussian noise.
#[derive(Clone, Debug)]
pub(super) struct White {
    rng: fastrand::Rng,
    rms: f64,
}

impl White {
    pub(super) fn new(seed: u64, rms: f64) -> Self {
        Self { rng: fastrand::Rng::with_seed(seed ^ 0x6e6f_6973_6500), rms }
    }

    pub(super) fn next(&mut self) -> f32 {
        (self.rms * gaussian(&mut self.rng)) as f32
    }
}

/// One value of the standard normal distribution (Box and Muller's polar-free form).
pub(super) fn gaussian(rng: &mut fastrand::Rng) -> f64 {
    // 1 - f64() lies in (0, 1], where the logarithm is finite.
    (-2.0 * (1.0 - rng.f64()).ln()).sqrt() * (TAU * rng.f64()).cos()
}

/// Mains hum with two harmonics.
#[derive(Clone, Debug)]
pub(super) struct Hum {
    step: f64,
    phase: f64,
    amplitude: f64,
}

impl Hum {
    pub(super) fn new(sample_rate: u32, hz: f64, amplitude: f64) -> Self {
        Self { step: TAU * hz / f64::from(sample_rate), phase: 0.0, amplitude }
    }

    pub(super) fn next(&mut self) -> f32 {
        let harmonics = 10f64.powf(-0.5);
        let wave = self.phase.sin() + harmonics * ((2.0 * self.phase).sin() + (3.0 * self.phase).sin());
        self.phase = (self.phase + self.step) % TAU;
        (self.amplitude * wave) as f32
    }
}
