//! Sub-blocks of filtered samples folded about their middles, what they are correlated with, and sums over them.
//!
//! What is even about the middle of a sub-block meets only cosines there, what is odd only sines: two products each, and
//! a turn by the phase of the middle, give the correlation of four samples.

use super::front_end::WORKING_RATE;
use super::kernel::{HOP, MOST, TONES, Tones, tone_hz};
use super::simd::{LANES, Vector};
use std::f64::consts::TAU;
use std::sync::LazyLock;

/// Sub-blocks after which all phases repeat: one second, as all nominal frequencies are whole numbers.
const SECOND: usize = WORKING_RATE as usize / HOP;

/// Real and imaginary parts for each tone.
pub(crate) type Parts = [Tones; 2];

/// What sub-blocks are correlated with.
pub(crate) struct Basis {
    /// `exp(-i w n)` for the middle `n` of each sub-block of a second, and of those correlated together with its last.
    middles: Box<[Parts]>,
    /// `cos(w n)` for the outer and the inner samples of a sub-block, `n` = 3/2 and 1/2.
    even: [Tones; 2],
    /// `sin(w n)` for the same.
    odd: [Tones; 2],
}

pub(crate) static BASIS: LazyLock<Basis> = LazyLock::new(|| {
    let of = |function: fn(f64) -> f64, n: f64| -> Tones {
        std::array::from_fn(|tone: usize| function(TAU * tone_hz(tone) * n / f64::from(WORKING_RATE)) as f32)
    };
    let minus_sin = |angle: f64| -angle.sin();
    let middle = |sub_block: usize| (sub_block * HOP) as f64 + 0.5 * (HOP - 1) as f64;
    Basis {
        middles: (0..SECOND + MOST).map(|n| [of(f64::cos, middle(n)), of(minus_sin, middle(n))]).collect(),
        even: [1.5, 0.5].map(|n| of(f64::cos, n)),
        odd: [1.5, 0.5].map(|n| of(f64::sin, n)),
    }
});
const _: () = assert!(HOP == 4 && TONES == LANES);

impl Basis {
    /// The phases of the middles of sub-blocks, from the `n`-th of the stream on.
    #[inline(always)]
    pub(crate) fn middles(&self, n: u64) -> &[Parts; MOST] {
        let rest = &self.middles[(n % SECOND as u64) as usize..];
        rest.first_chunk().expect("so many more than a second's are tabulated")
    }

    /// The functions of the outer and the inner samples.
    #[inline(always)]
    pub(crate) fn functions<V: Vector>(&self) -> Functions<V> {
        let load = |[outer, inner]: &[Tones; 2]| [V::load(outer), V::load(inner)];
        Functions { even: load(&self.even), odd: load(&self.odd) }
    }
}

/// The cosines and the sines that folded sub-blocks meet.
pub(crate) struct Functions<V> {
    even: [V; 2],
    odd: [V; 2],
}

/// Sub-blocks folded: the sums of the outer and of the inner samples of each, and their differences, first less last.
/// Each is there again, as its mirror image.
pub(crate) struct FoldedBlocks {
    even: [[f32; HOP]; MOST],
    odd: [[f32; HOP]; MOST],
}

impl FoldedBlocks {
    pub(crate) const EMPTY: Self = Self { even: [[0.0; HOP]; MOST], odd: [[0.0; HOP]; MOST] };

    /// Folds [`LANES`] sub-blocks, which become the `first` and those after it. Their energies.
    #[inline(always)]
    pub(crate) fn put<V: Vector>(&mut self, samples: &[f32; LANES * HOP], first: usize) -> V {
        let even = self.even[first..first + LANES].as_flattened_mut().as_chunks_mut::<LANES>().0;
        let odd = self.odd[first..first + LANES].as_flattened_mut().as_chunks_mut::<LANES>().0;
        let mut squares = [V::splat(0.0); HOP];
        for (at, samples) in samples.as_chunks::<LANES>().0.iter().enumerate() {
            let samples = V::load(samples);
            squares[at] = samples * samples;
            (samples + samples.reversed_halves()).store(&mut even[at]);
            (samples - samples.reversed_halves()).store(&mut odd[at]);
        }
        V::sums_of_fours(squares)
    }

    /// Correlation of the `at`-th sub-block with all tones, as (re, im), its middle having a phase.
    #[inline(always)]
    pub(crate) fn correlated<V: Vector>(&self, at: usize, functions: &Functions<V>, middle: &Parts) -> [V; 2] {
        let (even, odd) = (&self.even[at], &self.odd[at]);
        let even = V::splat(even[0]) * functions.even[0] + V::splat(even[1]) * functions.even[1];
        let odd = V::splat(odd[0]) * functions.odd[0] + V::splat(odd[1]) * functions.odd[1];
        // About the middle the sum of `x(n) exp(-i w n)` is `even + i odd`, as the differences are first less last.
        let [re, im] = [V::load(&middle[0]), V::load(&middle[1])];
        [re * even - im * odd, im * even + re * odd]
    }
}

/// What sums over sub-blocks are made of, kept from one call to the next: the last one, the last two pairs, and fours.
#[derive(Default)]
pub(crate) struct Sliding {
    one: Tones,
    twos: [Tones; 2],
    pub(crate) fours: [Tones; 8],
}

/// The same at work.
pub(crate) struct Running<V> {
    one: V,
    twos: [V; 2],
}

impl<V: Vector> Running<V> {
    #[inline(always)]
    pub(crate) fn load(kept: &Sliding) -> Self {
        Self { one: V::load(&kept.one), twos: [V::load(&kept.twos[0]), V::load(&kept.twos[1])] }
    }

    #[inline(always)]
    pub(crate) fn store(&self, kept: &mut Sliding) {
        self.one.store(&mut kept.one);
        self.twos[0].store(&mut kept.twos[0]);
        self.twos[1].store(&mut kept.twos[1]);
    }

    /// Sum over the `SHORT` sub-blocks that end with this one, the `at`-th.
    #[inline(always)]
    pub(crate) fn sum_over_short(&mut self, one: V, fours: &mut [Tones; 8], at: usize) -> V {
        let at = at % 8;
        let two = one + self.one;
        let four = two + self.twos[1];
        let short = four + V::load(&fours[(at + 4) % 8]) + V::load(&fours[at]);
        four.store(&mut fours[at]);
        (self.one, self.twos) = (one, [two, self.twos[0]]);
        short
    }
}
