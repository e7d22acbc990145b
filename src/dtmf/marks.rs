//! Which sub-blocks are worth a look: those in which a pair of tones holds a fair share of the band's energy, and those
//! in which one that held it before has gone down.

use super::kernel::{MOST, SHORT, SHORT_SAMPLES};
use super::past::{ALL, KNOWN, index};
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
    /// A row and a column hold a fair share of the last 24 ms, and neither is too strong for the other.
    pub(crate) pair: u64,
    /// The strongest row and column of 12 ms ago held a fair share then, over the 12 and 24 ms up to then, and both have gone
    /// down since; or may have, where nobody asked for falls.
    pub(crate) fallen: u64,
}
const _: () = assert!(MOST + SHORT <= u64::BITS as usize);

impl Marks {
    /// Those behind so many sub-blocks.
    #[inline]
    pub(crate) fn after(self, passed: usize) -> Self {
        Self { pair: self.pair >> passed, fallen: self.fallen >> passed }
    }

    /// Sub-blocks before the first of which something can be said; more than there are if there is none.
    #[inline]
    pub(crate) fn first(self) -> u32 {
        (self.pair | self.fallen).trailing_zeros()
    }
}

/// A number for each of the sub-blocks of a stretch, and for those known before them.
struct Line([f32; ALL]);
const _: () = assert!(KNOWN > 3 * SHORT);

impl Line {
    /// The number of the sub-block so many before a place.
    #[inline]
    fn number(&self, place: usize, back: usize) -> f32 {
        self.0[index(place, back)]
    }

    /// Sums over the short windows that end with a place and the seven behind it, and over those before these windows.
    #[inline(always)]
    fn sums_of_short<V: Vector>(&self, place: usize) -> [V; 2] {
        const FIRST: usize = 2 * SHORT - 1;
        let mut sums = [V::splat(0.0); 2];
        let Some(numbers) = self.0[index(place, FIRST)..].first_chunk::<{ FIRST + LANES }>() else { return sums };
        for back in 0..=FIRST {
            let Some(lanes) = numbers[FIRST - back..].first_chunk() else { return sums };
            let (sum, numbers) = (&mut sums[back / SHORT], V::load(lanes));
            *sum = if back % SHORT == 0 { numbers } else { *sum + numbers };
        }
        sums
    }

    #[inline(always)]
    fn put<V: Vector>(&mut self, place: usize, numbers: V) {
        if let Some(lanes) = self.0[index(place, 0)..].first_chunk_mut() {
            numbers.store(lanes);
        }
    }
}

/// Energies of sub-blocks, and what the strongest pair has of them.
pub(crate) struct Shares {
    energies: Line,
    /// Energies of the short windows that end with the sub-blocks.
    short_energies: Line,
    /// Correlation powers of the strongest row and of the strongest column over 24 ms.
    rows: Line,
    columns: Line,
    /// In which of the last sub-blocks the strongest row and column held a fair share, over the 12 and 24 ms up to then.
    held: u64,
    /// Energy of two short windows below which nothing is looked for.
    silence: f32,
    /// Power of the strongest row over that of the strongest column, at least and at most, to be looked at while they sound.
    ratio: [f32; 2],
}

impl Shares {
    pub(crate) const fn new(silence: f32, ratio: [f32; 2]) -> Self {
        const NOTHING: Line = Line([0.0; ALL]);
        Self { energies: NOTHING, short_energies: NOTHING, rows: NOTHING, columns: NOTHING, held: 0, silence, ratio }
    }

    /// Takes the energies of eight sub-blocks, from a place on.
    #[inline(always)]
    pub(crate) fn put_energies<V: Vector>(&mut self, place: usize, energies: V) {
        self.energies.put(place, energies);
    }

    /// Powers of the strongest row and column over the 24 ms that ended so many sub-blocks before that of a place.
    #[inline]
    pub(crate) fn strongest(&self, place: usize, back: usize) -> [f32; 2] {
        [self.rows.number(place, back), self.columns.number(place, back)]
    }

    /// Energy of the short window that ended so many sub-blocks before that of a place.
    #[inline]
    pub(crate) fn short_energy(&self, place: usize, back: usize) -> f32 {
        self.short_energies.number(place, back)
    }

    /// Takes the powers of the strongest row and column of eight sub-blocks, from a place on, over the 12 and
    /// the 24 ms that end with each. In which of them the pair is worth a look, in which it held a fair share, and which
    /// are loud enough for either.
    #[inline(always)]
    pub(crate) fn put_powers<V: Vector>(
        &mut self,
        place: usize,
        [row_short, column_short]: [V; 2],
        [row, column]: [V; 2],
    ) -> [u8; 3] {
        // What is put now cannot be loaded soon, so that what is needed of it is made of what it is made of.
        let [now, before]: [V; 2] = self.energies.sums_of_short(place);
        let both = now + before;
        self.short_energies.put(place, now);
        self.rows.put(place, row);
        self.columns.put(place, column);
        let [least_ratio, greatest_ratio] = [V::splat(self.ratio[0]), V::splat(self.ratio[1])];
        let is_level = (least_ratio * column).less(row) & row.less(greatest_ratio * column);
        let is_pair = (V::splat(PAIR_SHARE * PER_ENERGY) * both).less(row + column) & is_level;
        let least = V::splat(DOWN_SHARE * PER_ENERGY);
        let is_held = (least * now).less(row_short + column_short) & (least * both).less(row + column);
        let is_loud = !both.less(V::splat(self.silence));
        [is_pair, is_held, is_loud]
    }

    /// In which sub-blocks a pair held a fair share 12 ms before, as it did in these and in those before.
    #[inline(always)]
    pub(crate) fn held_before(&self, held: u64) -> u64 {
        held << SHORT | self.held
    }

    /// What can be said of `new` sub-blocks of which that was found, and in which the pair has `fallen`; nothing of those that are
    /// silent.
    #[inline(always)]
    pub(crate) fn marks(&mut self, [pair, held, loud]: [u64; 3], fallen: u64, new: usize) -> Marks {
        let known = u64::MAX >> (u64::BITS as usize - new);
        let held = self.held_before(held & known);
        self.held = held >> new;
        Marks { pair: pair & loud & known, fallen: held & fallen & loud & known }
    }

    /// Brings what is known before a place to the beginning.
    pub(crate) fn bring_back(&mut self, place: usize) {
        let Self { energies, short_energies, rows, columns, .. } = self;
        for line in [energies, short_energies, rows, columns] {
            line.0.copy_within(place..place + KNOWN, 0);
        }
    }
}
