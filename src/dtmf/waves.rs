//! Waveforms eight samples at a time, for kernels.

use super::simd::{Kernel, LANES, Vector};
use std::f32::consts::{FRAC_PI_2, PI};

/// Sum of products.
#[inline(always)]
pub(crate) fn dot<V: Vector>(a: &[f32], b: &[f32]) -> f32 {
    let ((a8, a1), (b8, b1)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = V::splat(0.0);
    for (a, b) in a8.iter().zip(b8) {
        sums = sums + V::load(a) * V::load(b);
    }
    let tail: f32 = a1.iter().zip(b1).map(|(x, y)| x * y).sum();
    sums.sum() + tail
}

/// The same, as a kernel.
pub(crate) struct Dot<'a>(pub(crate) &'a [f32], pub(crate) &'a [f32]);

impl Kernel for Dot<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<V: Vector>(self) -> f32 {
        dot::<V>(self.0, self.1)
    }
}

/// Eight neighbouring samples of a cosine and a sine.
#[derive(Clone, Copy)]
pub(crate) struct Wave<V> {
    pub(crate) cos: V,
    pub(crate) sin: V,
    /// Turn by eight samples.
    turn: [V; 2],
}

impl<V: Vector> Wave<V> {
    /// With `step` radians a sample; `start` radians at the first.
    #[inline(always)]
    pub(crate) fn at(step: f32, start: f32) -> Self {
        Self::of_phasor(step, start, [1.0, 0.0])
    }

    /// With `step` radians a sample, and a phasor turned by `start` radians at the first.
    #[inline(always)]
    pub(crate) fn of_phasor(step: f32, start: f32, phasor: [f32; 2]) -> Self {
        let ((step_sin, step_cos), (start_sin, start_cos)) = (step.sin_cos(), start.sin_cos());
        Self::of([step_cos, step_sin], product(phasor, [start_cos, start_sin]))
    }

    /// With `step` radians a sample, from half a sample after the middle of an even number of samples; and (cos, sin) of
    /// half a step.
    #[inline(always)]
    pub(crate) fn from_middle(step: f32) -> (Self, [f32; 2]) {
        let (sin, cos) = (0.5 * step).sin_cos();
        let half = [cos, sin];
        (Self::of(product(half, half), half), half)
    }

    /// From the (cos, sin) of the step and of the start.
    #[inline(always)]
    fn of(step: [f32; 2], start: [f32; 2]) -> Self {
        let two = product(step, step);
        let four = product(two, two);
        let (mut cos, mut sin) = ([0.0; LANES], [0.0; LANES]);
        [cos[0], sin[0]] = start;
        for (known, turn) in [(1, step), (2, two), (4, four)] {
            for lane in 0..known {
                [cos[known + lane], sin[known + lane]] = product([cos[lane], sin[lane]], turn);
            }
        }
        let [turn_cos, turn_sin] = product(four, four);
        Self { cos: V::load(&cos), sin: V::load(&sin), turn: [V::splat(turn_cos), V::splat(turn_sin)] }
    }

    /// The next eight samples.
    #[inline(always)]
    pub(crate) fn go_on(&mut self) {
        let Self { cos, sin, turn: [turn_cos, turn_sin] } = *self;
        self.cos = cos * turn_cos - sin * turn_sin;
        self.sin = cos * turn_sin + sin * turn_cos;
    }
}

/// The angle of a complex number in radians, -pi to pi, within 2e-4: by a polynomial, as a library's takes five times as long.
pub(crate) fn angle(re: f32, im: f32) -> f32 {
    let (x, y) = (re.abs(), im.abs());
    let part = x.min(y) / x.max(y).max(f32::MIN_POSITIVE);
    let square = part * part;
    let small = part
        * (0.999_866 + square * (-0.330_299_5 + square * (0.180_141 + square * (-0.085_133 + square * 0.020_835_1))));
    let first_quadrant = if y > x { FRAC_PI_2 - small } else { small };
    let upper_half = if re < 0.0 { PI - first_quadrant } else { first_quadrant };
    upper_half.copysign(im)
}

/// (cos, sin) of the sum of two angles, from theirs.
#[inline(always)]
pub(crate) fn product(a: [f32; 2], b: [f32; 2]) -> [f32; 2] {
    [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]]
}

/// (cos, sin) of the first angle less the second, from theirs.
#[inline(always)]
pub(crate) fn turned_by(a: [f32; 2], [cos, sin]: [f32; 2]) -> [f32; 2] {
    product(a, [cos, -sin])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::simd::Simd;

    /// Samples of a wave, by step and start.
    struct Written(f32, f32);

    impl Kernel for Written {
        type Output = Vec<[f32; 2]>;

        #[inline(always)]
        fn run<V: Vector>(self) -> Vec<[f32; 2]> {
            let mut wave = Wave::<V>::at(self.0, self.1);
            let mut written = Vec::new();
            for _ in 0..35 {
                let (mut cos, mut sin) = ([0.0; LANES], [0.0; LANES]);
                wave.cos.store(&mut cos);
                wave.sin.store(&mut sin);
                written.extend(cos.into_iter().zip(sin).map(|(cos, sin)| [cos, sin]));
                wave.go_on();
            }
            written
        }
    }

    #[test]
    fn an_angle_is_the_librarys_within_a_fiftieth_of_a_percent() {
        for step in -3141..=3141 {
            let expected = step as f32 * 1e-3;
            for size in [1e-9, 1.0, 1e9] {
                let found = angle(size * expected.cos(), size * expected.sin());
                assert!((found - expected).abs() < 2e-4, "{expected}: {found}");
            }
        }
        assert_eq!(angle(0.0, 0.0), 0.0);
    }

    #[test]
    fn a_wave_is_the_plain_formula_within_two_parts_in_a_hundred_thousand() {
        let (step, start) = (2.565, -130.7);
        for (n, [cos, sin]) in Simd::detect().run(Written(step, start)).into_iter().enumerate() {
            let angle = f64::from(start) + f64::from(step) * n as f64;
            assert!((f64::from(cos) - angle.cos()).abs() < 2e-5, "sample {n}");
            assert!((f64::from(sin) - angle.sin()).abs() < 2e-5, "sample {n}");
        }
    }
}
