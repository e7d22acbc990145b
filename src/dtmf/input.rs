//! The last input samples as they came. At the rate of telephone lines they are kept in 16 bits, which most of them are and which
//! take half the work to filter, and what they are more than that beside it.

use super::sample::Sample;
use super::simd::{Kernel, LANES, Lanes, Simd, Vector};
use super::waves::Dot;
use std::ops::Range;

/// Samples that can be read beyond those heard.
pub(crate) const BEYOND: usize = 64;
/// Steps of the second 16 bits in one of the first.
pub(crate) const FINER: f32 = 65536.0;

/// The last input samples.
pub(crate) struct Input {
    /// In 16 bits, and what they are finer, in as many bits more; empty where they are not asked for in these.
    whole: [Box<[i16]>; 2],
    /// With full scale 1.0; where there are samples in 32 bits, what they are more than those: beyond full scale, or no numbers.
    rest: Box<[f32]>,
    /// Samples kept, from the beginning on.
    heard: usize,
    /// The end of the finer bits and of the rest: all are zero behind it.
    ends: Ends,
    simd: Simd,
}

#[derive(Clone, Copy)]
struct Ends {
    finer: usize,
    rest: usize,
}

impl Input {
    /// Room for so many samples, with so many zeros in it. They are kept in 16 bits if they are asked for in these.
    pub(crate) fn new(room: usize, zeros: usize, in_16_bits: bool, simd: Simd) -> Self {
        let whole = || vec![0; if in_16_bits { room + BEYOND } else { 0 }].into();
        let ends = Ends { finer: 0, rest: 0 };
        Self { whole: [whole(), whole()], rest: vec![0.0; room].into(), heard: zeros, ends, simd }
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
        let (kept, ends) = (unused..self.heard, self.ends);
        if self.is_in_16_bits() {
            let [whole, finer] = &mut self.whole;
            whole.copy_within(kept.clone(), 0);
            bring_forward(finer, kept.clone(), ends.finer);
            bring_forward(&mut self.rest, kept, ends.rest);
        } else {
            self.rest.copy_within(kept, 0);
        }
        self.heard -= unused;
        self.ends = Ends { finer: ends.finer.saturating_sub(unused), rest: ends.rest.saturating_sub(unused) };
    }

    /// Takes samples, for which there is room.
    pub(crate) fn push<S: Sample>(&mut self, samples: &[S]) {
        let new = self.heard..self.heard + samples.len();
        self.heard = new.end;
        if !self.is_in_16_bits() {
            self.simd.run(Convert { samples, to: &mut self.rest[new] });
            return;
        }
        let [whole, finer] = &mut self.whole;
        let whole = &mut whole[new.clone()];
        if S::IS_16_BITS {
            whole.iter_mut().zip(samples).for_each(|(whole, sample)| *whole = sample.to_16_bits());
            return;
        }
        let (finer, rest) = (&mut finer[new.clone()], &mut self.rest[new.clone()]);
        let [has_finer, has_rest] = self.simd.run(Split { samples, whole, finer, rest });
        self.ends.finer = if has_finer { new.end } else { self.ends.finer };
        self.ends.rest = if has_rest { new.end } else { self.ends.rest };
    }

    /// Whether the samples are kept in 16 bits.
    pub(crate) fn is_in_16_bits(&self) -> bool {
        !self.whole[0].is_empty()
    }

    /// The samples in 16 bits from a place on, and [`BEYOND`] that mean nothing.
    pub(crate) fn whole_and_beyond(&self, start: usize) -> &[i16] {
        &self.whole[0][start..self.heard + BEYOND]
    }

    /// What they are finer, if they are, in 65536ths of a step.
    pub(crate) fn finer_and_beyond(&self, start: usize) -> Option<&[i16]> {
        (self.ends.finer > start).then(|| &self.whole[1][start..self.heard + BEYOND])
    }

    /// What they are more than that, from a place on, if it is anything; or all of the samples, where they are not kept in bits.
    pub(crate) fn rest_from(&self, start: usize) -> Option<&[f32]> {
        let has_rest = !self.is_in_16_bits() || self.ends.rest > start;
        has_rest.then(|| self.rest[..self.heard].get(start..).unwrap_or_default())
    }

