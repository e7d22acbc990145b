//! Least-squares fit of two sinusoids to a window of filtered samples: exact levels, frequencies and what remains.
//!
//! Each tone is `Re((a + b t) exp(i w t))` with complex `a`, `b` and `t` from -1 to 1 over the window. The part of
//! `b / a` at right angles is the frequency error and moves `w` for the next round; the part in line is the slope of the level.

use super::front_end::WORKING_RATE;
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

/// Fits two tones to an even number of samples, starting from frequencies in Hz not further off than about half a
/// cycle over the window.
pub(crate) fn fit(samples: &[f32], low_hz: f32, high_hz: f32) -> Fit {
    let folded = Folded::new(samples);
    let mut hz = [low_hz, high_hz];
    let mut fit = Fit { energy: folded.energy, ..Fit::default() };
    for _ in 0..ROUNDS {
        let solved = folded.solve(hz);
        fit.low = solved.tone(0, hz[0]);
        fit.high = solved.tone(1, hz[1]);
        fit.residual = (folded.energy - solved.explained).max(0.0);
        if fit.residual > HOPELESS * fit.energy {
            break;
        }
        hz = [0, 1].map(|tone| hz[tone] + solved.correction(tone, folded.half as f32));
    }
    [fit.low.hz, fit.high.hz] = hz;
    fit
}

/// Complex amplitudes of two tones of known frequency over a short piece that starts at sample `start`, and the
/// energy they leave.
pub(crate) fn amplitudes(samples: &[f32], hz: [f32; 2], start: f32) -> ([[f32; 2]; 2], f32) {
    let mut normal = Normal::default();
    let [mut low, mut high] = hz.map(|hz| Spin::at(TAU * hz / WORKING_RATE as f32, start));
    let mut energy = 0.0;
    for sample in samples {
        normal.add([low.cos, high.cos, low.sin, high.sin], *sample);
        energy += sample * sample;
        (low, high) = (low.next(), high.next());
    }
    let (x, explained) = normal.solve();
    ([[x[0], x[2]], [x[1], x[3]]], (energy - explained).max(0.0))
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
        for i in 0..half {
            let (before, after) = (samples[half - 1 - i], samples[half + i]);
            folded.even[i] = after + before;
            folded.odd[i] = after - before;
            folded.energy += after * after + before * before;
        }
        folded
    }

    fn solve(&self, hz: [f32; 2]) -> Solved {
        let mut even = Normal::default();
        let mut odd = Normal::default();
        let mut spin = hz.map(|hz| Spin::at(TAU * hz / WORKING_RATE as f32, 0.5));
        let scale = 1.0 / self.half as f32;
        for i in 0..self.half {
            let t = (i as f32 + 0.5) * scale;
            let [a, b] = [spin[0], spin[1]];
            even.add([a.cos, b.cos, t * a.sin, t * b.sin], self.even[i]);
            odd.add([a.sin, b.sin, t * a.cos, t * b.cos], self.odd[i]);
            spin = spin.map(Spin::next);
        }
        even.scale(2.0);
        odd.scale(2.0);
        let (x, explained_even) = even.solve();
        let (y, explained_odd) = odd.solve();
        Solved { even: x, odd: y, explained: explained_even + explained_odd }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Spin {
    pub(crate) cos: f32,
    pub(crate) sin: f32,
    step_cos: f32,
    step_sin: f32,
}

impl Spin {
    /// At `start` samples from phase zero.
    pub(crate) fn at(step: f32, start: f32) -> Self {
        let (sin, cos) = (start * step).sin_cos();
        let (step_sin, step_cos) = step.sin_cos();
        Self { cos, sin, step_cos, step_sin }
    }

    pub(crate) fn next(self) -> Self {
        let cos = self.cos * self.step_cos - self.sin * self.step_sin;
        let sin = self.cos * self.step_sin + self.sin * self.step_cos;
        Self { cos, sin, ..self }
    }
}

/// Normal equations of four functions.
#[derive(Default)]
struct Normal {
    gram: [[f32; 4]; 4],
    right: [f32; 4],
}

impl Normal {
    fn add(&mut self, f: [f32; 4], sample: f32) {
        for i in 0..4 {
            self.right[i] += f[i] * sample;
            for j in 0..4 {
                self.gram[i][j] += f[i] * f[j];
            }
        }
    }

    fn scale(&mut self, factor: f32) {
        self.gram.iter_mut().flatten().for_each(|x| *x *= factor);
    }

    /// The coefficients and the energy they explain, by elimination without pivoting (the matrix is positive definite).
    fn solve(mut self) -> ([f32; 4], f32) {
        let mut x = self.right;
        for i in 0..4 {
            let pivot = self.gram[i][i].max(1e-9);
            for j in i + 1..4 {
                let factor = self.gram[j][i] / pivot;
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
            x[i] /= self.gram[i][i].max(1e-9);
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
                let fit = fit(&samples, 697.0 + start * 0.5, 1633.0 + start);
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
        let fit = fit(&samples, 770.0, 1336.0);
        assert!((fit.snr_db() - 9.0).abs() < 0.7, "{}", fit.snr_db());
    }
}
