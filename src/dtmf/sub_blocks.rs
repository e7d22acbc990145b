//! Sub-blocks of filtered samples folded about their middles, what they are correlated with, and sums over them.
//!
//! What is even about the middle of a sub-block meets only cosines there, what is odd only sines: eight products each, and
//! a turn by the phase of the middle, give the correlation of sixteen samples.

use super::front_end::WORKING_RATE;
use super::kernel::{HOP, MOST, SHORT, TONES, Tones, tone_hz};
use super::simd::{LANES, Vector};
use std::f64::consts::TAU;
use std::sync::LazyLock;

/// Sub-blocks after which all phases repeat: one second, as all nominal frequencies are whole numbers.
const SECOND: usize = WORKING_RATE as usize / HOP;
/// Half a sub-block.
const HALF: usize = HOP / 2;

/// Real and imaginary parts for each tone.
pub(crate) type Parts = [Tones; 2];

/// What sub-blocks are correlated with.
pub(crate) struct Basis {
    /// `exp(-i w n)` for the middle `n` of each sub-block of a second, and of those correlated together with its last.
    middles: Box<[Parts]>,
    /// `cos(w n)` for the second half of a sub-block, `n` counted from its middle.
    even: [Tones; HALF],
    /// `sin(w n)` for the same.
    odd: [Tones; HALF],
}

pub(crate) static BASIS: LazyLock<Basis> = LazyLock::new(|| {
    let of = |function: fn(f64) -> f64, n: f64| -> Tones {
        std::array::from_fn(|tone: usize| function(TAU * tone_hz(tone) * n / f64::from(WORKING_RATE)) as f32)
    };
    let minus_sin = |angle: f64| -angle.sin();
    let middle = |sub_block: usize| (sub_block * HOP) as f64 + 0.5 * (HOP - 1) as f64;
    Basis {
        middles: (0..SECOND + MOST).map(|n| [of(f64::cos, middle(n)), of(minus_sin, middle(n))]).collect(),
        even: std::array::from_fn(|at| of(f64::cos, at as f64 + 0.5)),
        odd: std::array::from_fn(|at| of(f64::sin, at as f64 + 0.5)),
    }
});
const _: () = assert!(HALF == LANES && TONES == LANES);

impl Basis {
    /// The phases of the middles of sub-blocks, from the `n`-th of the stream on.
    #[inline(always)]
    pub(crate) fn middles(&self, n: u64) -> &[Parts; MOST] {
        let rest = &self.middles[(n % SECOND as u64) as usize..];
        rest.first_chunk().expect("so many more than a second's are tabulated")
    }

    /// In registers.
    #[inline(always)]
    pub(crate) fn load<V: Vector>(&self) -> Loaded<V> {
        let mut loaded = Loaded { even: [V::splat(0.0); HALF], odd: [V::splat(0.0); HALF] };
        for at in 0..HALF {
            loaded.even[at] = V::load(&self.even[at]);
            loaded.odd[at] = V::load(&self.odd[at]);
        }
        loaded
    }
}

/// What sub-blocks are correlated with about their middles.
pub(crate) struct Loaded<V> {
    even: [V; HALF],
    odd: [V; HALF],
}

impl<V: Vector> Loaded<V> {
    /// Correlation of a folded sub-block with all tones, as (re, im), its middle having a phase.
    #[inline(always)]
    pub(crate) fn correlated(&self, folded: &FoldedBlock, middle: &Parts) -> [V; 2] {
        let (even, odd) =
            (sum_of_products::<V>(&self.even, &folded.even), sum_of_products::<V>(&self.odd, &folded.odd));
        // About the middle the sum of `x(n) exp(-i w n)` is `even - i odd`.
        let [re, im] = [V::load(&middle[0]), V::load(&middle[1])];
        [re * even + im * odd, im * even - re * odd]
    }
}

/// Sum of the products of functions and samples.
#[inline(always)]
fn sum_of_products<V: Vector>(functions: &[V; HALF], samples: &[f32; HALF]) -> V {
    let mut sums = [functions[0] * V::splat(samples[0]), functions[1] * V::splat(samples[1])];
    for at in 2..HALF {
        sums[at % 2] = sums[at % 2] + functions[at] * V::splat(samples[at]);
    }
    sums[0] + sums[1]
}

/// A sub-block folded: the sums of the samples of its second half and their mirror images, and the differences.
#[derive(Clone, Copy)]
pub(crate) struct FoldedBlock {
    even: [f32; HALF],
    odd: [f32; HALF],
}

impl FoldedBlock {
    pub(crate) const EMPTY: Self = Self { even: [0.0; HALF], odd: [0.0; HALF] };

    /// Folds a sub-block: its energies.
    #[inline(always)]
    pub(crate) fn put<V: Vector>(&mut self, samples: &[f32; HOP]) -> V {
        let [first, second] = samples.as_chunks().0 else { return V::splat(0.0) };
        let (first, second) = (V::load(first), V::load(second));
        let mirrored = first.reversed();
        (second + mirrored).store(&mut self.even);
        (second - mirrored).store(&mut self.odd);
        first * first + second * second
    }
}

/// The last two sub-blocks, which sums over [`SHORT`] are made of.
#[derive(Clone, Copy, Default)]
pub(crate) struct Last<T>([T; SHORT - 1]);
const _: () = assert!(SHORT == 3);

impl Last<Tones> {
    #[inline(always)]
    pub(crate) fn load<V: Vector>(&self) -> Last<V> {
        Last([V::load(&self.0[0]), V::load(&self.0[1])])
    }
}

impl<V: Vector> Last<V> {
    #[inline(always)]
    pub(crate) fn store(&self, kept: &mut Last<Tones>) {
        self.0[0].store(&mut kept.0[0]);
        self.0[1].store(&mut kept.0[1]);
    }

    /// Sum over the `SHORT` sub-blocks that end with this one.
    #[inline(always)]
    pub(crate) fn sum_over_short(&mut self, one: V) -> V {
        let [before, last] = self.0;
        self.0 = [last, one];
        (before + last) + one
    }
}
