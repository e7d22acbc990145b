//! What the kernel keeps of the last sub-blocks, each number in a ring of its own.

use super::kernel::{MOST, SHORT, TONES, Tones};
use super::simd::{self, Vector};
use super::sub_blocks::Parts;
use std::ops::Range;

/// Sub-blocks kept: 256 ms.
pub(crate) const RING: usize = 64;
/// Sub-blocks whose correlations are kept: those correlated in one go, and two short windows before them, which are asked for.
pub(crate) const CORRELATIONS: usize = 32;
const _: () = assert!(CORRELATIONS > MOST + 2 * SHORT && RING.is_multiple_of(CORRELATIONS));

/// What is kept of the last sub-blocks.
#[cfg_attr(test, derive(PartialEq))]
pub(crate) struct Rings {
    /// Correlations with the short window that ends with a sub-block: `sum(x[n] * exp(-i w n))`, `n` counted from the start
    /// of the stream. Only the last ones are asked for.
    pub(crate) correlations: [Parts; CORRELATIONS],
    /// Their squared magnitudes.
    pub(crate) powers: [Tones; RING],
}

impl Rings {
    pub(crate) fn new() -> Self {
        Self { correlations: [[[0.0; TONES]; 2]; CORRELATIONS], powers: [[0.0; TONES]; RING] }
    }

    /// The greatest powers of each tone in the `SHORT` sub-blocks that end with the `n`-th.
    pub(crate) fn peaks(&self, n: u64, simd: simd::Simd) -> Tones {
        simd.run(Peaks { powers: &self.powers, first: slot(n.wrapping_sub(SHORT as u64 - 1)) })
    }

    /// Sub-blocks back from the `n`-th, within a range, to the first with less than `expected` power in two tones together; the
    /// end of the range if there is none.
    pub(crate) fn back_to_less(&self, n: u64, [low, high]: [usize; 2], expected: f32, backs: Range<usize>) -> usize {
        let (newest, end) = (slot(n), backs.end);
        let is_less = |back: &usize| {
            let powers = &self.powers[newest.wrapping_sub(*back) % RING];
            powers[low % TONES] + powers[high % TONES] < expected
        };
        backs.into_iter().find(is_less).unwrap_or(end)
    }
}

/// Where the results of the `n`-th sub-block are in the rings.
#[inline]
pub(crate) fn slot(n: u64) -> usize {
    (n % RING as u64) as usize
}

struct Peaks<'a> {
    powers: &'a [Tones; RING],
    first: usize,
}

impl simd::Kernel for Peaks<'_> {
    type Output = Tones;

    #[inline(always)]
    fn run<V: Vector>(self) -> Tones {
        let mut peaks = V::load(&self.powers[self.first]);
        for later in 1..SHORT {
            peaks = peaks.greater(V::load(&self.powers[(self.first + later) % RING]));
        }
        let mut lanes = [0.0; TONES];
        peaks.store(&mut lanes);
        lanes
    }
}
