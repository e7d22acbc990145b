//! A window of samples compared with the waveform fitted to it: how long it has sounded, and what sounds beside it.

use super::fit::{Fit, MAX_WINDOW};
use super::front_end::WORKING_RATE;
use super::partials::{Halves, LONGEST};
use super::simd::{Kernel, LANES, Lanes, Vector};
use super::waves::{Wave, angles};
use std::f32::consts::TAU;
use std::ops::Range;

/// Filtered samples before a window in which its tones are followed back: 10 ms.
pub(crate) const BACK: usize = 40;
/// Pieces of a window and of what is before it.
const MOST_PIECES: usize = (MAX_WINDOW + BACK) / LANES;

/// How long the fitted waveform, continued back beyond the window, has been there, and whether it still is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Presence {
    /// Filtered samples the pair has sounded.
    pub(crate) sounded: f32,
    /// Level of the pair in the last 4 ms over its usual level.
    pub(crate) at_end: f32,
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
        let window = samples.len() - BACK;
        let mut waveform = Waveform::<V>::new(fit, 0.5 - (BACK as f32 + 0.5 * window as f32));
        let count = (samples.len() / LANES).min(MOST_PIECES);
        // The middle half of the window, where the pair is as it usually is.
        let plateau = (BACK + window / 4).div_ceil(LANES)..(BACK + 3 * window / 4) / LANES;
        let mut compared = Compared { squares: [[0.0; LANES]; MOST_PIECES], pieces: [[0.0; 2]; MOST_PIECES], count };
        compared.put(&mut waveform, samples.as_chunks::<LANES>().0);
        let usual = compared.level(plateau).max(0.1);
        Presence { sounded: compared.sounded(usual), at_end: compared.level(count - END..count) / usual }
    }
}

/// The last pieces, of which is told whether the pair is still there: 4 ms.
const END: usize = 2;

/// What a piece of samples and its model have in common, and the model's energy.
type Piece = [f32; 2];

/// Samples compared with the model, by pieces of [`LANES`].
struct Compared {
    /// Squares of the model.
    squares: [Lanes; MOST_PIECES],
    pieces: [Piece; MOST_PIECES],
    count: usize,
}

impl Compared {
    /// Samples beside the waveform that is expected of them.
    #[inline(always)]
    fn put<V: Vector>(&mut self, waveform: &mut Waveform<V>, samples: &[Lanes]) {
        for (samples, (squares, piece)) in samples.iter().zip(self.squares.iter_mut().zip(&mut self.pieces)) {
            let (samples, model) = (V::load(samples), waveform.next());
            let square = model * model;
            square.store(squares);
            *piece = V::sums_of_two([samples * model, square]);
        }
    }

    /// Mean level of the samples in some pieces, relative to the model.
    #[inline(always)]
    fn level(&self, pieces: Range<usize>) -> f32 {
        let count = pieces.len() as f32;
        self.pieces[pieces].iter().map(|[with, energy]| with / energy.max(1e-12)).sum::<f32>() / count
    }

    /// Samples that a pair of a level, relative to the model, has sounded: from its likeliest beginning on, and to the end of the
    /// pieces or a little less.
    #[inline(always)]
    fn sounded(&self, level: f32) -> f32 {
        let pieces = &self.pieces[..self.count];
        let (mut likelihood, mut greatest, mut first) = (0.0, 0.0, pieces.len());
        for (index, [with, energy]) in pieces.iter().enumerate().rev() {
            likelihood += 2.0 * with - level * energy;
            if likelihood > greatest {
                (greatest, first) = (likelihood, index);
            }
        }
        // That is the boundary of two pieces. What the pair has in them says how much earlier or later it was.
        let end = pieces.len() - END;
        let after_begin = end.min(first + 1);
        let begin = first.saturating_sub(1).min(after_begin)..after_begin;
        let energy = |range: Range<usize>| pieces[range].iter().map(|[with, _]| with).sum::<f32>() / level;
        let backwards = self.squares[begin.clone()].as_flattened().iter().rev();
        let forwards = self.squares[end..pieces.len()].as_flattened();
        reached(energy(begin), backwards)
            + ((end - after_begin) * LANES) as f32
            + reached(energy(end..pieces.len()), forwards)
    }
}

/// How many of the model's squares it takes for an energy; all of them if they have less.
#[inline(always)]
fn reached<'a>(mut energy: f32, squares: impl IntoIterator<Item = &'a f32>) -> f32 {
    let mut samples = 0.0;
    for square in squares {
        if energy < *square {
            return samples + (energy / square).max(0.0);
        }
        energy -= square;
        samples += 1.0;
    }
    samples
}

/// The fitted waveform, eight samples at a time.
struct Waveform<V>([Wave<V>; 2]);

impl<V: Vector> Waveform<V> {
    /// From `first` samples after the middle of the window (before it: negative).
    #[inline(always)]
    fn new(fit: &Fit, first: f32) -> Self {
        let step = |hz: f32| hz * (TAU / WORKING_RATE as f32);
        let (low, high) = (step(fit.low.hz), step(fit.high.hz));
        let [turn_low, turn_high] = angles::<V, 2>([LANES as f32 * low, LANES as f32 * high]);
        Self([
            Wave::of(low, first * low, turn_low).times(fit.low.phasor),
            Wave::of(high, first * high, turn_high).times(fit.high.phasor),
        ])
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
        for late in 0..60 {
            let samples = sound(late, 0.0);
            let fit = fitted(&samples);
            let presence = Simd::detect().run(Followed { samples: &samples, fit: &fit });
            let truth = (WINDOW + BACK - late) as f32;
            assert!((presence.sounded - truth).abs() < 1.5, "{truth}: {presence:?}");
            assert!((presence.at_end - 1.0).abs() < 0.1, "{presence:?}");
        }
    }

    #[test]
    fn samples_after_a_pair_broke_off_do_not_count() {
        for over in 1..14 {
            let mut samples = sound(40, 0.0);
            samples[WINDOW + BACK - over..].fill(0.0);
            let fit = fitted(&samples);
            let presence = Simd::detect().run(Followed { samples: &samples, fit: &fit });
            let truth = (WINDOW + BACK - 40 - over) as f32;
            assert!((presence.sounded - truth).abs() < 2.0, "{truth}: {presence:?}");
        }
    }

    #[test]
    fn noise_moves_the_beginning_by_a_ms_at_most() {
        let mut rng = fastrand::Rng::with_seed(4);
        for late in 30..60 {
            let samples: Vec<f32> = sound(late, 0.0).iter().map(|x| x + 0.05 * (rng.f32() - 0.5)).collect();
            let fit = fitted(&samples);
            let presence = Simd::detect().run(Followed { samples: &samples, fit: &fit });
            let truth = (WINDOW + BACK - late) as f32;
            assert!((presence.sounded - truth).abs() < 4.0, "{truth}: {presence:?}");
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
