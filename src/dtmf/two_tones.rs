//! Two sinusoids in a window of filtered samples, by least squares.
//!
//! The window is folded about its middle: even parts meet only `cos` and `t sin`, odd parts only `sin` and `t cos`, so that
//! one large system of equations falls into two small ones. What is on their left sides has a closed form.

use super::fit::MAX_WINDOW;
use super::simd::{Kernel, LANES, Lanes, Vector};
use super::waves::{Wave, angles, product, turned_by};

/// Longest half of a window, in pieces of [`LANES`].
const MAX_PIECES: usize = MAX_WINDOW / 2 / LANES;

/// A window folded about its middle; zero beyond its half.
#[derive(Default)]
pub(crate) struct Folded {
    even: [Lanes; MAX_PIECES],
    odd: [Lanes; MAX_PIECES],
    pub(crate) half: usize,
    /// Energy of the window.
    pub(crate) energy: f32,
}

impl Folded {
    /// The even and odd parts, from the middle on.
    #[inline(always)]
    fn pieces(&self) -> impl Iterator<Item = (&Lanes, &Lanes)> {
        self.even.iter().zip(&self.odd).take(self.half.div_ceil(LANES))
    }

    /// Folds an even number of samples, up to [`MAX_WINDOW`].
    #[inline(always)]
    pub(crate) fn put<V: Vector>(&mut self, samples: &[f32]) {
        let half = samples.len() / 2;
        let (before, after) = samples.split_at(half);
        let pieces = before.as_rchunks::<LANES>().1.iter().rev().zip(after.as_chunks::<LANES>().0);
        for ((even, odd), (before, after)) in self.even.iter_mut().zip(&mut self.odd).zip(pieces) {
            let (before, after) = (V::load(before).reversed(), V::load(after));
            (after + before).store(even);
            (after - before).store(odd);
        }
        for at in half - half % LANES..half {
            let (before, after) = (before[half - 1 - at], after[at]);
            self.even[at / LANES][at % LANES] = after + before;
            self.odd[at / LANES][at % LANES] = after - before;
        }
        self.half = half;
        let mut energies = V::splat(0.0);
        for (even, odd) in self.pieces() {
            let (even, odd) = (V::load(even), V::load(odd));
            energies = energies + (even * even + odd * odd);
        }
        self.energy = 0.5 * energies.sum();
    }
}

/// Solves for both tones, each `Re((a + b t) exp(i w n))` with `n` counted from the middle and `t` from -1 to 1.
pub(crate) struct Solve<'a> {
    pub(crate) folded: &'a Folded,
    /// Radians a sample of the low and of the high tone.
    pub(crate) steps: [f32; 2],
}

impl Kernel for Solve<'_> {
    type Output = Solved;

    #[inline(always)]
    fn run<V: Vector>(self) -> Solved {
        let Self { folded, steps } = self;
        let Pair { waves: [mut a, mut b], products, .. } = Pair::<V>::new(steps, folded.half as f32);
        let scale = 1.0 / folded.half as f32;
        let mut t = V::load(&std::array::from_fn(|lane| (lane as f32 + 0.5) * scale));
        let forward = V::splat(LANES as f32 * scale);
        let (mut with_cos, mut with_sin) = ([V::splat(0.0); 4], [V::splat(0.0); 4]);
        for (even, odd) in folded.pieces() {
            let (even, odd) = (V::load(even), V::load(odd));
            let (tilted_even, tilted_odd) = (t * even, t * odd);
            with_cos[0] = with_cos[0] + a.cos * even;
            with_cos[1] = with_cos[1] + b.cos * even;
            with_cos[2] = with_cos[2] + a.sin * tilted_even;
            with_cos[3] = with_cos[3] + b.sin * tilted_even;
            with_sin[0] = with_sin[0] + a.sin * odd;
            with_sin[1] = with_sin[1] + b.sin * odd;
            with_sin[2] = with_sin[2] + a.cos * tilted_odd;
            with_sin[3] = with_sin[3] + b.cos * tilted_odd;
            t = t + forward;
            a.go_on();
            b.go_on();
        }
        let (even, explained_even) = solve(products.gram(1.0), V::sums_of_four(with_cos));
        let (odd, explained_odd) = solve(products.gram(-1.0), V::sums_of_four(with_sin));
        Solved { even, odd, explained: explained_even + explained_odd }
    }
}

