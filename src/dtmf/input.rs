//! The last input samples as they came. At the rate of telephone lines they are kept in 16 bits, which most of them are and which
//! take half the work to filter, and what they are more than that beside it.

use super::sample::Sample;
use super::simd::{Kernel, LANES, Simd, Vector};
use super::waves::Dot;
use std::ops::Range;

/// Samples that can be read beyond those heard.
pub(crate) const BEYOND: usize = 64;

/// The last input samples.
pub(crate) struct Input {
    /// In 16 bits; empty where they are not asked for in these.
    whole: Box<[i16]>,
    /// With full scale 1.0; where there are samples in 16 bits, what they are more than those.
    rest: Box<[f32]>,
    /// Samples kept, from the beginning on.
    heard: usize,
    /// The end of those that are more than 16 bits hold: the rest is zero behind it.
    rest_end: usize,
    simd: Simd,
}

impl Input {
    /// Room for so many samples, with so many zeros in it. They are kept in 16 bits if they are asked for in these.
    pub(crate) fn new(room: usize, zeros: usize, in_16_bits: bool, simd: Simd) -> Self {
        let whole = if in_16_bits { room + BEYOND } else { 0 };
        Self { whole: vec![0; whole].into(), rest: vec![0.0; room].into(), heard: zeros, rest_end: 0, simd }
    }

    /// Samples kept.
    pub(crate) fn heard(&self) -> usize {
        self.heard
    }

    /// Room for more.
    pub(crate) fn room(&self) -> usize {
        self.rest.len() - self.heard
    }

    /// Forgets the first ones.
    pub(crate) fn forget(&mut self, unused: usize) {
        if self.is_in_16_bits() {
            self.whole.copy_within(unused..self.heard, 0);
        }
        if !self.is_in_16_bits() || self.rest_end > unused {
            self.rest.copy_within(unused..self.heard, 0);
            self.rest[self.heard - unused..self.heard].fill(0.0);
        } else if self.rest_end > 0 {
            self.rest[..self.rest_end].fill(0.0);
        }
        self.heard -= unused;
        self.rest_end = self.rest_end.saturating_sub(unused);
    }

    /// Takes samples, for which there is room.
    pub(crate) fn push<S: Sample>(&mut self, samples: &[S]) {
        let new = self.heard..self.heard + samples.len();
        self.heard = new.end;
        let whole = if self.is_in_16_bits() { &mut self.whole[new.clone()] } else { &mut [] };
        if self.simd.run(Convert { samples, whole, rest: &mut self.rest[new.clone()] }) {
            self.rest_end = new.end;
        }
    }

    /// Whether the samples are kept in 16 bits.
    pub(crate) fn is_in_16_bits(&self) -> bool {
        !self.whole.is_empty()
    }

    /// The samples in 16 bits from a place on, and [`BEYOND`] that mean nothing.
    pub(crate) fn whole_and_beyond(&self, start: usize) -> &[i16] {
        self.whole[..(self.heard + BEYOND).min(self.whole.len())].get(start..).unwrap_or_default()
    }

    /// What they are more than that, from a place on, if it is anything; else all of the samples.
    pub(crate) fn rest_from(&self, start: usize) -> Option<&[f32]> {
        let has_rest = !self.is_in_16_bits() || self.rest_end > start;
        has_rest.then(|| self.rest[..self.heard].get(start..).unwrap_or_default())
    }

    /// The samples of a range; `None` unless all of them are kept.
    pub(crate) fn samples(&self, range: Range<usize>) -> Option<Samples<'_>> {
        let (whole, rest) = (self.whole_and_beyond(range.start), self.rest_from(range.start));
        (range.end <= self.heard).then(|| Samples {
            whole: whole.get(..range.len()).unwrap_or_default(),
            rest: rest.map_or(&[], |rest| &rest[..range.len()]),
        })
    }

    /// Energy of the samples of a range that are kept.
    pub(crate) fn energy(&self, range: Range<usize>) -> f32 {
        let kept = range.start..range.end.min(self.heard);
        match (self.is_in_16_bits(), self.rest_end > kept.start) {
            (true, false) => self.simd.run(Energy(&self.whole[kept])),
            (true, true) => {
                self.samples(kept).map_or(0.0, |samples| samples.iter().map(|sample| sample * sample).sum())
            }
            (false, _) => self.simd.run(Dot(&self.rest[kept.clone()], &self.rest[kept])),
        }
    }
}

