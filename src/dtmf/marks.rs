//! Which sub-blocks are worth a look: those in which a pair of tones holds a fair share of the band's energy, and those
//! in which one that held it before may have gone down.

use super::kernel::{MOST, SHORT, SHORT_SAMPLES};
use super::rings::RING;
use super::simd::Vector;

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
    /// The strongest row and column of 12 ms ago held a fair share then, over the 12 and 24 ms up to then.
    pub(crate) held: u64,
}
const _: () = assert!(MOST + SHORT <= u64::BITS as usize);

/// Sub-blocks known of before those correlated in one go.
const EARLIER: usize = RING;
const _: () = assert!(EARLIER > 3 * SHORT);
/// Sub-blocks gone through before those known are brought back to the beginning.
const STRETCH: usize = 256;

/// A number for each of the sub-blocks correlated in one go, and for those before them.
struct Line([f32; EARLIER + STRETCH]);

impl Line {
    /// Numbers from a place on.
    #[inline(always)]
    fn at<V: Vector>(&self, place: usize) -> V {
        self.0[place..].first_chunk().map_or(V::splat(0.0), V::load)
    }

    /// Sums over the short windows that end at a place and those after it.
    #[inline(always)]
    fn sum_of_short<V: Vector>(&self, place: usize) -> V {
        let mut sum = self.at(place);
        for back in 1..SHORT {
            sum = sum + self.at(place - back);
        }
        sum
    }

    #[inline(always)]
    fn put<V: Vector>(&mut self, place: usize, numbers: V) {
        if let Some(lanes) = self.0[place..].first_chunk_mut() {
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
    /// Where the sub-blocks begin that are being correlated.
    first: usize,
    /// Energy of two short windows below which nothing is looked for.
    silence: f32,
    /// Power of the strongest row over that of the strongest column, at least and at most, to be looked at while they sound.
    ratio: [f32; 2],
}

impl Shares {
    pub(crate) const fn new(silence: f32, ratio: [f32; 2]) -> Self {
        const NOTHING: Line = Line([0.0; EARLIER + STRETCH]);
        Self {
            energies: NOTHING,
            short_energies: NOTHING,
            rows: NOTHING,
            columns: NOTHING,
            held: 0,
            first: EARLIER,
            silence,
            ratio,
        }
    }

    /// Takes the energies of eight sub-blocks, the `at`-th and those after it.
    #[inline(always)]
    pub(crate) fn put_energies<V: Vector>(&mut self, at: usize, energies: V) {
        self.energies.put(self.first + at, energies);
    }

    /// Powers of the strongest row and column over the 24 ms that ended so many sub-blocks before the newest.
    pub(crate) fn strongest(&self, back: usize) -> [f32; 2] {
        let place = self.first - 1 - back;
        [self.rows.0[place], self.columns.0[place]]
    }

    /// Energy of the short window that ended so many sub-blocks before the newest.
    pub(crate) fn short_energy(&self, back: usize) -> f32 {
        self.short_energies.0[self.first - 1 - back]
    }

    /// Takes the powers of the strongest row and column of eight sub-blocks, the `at`-th and those after it, over the 12 and
    /// the 24 ms that end with each. In which of them the pair is worth a look, in which it held a fair share, and which
    /// are loud enough for either.
    #[inline(always)]
    pub(crate) fn put_powers<V: Vector>(
        &mut self,
        at: usize,
        [row_short, column_short]: [V; 2],
        [row, column]: [V; 2],
    ) -> [u8; 3] {
        let place = self.first + at;
        // What is put now cannot be loaded soon, so that what is needed of it is made of what it is made of.
        let (now, before) = (self.energies.sum_of_short::<V>(place), self.energies.sum_of_short(place - SHORT));
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

    /// What can be said of `new` sub-blocks of which that was found; nothing of those that are silent.
    #[inline(always)]
    pub(crate) fn marks(&mut self, [pair, held, loud]: [u64; 3], new: usize) -> Marks {
        let known = u64::MAX >> (u64::BITS as usize - new);
        let held = (held & known) << SHORT | self.held;
        self.held = held >> new;
        Marks { pair: pair & loud & known, held: held & loud & known }
    }

    /// Goes on by `new` sub-blocks.
    #[inline(always)]
    pub(crate) fn go_on(&mut self, new: usize) {
        self.first += new;
        if self.first + MOST > EARLIER + STRETCH {
            self.bring_back();
        }
    }

    #[cold]
    fn bring_back(&mut self) {
        let known = self.first - EARLIER..self.first;
        let Self { energies, short_energies, rows, columns, .. } = self;
        for line in [energies, short_energies, rows, columns] {
            line.0.copy_within(known.clone(), 0);
        }
        self.first = EARLIER;
    }
}
