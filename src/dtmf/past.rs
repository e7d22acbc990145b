//! What the kernel keeps of the last sub-blocks, one behind the other.

use super::kernel::{MOST, SHORT, TONES, Tones};
use super::simd::{self, LANES, Vector};
use super::sub_blocks::Parts;
use std::ops::Range;

/// Sub-blocks known of before those correlated in one go: 256 ms.
pub(crate) const KNOWN: usize = 64;
/// Sub-blocks gone through before those known are brought back to the beginning.
pub(crate) const STRETCH: usize = 448;
/// All of them.
pub(crate) const ALL: usize = KNOWN + STRETCH;
const _: () = assert!(STRETCH > MOST + LANES && ALL.is_power_of_two());

/// Where the sub-block so many before a place of the stretch is kept.
#[inline(always)]
pub(crate) fn index(place: usize, back: usize) -> usize {
    // It is less than that, which the compiler does not know; `KNOWN` before a place is the most that can be asked for.
    place.wrapping_add(KNOWN).wrapping_sub(back) % ALL
}

/// What is kept of each tone. A place is the number of a sub-block in the stretch.
pub(crate) struct Past {
    /// Correlations with the short window that ends with a sub-block: `sum(x[n] * exp(-i w n))`, `n` counted from the start
    /// of the stream.
    correlations: [Parts; ALL],
    /// Their squared magnitudes.
    powers: [Tones; ALL],
}

impl Past {
    pub(crate) const NOTHING: Self = Self { correlations: [[[0.0; TONES]; 2]; ALL], powers: [[0.0; TONES]; ALL] };

    /// Where the correlations and powers of as many sub-blocks belong as are correlated in one go, from a place on.
    #[inline(always)]
    pub(crate) fn places_from(&mut self, place: usize) -> (&mut [Parts; MOST], &mut [Tones; MOST]) {
        let first = index(place, 0);
        let places = (self.correlations[first..].first_chunk_mut(), self.powers[first..].first_chunk_mut());
        (places.0.expect("there is room for so many"), places.1.expect("there is room for so many"))
    }

    /// Correlations with the short window that ended `back` before a place.
    #[inline]
    pub(crate) fn correlations(&self, place: usize, back: usize) -> &Parts {
        &self.correlations[index(place, back)]
    }

    /// Their squared magnitudes.
    #[inline]
    pub(crate) fn powers(&self, place: usize, back: usize) -> &Tones {
        &self.powers[index(place, back)]
    }

    /// The same of eight, from that one on.
    #[inline(always)]
    pub(crate) fn eight_powers(&self, place: usize, back: usize) -> &[Tones; LANES] {
        self.powers[index(place, back)..].first_chunk().expect("there is room for so many")
    }

    /// The greatest powers of each tone in the `SHORT` sub-blocks that end with the one `back` before a place.
    pub(crate) fn peaks(&self, place: usize, back: usize, simd: simd::Simd) -> Tones {
        let first = index(place, back + SHORT - 1);
        self.powers[first..].first_chunk().map_or([0.0; TONES], |powers| simd.run(Peaks { powers }))
    }

    /// The first of the sub-blocks a range before a place, the newest first, with less than `expected` power in two tones together;
    /// the end of the range if there is none.
    pub(crate) fn back_to_less(
        &self,
        place: usize,
        [low, high]: [usize; 2],
        expected: f32,
        backs: Range<usize>,
    ) -> usize {
        let newest = index(place, backs.start);
        let mut powers = self.powers[newest + 1 - backs.len()..=newest].iter().rev();
        let is_less = |powers: &Tones| powers[low % TONES] + powers[high % TONES] < expected;
        powers.position(is_less).map_or(backs.end, |at| backs.start + at)
    }

    /// Brings what is known before a place to the beginning.
    pub(crate) fn bring_back(&mut self, place: usize) {
        self.correlations.copy_within(place..place + KNOWN, 0);
        self.powers.copy_within(place..place + KNOWN, 0);
    }
}

struct Peaks<'a> {
    powers: &'a [Tones; SHORT],
}

impl simd::Kernel for Peaks<'_> {
    type Output = Tones;

    #[inline(always)]
    fn run<V: Vector>(self) -> Tones {
        let mut peaks = V::load(&self.powers[0]);
        for later in 1..SHORT {
            peaks = peaks.greater(V::load(&self.powers[later]));
        }
        let mut lanes = [0.0; TONES];
        peaks.store(&mut lanes);
        lanes
    }
}
