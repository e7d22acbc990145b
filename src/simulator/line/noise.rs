//! Noise, hum and steady or cadenced tones.

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

/// Pink noise: white noise through three one-pole filters that together fall by 3 dB per octave.
#[derive(Clone, Debug)]
pub(super) struct Pink {
    rng: fastrand::Rng,
    rms: f64,
    state: [f64; 3],
}

impl Pink {
    const POLES: [f64; 3] = [0.99765, 0.963, 0.57];
    const GAINS: [f64; 3] = [0.099_046, 0.296_516_4, 1.052_691_3];
    const DIRECT: f64 = 0.1848;

    pub(super) fn new(seed: u64, rms: f64) -> Self {
        Self { rng: fastrand::Rng::with_seed(seed ^ 0x7069_6e6b), rms: rms / Self::unscaled_rms(), state: [0.0; 3] }
    }

    /// Root-mean-square of the filter's output for unit white noise: the poles' outputs are correlated in pairs.
    fn unscaled_rms() -> f64 {
        let direct = Self::DIRECT * Self::DIRECT;
        let with_direct: f64 = Self::GAINS.iter().map(|gain| 2.0 * gain * Self::DIRECT).sum();
        let pairs = (0..3).flat_map(|i| (0..3).map(move |j| (i, j)));
        let ladder: f64 =
            pairs.map(|(i, j)| Self::GAINS[i] * Self::GAINS[j] / (1.0 - Self::POLES[i] * Self::POLES[j])).sum();
        (direct + with_direct + ladder).sqrt()
    }

    pub(super) fn next(&mut self) -> f32 {
        let white = gaussian(&mut self.rng);
        let mut sum = Self::DIRECT * white;
        for ((state, pole), gain) in self.state.iter_mut().zip(Self::POLES).zip(Self::GAINS) {
            *state = pole * *state + gain * white;
            sum += *state;
        }
        (self.rms * sum) as f32
    }
}

/// Clicks: a step that falls to 37 % in each ms, at random times and of either sign. Most of it lies below the digits' tones, as in the
/// clicks of a switch, and the same of it at every sample rate.
#[derive(Clone, Debug)]
pub(super) struct Impulses {
    rng: fastrand::Rng,
    probability: f64,
    peak: f64,
    decay: f64,
    state: f64,
}

impl Impulses {
    pub(super) fn new(seed: u64, sample_rate: u32, per_second: f64, peak: f64) -> Self {
        let rate = f64::from(sample_rate);
        let rng = fastrand::Rng::with_seed(seed ^ 0x636c_6963);
        Self { rng, probability: per_second / rate, peak, decay: (-1000.0 / rate).exp(), state: 0.0 }
    }

    pub(super) fn next(&mut self) -> f32 {
        self.state *= self.decay;
        if self.rng.f64() < self.probability {
            self.state += if self.rng.bool() { self.peak } else { -self.peak };
        }
        self.state as f32
    }
}

/// Tones of a dial or call-progress signal with a cadence.
#[derive(Clone, Debug)]
pub(super) struct Tones {
    steps: Vec<f64>,
    phases: Vec<f64>,
    amplitude: f64,
    on: u64,
    period: u64,
    position: u64,
}

impl Tones {
    /// `cadence_ms` is (on, off); `None` sounds all the time.
    pub(super) fn new(sample_rate: u32, hz: &[f64], amplitude: f64, cadence_ms: Option<(f64, f64)>) -> Self {
        let rate = f64::from(sample_rate);
        let samples = |ms: f64| (ms.max(0.0) * rate / 1000.0).round() as u64;
        let (on, period) = cadence_ms.map_or((1, 1), |(on, off)| (samples(on), samples(on) + samples(off)));
        let steps: Vec<f64> = hz.iter().map(|hz| TAU * hz / rate).collect();
        Self { phases: vec![0.0; steps.len()], steps, amplitude, on, period: period.max(1), position: 0 }
    }

    pub(super) fn next(&mut self) -> f32 {
        let sounds = self.position % self.period < self.on;
        self.position += 1;
        let mut sum = 0.0;
        for (phase, step) in self.phases.iter_mut().zip(&self.steps) {
            sum += phase.sin();
            *phase = (*phase + step) % TAU;
        }
        if sounds { (self.amplitude * sum) as f32 } else { 0.0 }
    }
}
