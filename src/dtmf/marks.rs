//! Which sub-blocks are worth a look: those in which a pair of tones holds a fair share of the band's energy, and those
//! in which one that held it has gone down.

use super::kernel::{MOST, SHORT, SHORT_SAMPLES};
use super::simd::{LANES, Vector};

/// Part of the band's energy the strongest pair must have over 24 ms to be looked at.
const PAIR_SHARE: f32 = 0.4;
/// The same over the last 12 and 24 ms before it went down.
const DOWN_SHARE: f32 = 0.3;
/// A tone's correlation power over short windows is its energy there times half a short window.
const PER_ENERGY: f32 = 0.5 * SHORT_SAMPLES as f32;

/// Sub-blocks, of those correlated in one go, of which something can be said: bit `n` for the `n`-th.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// A row and a column hold a fair share of the last 24 ms.
    pub(crate) pair: u64,
    /// The strongest row and column of 12 ms ago have gone down.
    pub(crate) down: u64,
}
const _: () = assert!(MOST <= u64::BITS as usize);

/// Sub-blocks known of before those correlated in one go.
const EARLIER: usize = 2 * SHORT;

/// A number for each of the sub-blocks correlated in one go, and for those before them.
struct Line([f32; EARLIER + MOST]);

impl Line {
    /// The numbers of some sub-blocks from `back` before the `first` on.
    #[inline(always)]
    fn before<V: Vector>(&self, first: usize, back: usize) -> V {
        self.0[EARLIER + first - back..].first_chunk().map_or(V::splat(0.0), V::load)
    }

    #[inline(always)]
    fn put<V: Vector>(&mut self, first: usize, numbers: V) {
        if let Some(lanes) = self.0[EARLIER + first..].first_chunk_mut() {
            numbers.store(lanes);
        }
    }
}

/// Energies of sub-blocks, and what the strongest pair has of them.
pub(crate) struct Shares {
    energies: Line,
    /// Energies of the short windows that end with the sub-blocks.
    short_energies: Line,
    /// Correlation powers of the strongest row and column together, over 12 ms and over 24 ms.
    loudest: Line,
    strongest: Line,
    /// Energy of two short windows below which nothing is looked for.
    silence: f32,
}

impl Shares {
    pub(crate) const fn new(silence: f32) -> Self {
        const NOTHING: Line = Line([0.0; EARLIER + MOST]);
        Self { energies: NOTHING, short_energies: NOTHING, loudest: NOTHING, strongest: NOTHING, silence }
    }

    /// Takes the energies of [`LANES`] sub-blocks, the `first` and those after it.
    #[inline(always)]
    pub(crate) fn put_energies<V: Vector>(&mut self, first: usize, energies: V) {
        self.energies.put(first, energies);
    }

    /// Takes the powers of the strongest row and column together over the 12 and 24 ms that end with the `at`-th sub-block.
    #[inline(always)]
    pub(crate) fn put_powers(&mut self, at: usize, loudest: f32, strongest: f32) {
        self.loudest.0[EARLIER + at] = loudest;
        self.strongest.0[EARLIER + at] = strongest;
    }

    /// Energies of `new` sub-blocks, and of the short windows that end with them: those are known once there are marks.
    #[inline(always)]
    pub(crate) fn energies(&self, new: usize) -> [&[f32]; 2] {
        [&self.energies.0[EARLIER..EARLIER + new], &self.short_energies.0[EARLIER..EARLIER + new]]
    }

    /// What the shares say of `new` sub-blocks: of those marked as down, that a pair held enough 12 ms before.
    #[inline(always)]
    pub(crate) fn marks<V: Vector>(&mut self, new: usize) -> Marks {
        let mut marks = Marks::default();
        for first in (0..new).step_by(LANES) {
            let mut now = V::splat(0.0);
            for back in 0..SHORT {
                now = now + self.energies.before(first, back);
            }
            self.short_energies.put(first, now);
            let before = self.short_energies.before(first, SHORT);
            let (both, both_before) = (now + before, before + self.short_energies.before(first, 2 * SHORT));
            let loud = !both.less(V::splat(self.silence));
            let pair = (V::splat(PAIR_SHARE * PER_ENERGY) * both).less(self.strongest.before(first, 0));
            let least = V::splat(DOWN_SHARE * PER_ENERGY);
            let held = (least * before).less(self.loudest.before(first, SHORT))
                & (least * both_before).less(self.strongest.before(first, SHORT));
            marks.pair |= u64::from(pair & loud) << first;
            marks.down |= u64::from(held & loud) << first;
        }
        let known = u64::MAX >> (MOST - new);
        Marks { pair: marks.pair & known, down: marks.down & known }
    }

    /// Keeps what the sub-blocks after the `new` ones need of them.
    #[inline(always)]
    pub(crate) fn go_on(&mut self, new: usize) {
        for line in [&mut self.energies, &mut self.short_energies, &mut self.loudest, &mut self.strongest] {
            line.0.copy_within(new..new + EARLIER, 0);
        }
    }
}