    /// The samples of a range; `None` unless all of them are kept.
    pub(crate) fn samples(&self, range: Range<usize>) -> Option<Samples<'_>> {
        if range.end > self.heard {
            return None;
        }
        let whole = if self.is_in_16_bits() { &self.whole[0][range.clone()] } else { &[] };
        let finer = self.finer_and_beyond(range.start).map_or(&[][..], |finer| &finer[..range.len()]);
        let rest = self.rest_from(range.start).map_or(&[][..], |rest| &rest[..range.len()]);
        Some(Samples { whole, finer, rest })
    }

    /// Energy of the samples of a range that are kept, or a little more.
    pub(crate) fn energy(&self, range: Range<usize>) -> f32 {
        let kept = range.start..range.end.min(self.heard);
        if !self.is_in_16_bits() {
            return self.simd.run(Dot(&self.rest[kept.clone()], &self.rest[kept]));
        }
        if self.ends.rest > kept.start {
            return self.samples(kept).map_or(0.0, |samples| samples.iter().map(|sample| sample * sample).sum());
        }
        let count = kept.len() as f32;
        let energy = self.simd.run(Energy(&self.whole[0][kept.clone()]));
        if self.ends.finer > kept.start {
            // What is finer is half a step at most.
            (energy.sqrt() + 0.5 * 1i16.to_f32() * count.sqrt()).powi(2)
        } else {
            energy
        }
    }
}

/// Brings what is kept to the beginning, and leaves zeros behind it: there may be others than zeros up to `end` only.
fn bring_forward<T: Copy + Default>(numbers: &mut [T], kept: Range<usize>, end: usize) {
    if end > kept.start {
        numbers.copy_within(kept.start..end, 0);
        numbers[end - kept.start..end].fill(T::default());
    } else {
        numbers[..end].fill(T::default());
    }
}

/// Samples as they are kept: the sum of all, each of which may be missing.
#[derive(Clone, Copy)]
pub(crate) struct Samples<'a> {
    whole: &'a [i16],
    finer: &'a [i16],
    rest: &'a [f32],
}

impl Samples<'_> {
    pub(crate) fn len(&self) -> usize {
        self.whole.len().max(self.rest.len())
    }

    /// The samples, with full scale 1.0.
    pub(crate) fn iter(&self) -> impl Iterator<Item = f32> {
        (0..self.len()).map(|at| {
            let [whole, finer] = [self.whole, self.finer].map(|bits| bits.get(at).map_or(0.0, |bits| bits.to_f32()));
            whole + finer * (1.0 / FINER) + self.rest.get(at).unwrap_or(&0.0)
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

/// Samples brought to full scale 1.0.
struct Convert<'a, S> {
    samples: &'a [S],
    to: &'a mut [f32],
}

impl<S: Sample> Kernel for Convert<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        self.to.iter_mut().zip(self.samples).for_each(|(to, sample)| *to = sample.to_f32());
    }
}

/// Samples in 16 bits, and what they are finer and more than that. Whether that is anything.
struct Split<'a, S> {
    samples: &'a [S],
    whole: &'a mut [i16],
    finer: &'a mut [i16],
    rest: &'a mut [f32],
}

impl<S: Sample> Kernel for Split<'_, S> {
    type Output = [bool; 2];

    #[inline(always)]
    fn run<V: Vector>(self) -> [bool; 2] {
        let Self { samples, whole, finer, rest } = self;
        let (mut has_finer, mut has_rest) = (false, false);
        let (eights, tail) = samples.as_chunks::<LANES>();
        let (wholes, whole_tail) = whole.as_chunks_mut::<LANES>();
        let (finers, finer_tail) = finer.as_chunks_mut::<LANES>();
        let (rests, rest_tail) = rest.as_chunks_mut::<LANES>();
        for ((samples, whole), (finer, rest)) in eights.iter().zip(wholes).zip(finers.iter_mut().zip(rests)) {
            let [is_finer, is_rest] = match split::<V>(&samples.map(S::to_f32), whole, finer) {
                Some(is_finer) => [is_finer, false],
                None => split_each(samples, whole, finer, rest),
            };
            has_finer |= is_finer;
            has_rest |= is_rest;
        }
        let [is_finer, is_rest] = split_each(tail, whole_tail, finer_tail, rest_tail);
        [has_finer | is_finer, has_rest | is_rest]
    }
}