/// Sums over `n` = 1/2, 3/2 ... up to a half window `h`, for an angle `w`, with `t = n / h`.
#[derive(Clone, Copy)]
struct Closed {
    /// Sum of `cos(w n)`.
    plain: f32,
    /// Sum of `t sin(w n)`.
    tilted: f32,
    /// Sum of `t^2 cos(w n)`.
    square: f32,
}

impl Closed {
    fn at_zero(half: f32) -> Self {
        Self { plain: half, tilted: 0.0, square: (4.0 * half * half - 1.0) / (12.0 * half) }
    }

    /// From (cos, sin) of `w / 2` and of `h w`: the sum `sin(h w) / (2 sin(w / 2))` and its derivatives.
    #[inline(always)]
    fn at([c, s]: [f32; 2], [end_c, end_s]: [f32; 2], half: f32) -> Self {
        let inverse = 0.5 / s;
        let cotangent = 2.0 * c * inverse;
        let plain = end_s * inverse;
        let falling = 0.5 * plain * cotangent - half * end_c * inverse;
        let bent = half * half * plain + half * end_c * inverse * cotangent
            - 0.25 * plain
            - 0.5 * plain * cotangent * cotangent;
        Self { plain, tilted: falling / half, square: bent / (half * half) }
    }
}

/// What the products of the functions of both tones sum up to, by the sum and the difference of their angles.
struct Products {
    zero: Closed,
    both_a: Closed,
    both_b: Closed,
    sum: Closed,
    difference: Closed,
}

/// Two tones about the middle of a window.
struct Pair<V> {
    /// From half a sample after the middle on.
    waves: [Wave<V>; 2],
    products: Products,
    /// (cos, sin) of the turn of both over the whole window.
    turns: [[f32; 2]; 2],
}

impl<V: Vector> Pair<V> {
    /// Of so many radians a sample, in a window of twice `half` samples.
    #[inline(always)]
    fn new([a, b]: [f32; 2], half: f32) -> Self {
        let eight = LANES as f32;
        let [middle_a, middle_b, turn_a, turn_b, end_a, end_b] =
            angles::<V, 6>([0.5 * a, 0.5 * b, eight * a, eight * b, half * a, half * b]);
        Self {
            waves: [Wave::of(a, 0.5 * a, turn_a), Wave::of(b, 0.5 * b, turn_b)],
            products: Products::new([middle_a, middle_b], [end_a, end_b], half),
            turns: [product(end_a, end_a), product(end_b, end_b)],
        }
    }
}

impl Products {
    /// From (cos, sin) of half a step of both tones, and of their turns over half a window.
    #[inline(always)]
    fn new([a, b]: [[f32; 2]; 2], [end_a, end_b]: [[f32; 2]; 2], half: f32) -> Self {
        let closed = |middle: [f32; 2], end: [f32; 2]| Closed::at(middle, end, half);
        Self {
            zero: Closed::at_zero(half),
            both_a: closed(product(a, a), product(end_a, end_a)),
            both_b: closed(product(b, b), product(end_b, end_b)),
            sum: closed(product(a, b), product(end_a, end_b)),
            difference: closed(turned_by(b, a), turned_by(end_b, end_a)),
        }
    }

    /// Twice the sums over half a window, which are the sums over the whole of it, of the products of `cos a`, `cos b`,
    /// `t sin a` and `t sin b`, with the sign 1; with the sign -1, of `sin a`, `sin b`, `t cos a` and `t cos b`.
    #[inline(always)]
    fn gram(&self, sign: f32) -> [[f32; 4]; 4] {
        let Self { zero, both_a, both_b, sum, difference } = self;
        let aa = zero.plain + sign * both_a.plain;
        let ab = difference.plain + sign * sum.plain;
        let bb = zero.plain + sign * both_b.plain;
        // `difference` is b - a: sin(b) cos(a) is half the sine of the sum and half that of the difference.
        let a_tilted_b = sum.tilted + sign * difference.tilted;
        let b_tilted_a = sum.tilted - sign * difference.tilted;
        let aa_square = zero.square - sign * both_a.square;
        let ab_square = difference.square - sign * sum.square;
        let bb_square = zero.square - sign * both_b.square;
        [
            [aa, ab, both_a.tilted, a_tilted_b],
            [ab, bb, b_tilted_a, both_b.tilted],
            [both_a.tilted, b_tilted_a, aa_square, ab_square],
            [a_tilted_b, both_b.tilted, ab_square, bb_square],
        ]
    }
}

