//! Least-squares fit of two sinusoids to a window of filtered samples: exact levels, frequencies and what remains.
//!
//! Each tone is `Re((a + b t) exp(i w t))` with complex `a`, `b` and `t` from -1 to 1 over the window. The part of
//! `b / a` at right angles is the frequency error and moves `w` for the next round; the part in line is the slope of the level.

use super::front_end::WORKING_RATE;
use super::simd::{Kernel, Simd};
use super::waves::{LANES, Lanes, Wave, sum};
use std::f32::consts::TAU;

/// Longest window in filtered samples.
pub(crate) const MAX_WINDOW: usize = 240;
const ROUNDS: usize = 3;
/// Part of the energy left after a round from which another cannot help.
const HOPELESS: f32 = 0.65;

/// One fitted tone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FittedTone {
    /// Frequency in Hz.
    pub(crate) hz: f32,
    /// Peak amplitude in the middle of the window, as filtered.
    pub(crate) amplitude: f32,
    /// Phase in radians in the middle of the window.
    pub(crate) phase: f32,
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
    /// Power of the pair over the power of the rest, in dB.
    pub(crate) fn snr_db(&self) -> f32 {
        let rest = self.residual.max(self.energy * 1e-6).max(f32::MIN_POSITIVE);
        10.0 * ((self.energy - self.residual).max(f32::MIN_POSITIVE) / rest).log10()
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
    let folded = Folded::new(samples);
    let mut hz = start_hz;
    let mut fit = Fit { energy: folded.energy, ..Fit::default() };
    for _ in 0..ROUNDS {
        let solved = simd.run(Solve { folded: &folded, hz });
        fit.low = solved.tone(0, hz[0]);
        fit.high = solved.tone(1, hz[1]);
        fit.residual = (folded.energy - solved.explained).max(0.0);
        if fit.residual > HOPELESS * fit.energy {
            break;
        }
        hz = [0, 1].map(|tone| hz[tone] + solved.correction(tone, folded.half as f32));
        if bounds.is_some_and(|bounds| !bounds.may_hold(&fit, hz)) {
            break;
        }
    }
    [fit.low.hz, fit.high.hz] = hz;
    fit
}

/// Complex amplitudes of two tones of known frequency over a short piece that starts at sample `start`, and the
/// energy they leave. The length is a multiple of [`LANES`].
pub(crate) fn amplitudes(samples: &[f32], hz: [f32; 2], start: f32, simd: Simd) -> ([[f32; 2]; 2], f32) {
    simd.run(Amplitudes { samples, hz, start })
}

struct Amplitudes<'a> {
    samples: &'a [f32],
    hz: [f32; 2],
    start: f32,
}

impl Kernel for Amplitudes<'_> {
    type Output = ([[f32; 2]; 2], f32);

    #[inline(always)]
    fn run(self) -> Self::Output {
        let mut sums = Sums::ZERO;
        let [mut low, mut high] = self.hz.map(|hz| {
            let step = TAU * hz / WORKING_RATE as f32;
            Wave::at(step, self.start * step)
        });
        let mut energies = [0f32; LANES];
        for samples in self.samples.as_chunks::<LANES>().0 {
            sums.add(&[low.cos, high.cos, low.sin, high.sin], samples);
            for lane in 0..LANES {
                energies[lane] += samples[lane] * samples[lane];
            }
            low.go_on();
            high.go_on();
        }
        let (x, explained) = sums.normal(1.0).solve();
        ([[x[0], x[2]], [x[1], x[3]]], (sum(&energies) - explained).max(0.0))
    }
}

/// The window folded about its middle: even parts meet only `cos` and `t sin`, odd parts only `sin` and `t cos`.
struct Folded {
    even: [f32; MAX_WINDOW / 2],
    odd: [f32; MAX_WINDOW / 2],
    half: usize,
    energy: f32,
}

impl Folded {
    fn new(samples: &[f32]) -> Self {
        let half = samples.len() / 2;
        let mut folded = Self { even: [0.0; MAX_WINDOW / 2], odd: [0.0; MAX_WINDOW / 2], half, energy: 0.0 };
        let (before, after) = samples.split_at(half);
        let parts = folded.even.iter_mut().zip(&mut folded.odd);
        for ((even, odd), (before, after)) in parts.zip(before.iter().rev().zip(after)) {
            *even = after + before;
            *odd = after - before;
        }
        folded.energy = samples.iter().map(|x| x * x).sum();
        folded
    }
}

struct Solve<'a> {
    folded: &'a Folded,
    hz: [f32; 2],
}

impl Kernel for Solve<'_> {
    type Output = Solved;

    #[inline(always)]
    fn run(self) -> Solved {
        let Self { folded, hz } = self;
        let (mut even, mut odd) = (Sums::ZERO, Sums::ZERO);
        let [mut a, mut b] = hz.map(|hz| {
            let step = TAU * hz / WORKING_RATE as f32;
            Wave::at(step, 0.5 * step)
        });
        let scale = 1.0 / folded.half as f32;
        for first in (0..folded.half).step_by(LANES) {
            let t: Lanes = std::array::from_fn(|lane| ((first + lane) as f32 + 0.5) * scale);
            // Lanes beyond the window weigh nothing.
            let weight: Lanes = std::array::from_fn(|lane| if first + lane < folded.half { 1.0 } else { 0.0 });
            let [ac, bc, asin, bsin] = [a.cos, b.cos, a.sin, b.sin].map(|wave| times(&wave, &weight));
            let functions = [ac, bc, times(&t, &asin), times(&t, &bsin)];
            even.add(&functions, lanes_at(&folded.even, first));
            odd.add(&[asin, bsin, times(&t, &ac), times(&t, &bc)], lanes_at(&folded.odd, first));
            a.go_on();
            b.go_on();
        }
        let (x, explained_even) = even.normal(2.0).solve();
        let (y, explained_odd) = odd.normal(2.0).solve();
        Solved { even: x, odd: y, explained: explained_even + explained_odd }
    }
}

