//! A window of samples compared with the waveform fitted to it: how long it has sounded, and what sounds beside it.

use super::fit::{Fit, MAX_WINDOW};
use super::front_end::WORKING_RATE;
use super::partials::{Halves, LONGEST};
use super::simd::{Kernel, LANES, Vector};
use super::waves::Wave;
use std::f32::consts::TAU;

/// Filtered samples before a window in which its tones are followed back: 10 ms.
pub(crate) const BACK: usize = 40;

/// How long the fitted waveform, continued back beyond the window, has been there, and whether it still is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Presence {
    /// Filtered samples the pair has sounded, weighted by its level.
    pub(crate) sounded: f32,
    /// Level of the pair in the last 4 ms over its usual level.
    pub(crate) at_end: f32,
    /// Unexpected energy in the last 4 ms, over the pair's.
    pub(crate) end_residual: f32,
}

/// Samples, [`BACK`] more than the window a pair was fitted to, for its presence.
pub(crate) struct Followed<'a> {
    pub(crate) samples: &'a [f32],
    pub(crate) fit: &'a Fit,
}

impl Kernel for Followed<'_> {
    type Output = Presence;

    #[inline(always)]
    fn run<V: Vector>(self) -> Presence {
        let Self { samples, fit } = self;
        let window = (samples.len() - BACK) as f32;
        let middle = BACK as f32 + 0.5 * window - 0.5;
        let mut waveform = Waveform::<V>::new(fit, -middle);
        let usual = 0.5 * (fit.low.amplitude.powi(2) + fit.high.amplitude.powi(2)).max(1e-12);
        let (mut total, mut plateau, mut end, mut end_residual, mut residual) = (0.0, 0.0, 0.0, 0.0, 0.0);
        let pieces = samples.as_chunks::<LANES>().0;
        let step = LANES as f32;
        for (index, samples) in pieces.iter().enumerate() {
            let [with, model_energy, left] = compared(V::load(samples), waveform.next());
            let part = with / model_energy.max(1e-12);
            // Before the window the phase may be another (a splice, another digit): that takes nothing away.
            total += step * if index * LANES < BACK { part.max(0.0) } else { part };
            let place = (index * LANES + LANES / 2) as f32 - middle;
            if place.abs() < 0.25 * window {
                plateau += step * part / (0.5 * window);
                residual += left * 2.0 * step / (0.5 * window);
            }
            if index + 2 >= pieces.len() {
                end += 0.5 * part;
                end_residual += left;
            }
        }
        let plateau = plateau.max(0.1);
        let end_residual = (end_residual - 4.0 * residual).max(0.0) / (2.0 * step * usual);
        Presence { sounded: total / plateau, at_end: end / plateau, end_residual }
    }
}

/// Product of samples and model, energy of the model, energy of their difference.
#[inline(always)]
fn compared<V: Vector>(samples: V, model: V) -> [f32; 3] {
    let left = samples - model;
    [(samples * model).sum(), (model * model).sum(), (left * left).sum()]
}

/// The fitted waveform, eight samples at a time.
struct Waveform<V>([Wave<V>; 2]);

impl<V: Vector> Waveform<V> {
    /// From `first` samples after the middle of the window (before it: negative).
    #[inline(always)]
    fn new(fit: &Fit, first: f32) -> Self {
        let [low, high] = [&fit.low, &fit.high].map(|tone| (TAU * tone.hz / WORKING_RATE as f32, tone.phasor));
        Self([Wave::of_phasor(low.0, first * low.0, low.1), Wave::of_phasor(high.0, first * high.0, high.1)])
    }

    #[inline(always)]
    fn next(&mut self) -> V {
        let Self([low, high]) = self;
        let samples = low.cos + high.cos;
        low.go_on();
        high.go_on();
        samples
    }
}

/// Partials beside the pair are looked for between these frequencies in Hz, one cycle over the window apart.
const PARTIALS_HZ: [f32; 2] = [620.0, 1850.0];
/// So many at most.
const PARTIALS: usize = 80;
/// A partial within so many Hz of a tone is the tone's own.
const OWN_HZ: f32 = 70.0;
const _: () = assert!((PARTIALS_HZ[1] - PARTIALS_HZ[0]) as usize * MAX_WINDOW / (WORKING_RATE as usize) < PARTIALS);

const _: () = assert!(MAX_WINDOW <= LONGEST);

/// The window a pair was fitted to, for the flatness of what the fitted waveform leaves of the band: geometric over
/// arithmetic mean of the powers of its partials, in dB. Noise has -2.5.
pub(crate) struct Remainder<'a> {
    pub(crate) samples: &'a [f32],
    pub(crate) fit: &'a Fit,
}

