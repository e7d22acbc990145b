//! Which sub-blocks are worth a look: those in which a pair of tones holds a fair share of the band's energy, and those
//! in which one that held it before has gone down.

use super::kernel::{MOST, SHORT, SHORT_SAMPLES};
use super::simd::{LANES, Vector};

/// Part of the band's energy the strongest pair must have over 24 ms to be looked at.
const PAIR_SHARE: f32 = 0.45;
/// The same before it went down, over 12 ms; and over 24 ms, which costs no digit and saves most looks in noise.
const DOWN_SHARE: f32 = 0.35;
/// A tone's correlation power over short windows is its energy there times half a short window.
const PER_ENERGY: f32 = 0.5 * SHORT_SAMPLES as f32;

/// Sub-blocks, of those correlated in one go, of which something can be said: bit `n` for the `n`-th.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// A row and a column hold a fair share of the last 24 ms.
    pub(crate) pair: u64,
    /// The strongest row and column of 12 ms ago held a fair share then, and have gone down.
    pub(crate) down: u64,
}

/// Sub-blocks in which the strongest row and column hold a fair share of the energy now, over 24 ms, and did 12 ms before,
/// over the 12 and 24 ms up to then.
pub(crate) struct Held {
    pub(crate) now: u64,
    pub(crate) before: u64,
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
    strongest_short: Line,
    strongest: Line,
    /// Energy of two short windows below which nothing is looked for.
    silence: f32,
}

impl Shares {
    pub(crate) const fn new(silence: f32) -> Self {
        const NOTHING: Line = Line([0.0; EARLIER + MOST]);
        Self { energies: NOTHING, short_energies: NOTHING, strongest_short: NOTHING, strongest: NOTHING, silence }
    }

    /// Takes the energies of [`LANES`] sub-blocks, the `first` and those after it.
    #[inline(always)]
    pub(crate) fn put_energies<V: Vector>(&mut self, first: usize, energies: V) {
        self.energies.put(first, energies);
    }

    /// Takes the powers of the strongest row and column together over the 12 and 24 ms that end with the `at`-th sub-block.
    #[inline(always)]
    pub(crate) fn put_powers(&mut self, at: usize, [short, both]: [f32; 2]) {
        self.strongest_short.0[EARLIER + at] = short;
        self.strongest.0[EARLIER + at] = both;
    }

    /// Energies of `new` sub-blocks, and of the short windows that end with them: those are known once there are marks.
    #[inline(always)]
    pub(crate) fn energies(&self, new: usize) -> [&[f32]; 2] {
        [&self.energies.0[EARLIER..EARLIER + new], &self.short_energies.0[EARLIER..EARLIER + new]]
    }

    /// In which of `new` sub-blocks enough is held; in none that are silent.
    #[inline(always)]
    pub(crate) fn held<V: Vector>(&mut self, new: usize) -> Held {
        let mut held = Held { now: 0, before: 0 };
        for first in (0..new).step_by(LANES) {
            let mut now = V::splat(0.0);
            for back in 0..SHORT {
                now = now + self.energies.before(first, back);
            }
            self.short_energies.put(first, now);
            let before = self.short_energies.before(first, SHORT);
            let (both, both_before) = (now + before, before + self.short_energies.before(first, 2 * SHORT));
            let loud = !both.less(V::splat(self.silence));
            let is_now = (V::splat(PAIR_SHARE * PER_ENERGY) * both).less(self.strongest.before(first, 0));
            let least = V::splat(DOWN_SHARE * PER_ENERGY);
            let was = (least * before).less(self.strongest_short.before(first, SHORT))
                & (least * both_before).less(self.strongest.before(first, SHORT));
            held.now |= u64::from(is_now & loud) << first;
            held.before |= u64::from(was & loud) << first;
        }
        let known = u64::MAX >> (MOST - new);
        Held { now: held.now & known, before: held.before & known }
    }

    /// Keeps what the sub-blocks after the `new` ones need of them.
    #[inline(always)]
    pub(crate) fn go_on(&mut self, new: usize) {
        for line in [&mut self.energies, &mut self.short_energies, &mut self.strongest_short, &mut self.strongest] {
            line.0.copy_within(new..new + EARLIER, 0);
        }
    }
}
