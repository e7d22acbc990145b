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
/// Full scale of the taps: the sum of their magnitudes stays below 2, so that no sum of products leaves 32 bits.
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
    pub(crate) filtered: &'a mut [f32; ROOM],
}

impl Kernel for Halving<'_> {
    type Output = ();

    /// Neighbouring outputs are neighbouring lanes: each pair of taps meets every pair of input samples.
    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self { input, taps, ready, filtered } = self;
        let mut done = 0;
        while done < ready {
            let (input, filtered) = (&input[2 * done..], &mut filtered[done..]);
            done += if ready - done >= TOGETHER {
                taps.put::<V, { TOGETHER / LANES }, { window(TOGETHER) }>(input, filtered)
            } else {
                taps.put::<V, 1, { window(LANES) }>(input, filtered)
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
    fn put<V: Vector, const G: usize, const W: usize>(&self, input: &[i16], filtered: &mut [f32]) -> usize {
        const { assert!(W == window(G * LANES)) };
        let input: &[i16; W] = input.first_chunk().expect("there are samples beyond those heard");
        let mut sums = [V::no_products(); G];
        for (pair, taps) in self.0.iter().enumerate() {
            let taps = V::pair(*taps);
            for (group, sum) in sums.iter_mut().enumerate() {
                if let Some(samples) = input[2 * (pair + group * LANES)..].first_chunk() {
                    *sum = V::plus_products(*sum, samples, taps);
                }
            }
        }
        let scale = V::splat(1.0 / (ONE * 32768.0));
        for (sum, filtered) in sums.into_iter().zip(filtered.as_chunks_mut().0) {
            (V::of_whole(sum) * scale).store(filtered);
        }
        G * LANES
    }
}