impl Kernel for Remainder<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<V: Vector>(self) -> f32 {
        let Self { samples, fit } = self;
        let mut rest = [[0f32; LANES]; MAX_WINDOW / LANES];
        let middle = 0.5 * (samples.len() as f32 - 1.0);
        let step = TAU * 0.5 / (middle + 1.0);
        let (mut waveform, mut window) = (Waveform::<V>::new(fit, -middle), Wave::<V>::at(step, -middle * step));
        let half = V::splat(0.5);
        for (rest, samples) in rest.iter_mut().zip(samples.as_chunks::<LANES>().0) {
            ((V::load(samples) - waveform.next()) * (half + half * window.cos)).store(rest);
            window.go_on();
        }
        let spacing_hz = WORKING_RATE as f32 / samples.len() as f32;
        let [first, end] = PARTIALS_HZ.map(|hz| (hz / spacing_hz).ceil() as usize);
        let rest = &rest.as_flattened()[..samples.len()];
        let powers: [f32; PARTIALS] = Halves::new::<V>(rest).partials::<V, PARTIALS>(first..end);
        let own = |hz: f32| (hz - fit.low.hz).abs() <= OWN_HZ || (hz - fit.high.hz).abs() <= OWN_HZ;
        flatness_of((first..end).zip(powers).filter(|(cycles, _)| !own(*cycles as f32 * spacing_hz)))
    }
}

/// The flatness of partials, in dB.
#[inline(always)]
fn flatness_of(partials: impl Iterator<Item = (usize, f32)>) -> f32 {
    /// Powers whose product is in the range of its type.
    const TOGETHER: u32 = 8;
    let (mut sum, mut logs, mut product, mut count) = (0f32, 0f64, 1f64, 0u32);
    for (_, power) in partials {
        sum += power;
        product *= f64::from(power.max(1e-20));
        count += 1;
        if count.is_multiple_of(TOGETHER) {
            logs += product.ln();
            product = 1.0;
        }
    }
    let count = f64::from(count);
    (4.342_945 * ((logs + product.ln()) / count - f64::from((sum / count as f32).max(1e-20)).ln())) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::fit::fit;
    use crate::dtmf::simd::Simd;

    const WINDOW: usize = 96;

    /// A pair that begins `late` samples into a stretch of the window and [`BACK`], with a third tone of an amplitude.
    fn sound(late: usize, third: f32) -> Vec<f32> {
        let tone = |hz: f32, n: usize| (TAU * hz * n as f32 / 4000.0).cos();
        let pair = |n: usize| if n < late { 0.0 } else { 0.1 * (tone(770.0, n) + tone(1336.0, n)) };
        (0..WINDOW + BACK).map(|n| pair(n) + third * tone(1040.0, n)).collect()
    }

    fn fitted(samples: &[f32]) -> Fit {
        fit(&samples[BACK..], [770.0, 1336.0], None, Simd::detect())
    }

    #[test]
    fn presence_counts_the_samples_of_tone_beyond_the_window_too() {
        for late in [0, 16, 40, 56] {
            let samples = sound(late, 0.0);
            let fit = fitted(&samples);
            let presence = Simd::detect().run(Followed { samples: &samples, fit: &fit });
            let truth = (WINDOW + BACK - late) as f32;
            assert!((presence.sounded - truth).abs() < 6.0, "{truth}: {presence:?}");
            assert!((presence.at_end - 1.0).abs() < 0.1, "{presence:?}");
        }
    }

    #[test]
    fn a_pair_that_broke_off_is_not_there_at_its_end() {
        let mut samples = sound(0, 0.0);
        samples[WINDOW + BACK - 16..].fill(0.0);
        let fit = fitted(&samples);
        assert!(Simd::detect().run(Followed { samples: &samples, fit: &fit }).at_end < 0.3);
    }

    #[test]
    fn a_third_partial_is_not_flat_and_noise_is() {
        let samples = sound(0, 0.05);
        let fit = fitted(&samples);
        let flatness_db = |samples: &[f32]| Simd::detect().run(Remainder { samples: &samples[BACK..], fit: &fit });
        assert!(flatness_db(&samples) < -5.0, "{}", flatness_db(&samples));
        let mut rng = fastrand::Rng::with_seed(3);
        let noisy: Vec<f32> = sound(0, 0.0).iter().map(|x| x + 0.05 * (rng.f32() - 0.5)).collect();
        assert!((-5.0..0.0).contains(&flatness_db(&noisy)), "{}", flatness_db(&noisy));
    }
}
