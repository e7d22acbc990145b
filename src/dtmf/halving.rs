//! The band-pass filter at 8 kHz: half as many samples as there are on a telephone line.

use super::front_end::ROOM;
use super::input::BEYOND;
use super::simd::{Kernel, LANES, Vector};

/// Two input samples for one filtered sample, Hz.
pub(crate) const TELEPHONE_RATE: u64 = 8000;
/// Taps of the filter at 8 kHz, up to the last that is not zero.
pub(crate) const HALVING_TAPS: usize = 34;
/// Pairs of taps.
const PAIRS: usize = HALVING_TAPS / 2;
/// Lanes of input pairs that a group of lanes of filtered samples needs.
const SPAN: usize = 3;
const _: () = assert!((SPAN - 1) * LANES < PAIRS && PAIRS <= SPAN * LANES);
const _: () = assert!(BEYOND >= 2 * LANES + HALVING_TAPS, "the last group may want samples that have not been heard");
/// Full scale of the taps: the sum of their magnitudes stays below 4, so that no sum of products leaves 32 bits.
const ONE: f32 = 16384.0;

/// The taps of the filter at 8 kHz in whole numbers, in pairs, each pair in all lanes.
pub(crate) struct HalvingTaps([[i16; 2 * LANES]; PAIRS]);

impl HalvingTaps {
    /// The nearest to the taps of a filter that lets no offset pass.
    pub(crate) fn of(taps: &[f32]) -> Self {
        let mut whole: [i16; HALVING_TAPS] = std::array::from_fn(|at| (ONE * taps[at]).round() as i16);
        // What rounding leaves of an offset is taken off in the middle, where it matters least.
        whole[HALVING_TAPS / 2] -= whole.iter().sum::<i16>();
        Self(std::array::from_fn(|pair| std::array::from_fn(|at| whole[2 * pair + at % 2])))
    }

    /// The same as numbers.
    pub(crate) fn as_numbers(&self) -> Vec<f32> {
        self.0.iter().flat_map(|pair| &pair[..2]).map(|tap| f32::from(*tap) / ONE).collect()
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

    /// Neighbouring outputs are neighbouring lanes: each pair of taps meets every pair of input samples. Of a group of lanes the
    /// first eight pairs of taps meet the input at its place, the others that of the groups behind it. All that meet the same input
    /// are taken together, so that it is loaded once.
    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self { input, taps, ready, full_scale, filtered } = self;
        let scale = V::splat(full_scale / (ONE * 32768.0));
        let taps = taps.load::<V>();
        let mut rest = input;
        let mut next = || {
            let (input, _) = rest.split_first_chunk().expect("there are samples beyond those heard");
            rest = &rest[2 * LANES..];
            input
        };
        // Of the first groups, which have no others before them.
        let [of_first, _, _] = taps.products::<0, 1>(next());
        let [of_second, more_of_first, _] = taps.products::<0, 2>(next());
        let mut sums = [V::sum_of_whole(of_first, more_of_first), of_second];
        let groups = ready.div_ceil(LANES);
        for (at, filtered) in filtered.as_chunks_mut().0.iter_mut().enumerate().take(groups) {
            // Behind the last there are no others.
            let [next, last, this] = match groups - at {
                1 => taps.products::<2, 3>(next()),
                2 => taps.products::<1, 3>(next()),
                _ => taps.products::<0, 3>(next()),
            };
            (V::of_whole(V::sum_of_whole(sums[0], this)) * scale).store(filtered);
            sums = [V::sum_of_whole(sums[1], last), next];
        }
    }
}

impl HalvingTaps {
    #[inline(always)]
    fn load<V: Vector>(&self) -> Loaded<V> {
        let mut loaded = [V::samples(&self.0[0]); PAIRS];
        for (loaded, pair) in loaded.iter_mut().zip(&self.0) {
            *loaded = V::samples(pair);
        }
        Loaded(loaded)
    }
}

/// Each pair of taps in all lanes.
struct Loaded<V: Vector>([V::Pairs; PAIRS]);

impl<V: Vector> Loaded<V> {
    /// Sums of the products of eight lanes of input pairs with the first, the second and the last eight pairs of taps; of those
    /// from `FIRST` on and before `END`.
    #[inline(always)]
    fn products<const FIRST: usize, const END: usize>(&self, input: &[i16; 4 * LANES]) -> [V::Whole; SPAN] {
        let mut sums = [V::no_products(); SPAN];
        for at in 0..LANES {
            let Some(samples) = input[2 * at..].first_chunk() else { return sums };
            let samples = V::samples(samples);
            if FIRST == 0 {
                sums[0] = V::plus_products(sums[0], samples, self.0[at]);
            }
            if FIRST <= 1 && END >= 2 {
                sums[1] = V::plus_products(sums[1], samples, self.0[at + LANES]);
            }
            if END == 3 && at + 2 * LANES < PAIRS {
                sums[2] = V::plus_products(sums[2], samples, self.0[at + 2 * LANES]);
            }
        }
        sums
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