/// Samples as they are kept: the sum of both, or one where the other is empty.
#[derive(Clone, Copy)]
pub(crate) struct Samples<'a> {
    whole: &'a [i16],
    rest: &'a [f32],
}

impl Samples<'_> {
    pub(crate) fn len(&self) -> usize {
        self.whole.len().max(self.rest.len())
    }

    /// The samples, with full scale 1.0.
    pub(crate) fn iter(&self) -> impl Iterator<Item = f32> {
        (0..self.len()).map(|at| {
            let whole = self.whole.get(at).map_or(0.0, |whole| whole.to_f32());
            whole + self.rest.get(at).unwrap_or(&0.0)
        })
    }
}

/// Energy of 16-bit samples.
struct Energy<'a>(&'a [i16]);

impl Kernel for Energy<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<V: Vector>(self) -> f32 {
        let (pairs, tail) = self.0.as_chunks::<{ 2 * LANES }>();
        let mut sums = V::splat(0.0);
        for samples in pairs {
            sums = sums + V::squares_of_pairs(samples);
        }
        let tail: f32 = tail.iter().map(|sample| f32::from(*sample).powi(2)).sum();
        (sums.sum() + tail) * 1i16.to_f32().powi(2)
    }
}

/// Samples brought to full scale 1.0, or to 16 bits and what they are more than that. Whether that is anything.
struct Convert<'a, S> {
    samples: &'a [S],
    /// As many, or none.
    whole: &'a mut [i16],
    rest: &'a mut [f32],
}

impl<S: Sample> Kernel for Convert<'_, S> {
    type Output = bool;

    #[inline(always)]
    fn run<V: Vector>(self) -> bool {
        let Self { samples, whole, rest } = self;
        if S::IS_16_BITS && !whole.is_empty() {
            whole.iter_mut().zip(samples).for_each(|(whole, sample)| *whole = sample.to_16_bits());
            return false;
        }
        for (rest, sample) in rest.iter_mut().zip(samples) {
            *rest = sample.to_f32();
        }
        for ((whole, rest), sample) in whole.iter_mut().zip(&mut *rest).zip(samples) {
            *whole = sample.to_16_bits();
            *rest -= whole.to_f32();
        }
        rest.iter().any(|rest| *rest != 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(input: &Input) -> Vec<f32> {
        input.samples(0..input.heard()).unwrap().iter().collect()
    }

    #[test]
    fn samples_are_kept_as_they_came_in_every_format() {
        let mut rng = fastrand::Rng::with_seed(9);
        for in_16_bits in [false, true] {
            let (mut input, mut expected) = (Input::new(600, 3, in_16_bits, Simd::detect()), vec![0.0; 3]);
            for round in 0..200 {
                let length = rng.usize(1..100);
                if input.room() < length {
                    let unused = rng.usize(length..=input.heard());
                    input.forget(unused);
                    expected.drain(..unused);
                }
                let whole: Vec<i16> = (0..length).map(|_| rng.i16(..)).collect();
                match round / 20 % 3 {
                    0 => input.push(&whole),
                    1 => input.push(&whole.iter().map(|whole| whole.to_f32()).collect::<Vec<f32>>()),
                    _ => input.push(&whole.iter().map(|whole| 1.5 * whole.to_f32()).collect::<Vec<f32>>()),
                }
                let scale = if round / 20 % 3 == 2 { 1.5 } else { 1.0 };
                expected.extend(whole.iter().map(|whole| scale * whole.to_f32()));
                assert_eq!(kept(&input), expected, "round {round}");
                let start = rng.usize(0..=expected.len());
                let plain: f32 = expected[start..].iter().map(|sample| sample * sample).sum();
                let energy = input.energy(start..usize::MAX);
                assert!((energy - plain).abs() <= 1e-5 * plain, "{energy} {plain}");
            }
        }
    }

    #[test]
    fn what_16_bits_hold_leaves_no_rest_in_any_format() {
        let mut input = Input::new(100, 0, true, Simd::detect());
        input.push(&[0.5f32, -1.0, 0.0]);
        input.push(&[7i16, -32768]);
        assert!(input.rest_from(0).is_none());
        input.push(&[0.1f32, f32::NAN, 1.5]);
        assert_eq!(input.whole_and_beyond(5)[..3], [3277, 0, 32767]);
        assert!(input.rest_from(7).is_some_and(|rest| rest[0] > 0.5));
        input.push(&[7i16]);
        assert!(input.rest_from(8).is_none());
    }
}