/// Solves normal equations by elimination without pivoting (their matrix is positive definite): the coefficients, and
/// the energy they explain.
#[expect(clippy::needless_range_loop, reason = "two rows of one matrix meet at the same place")]
#[inline(always)]
fn solve<const N: usize>(mut gram: [[f32; N]; N], right: [f32; N]) -> ([f32; N], f32) {
    let mut x = right;
    let mut inverse = [0f32; N];
    for i in 0..N {
        inverse[i] = 1.0 / gram[i][i].max(1e-9);
        for j in i + 1..N {
            let factor = gram[j][i] * inverse[i];
            for k in i + 1..N {
                gram[j][k] -= factor * gram[i][k];
            }
            x[j] -= factor * x[i];
        }
    }
    for i in (0..N).rev() {
        for j in i + 1..N {
            x[i] -= gram[i][j] * x[j];
        }
        x[i] *= inverse[i];
    }
    (x, x.iter().zip(right).map(|(x, right)| x * right).sum())
}

/// Two tones found.
#[derive(Default)]
pub(crate) struct Solved {
    /// `cos` of both tones, then `t sin` of both.
    even: [f32; 4],
    /// `sin` of both tones, then `t cos` of both.
    odd: [f32; 4],
    /// Energy of the window that is theirs.
    pub(crate) explained: f32,
}

impl Solved {
    /// `a` of a tone as (re, im).
    #[inline(always)]
    fn phasor(&self, tone: usize) -> [f32; 2] {
        [self.even[tone], -self.odd[tone]]
    }

    /// Peak amplitude of a tone in the middle of the window, and the same with its phase, as (re, im).
    #[inline(always)]
    pub(crate) fn amplitude(&self, tone: usize) -> (f32, [f32; 2]) {
        let [re, im] = self.phasor(tone);
        ((re * re + im * im).sqrt(), [re, im])
    }

    /// By how many radians over half a window the tone turns more than was assumed: the part of `b / a` at right angles.
    /// Limited, so that a bad fit cannot run away.
    #[inline(always)]
    pub(crate) fn correction(&self, tone: usize) -> f32 {
        let ([ar, ai], [br, bi]) = (self.phasor(tone), [self.odd[2 + tone], -self.even[2 + tone]]);
        ((bi * ar - br * ai) / (ar * ar + ai * ai).max(1e-20)).clamp(-1.5, 1.5)
    }
}

/// Piece in which the level of a tone is followed, in filtered samples: 8 ms.
const STEADY_PIECE: usize = 32;

/// How much two tones of known frequency change from piece to piece of a window: the relative variation of each one's
/// complex amplitude. 0 is steady, 1 is unrelated pieces.
pub(crate) struct Variation<'a> {
    pub(crate) samples: &'a [f32],
    /// Radians a sample of the low and of the high tone.
    pub(crate) steps: [f32; 2],
}

impl Kernel for Variation<'_> {
    type Output = [f32; 2];

    #[inline(always)]
    fn run<V: Vector>(self) -> [f32; 2] {
        let steady = Steady::<V>::new(self.steps);
        let (mut sums, mut squares, mut count) = ([[0f32; 2]; 2], [0f32; 2], 0f32);
        // All pieces are seen from the first one's middle.
        let mut turns = [[1.0, 0.0]; 2];
        for piece in self.samples.as_chunks::<STEADY_PIECE>().0 {
            let amplitudes = steady.amplitudes(piece);
            for tone in 0..2 {
                let [re, im] = product(amplitudes[tone], turns[tone]);
                sums[tone] = [sums[tone][0] + re, sums[tone][1] + im];
                squares[tone] += re * re + im * im;
                turns[tone] = product(turns[tone], steady.turns[tone]);
            }
            count += 1.0;
        }
        let mut variation = [0f32; 2];
        for tone in 0..2 {
            let [re, im] = sums[tone];
            variation[tone] = 1.0 - (re * re + im * im) / (count * squares[tone]).max(1e-20);
        }
        variation
    }
}

