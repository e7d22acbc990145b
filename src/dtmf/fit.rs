//! Least-squares fit of two sinusoids to a window of filtered samples: exact levels, frequencies and what remains.
//!
//! Each tone is `Re((a + b t) exp(i w t))` with complex `a`, `b` and `t` from -1 to 1 over the window. The part of
//! `b / a` at right angles is the frequency error and moves `w` for the next round; the part in line is the slope of the level.

use super::front_end::WORKING_RATE;
use super::logarithm::db;
use super::simd::{Kernel, Simd, Vector};
use super::two_tones::{Folded, Solve};
use std::f32::consts::TAU;

/// Longest window in filtered samples.
pub(crate) const MAX_WINDOW: usize = 240;
const ROUNDS: usize = 3;
/// Radians over half a window that a tone turns more or less than assumed, below which another round changes nothing: the energy
/// that is left out grows with the fourth power, and the amplitude is made good.
const SMALL: f32 = 0.2;
/// Most of that for which the amplitude is made good; beyond it the fit is rough.
const MOST_MADE_GOOD: f32 = 0.5;
/// Part of the energy left after a round from which another cannot help.
const HOPELESS: f32 = 0.65;

/// One fitted tone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FittedTone {
    /// Frequency in Hz.
    pub(crate) hz: f32,
    /// Peak amplitude in the middle of the window, as filtered.
    pub(crate) amplitude: f32,
    /// The same as a complex number, with the phase: (re, im).
    pub(crate) phasor: [f32; 2],
}

impl FittedTone {
    /// Makes good what the fit loses of a tone that turns so many radians more or less over half the window than assumed: of
    /// `cos(x t)`, with `t` from -1 to 1, it sees the mean, `1 - x^2 / 6`.
    #[inline(always)]
    fn make_good(&mut self, radians: f32) {
        let factor = 1.0 + radians.abs().min(MOST_MADE_GOOD).powi(2) / 6.0;
        self.amplitude *= factor;
        self.phasor = [factor * self.phasor[0], factor * self.phasor[1]];
    }
}

/// A fitted pair.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fit {
    pub(crate) low: FittedTone,
    pub(crate) high: FittedTone,
    /// Energy of the window.
    pub(crate) energy: f32,
    /// Energy that the pair does not explain.
    pub(crate) residual: f32,
}

impl Fit {
    /// Amplitude of the rest as a part of the pair's.
    pub(crate) fn noise(&self) -> f32 {
        (self.residual / (self.energy - self.residual).max(f32::MIN_POSITIVE)).sqrt()
    }

    /// Power of the pair over the power of the rest, in dB.
    pub(crate) fn snr_db(&self) -> f32 {
        let rest = self.residual.max(self.energy * 1e-6).max(f32::MIN_POSITIVE);
        db((self.energy - self.residual).max(f32::MIN_POSITIVE) / rest)
    }
}

/// Where a fit is worth finishing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Lowest and highest frequency of the low and of the high tone, in Hz.
    pub(crate) hz: [[f32; 2]; 2],
    /// Least and greatest amplitude of the low tone over that of the high one.
    pub(crate) ratio: [f32; 2],
}

impl Bounds {
    /// What is out by this much after a round does not come back: in Hz, and as a ratio of amplitudes.
    const SLACK_HZ: f32 = 6.0;
    const SLACK_RATIO: f32 = 1.25;

    fn may_hold(&self, fit: &Fit, hz: [f32; 2]) -> bool {
        let near =
            |tone: usize| hz[tone] > self.hz[tone][0] - Self::SLACK_HZ && hz[tone] < self.hz[tone][1] + Self::SLACK_HZ;
        let ratio = fit.low.amplitude / fit.high.amplitude.max(1e-12);
        near(0) && near(1) && ratio * Self::SLACK_RATIO > self.ratio[0] && ratio < self.ratio[1] * Self::SLACK_RATIO
    }
}

/// Fits two tones to an even number of samples, starting from frequencies in Hz not further off than about half a
/// cycle over the window. Gives up early, with a rough fit, where most energy is left or the pair is out of `bounds`.
pub(crate) fn fit(samples: &[f32], start_hz: [f32; 2], bounds: Option<&Bounds>, simd: Simd) -> Fit {
    simd.run(Rounds { samples, start_hz, bounds })
}

