//! Powers of partials: of sinusoids with a whole number of cycles over a window.

use super::simd::{LANES, Lanes, Vector};
use super::waves::Wave;
use std::f32::consts::TAU;
use std::ops::Range;

/// Longest window in samples.
pub(crate) const LONGEST: usize = 384;
/// Longest half of one, in pieces of [`LANES`].
const HALF: usize = LONGEST / 2 / LANES;

/// A window, as the sum and the difference of its halves: a partial with an even number of cycles over the window meets both
/// halves in the same phase, one with an odd number in opposite phases.
pub(crate) struct Halves {
    sums: [Lanes; HALF],
    differences: [Lanes; HALF],
    /// Samples in a half.
    half: usize,
}

impl Halves {
    /// Of an even number of samples, up to [`LONGEST`].
    #[inline(always)]
    pub(crate) fn new<V: Vector>(samples: &[f32]) -> Self {
        let half = samples.len() / 2;
        let mut halves = Self { sums: [[0.0; LANES]; HALF], differences: [[0.0; LANES]; HALF], half };
        let (first, second) = samples.split_at(half);
        let (first_lanes, second_lanes) = (first.as_chunks::<LANES>().0, second.as_chunks::<LANES>().0);
        let folded = halves.sums.iter_mut().zip(&mut halves.differences);
        for ((sum, difference), (first, second)) in folded.zip(first_lanes.iter().zip(second_lanes)) {
            let (first, second) = (V::load(first), V::load(second));
            (first + second).store(sum);
            (first - second).store(difference);
        }
        for at in half - half % LANES..half {
            halves.sums[at / LANES][at % LANES] = first[at] + second[at];
            halves.differences[at / LANES][at % LANES] = first[at] - second[at];
        }
        halves
    }

    /// Squared magnitudes of the correlations with as many cycles over the window as there are in a range, up to `N` of
    /// them; `N` is a multiple of 16. What is beyond the range is meaningless. By Goertzel's recurrence.
    #[inline(always)]
    pub(crate) fn partials<V: Vector, const N: usize>(&self, cycles: Range<usize>) -> [f32; N] {
        const { assert!(N.is_multiple_of(2 * LANES)) };
        let step = 0.5 * TAU / self.half as f32;
        let (sums, differences) = (self.sums.as_flattened(), self.differences.as_flattened());
        let (same, other) = if cycles.start.is_multiple_of(2) { (sums, differences) } else { (differences, sums) };
        let (same, other) = (&same[..self.half], &other[..self.half]);
        let mut powers = [0f32; N];
        // Eight partials like the first, two cycles apart, and the eight between them.
        let first = cycles.start as f32;
        let mut waves = [Wave::<V>::at(2.0 * step, first * step), Wave::at(2.0 * step, (first + 1.0) * step)];
        for powers in powers.as_chunks_mut::<{ 2 * LANES }>().0.iter_mut().take(cycles.len().div_ceil(2 * LANES)) {
            let [a, b] = [waves[0].cos + waves[0].cos, waves[1].cos + waves[1].cos];
            let zero = V::splat(0.0);
            let (mut last_a, mut before_a, mut last_b, mut before_b) = (zero, zero, zero, zero);
            for (same, other) in same.iter().zip(other) {
                let next_a = (V::splat(*same) - before_a) + a * last_a;
                let next_b = (V::splat(*other) - before_b) + b * last_b;
                (before_a, last_a, before_b, last_b) = (last_a, next_a, last_b, next_b);
            }
            let mut found = [[0f32; LANES]; 2];
            (last_a * last_a + before_a * before_a - a * last_a * before_a).store(&mut found[0]);
            (last_b * last_b + before_b * before_b - b * last_b * before_b).store(&mut found[1]);
            for (at, powers) in powers.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                *powers = [found[0][at], found[1][at]];
            }
            waves[0].go_on();
            waves[1].go_on();
        }
        powers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::simd::{Kernel, Simd};

    struct Of<'a>(&'a [f32], Range<usize>);

    impl Kernel for Of<'_> {
        type Output = [f32; 48];

        #[inline(always)]
        fn run<V: Vector>(self) -> [f32; 48] {
            Halves::new::<V>(self.0).partials::<V, 48>(self.1)
        }
    }

    #[test]
    fn partials_equal_the_plain_formula() {
        let mut rng = fastrand::Rng::with_seed(5);
        let samples: Vec<f32> = (0..LONGEST).map(|_| rng.f32() - 0.5).collect();
        for (length, cycles) in [(96, 15..45), (192, 5..14), (264, 48..82), (210, 5..14), (LONGEST, 48..82)] {
            let window = &samples[..length];
            let found = Simd::detect().run(Of(window, cycles.clone()));
            assert!(Simd::available().all(|simd| simd.run(Of(window, cycles.clone())) == found));
            for (cycles, found) in cycles.zip(found) {
                let angle = |n: usize| std::f64::consts::TAU * (cycles * n) as f64 / length as f64;
                let part = |of: fn(f64) -> f64| -> f64 {
                    window.iter().enumerate().map(|(n, x)| f64::from(*x) * of(angle(n))).sum()
                };
                let plain = part(f64::cos).powi(2) + part(f64::sin).powi(2);
                assert!((f64::from(found) - plain).abs() < 1e-2, "{length} samples, {cycles} cycles: {found} {plain}");
            }
        }
    }
}