/// What the least squares over a piece need of two steady tones.
struct Steady<V> {
    /// Cosine and sine of both tones from the middle of a piece on.
    functions: [[[V; 2]; 2]; STEADY_PIECE / 2 / LANES],
    /// Of the products of both cosines, and of both sines.
    grams: [[[f32; 2]; 2]; 2],
    /// (cos, sin) of the turn of both tones over a piece.
    turns: [[f32; 2]; 2],
}

impl<V: Vector> Steady<V> {
    #[inline(always)]
    fn new(steps: [f32; 2]) -> Self {
        let Pair { waves: [mut a, mut b], products, turns } = Pair::<V>::new(steps, (STEADY_PIECE / 2) as f32);
        let mut functions = [[[V::splat(0.0); 2]; 2]; STEADY_PIECE / 2 / LANES];
        for functions in &mut functions {
            *functions = [[a.cos, a.sin], [b.cos, b.sin]];
            a.go_on();
            b.go_on();
        }
        let [[aa, ab, ..], [ba, bb, ..], ..] = products.gram(1.0);
        let [[sin_aa, sin_ab, ..], [sin_ba, sin_bb, ..], ..] = products.gram(-1.0);
        Self { functions, grams: [[[aa, ab], [ba, bb]], [[sin_aa, sin_ab], [sin_ba, sin_bb]]], turns }
    }

    /// Complex amplitudes of both tones, as the parts of cosine and sine.
    #[inline(always)]
    fn amplitudes(&self, piece: &[f32; STEADY_PIECE]) -> [[f32; 2]; 2] {
        let (before, after) = piece.split_at(STEADY_PIECE / 2);
        let pieces = before.as_rchunks::<LANES>().1.iter().rev().zip(after.as_chunks::<LANES>().0);
        let mut with = [V::splat(0.0); 4];
        for ([a, b], (before, after)) in self.functions.iter().zip(pieces) {
            let (before, after) = (V::load(before).reversed(), V::load(after));
            let (even, odd) = (after + before, after - before);
            with = [with[0] + a[0] * even, with[1] + b[0] * even, with[2] + a[1] * odd, with[3] + b[1] * odd];
        }
        let [a_cos, b_cos, a_sin, b_sin] = V::sums_of_four(with);
        let ([a_cos, b_cos], _) = solve(self.grams[0], [a_cos, b_cos]);
        let ([a_sin, b_sin], _) = solve(self.grams[1], [a_sin, b_sin]);
        [[a_cos, a_sin], [b_cos, b_sin]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::simd::Simd;

    #[test]
    fn closed_sums_equal_the_plain_ones() {
        for half in [12, 16, 48, 116, 120] {
            for angle in [0.3f64, 0.7, 1.1, 2.6, 4.1, 5.3] {
                let pair = |angle: f64| [angle.cos() as f32, angle.sin() as f32];
                let closed = Closed::at(pair(0.5 * angle), pair(angle * f64::from(half)), half as f32);
                let total = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
                    (0..half).map(|k| (f64::from(k) + 0.5, f64::from(half))).map(|(n, half)| of(n, n / half)).sum()
                };
                let near = |closed: f32, plain: f64| {
                    (f64::from(closed) - plain).abs() < 2e-4 * f64::from(half).max(50.0) / 50.0
                };
                assert!(near(closed.plain, total(&|n, _| (angle * n).cos())), "{half} {angle}");
                assert!(near(closed.tilted, total(&|n, t| t * (angle * n).sin())), "{half} {angle}");
                assert!(near(closed.square, total(&|n, t| t * t * (angle * n).cos())), "{half} {angle}");
                assert!(near(Closed::at_zero(half as f32).square, total(&|_, t| t * t)), "{half}");
            }
        }
    }

    #[test]
    fn steady_tones_do_not_vary_and_tones_that_jump_do() {
        let steps = [0.9f32, 2.1];
        let samples = |jump: f32| -> Vec<f32> {
            let phase = |n: f32| if n < 48.0 { 0.3 } else { 0.3 + jump };
            (0..96).map(|n| n as f32).map(|n| (0.9 * n + phase(n)).cos() + 0.5 * (2.1 * n).sin()).collect()
        };
        let variation = |jump: f32| Simd::detect().run(Variation { samples: &samples(jump), steps });
        assert!(variation(0.0).iter().all(|variation| variation.abs() < 1e-4), "{:?}", variation(0.0));
        let [low, high] = variation(2.0);
        assert!(low > 0.2 && high < 0.02, "only the low tone's phase jumps: {low} {high}");
    }
}