struct Rounds<'a> {
    samples: &'a [f32],
    start_hz: [f32; 2],
    bounds: Option<&'a Bounds>,
}

impl Kernel for Rounds<'_> {
    type Output = Fit;

    #[inline(always)]
    fn run<V: Vector>(self) -> Fit {
        let mut folded = Folded::default();
        folded.put::<V>(self.samples);
        let mut hz = self.start_hz;
        let mut fit = Fit { energy: folded.energy, ..Fit::default() };
        for _ in 0..ROUNDS {
            let steps = [hz[0] * (TAU / WORKING_RATE as f32), hz[1] * (TAU / WORKING_RATE as f32)];
            let solved = Solve { folded: &folded, steps }.run::<V>();
            (fit.low.amplitude, fit.low.phasor) = solved.amplitude(0);
            (fit.high.amplitude, fit.high.phasor) = solved.amplitude(1);
            // Tones that meet have no solution: then nothing is explained.
            let left = folded.energy - solved.explained;
            fit.residual = if left.is_nan() { folded.energy } else { left.max(0.0) };
            if fit.residual > HOPELESS * fit.energy {
                break;
            }
            let corrections = [solved.correction(0), solved.correction(1)];
            fit.low.make_good(corrections[0]);
            fit.high.make_good(corrections[1]);
            let to_hz = WORKING_RATE as f32 / (TAU * folded.half as f32);
            hz = [hz[0] + corrections[0] * to_hz, hz[1] + corrections[1] * to_hz];
            if self.bounds.is_some_and(|bounds| !bounds.may_hold(&fit, hz)) {
                break;
            }
            if corrections[0].abs().max(corrections[1].abs()) < SMALL {
                break;
            }
        }
        [fit.low.hz, fit.high.hz] = hz;
        fit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(low: (f32, f32, f32), high: (f32, f32, f32), length: usize) -> Vec<f32> {
        let wave = |(hz, amplitude, phase): (f32, f32, f32), n: usize| {
            amplitude * (TAU * hz * n as f32 / 4000.0 + phase).cos()
        };
        (0..length).map(|n| wave(low, n) + wave(high, n)).collect()
    }

    #[test]
    fn levels_and_frequencies_are_found_from_starts_that_are_off() {
        for (start, truth) in [(0.0, 0.0), (12.0, 17.0), (-20.0, -29.0)] {
            for phase in [0.0, 1.0, 2.5] {
                let samples = pair((697.0 + truth * 0.5, 0.1, phase), (1633.0 + truth, 0.3, 4.0 - phase), 96);
                let fit = fit(&samples, [697.0 + start * 0.5, 1633.0 + start], None, Simd::detect());
                assert!((fit.low.hz - 697.0 - truth * 0.5).abs() < 0.3, "{fit:?}");
                assert!((fit.high.hz - 1633.0 - truth).abs() < 0.3, "{fit:?}");
                assert!((fit.low.amplitude - 0.1).abs() < 0.002 && (fit.high.amplitude - 0.3).abs() < 0.002);
                assert!(fit.snr_db() > 30.0);
            }
        }
    }

    #[test]
    fn tones_that_meet_explain_nothing() {
        let samples = pair((1000.0, 0.2, 0.3), (1000.0, 0.2, 1.0), 96);
        let fit = fit(&samples, [1000.0, 1000.0], None, Simd::detect());
        assert!(fit.snr_db() < 0.0 && fit.residual == fit.energy, "{fit:?}");
    }

    #[test]
    fn the_residual_is_what_a_third_tone_brings() {
        let mut samples = pair((770.0, 0.2, 0.3), (1336.0, 0.2, 1.0), 144);
        samples.iter_mut().enumerate().for_each(|(n, x)| *x += 0.1 * (TAU * 1040.0 * n as f32 / 4000.0).cos());
        let fit = fit(&samples, [770.0, 1336.0], None, Simd::detect());
        assert!((fit.snr_db() - 9.0).abs() < 0.7, "{}", fit.snr_db());
    }
}
