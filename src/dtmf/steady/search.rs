//! The search for tones that have been steady for 192 ms.

use super::{BLOCK, BLOCKS, LOOK_BACK, TO_NEXT, Tone};
use crate::dtmf::front_end::{self, WORKING_RATE};
use crate::dtmf::kernel::{SHORT, SHORT_SAMPLES};
use crate::dtmf::partials::{Halves, LONGEST};
use crate::dtmf::simd::{Kernel, LANES, Simd, Vector};
use crate::dtmf::waves::{Wave, dot};
use std::f32::consts::TAU;

/// Filtered samples of a piece, those of a short window: 12 ms.
const PIECE: usize = SHORT_SAMPLES;
/// Pieces of those looked at that were heard before, however many sub-blocks were heard in one go.
const KNOWN_PIECES: usize = (LOOK_BACK - front_end::MOST) / PIECE;
/// By what ratio the energies of pieces differ at most: most steady tones beat less than that.
const EVEN: f32 = 1.45;
/// The same of two pieces together, where that of one is not: two tones 40 Hz apart beat (440 and 480 Hz, the ringback of North
/// America). Noise is seldom as even.
const EVEN_IN_PAIRS: f32 = 1.1;
const _: () = assert!(KNOWN_PIECES.is_multiple_of(2) && (LOOK_BACK / PIECE).is_multiple_of(2));
/// Energy a piece must have, as a part of that of a silence of 24 ms, which is two pieces: no sub-block of a silence that is
/// passed over is among those in which a tone is found, so that it does not matter whether it was passed over.
const LOUD: f32 = 0.5;
/// Partials that are looked at: of so many samples, from 400 Hz to the end of the band.
const SPAN: usize = LONGEST;
const FIRST: usize = 400 * SPAN / WORKING_RATE as usize;
const PARTIALS: usize = 160;
const END: usize = FIRST + PARTIALS - 8;
const _: () = assert!(2 * END < SPAN);
/// Part of all energy that a tone has that is worth taking out, and one that is worth knowing.
const STRONG_SHARE: f32 = 0.01;
const LEAST_SHARE: f32 = 0.001;
/// Part of its power that the nearest partial shows of a tone, at least.
const SHOWN: f32 = 0.6;
/// How much the amplitude of a block may differ from the mean, as a part of it: 0.5 dB; and the phase from that of a steady tone, in
/// radians; and how much a tone may turn in a block against what partials show.
const LEVEL: f32 = 0.06;
const PHASE: f32 = 0.15;
const TURN: f32 = 1.0;

/// Steady tones of samples that are alike everywhere and have so much energy.
pub(super) fn search(samples: &[f32], energy: f32, simd: Simd) -> impl Iterator<Item = Tone> {
    let powers = simd.run(Scan(&samples[LOOK_BACK - SPAN..]));
    let least = SHOWN * LEAST_SHARE * square_of_all(energy) * (0.25 * SPAN as f32).powi(2);
    peaks(powers, least).filter_map(move |step| steady(samples, step, simd))
}

/// Whether a tone has enough of so much energy to be taken out.
pub(super) fn is_strong(tone: &Tone, energy: f32) -> bool {
    tone.amplitude.powi(2) > f64::from(STRONG_SHARE * square_of_all(energy))
}

/// Squared amplitude of a tone that has all of the energy.
fn square_of_all(energy: f32) -> f32 {
    energy / (0.5 * LOOK_BACK as f32)
}

/// The energy of samples, if it is about the same in each piece of them, or in each two, and no piece has less than is loud where
/// two short windows of so little as `silence` are none. That of pieces which are short windows heard before is known, by the
/// sub-blocks from the first sample to the end of such a piece.
pub(super) fn even_energy(
    samples: &[f32],
    silence: f32,
    known_energy: impl Fn(usize) -> f32,
    simd: Simd,
) -> Option<f32> {
    let mut evenness = Evenness { least: LOUD * silence, pieces: Range::NONE, pairs: Range::NONE, sum: 0.0 };
    // All of them at once: that takes less time than to guess which will be the first that is not even.
    for pair in 0..KNOWN_PIECES / 2 {
        evenness.add([known_energy((2 * pair + 1) * SHORT), known_energy((2 * pair + 2) * SHORT)]);
    }
    let is_even =
        evenness.holds() && simd.run(Rest { samples: &samples[KNOWN_PIECES * PIECE..], evenness: &mut evenness });
    (is_even && evenness.sum.is_finite()).then_some(evenness.sum)
}

/// Between which energies all were so far.
struct Range {
    weakest: f32,
    strongest: f32,
}

impl Range {
    const NONE: Self = Self { weakest: f32::MAX, strongest: 0.0 };

    #[inline(always)]
    fn add(&mut self, energy: f32) {
        // What is no number is none of them, and shows in the sum.
        self.weakest = if energy < self.weakest { energy } else { self.weakest };
        self.strongest = if energy > self.strongest { energy } else { self.strongest };
    }

    /// Whether they differ by no more than this ratio.
    #[inline(always)]
    fn is_within(&self, ratio: f32) -> bool {
        self.strongest <= ratio * self.weakest
    }
}

/// What the pieces had so far.
struct Evenness {
    /// Energy that each must have.
    least: f32,
    pieces: Range,
    /// Two pieces each.
    pairs: Range,
    sum: f32,
}

