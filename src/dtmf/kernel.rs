//! The Goertzel kernel: eight tones correlated with a short sub-block of filtered samples, all lanes at once.
//!
//! A sub-block is too short to tell tones apart; sums of sub-blocks are not. The correlations carry the phase of
//! the stream, so adding those of neighbouring sub-blocks gives the correlation (the Goertzel value) of the longer block.

use super::front_end::WORKING_RATE;
use super::{COLUMN_HZ, ROW_HZ};
use std::f64::consts::TAU;

/// Filtered samples in a sub-block: 1 ms.
pub(crate) const HOP: usize = 4;
/// Four rows, then four columns.
pub(crate) const TONES: usize = 8;

/// Nominal frequency of a lane in Hz.
pub(crate) fn tone_hz(lane: usize) -> f64 {
    if lane < 4 { ROW_HZ[lane] } else { COLUMN_HZ[lane - 4] }
}

/// One complex number per tone.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Phasors {
    pub(crate) re: [f32; TONES],
    pub(crate) im: [f32; TONES],
}

impl Phasors {
    /// Adds another set, lane by lane.
    pub(crate) fn add(&mut self, other: &Self) {
        for lane in 0..TONES {
            self.re[lane] += other.re[lane];
            self.im[lane] += other.im[lane];
        }
    }

    /// Squared magnitudes.
    pub(crate) fn powers(&self) -> [f32; TONES] {
        std::array::from_fn(|lane| self.re[lane] * self.re[lane] + self.im[lane] * self.im[lane])
    }
}

/// Correlates consecutive sub-blocks with the eight tones.
pub(crate) struct Kernel {
    basis: [Phasors; HOP],
    step: Phasors,
    turn: Phasors,
}

impl Kernel {
    pub(crate) fn new() -> Self {
        let at = |sample: usize| {
            let angle = |lane| TAU * tone_hz(lane) * sample as f64 / f64::from(WORKING_RATE);
            Phasors {
                re: std::array::from_fn(|lane| angle(lane).cos() as f32),
                im: std::array::from_fn(|lane| -angle(lane).sin() as f32),
            }
        };
        Self { basis: std::array::from_fn(at), step: at(HOP), turn: at(0) }
    }

    /// The correlation of the next sub-block, `sum(x[n] * exp(-i w n))` with `n` counted from the first sub-block.
    pub(crate) fn next(&mut self, samples: &[f32; HOP]) -> Phasors {
        let mut local = Phasors::default();
        for (sample, basis) in samples.iter().zip(&self.basis) {
            for lane in 0..TONES {
                local.re[lane] += sample * basis.re[lane];
                local.im[lane] += sample * basis.im[lane];
            }
        }
        let turned = product(&local, &self.turn);
        self.turn = normalised(&product(&self.turn, &self.step));
        turned
    }
}

fn product(a: &Phasors, b: &Phasors) -> Phasors {
    Phasors {
        re: std::array::from_fn(|i| a.re[i] * b.re[i] - a.im[i] * b.im[i]),
        im: std::array::from_fn(|i| a.re[i] * b.im[i] + a.im[i] * b.re[i]),
    }
}

/// One Newton step towards magnitude 1, so that rounding cannot grow over hours.
fn normalised(a: &Phasors) -> Phasors {
    let scale: [f32; TONES] = std::array::from_fn(|i| 1.5 - 0.5 * (a.re[i] * a.re[i] + a.im[i] * a.im[i]));
    Phasors { re: std::array::from_fn(|i| a.re[i] * scale[i]), im: std::array::from_fn(|i| a.im[i] * scale[i]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustfft::{FftPlanner, num_complex::Complex};

    fn noise(seed: u64, length: usize) -> Vec<f32> {
        let mut rng = fastrand::Rng::with_seed(seed);
        (0..length).map(|_| rng.f32() - 0.5).collect()
    }

    fn summed(samples: &[f32]) -> Phasors {
        let mut kernel = Kernel::new();
        let mut sum = Phasors::default();
        samples.as_chunks::<HOP>().0.iter().for_each(|block| sum.add(&kernel.next(block)));
        sum
    }

    #[test]
    fn sums_of_sub_blocks_equal_the_plain_formula_within_one_part_in_a_million() {
        let samples = noise(1, 60 * HOP);
        let sum = summed(&samples);
        for lane in 0..TONES {
            let angle = |n: usize| TAU * tone_hz(lane) * n as f64 / 4000.0;
            let re: f64 = samples.iter().enumerate().map(|(n, x)| f64::from(*x) * angle(n).cos()).sum();
            let im: f64 = samples.iter().enumerate().map(|(n, x)| -f64::from(*x) * angle(n).sin()).sum();
            assert!((f64::from(sum.re[lane]) - re).abs() < 360.0 * 1e-6, "lane {lane}");
            assert!((f64::from(sum.im[lane]) - im).abs() < 360.0 * 1e-6, "lane {lane}");
        }
    }

    #[test]
    fn a_one_second_block_equals_the_fft_bin() {
        // 4000 samples: every nominal frequency is exactly a bin. 3996 are whole sub-blocks, the rest is silence.
        let mut samples = noise(2, 4000);
        samples[3996..].fill(0.0);
        let mut spectrum: Vec<Complex<f64>> = samples.iter().map(|x| Complex::new(f64::from(*x), 0.0)).collect();
        FftPlanner::new().plan_fft_forward(4000).process(&mut spectrum);
        let sum = summed(&samples[..3996]);
        for lane in 0..TONES {
            let bin = spectrum[tone_hz(lane) as usize];
            assert!((f64::from(sum.re[lane]) - bin.re).abs() < 4e-3 && (f64::from(sum.im[lane]) - bin.im).abs() < 4e-3);
        }
    }

    #[test]
    fn magnitude_and_phase_hold_for_an_hour() {
        let mut kernel = Kernel::new();
        let hour = 3600 * 4000 / HOP;
        for _ in 0..hour {
            kernel.next(&[0.0; HOP]);
        }
        for lane in 0..TONES {
            let magnitude = kernel.turn.re[lane].hypot(kernel.turn.im[lane]);
            assert!((magnitude - 1.0).abs() < 1e-6, "lane {lane}: {magnitude}");
        }
    }
}
