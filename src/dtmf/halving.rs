//! The band-pass filter at 8 kHz: half as many samples as there are on a telephone line.

use super::front_end::MOST;
use super::simd::{Kernel, LANES, Vector};

/// Two input samples for one filtered sample, Hz.
pub(crate) const TELEPHONE_RATE: u64 = 8000;
/// Taps of the filter at 8 kHz that are not zero.
pub(crate) const HALVING_TAPS: usize = 36;
/// Filtered samples made together at 8 kHz.
pub(crate) const TOGETHER: usize = 40;
/// Half the input samples for those made together.
const WINDOW: usize = TOGETHER + HALVING_TAPS / 2;
/// Half the input samples for [`MOST`] filtered samples at 8 kHz, and room for those made together with the last.
pub(crate) const HALF_INPUT: usize = MOST + HALVING_TAPS / 2 + TOGETHER;

/// The filter.
pub(crate) struct Halving<'a> {
    pub(crate) input: &'a [f32],
    pub(crate) taps: &'a [f32; HALVING_TAPS],
    pub(crate) halves: &'a mut [[f32; HALF_INPUT]; 2],
    /// Whole times those made together.
    pub(crate) filtered: &'a mut [f32],
}

impl Kernel for Halving<'_> {
    type Output = ();

    /// Neighbouring outputs are neighbouring lanes: each tap meets every second input sample.
    #[inline(always)]
    fn run<V: Vector>(self) {
        let (taps, [evens, odds]) = (self.taps, self.halves);
        for ([even, odd], (to_even, to_odd)) in
            self.input.as_chunks::<2>().0.iter().zip(evens.iter_mut().zip(&mut *odds))
        {
            (*to_even, *to_odd) = (*even, *odd);
        }
        for (at, filtered) in self.filtered.chunks_exact_mut(TOGETHER).enumerate() {
            let first = at * TOGETHER;
            let halves = [evens[first..].first_chunk::<WINDOW>(), odds[first..].first_chunk::<WINDOW>()];
            let [Some(evens), Some(odds)] = halves else { break };
            let mut band = [V::splat(0.0); TOGETHER / LANES];
            for tap in 0..HALVING_TAPS / 2 {
                let (even, odd) = (V::splat(taps[2 * tap]), V::splat(taps[2 * tap + 1]));
                for (at, band) in band.iter_mut().enumerate() {
                    let (evens, odds) = (&evens[tap + at * LANES..], &odds[tap + at * LANES..]);
                    if let (Some(evens), Some(odds)) = (evens.first_chunk(), odds.first_chunk()) {
                        *band = *band + (V::load(evens) * even + V::load(odds) * odd);
                    }
                }
            }
            for (filtered, band) in filtered.as_chunks_mut().0.iter_mut().zip(band) {
                band.store(filtered);
            }
        }
    }
}
