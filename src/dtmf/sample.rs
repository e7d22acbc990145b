//! The sample formats the detector hears.

/// A sample format the detector hears.
pub trait Sample: Copy {
    /// Whether 16 bits hold every sample.
    const IS_16_BITS: bool;

    /// The sample with full scale 1.0.
    fn to_f32(self) -> f32;

    /// The nearest sample of 16 bits.
    fn to_16_bits(self) -> i16;
}

/// Full scale of 16 bits.
const FULL_SCALE: f32 = 32768.0;

impl Sample for f32 {
    const IS_16_BITS: bool = false;

    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }

    #[inline(always)]
    fn to_16_bits(self) -> i16 {
        (FULL_SCALE * self).round_ties_even().clamp(-FULL_SCALE, FULL_SCALE - 1.0) as i16
    }
}

impl Sample for i16 {
    const IS_16_BITS: bool = true;

    #[inline(always)]
    fn to_f32(self) -> f32 {
        f32::from(self) * (1.0 / FULL_SCALE)
    }

    #[inline(always)]
    fn to_16_bits(self) -> i16 {
        self
    }
}
