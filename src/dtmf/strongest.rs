//! The strongest row and column, and whether they have gone down.

use super::Digit;
use super::kernel::{TONES, Tones};
use super::simd::{Kernel, LANES, Vector};

/// Power now, as a part of the power 12 ms ago, from which a tone has gone down: -4 dB.
const DOWN: f32 = 0.4;

/// The strongest row and column, bit `n` for tone `n`.
#[inline(always)]
fn strongest<V: Vector>(powers: V) -> u8 {
    !powers.less(powers.greatest_of_half())
}

/// The strongest row and column before, of those that have gone down since.
#[inline(always)]
fn gone_down<V: Vector>(now: V, before: V) -> u8 {
    now.less(V::splat(DOWN) * before) & strongest(before)
}

/// Whether there is a row's bit and a column's.
fn has_row_and_column(bits: u8) -> bool {
    bits & 0x0f != 0 && bits & 0xf0 != 0
}

/// The same of eight at once, a byte and a bit for each.
#[inline(always)]
fn have_row_and_column(eight: u64) -> u8 {
    const LOW: u64 = 0x0f0f_0f0f_0f0f_0f0f;
    // What is not zero carries into the fifth bit of its byte.
    let both = ((eight & LOW) + LOW) & ((eight >> 4 & LOW) + LOW);
    // The bits of the bytes are brought together in the highest.
    ((both >> 4 & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
}

/// The first row and the first column of those that have their bits set.
fn digit_of(bits: u8) -> Digit {
    let first = |bits: u8| (bits & 0x0f).trailing_zeros() as usize % (TONES / 2);
    Digit::at(first(bits), first(bits >> 4))
}

/// The row and the column that are the strongest in two short windows together.
pub(crate) struct Strongest<'a> {
    pub(crate) now: &'a Tones,
    pub(crate) before: &'a Tones,
}

impl Kernel for Strongest<'_> {
    type Output = Digit;

    #[inline(always)]
    fn run<V: Vector>(self) -> Digit {
        digit_of(strongest(V::load(self.now) + V::load(self.before)))
    }
}

/// The row and the column that were the strongest before, if both have gone down.
pub(crate) struct GoneDown<'a> {
    pub(crate) now: &'a Tones,
    pub(crate) before: &'a Tones,
}

impl Kernel for GoneDown<'_> {
    type Output = Option<Digit>;

    #[inline(always)]
    fn run<V: Vector>(self) -> Option<Digit> {
        let gone_down = gone_down(V::load(self.now), V::load(self.before));
        has_row_and_column(gone_down).then(|| digit_of(gone_down))
    }
}

/// In which of the first `count` of eight sub-blocks the strongest pair before has gone down.
#[inline(always)]
pub(crate) fn have_gone_down<V: Vector>(now: &[Tones; LANES], before: &[Tones; LANES], count: usize) -> u8 {
    let mut eight = 0;
    for at in 0..LANES.min(count) {
        eight |= u64::from(gone_down(V::load(&now[at]), V::load(&before[at]))) << (8 * at);
    }
    have_row_and_column(eight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_and_a_column_of_eight_are_found_together() {
        for bits in 0..=u8::MAX {
            let eight = [bits, 0, 0x11, bits, 0x0f, 0xf0, bits, 0xff];
            let each = eight.map(has_row_and_column);
            let together = have_row_and_column(u64::from_le_bytes(eight));
            assert_eq!([0, 1, 2, 3, 4, 5, 6, 7].map(|at| together >> at & 1 == 1), each, "{bits:#b}");
        }
    }
}
