//! Waveforms eight samples at a time, for kernels.

use super::simd::{Kernel, LANES, Lanes, Vector};
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

/// Energy of so many samples: as it is known how many, at half the cost of [`Dot`].
pub(crate) struct Energy<'a, const N: usize>(pub(crate) &'a [f32; N]);

impl<const N: usize> Kernel for Energy<'_, N> {
    type Output = f32;

    #[inline(always)]
    fn run<V: Vector>(self) -> f32 {
        dot::<V>(self.0, self.0)
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

/// Numbers of the lanes.
const NUMBERS: Lanes = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];

impl<V: Vector> Wave<V> {
    /// With `step` radians a sample; `start` radians at the first.
    #[inline(always)]
    pub(crate) fn at(step: f32, start: f32) -> Self {
        let [turn] = angles::<V, 1>([LANES as f32 * step]);
        Self::of(step, start, turn)
    }

    /// With `step` radians a sample, `start` radians at the first, and the (cos, sin) of a turn by eight samples.
    #[inline(always)]
    pub(crate) fn of(step: f32, start: f32, turn: [f32; 2]) -> Self {
        let [cos, sin] = cos_sin(V::splat(start) + V::load(&NUMBERS) * V::splat(step));
        Self { cos, sin, turn: turn.map(V::splat) }
    }

    /// The same, of a phasor.
    #[inline(always)]
    pub(crate) fn times(self, [re, im]: [f32; 2]) -> Self {
        let (re, im) = (V::splat(re), V::splat(im));
        Self { cos: self.cos * re - self.sin * im, sin: self.cos * im + self.sin * re, ..self }
    }

    /// The next eight samples.
    #[inline(always)]
    pub(crate) fn go_on(&mut self) {
        let Self { cos, sin, turn: [turn_cos, turn_sin] } = *self;
        self.cos = cos * turn_cos - sin * turn_sin;
        self.sin = cos * turn_sin + sin * turn_cos;
    }
}

/// Cosines and sines of angles in radians, within 1e-6 and what so great an angle may be off itself.
#[inline(always)]
pub(crate) fn cos_sin<V: Vector>(angles: V) -> [V; 2] {
    /// A full turn, in a part of few bits and the rest.
    const TURN: [f32; 2] = [6.281_25, (std::f64::consts::TAU - 6.281_25) as f32];
    let turns = (angles * V::splat(1.0 / std::f32::consts::TAU)).nearest();
    // Half the angle is a quarter turn at most, where these series (to the 11th and 12th power) are good for all bits.
    let half = V::splat(0.5) * ((angles - turns * V::splat(TURN[0])) - turns * V::splat(TURN[1]));
    let square = half * half;
    let sine =
        half * polynomial(square, [1.0, -1.0 / 6.0, 1.0 / 120.0, -1.0 / 5040.0, 1.0 / 362_880.0, -1.0 / 39_916_800.0]);
    let cosine = polynomial(
        square,
        [1.0, -0.5, 1.0 / 24.0, -1.0 / 720.0, 1.0 / 40_320.0, -1.0 / 3_628_800.0, 1.0 / 479_001_600.0],
    );
    let twice = sine + sine;
    [V::splat(1.0) - twice * sine, twice * cosine]
}

/// A polynomial by its coefficients, that of the lowest power first.
#[inline(always)]
fn polynomial<V: Vector, const N: usize>(x: V, coefficients: [f32; N]) -> V {
    let mut value = V::splat(coefficients[N - 1]);
    for coefficient in coefficients[..N - 1].iter().rev() {
        value = V::splat(*coefficient) + x * value;
    }
    value
}

/// (cos, sin) of up to eight angles in radians.
#[inline(always)]
pub(crate) fn angles<V: Vector, const N: usize>(angles: [f32; N]) -> [[f32; 2]; N] {
    const { assert!(N <= LANES) };
    let (mut lanes, mut found) = ([0.0; LANES], [[0.0; LANES]; 2]);
    lanes[..N].copy_from_slice(&angles);
    let [cos, sin] = cos_sin(V::load(&lanes));
    cos.store(&mut found[0]);
    sin.store(&mut found[1]);
    std::array::from_fn(|at| [found[0][at], found[1][at]])
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

    struct Turned([f32; LANES]);

    impl Kernel for Turned {
        type Output = [[f32; 2]; LANES];

        #[inline(always)]
        fn run<V: Vector>(self) -> Self::Output {
            angles::<V, LANES>(self.0)
        }
    }

    #[test]
    fn cosines_and_sines_are_the_librarys_within_a_millionth() {
        for step in -40_000..40_000i32 {
            let lanes = std::array::from_fn(|lane| (step as f32 + 0.13 * lane as f32) * 0.01);
            let found = Simd::detect().run(Turned(lanes));
            assert!(Simd::available().all(|simd| simd.run(Turned(lanes)) == found));
            for ([cos, sin], angle) in found.into_iter().zip(lanes) {
                let (expected_sin, expected_cos) = f64::from(angle).sin_cos();
                assert!((f64::from(cos) - expected_cos).abs() < 1e-6, "{angle}: {cos} {expected_cos}");
                assert!((f64::from(sin) - expected_sin).abs() < 1e-6, "{angle}: {sin} {expected_sin}");
            }
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
