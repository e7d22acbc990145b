//! The sample formats the detector hears, and the one it works on.

use super::simd::{Kernel, Vector};

/// A sample format the detector hears.
pub trait Sample: Copy {
    /// The sample with full scale 1.0.
    fn to_f32(self) -> f32;
}

impl Sample for f32 {
    #[inline]
    fn to_f32(self) -> f32 {
        self
    }
}

impl Sample for i16 {
    #[inline]
    fn to_f32(self) -> f32 {
        f32::from(self) * (1.0 / 32768.0)
    }
}

/// Samples brought to full scale 1.0.
pub(crate) struct Convert<'a, S> {
    pub(crate) from: &'a [S],
    pub(crate) to: &'a mut [f32],
}

impl<S: Sample> Kernel for Convert<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for (to, from) in self.to.iter_mut().zip(self.from) {
            *to = from.to_f32();
        }
    }
}