impl Evenness {
    /// Takes the energies of two pieces.
    #[inline(always)]
    fn add(&mut self, energies: [f32; 2]) {
        let both = energies[0] + energies[1];
        self.pieces.add(energies[0]);
        self.pieces.add(energies[1]);
        self.pairs.add(both);
        self.sum += both;
    }

    /// Whether all are even so far.
    #[inline(always)]
    fn holds(&self) -> bool {
        (self.pieces.is_within(EVEN) || self.pairs.is_within(EVEN_IN_PAIRS)) && self.pieces.weakest >= self.least
    }
}

/// The pieces whose energies are not known: whether they are even, too.
struct Rest<'a> {
    samples: &'a [f32],
    evenness: &'a mut Evenness,
}

impl Kernel for Rest<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<V: Vector>(self) -> bool {
        let Self { samples, evenness } = self;
        samples.as_chunks::<PIECE>().0.as_chunks::<2>().0.iter().all(|pieces| {
            evenness.add([dot::<V>(&pieces[0], &pieces[0]), dot::<V>(&pieces[1], &pieces[1])]);
            evenness.holds()
        })
    }
}

/// Powers of partials, seen through a Hann window.
struct Scan<'a>(&'a [f32]);

impl Kernel for Scan<'_> {
    type Output = [f32; PARTIALS];

    #[inline(always)]
    fn run<V: Vector>(self) -> Self::Output {
        let mut seen = [0f32; SPAN];
        let step = TAU / SPAN as f32;
        let mut window = Wave::<V>::at(step, 0.5 * step);
        for (seen, samples) in seen.as_chunks_mut().0.iter_mut().zip(self.0.as_chunks::<LANES>().0) {
            (V::load(samples) * (V::splat(0.5) - V::splat(0.5) * window.cos)).store(seen);
            window.go_on();
        }
        Halves::new::<V>(&seen).partials::<V, PARTIALS>(FIRST..END)
    }
}

/// Radians a sample of partials that are stronger than their neighbours and than so much, by what a Hann window shows of a tone
/// between two of them.
fn peaks(powers: [f32; PARTIALS], least: f32) -> impl Iterator<Item = f32> {
    let peak = move |at: usize, near: [f32; 3]| {
        let [before, here, after] = near.map(f32::sqrt);
        if near[1] < least || here <= before || here < after {
            return None;
        }
        let of = |beside: f32| (2.0 * beside - here) / (beside + here);
        let part = if after > before { of(after) } else { -of(before) };
        Some((TAU / SPAN as f32) * ((FIRST + at + 1) as f32 + part))
    };
    (0..END - FIRST - 2).filter_map(move |at| peak(at, [powers[at], powers[at + 1], powers[at + 2]]))
}

/// A tone that has been the same all the time, near to a frequency in radians a sample.
fn steady(samples: &[f32], step: f32, simd: Simd) -> Option<Tone> {
    let phasors = simd.run(Phasors::<BLOCKS> { samples, step });
    let amplitudes = phasors.map(|[re, im]| re.hypot(im));
    let mean = amplitudes.iter().sum::<f32>() / BLOCKS as f32;
    let is_level = amplitudes.iter().all(|amplitude| (amplitude - mean).abs() < LEVEL * mean);
    let turned = |before: [f32; 2], now: [f32; 2]| {
        let angle = now[1].atan2(now[0]) - before[1].atan2(before[0]) - step * BLOCK as f32;
        angle - TAU * (angle / TAU).round()
    };
    let (first, second) = (turned(phasors[0], phasors[1]), turned(phasors[1], phasors[2]));
    if !is_level || (first - second).abs() > PHASE || (first + second).abs() > 2.0 * TURN {
        return None;
    }
    let step = f64::from(step) + 0.5 * f64::from(first + second) / BLOCK as f64;
    // The phase in the middle of all, by all three.
    let middle = f64::from(phasors[1][1].atan2(phasors[1][0])) + f64::from(second - first) / 3.0;
    let phase = middle + step * (BLOCK as f64 + TO_NEXT);
    Some(Tone::new(step, phase % f64::from(TAU), f64::from(mean)))
}

/// Amplitude and phase of a tone in the middle of each of `N` blocks, as (re, im), through a Hann window.
pub(super) struct Phasors<'a, const N: usize> {
    pub(super) samples: &'a [f32],
    /// Radians a sample.
    pub(super) step: f32,
}

impl<const N: usize> Kernel for Phasors<'_, N> {
    type Output = [[f32; 2]; N];

    #[inline(always)]
    fn run<V: Vector>(self) -> Self::Output {
        let middle = 0.5 * (BLOCK as f32 - 1.0);
        let turn = TAU / BLOCK as f32;
        let (half, zero) = (V::splat(0.5), V::splat(0.0));
        let mut phasors = [[0.0; 2]; N];
        for (phasor, block) in phasors.iter_mut().zip(self.samples.as_chunks::<BLOCK>().0) {
            let mut window = Wave::<V>::at(turn, 0.5 * turn);
            let mut wave = Wave::<V>::at(self.step, -middle * self.step);
            let (mut re, mut im) = (zero, zero);
            for samples in block.as_chunks::<LANES>().0 {
                let seen = V::load(samples) * (half - half * window.cos);
                (re, im) = (re + seen * wave.cos, im - seen * wave.sin);
                window.go_on();
                wave.go_on();
            }
            // The window lets half of a tone through, and half of that is its other frequency.
            *phasor = V::sums_of_two([re, im]).map(|sum| sum * (4.0 / BLOCK as f32));
        }
        phasors
    }
}
