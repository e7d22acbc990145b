//! What the kernel keeps of the last sub-blocks, each number in a ring of its own.

use super::kernel::{MOST, SHORT, TONES, Tones};
use super::simd::{self, Vector};
use super::sub_blocks::Parts;
use std::ops::Range;

/// Sub-blocks kept: 256 ms.
pub(crate) const RING: usize = 256;
/// Sub-blocks whose correlations are kept: those correlated in one go, and two short windows before them, which are asked for.
pub(crate) const CORRELATIONS: usize = 128;
const _: () = assert!(CORRELATIONS > MOST + 2 * SHORT && RING.is_multiple_of(CORRELATIONS));
/// Sub-blocks whose least powers are kept, so that a search may pass over all of them.
const GROUP: usize = 8;
const _: () = assert!(RING.is_multiple_of(GROUP));

/// What is kept of the last sub-blocks.
#[cfg_attr(test, derive(PartialEq))]
pub(crate) struct Rings {
    /// Correlations with the short window that ends with a sub-block: `sum(x[n] * exp(-i w n))`, `n` counted from the start
    /// of the stream. Only the last ones are asked for.
    pub(crate) correlations: [Parts; CORRELATIONS],
    /// Their squared magnitudes.
    pub(crate) powers: [Tones; RING],
    /// The least of each [`GROUP`] of them.
    floors: [Tones; RING / GROUP],
    /// The strongest row and column over 24 ms, bit `n` for tone `n`; known where a pair is marked.
    pub(crate) strongest: [u8; RING],
    /// Of the strongest over 12 ms, 12 ms before, those that have gone down; known where enough was held then.
    pub(crate) gone_down: [u8; RING],
    /// Energy of each sub-block, twice, so that any past is one slice.
    energies: [[f32; RING]; 2],
    /// Energy of the short window that ends with each.
    pub(crate) short_energies: [f32; RING],
}

impl Rings {
    pub(crate) fn new() -> Self {
        Self {
            correlations: [[[0.0; TONES]; 2]; CORRELATIONS],
            powers: [[0.0; TONES]; RING],
            floors: [[0.0; TONES]; RING / GROUP],
            strongest: [0; RING],
            gone_down: [0; RING],
            energies: [[0.0; RING]; 2],
            short_energies: [0.0; RING],
        }
    }

    /// Powers of the short window that ends with the `n`-th sub-block, and of the one before it.
    #[inline(always)]
    pub(crate) fn powers_around<V: Vector>(&self, n: u64) -> (V, V) {
        let earlier = n.wrapping_sub(SHORT as u64);
        (V::load(&self.powers[slot(n)]), V::load(&self.powers[slot(earlier)]))
    }

    /// The greatest powers of each tone in the `SHORT` sub-blocks that end with the `n`-th.
    pub(crate) fn peaks(&self, n: u64, simd: simd::Simd) -> Tones {
        simd.run(Peaks { powers: &self.powers, first: slot(n - (SHORT as u64 - 1)) })
    }

    /// Sub-blocks back from the `n`-th, `from` or more and at most `most`, to the first with less than `expected` power in
    /// two tones together.
    pub(crate) fn back_to_less(
        &self,
        n: u64,
        [low, high]: [usize; 2],
        expected: f32,
        Range { start: from, end: most }: Range<usize>,
    ) -> usize {
        let (Self { powers, floors, .. }, newest) = (self, slot(n));
        let is_less = |powers: &Tones| powers[low] + powers[high] < expected;
        let mut back = from;
        while back < most {
            let at = newest.wrapping_sub(back) % RING;
            if at % GROUP == GROUP - 1 && most - back >= GROUP && !is_less(&floors[at / GROUP]) {
                back += GROUP;
            } else if is_less(&powers[at]) {
                break;
            } else {
                back += 1;
            }
        }
        back
    }

    /// Energies of the `most` sub-blocks up to the `n`-th, the newest last.
    pub(crate) fn energies(&self, n: u64, most: usize) -> &[f32] {
        let end = slot(n) + 1 + RING;
        &self.energies.as_flattened()[end - most..end]
    }

    /// Keeps the energies of new sub-blocks from the `first` on, and those of the short windows that end with them.
    #[inline(always)]
    pub(crate) fn keep_energies(&mut self, first: u64, [new, new_short]: [&[f32]; 2]) {
        let (first, Self { energies: [all, again], short_energies, .. }) = (slot(first), self);
        put_round(all, first, new);
        put_round(again, first, new);
        put_round(short_energies, first, new_short);
    }

    /// Keeps the least powers of the groups that end with one of these sub-blocks.
    #[inline(always)]
    pub(crate) fn keep_floors<V: Vector>(&mut self, new: Range<u64>) {
        let Self { powers, floors, .. } = self;
        for group in new.start / GROUP as u64..new.end / GROUP as u64 {
            let group = group as usize % floors.len();
            let Some(powers) = powers[group * GROUP..].first_chunk::<GROUP>() else { break };
            let mut least = V::load(&powers[0]);
            for powers in &powers[1..] {
                least = least.lesser(V::load(powers));
            }
            least.store(&mut floors[group]);
        }
    }
}

/// Where the results of the `n`-th sub-block are in the rings.
#[inline]
pub(crate) fn slot(n: u64) -> usize {
    (n % RING as u64) as usize
}

/// Puts numbers into a ring from a place on. Seldom do any go round.
#[inline(always)]
pub(crate) fn put_round(ring: &mut [f32], first: usize, numbers: &[f32]) {
    let (before_end, after) = numbers.split_at(numbers.len().min(ring.len() - first));
    ring[first..][..before_end.len()].copy_from_slice(before_end);
    if !after.is_empty() {
        ring[..after.len()].copy_from_slice(after);
    }
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
