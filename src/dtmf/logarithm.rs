//! Logarithms of the decision machine: by a series, as a library's take four times as long.

use std::f32::consts::LN_2;

/// Natural logarithm of a positive number, within 2e-7 of the greater of it and 1; of the least that is normal, for those below it
/// and for what is no number.
#[inline]
pub(crate) fn ln(number: f32) -> f32 {
    /// The bits of the root of a half: numbers are brought to between it and twice as much by a power of two.
    const LEAST: u32 = std::f32::consts::FRAC_1_SQRT_2.to_bits();
    let bits = number.max(f32::MIN_POSITIVE).to_bits();
    let power = bits.wrapping_sub(LEAST) as i32 >> 23;
    let rest = f32::from_bits(bits.wrapping_sub((power << 23) as u32));
    // The logarithm is twice the inverse hyperbolic tangent of this, of which the 11th power is beyond all bits.
    let part = (rest - 1.0) / (rest + 1.0);
    let square = part * part;
    let series = 1.0 + square * (1.0 / 3.0 + square * (1.0 / 5.0 + square * (1.0 / 7.0 + square * (1.0 / 9.0))));
    power as f32 * LN_2 + (part + part) * series
}

/// `ln(1 + x)` of a number that is not negative.
#[inline]
pub(crate) fn ln_1p(number: f32) -> f32 {
    ln(1.0 + number)
}

/// A ratio of powers in dB, -90 at least.
#[inline]
pub(crate) fn db(ratio: f32) -> f32 {
    const DB: f32 = 10.0 * std::f32::consts::LOG10_E;
    DB * ln(ratio.max(1e-9))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_the_librarys() {
        for step in 0..200_000u32 {
            let number = 1e-37 * (f64::from(step) * 8.5e-4).exp();
            let (found, expected) = (f64::from(ln(number as f32)), f64::from(number as f32).ln());
            assert!((found - expected).abs() < 2e-7 * expected.abs().max(1.0), "{number}: {found} {expected}");
        }
        assert_eq!((ln(1.0), ln_1p(0.0)), (0.0, 0.0));
        for odd in [0.0, -1.0, f32::NAN] {
            assert_eq!(ln(odd), ln(f32::MIN_POSITIVE));
        }
        assert!((db(100.0) - 20.0).abs() < 1e-5 && (db(0.0) + 90.0).abs() < 1e-4);
    }
}