#[inline(always)]
fn lanes_at(values: &[f32; MAX_WINDOW / 2], first: usize) -> &Lanes {
    &values.as_chunks::<LANES>().0[first / LANES]
}

#[inline(always)]
fn times(a: &Lanes, b: &Lanes) -> Lanes {
    let mut product = *a;
    for lane in 0..LANES {
        product[lane] *= b[lane];
    }
    product
}

/// What the normal equations of four functions are made of, lane by lane.
struct Sums {
    /// Products of the functions: 00 01 02 03 11 12 13 22 23 33.
    products: [Lanes; 10],
    right: [Lanes; 4],
}

/// Where the product of two functions stands in [`Sums::products`].
const PRODUCT: [[usize; 4]; 4] = [[0, 1, 2, 3], [1, 4, 5, 6], [2, 5, 7, 8], [3, 6, 8, 9]];

impl Sums {
    const ZERO: Self = Self { products: [[0.0; LANES]; 10], right: [[0.0; LANES]; 4] };

    #[inline(always)]
    fn add(&mut self, functions: &[Lanes; 4], samples: &Lanes) {
        for i in 0..4 {
            for lane in 0..LANES {
                self.right[i][lane] += functions[i][lane] * samples[lane];
            }
            for j in i..4 {
                let sums = &mut self.products[PRODUCT[i][j]];
                for lane in 0..LANES {
                    sums[lane] += functions[i][lane] * functions[j][lane];
                }
            }
        }
    }

    /// The normal equations, the products of functions times a factor.
    #[inline(always)]
    fn normal(&self, factor: f32) -> Normal {
        let mut products = [0f32; 10];
        for (total, lanes) in products.iter_mut().zip(&self.products) {
            *total = factor * sum(lanes);
        }
        let mut normal = Normal { gram: [[0.0; 4]; 4], right: [0.0; 4] };
        for i in 0..4 {
            normal.right[i] = sum(&self.right[i]);
            for j in 0..4 {
                normal.gram[i][j] = products[PRODUCT[i][j]];
            }
        }
        normal
    }
}

/// Normal equations of four functions.
struct Normal {
    gram: [[f32; 4]; 4],
    right: [f32; 4],
}

impl Normal {
    /// The coefficients and the energy they explain, by elimination without pivoting (the matrix is positive definite).
    #[inline(always)]
    fn solve(mut self) -> ([f32; 4], f32) {
        let mut x = self.right;
        let mut inverse = [0f32; 4];
        for i in 0..4 {
            inverse[i] = 1.0 / self.gram[i][i].max(1e-9);
            for j in i + 1..4 {
                let factor = self.gram[j][i] * inverse[i];
                for k in i..4 {
                    self.gram[j][k] -= factor * self.gram[i][k];
                }
                x[j] -= factor * x[i];
            }
        }
        for i in (0..4).rev() {
            for j in i + 1..4 {
                x[i] -= self.gram[i][j] * x[j];
            }
            x[i] *= inverse[i];
        }
        (x, x.iter().zip(self.right).map(|(x, right)| x * right).sum())
    }
}

struct Solved {
    /// `cos` of both tones, then `t sin` of both.
    even: [f32; 4],
    /// `sin` of both tones, then `t cos` of both.
    odd: [f32; 4],
    explained: f32,
}

impl Solved {
    /// `a` and `b` of a tone as (re, im).
    fn parts(&self, tone: usize) -> ((f32, f32), (f32, f32)) {
        ((self.even[tone], -self.odd[tone]), (self.odd[2 + tone], -self.even[2 + tone]))
    }

    /// `b / a` as (re, im).
    fn ratio(&self, tone: usize) -> (f32, f32) {
        let ((ar, ai), (br, bi)) = self.parts(tone);
        let power = (ar * ar + ai * ai).max(1e-20);
        ((br * ar + bi * ai) / power, (bi * ar - br * ai) / power)
    }

    /// Frequency correction in Hz, limited so that a bad fit cannot run away.
    fn correction(&self, tone: usize, half: f32) -> f32 {
        let radians = self.ratio(tone).1.clamp(-1.5, 1.5);
        radians * WORKING_RATE as f32 / (TAU * half)
    }

    fn tone(&self, tone: usize, hz: f32) -> FittedTone {
        let ((re, im), _) = self.parts(tone);
        FittedTone { hz, amplitude: re.hypot(im), phase: im.atan2(re) }
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
    fn the_residual_is_what_a_third_tone_brings() {
        let mut samples = pair((770.0, 0.2, 0.3), (1336.0, 0.2, 1.0), 144);
        samples.iter_mut().enumerate().for_each(|(n, x)| *x += 0.1 * (TAU * 1040.0 * n as f32 / 4000.0).cos());
        let fit = fit(&samples, [770.0, 1336.0], None, Simd::detect());
        assert!((fit.snr_db() - 9.0).abs() < 0.7, "{}", fit.snr_db());
    }
}