/// Samples in 16 bits, what they are finer, and what they are more than that; whether the last two are anything.
fn split_each<S: Sample>(samples: &[S], whole: &mut [i16], finer: &mut [i16], rest: &mut [f32]) -> [bool; 2] {
    let (mut has_finer, mut has_rest) = (false, false);
    for ((sample, whole), (finer, rest)) in samples.iter().zip(whole).zip(finer.iter_mut().zip(rest)) {
        *whole = sample.to_16_bits();
        let more = sample.to_f32() - whole.to_f32();
        // Else it is beyond full scale, or no number.
        let is_finer = more.abs() <= 0.5 * 1i16.to_f32();
        (*finer, *rest) = if is_finer { ((more * FINER).to_16_bits(), 0.0) } else { (0, more) };
        has_finer |= *finer != 0;
        has_rest |= !is_finer;
    }
    [has_finer, has_rest]
}

/// The same of eight samples, with zeros to be put the finer bits in; whether any is finer than 16 bits. `None`, and nothing that
/// counts, if one is beyond full scale or no number.
#[inline(always)]
fn split<V: Vector>(samples: &Lanes, whole: &mut [i16; LANES], finer: &mut [i16; LANES]) -> Option<bool> {
    let scaled = V::splat(1.0 / 1i16.to_f32()) * V::load(samples);
    let nearest = scaled.nearest();
    let more = scaled - nearest;
    let is_inside = V::splat(-32769.0).less(nearest) & nearest.less(V::splat(32768.0));
    if is_inside != u8::MAX {
        return None;
    }
    nearest.store_16_bits(whole);
    let zero = V::splat(0.0);
    let is_finer = more.less(zero) | zero.less(more) != 0;
    if is_finer {
        (V::splat(FINER) * more).store_16_bits(finer);
    }
    Some(is_finer)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Beyond full scale, and not in 16 bits.
    const SCALE: f32 = 1.377;

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
                    _ => input.push(&whole.iter().map(|whole| SCALE * whole.to_f32()).collect::<Vec<f32>>()),
                }
                let scale = if round / 20 % 3 == 2 { SCALE } else { 1.0 };
                expected.extend(whole.iter().map(|whole| scale * whole.to_f32()));
                let kept = kept(&input);
                assert_eq!(kept.len(), expected.len());
                let is_kept =
                    |(kept, expected): (&f32, &f32)| (kept - expected).abs() <= 1e-7 * expected.abs().max(0.01);
                assert!(kept.iter().zip(&expected).all(is_kept), "round {round}");
                let start = rng.usize(0..=expected.len());
                let plain: f32 = expected[start..].iter().map(|sample| sample * sample).sum();
                let energy = input.energy(start..usize::MAX);
                let more = if in_16_bits { 1e-4 } else { 1e-5 };
                assert!((-1e-5 * plain..=more * plain).contains(&(energy - plain)), "{energy} {plain}");
            }
        }
    }

    #[test]
    fn what_16_bits_hold_leaves_no_rest_in_any_format() {
        let mut input = Input::new(100, 0, true, Simd::detect());
        input.push(&[0.5f32, -1.0, 0.0]);
        input.push(&[7i16, -32768]);
        assert!(input.rest_from(0).is_none() && input.finer_and_beyond(0).is_none());
        input.push(&[0.1f32]);
        assert!(input.rest_from(0).is_none() && input.finer_and_beyond(5).is_some_and(|finer| finer[0] == -13104));
        input.push(&[f32::NAN, 1.5]);
        assert_eq!(input.whole_and_beyond(5)[..3], [3277, 0, 32767]);
        assert!(input.rest_from(6).is_some_and(|rest| rest[0].is_nan() && rest[1] > 0.5));
        input.push(&[7i16]);
        assert!(input.rest_from(8).is_none() && input.finer_and_beyond(8).is_none());
    }
}
