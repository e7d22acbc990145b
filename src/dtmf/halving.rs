//! The band-pass filter at 8 kHz: half as many samples as there are on a telephone line.

use super::front_end::ROOM;
use super::input::BEYOND;
use super::simd::{Kernel, LANES, Pair, Vector};

/// Two input samples for one filtered sample, Hz.
pub(crate) const TELEPHONE_RATE: u64 = 8000;
/// Taps of the filter at 8 kHz that are not zero.
pub(crate) const HALVING_TAPS: usize = 36;
/// Filtered samples made together at 8 kHz; what is left is made in groups of lanes.
const TOGETHER: usize = 80;
const _: () = assert!(BEYOND >= 2 * LANES + HALVING_TAPS, "the last group may want samples that have not been heard");
/// Full scale of the taps: the sum of their magnitudes stays below 4, so that no sum of products leaves 32 bits.
const ONE: f32 = 16384.0;

/// The taps of the filter at 8 kHz in whole numbers, in pairs.
pub(crate) struct HalvingTaps([Pair; HALVING_TAPS / 2]);

impl HalvingTaps {
    /// The nearest to the taps of a filter that lets no offset pass.
    pub(crate) fn of(taps: &[f32]) -> Self {
        let mut whole: [i16; HALVING_TAPS] = std::array::from_fn(|at| (ONE * taps[at]).round() as i16);
        // What rounding leaves of an offset is taken off in the middle, where it matters least.
        whole[HALVING_TAPS / 2 - 1] -= whole.iter().sum::<i16>();
        Self(std::array::from_fn(|pair| Pair::of(whole[2 * pair], whole[2 * pair + 1])))
    }

    /// The same as numbers.
    pub(crate) fn as_numbers(&self) -> Vec<f32> {
        self.0.iter().flat_map(|pair| pair.both()).map(|tap| f32::from(tap) / ONE).collect()
    }
}

/// The filter on 16-bit samples. Exact, but for the last rounding.
pub(crate) struct Halving<'a> {
    /// From the first tap of the first filtered sample on, to the last tap of the last of whole groups.
    pub(crate) input: &'a [i16],
    pub(crate) taps: &'a HalvingTaps,
    /// Filtered samples; whole groups of lanes are made.
    pub(crate) ready: usize,
    /// What full scale of the input is worth.
    pub(crate) full_scale: f32,
    pub(crate) filtered: &'a mut [f32; ROOM],
}

impl Kernel for Halving<'_> {
    type Output = ();

    /// Neighbouring outputs are neighbouring lanes: each pair of taps meets every pair of input samples.
    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self { input, taps, ready, full_scale, filtered } = self;
        let scale = V::splat(full_scale / (ONE * 32768.0));
        let mut done = 0;
        while done < ready {
            let (input, filtered) = (&input[2 * done..], &mut filtered[done..]);
            done += if ready - done >= TOGETHER {
                taps.put::<V, { TOGETHER / LANES }, { window(TOGETHER) }>(input, filtered, scale)
            } else {
                taps.put::<V, 1, { window(LANES) }>(input, filtered, scale)
            };
        }
    }
}

/// Input samples for so many filtered ones.
const fn window(filtered: usize) -> usize {
    2 * filtered + HALVING_TAPS - 2
}

impl HalvingTaps {
    /// Makes `G` groups of lanes of filtered samples, of `W` input samples. How many those are.
    #[inline(always)]
    fn put<V: Vector, const G: usize, const W: usize>(&self, input: &[i16], filtered: &mut [f32], scale: V) -> usize {
        const { assert!(W == window(G * LANES)) };
        let input: &[i16; W] = input.first_chunk().expect("there are samples beyond those heard");
        let mut sums = [V::no_products(); G];
        for (pair, taps) in self.0.iter().enumerate() {
            let taps = V::pair(*taps);
            for (group, sum) in sums.iter_mut().enumerate() {
                if let Some(samples) = input[2 * (pair + group * LANES)..].first_chunk() {
                    *sum = V::plus_products(*sum, V::samples(samples), taps);
                }
            }
        }
        for (sum, filtered) in sums.into_iter().zip(filtered.as_chunks_mut().0) {
            (V::of_whole(sum) * scale).store(filtered);
        }
        G * LANES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::filter::BAND;
    use std::f64::consts::TAU;

    #[test]
    fn whole_taps_respond_as_the_filter_does_and_let_no_offset_pass() {
        let half = BAND.half_span(TELEPHONE_RATE);
        let taps = BAND.taps(TELEPHONE_RATE, half, 0.0);
        let whole = HalvingTaps::of(&taps).as_numbers();
        assert_eq!(whole.iter().sum::<f32>(), 0.0);
        assert!(whole.iter().map(|tap| tap.abs()).sum::<f32>() < 4.0, "sums of products fit 32 bits");
        for hz in (0..4000).step_by(25).map(f64::from) {
            let response = |taps: &[f32]| -> f64 {
                let turn = |n: usize| (TAU * hz * (n as f64 - half as f64) / 8000.0).cos();
                taps.iter().enumerate().map(|(n, tap)| f64::from(*tap) * turn(n)).sum()
            };
            let (found, expected) = (response(&whole), response(&taps));
            assert!((found - expected).abs() < 3e-3, "{hz} Hz: {found} {expected}");
        }
    }
}
