//! Which sub-blocks are worth a look: those in which a pair of tones holds a fair share of the band's energy, and those
//! in which one that held it before has gone down.

use super::kernel::{MOST, SHORT, SHORT_SAMPLES};
use super::rings::RING;
use super::simd::{LANES, Vector};

/// Part of the band's energy the strongest pair must have over 24 ms to be looked at.
const PAIR_SHARE: f32 = 0.45;
/// The same before it went down, over 12 ms; and over 24 ms, which costs no digit and saves most looks in noise.
const DOWN_SHARE: f32 = 0.35;
/// Power of the strongest row and column over 12 ms, as a part of what it was 12 ms before, above which those that were the
/// strongest have not gone down; others have seldom come up so soon.
const DOWN_POWER: f32 = 2.0;
/// A tone's correlation power over short windows is its energy there times half a short window.
const PER_ENERGY: f32 = 0.5 * SHORT_SAMPLES as f32;

/// Sub-blocks, of those correlated in one go, of which something can be said: bit `n` for the `n`-th.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// A row and a column hold a fair share of the last 24 ms.
    pub(crate) pair: u64,
    /// The strongest row and column of 12 ms ago held a fair share then, over the 12 and 24 ms up to then, and may have gone down
    /// since.
    pub(crate) down: u64,
}
const _: () = assert!(MOST <= u64::BITS as usize);

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
    /// Correlation powers of the strongest row and column together, over 12 ms and over 24 ms.
    strongest_short: Line,
    strongest: Line,
    /// Where the sub-blocks begin that are being correlated.
    first: usize,
    /// Energy of two short windows below which nothing is looked for.
    silence: f32,
}

impl Shares {
    pub(crate) const fn new(silence: f32) -> Self {
        const NOTHING: Line = Line([0.0; EARLIER + STRETCH]);
        Self {
            energies: NOTHING,
            short_energies: NOTHING,
            strongest_short: NOTHING,
            strongest: NOTHING,
            first: EARLIER,
            silence,
        }
    }

    /// Takes the energies of [`LANES`] sub-blocks, the `at`-th and those after it.
    #[inline(always)]
    pub(crate) fn put_energies<V: Vector>(&mut self, at: usize, energies: V) {
        self.energies.put(self.first + at, energies);
    }

    /// Takes the powers of the strongest row and column together over the 12 and 24 ms that end with the `at`-th sub-block.
    #[inline(always)]
    pub(crate) fn put_powers(&mut self, at: usize, [short, both]: [f32; 2]) {
        self.strongest_short.0[self.first + at] = short;
        self.strongest.0[self.first + at] = both;
    }

    /// Energy of the short window that ended so many sub-blocks before the newest.
    pub(crate) fn short_energy(&self, back: usize) -> f32 {
        self.short_energies.0[self.first - 1 - back]
    }

    /// What can be said of `new` sub-blocks; nothing of those that are silent.
    #[inline(always)]
    pub(crate) fn marks<V: Vector>(&mut self, new: usize) -> Marks {
        let mut marks = Marks::default();
        for at in (0..new).step_by(LANES) {
            let place = self.first + at;
            let mut now = V::splat(0.0);
            for back in 0..SHORT {
                now = now + self.energies.at(place - back);
            }
            self.short_energies.put(place, now);
            let before = self.short_energies.at(place - SHORT);
            let (both, both_before) = (now + before, before + self.short_energies.at(place - 2 * SHORT));
            let loud = !both.less(V::splat(self.silence));
            let is_held = (V::splat(PAIR_SHARE * PER_ENERGY) * both).less(self.strongest.at(place));
            let least = V::splat(DOWN_SHARE * PER_ENERGY);
            let strongest_before: V = self.strongest_short.at(place - SHORT);
            let was_held =
                (least * before).less(strongest_before) & (least * both_before).less(self.strongest.at(place - SHORT));
            let is_down = self.strongest_short.at::<V>(place).less(V::splat(DOWN_POWER) * strongest_before);
            marks.pair |= u64::from(is_held & loud) << at;
            marks.down |= u64::from(was_held & is_down & loud) << at;
        }
        let known = u64::MAX >> (u64::BITS as usize - new);
        Marks { pair: marks.pair & known, down: marks.down & known }
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
        for line in [&mut self.energies, &mut self.short_energies, &mut self.strongest_short, &mut self.strongest] {
            line.0.copy_within(known.clone(), 0);
        }
        self.first = EARLIER;
    }
}
