//! Kernels compiled thrice: for the vector registers of two kinds of processors, and for any processor.
//!
//! All run the same source in the same order of operations (no multiplication is fused with an addition), so their results
//! are equal to the bit, but for which NaN a NaN is.
#![expect(
    unsafe_code,
    reason = "a function compiled for AVX2 or AVX-512 may be called only where the processor was seen to have it"
)]

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;

use portable::Portable;
use std::ops::{Add, Mul, Sub};

/// Numbers computed together.
pub(crate) const LANES: usize = 8;

/// Eight neighbouring numbers.
pub(crate) type Lanes = [f32; LANES];

/// A computation on eight numbers at a time.
pub(crate) trait Kernel {
    type Output;
    /// Implementations are `#[inline(always)]`, or they would be compiled once, for any processor.
    fn run<V: Vector>(self) -> Self::Output;
}

/// Eight numbers, lane by lane.
pub(crate) trait Vector: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {
    fn splat(value: f32) -> Self;
    fn load(lanes: &Lanes) -> Self;
    fn store(self, lanes: &mut Lanes);
    /// The lanes in reverse order.
    fn reversed(self) -> Self;
    /// The greater of two.
    fn greater(self, other: Self) -> Self;
    /// The nearest whole numbers; of two as near, the even one.
    fn nearest(self) -> Self;
    /// Where this is less than another: bit `n` for lane `n`.
    fn less(self, than: Self) -> u8;
    /// Sum over the lanes, in pairs.
    fn sum(self) -> f32;
    /// In each of the first four lanes the greatest of those four, and likewise in the last four.
    fn greatest_of_half(self) -> Self;
    /// Of each of eight vectors the greatest of the first four lanes, and the greatest of the last four.
    fn greatest_of_halves(vectors: [Self; LANES]) -> [Self; 2];
    /// The sums of four neighbours each, of four vectors one after the other.
    fn sums_of_fours(vectors: [Self; 4]) -> Self;
    /// The sum of each of two vectors.
    fn sums_of_two(vectors: [Self; 2]) -> [f32; 2];
    /// The sum of each of four vectors.
    fn sums_of_four(vectors: [Self; 4]) -> [f32; 4];
    /// The sum of each of eight vectors.
    fn sums_of_eights(vectors: [Self; LANES]) -> Self;
    /// The nearest numbers of 16 bits, or the least or the greatest; of numbers that 32 bits hold.
    fn store_16_bits(self, numbers: &mut [i16; LANES]);
    /// The sums of the squares of two 16-bit samples each; the least of 16 bits counts as the next to it.
    fn squares_of_pairs(samples: &[i16; 2 * LANES]) -> Self;

    /// Eight whole numbers of 32 bits.
    type Whole: Copy;
    /// A pair of 16-bit numbers for each lane.
    type Pairs: Copy;
    /// A pair of neighbouring samples for each lane.
    fn samples(samples: &[i16; 2 * LANES]) -> Self::Pairs;
    /// Zeros.
    fn no_products() -> Self::Whole;
    /// Sums, and the two products of two pairs in each lane. What leaves 32 bits goes round.
    fn plus_products(sums: Self::Whole, a: Self::Pairs, b: Self::Pairs) -> Self::Whole;
    /// Sums of whole numbers. What leaves 32 bits goes round.
    fn sum_of_whole(a: Self::Whole, b: Self::Whole) -> Self::Whole;
    /// Whole numbers as the nearest numbers.
    fn of_whole(sums: Self::Whole) -> Self;
}

/// The vector registers to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Simd {
    /// What every processor of the architecture has.
    Portable,
    /// 16 registers of 256 bits of x86-64.
    #[cfg(target_arch = "x86_64")]
    Avx2(Has),
    /// 32 of them, with numbers from memory in all lanes at once, and products and sums of whole numbers in one.
    #[cfg(target_arch = "x86_64")]
    Avx512(Has),
}

/// Proof that the processor has what is meant: made only by [`Simd::available`].
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Has(());

impl Simd {
    /// The best of this processor.
    pub(crate) fn detect() -> Self {
        Self::available().next().unwrap_or(Self::Portable)
    }

    /// All that this processor has, the best first.
    pub(crate) fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let wide = {
            let has_avx2 = std::arch::is_x86_feature_detected!("avx2");
            let has_avx512 = has_avx2
                && std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512bw")
                && std::arch::is_x86_feature_detected!("avx512dq")
                && std::arch::is_x86_feature_detected!("avx512vl")
                && std::arch::is_x86_feature_detected!("avx512vnni");
            [has_avx512.then_some(Self::Avx512(Has(()))), has_avx2.then_some(Self::Avx2(Has(())))]
        };
        #[cfg(not(target_arch = "x86_64"))]
        let wide = [None; 0];
        wide.into_iter().flatten().chain([Self::Portable])
    }

    /// Runs a kernel in these registers.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            Self::Portable => kernel.run::<Portable>(),
            // SAFETY: the token shows that the processor has AVX2.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(Has(())) => unsafe { run_in_avx2(kernel) },
            // SAFETY: the token shows that the processor has AVX2 and these parts of AVX-512.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(Has(())) => unsafe { run_in_avx512(kernel) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn run_in_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<avx2::Avx2Vector>()
}

/// The same operations on the same vectors: the compiler finds the rest.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
fn run_in_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<avx2::Avx2Vector>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What every operation makes of the same numbers.
    struct All {
        a: Lanes,
        b: Lanes,
    }

    #[derive(Debug, PartialEq)]
    struct Results {
        sums: [u32; 2],
        less: [u8; 2],
        /// Sum, difference, product, greater.
        of_two: [[u32; LANES]; 4],
        /// Reversed, the greatest of each half, the nearest whole numbers.
        of_one: [[u32; LANES]; 3],
        whole: [i16; LANES],
        /// Sums of fours, of eights, and the greatest of the halves of eight.
        of_many: [[u32; LANES]; 4],
        /// Sums of two vectors, and of four.
        of_few: [u32; 6],
    }

    fn bits<V: Vector>(vector: V) -> [u32; LANES] {
        let mut lanes = [0.0; LANES];
        vector.store(&mut lanes);
        lanes.map(f32::to_bits)
    }

    impl Kernel for All {
        type Output = Results;

        #[inline(always)]
        fn run<V: Vector>(self) -> Results {
            let (a, b) = (V::load(&self.a), V::load(&self.b));
            let fours = V::sums_of_fours([a, b, a + b, a - b]);
            let eights = V::sums_of_eights([a, b, a + b, a - b, a * b, b, a, b - a]);
            let [first, last] = V::greatest_of_halves([a, b, a + b, a - b, a * b, b, a, b - a]);
            let (two, four) = (V::sums_of_two([a, b]), V::sums_of_four([b, a, a + b, a * b]));
            let mut whole = [0; LANES];
            V::load(&self.a.map(|number| 80_000.0 * number.clamp(-1.0, 1.0))).store_16_bits(&mut whole);
            Results {
                whole,
                sums: [a.sum(), (a * b).sum()].map(f32::to_bits),
                less: [a.less(b), b.less(a)],
                of_two: [bits(a + b), bits(a - b), bits(a * b), bits(a.greater(b))],
                of_one: [bits(a.reversed()), bits(a.greatest_of_half()), bits(a.nearest())],
                of_many: [bits(fours), bits(eights), bits(first), bits(last)],
                of_few: [two[0], two[1], four[0], four[1], four[2], four[3]].map(f32::to_bits),
            }
        }
    }

    #[test]
    fn registers_compute_the_same_to_the_bit() {
        let mut rng = fastrand::Rng::with_seed(6);
        let special = [0.0, -0.0, f32::INFINITY, 1e-40, f32::MAX, 1.0, -1.0, f32::MIN_POSITIVE];
        for round in 0..2000 {
            let mut number = || if round % 2 == 0 { rng.f32() - 0.5 } else { special[rng.usize(0..8)] };
            let (a, b): (Lanes, Lanes) = (std::array::from_fn(|_| number()), std::array::from_fn(|_| number()));
            let portable = Simd::Portable.run(All { a, b });
            // Which of the numbers that are none came out is nobody's business.
            let is_number = |bits: &u32| !f32::from_bits(*bits).is_nan();
            for wide in Simd::available().map(|simd| simd.run(All { a, b })) {
                if [&wide, &portable].iter().all(|found| {
                    found.sums.iter().chain(found.of_many.iter().flatten()).chain(&found.of_few).all(is_number)
                }) {
                    assert_eq!(wide, portable, "{a:?} {b:?}");
                }
                assert_eq!((wide.less, wide.of_two[3]), (portable.less, portable.of_two[3]));
            }
        }
    }

    /// What 16-bit samples come to with others, and their squares.
    struct OfWhole<'a>(&'a [i16; 2 * LANES], &'a [i16; 2 * LANES]);

    impl Kernel for OfWhole<'_> {
        type Output = [[u32; LANES]; 2];

        #[inline(always)]
        fn run<V: Vector>(self) -> Self::Output {
            let (samples, others) = (V::samples(self.0), V::samples(self.1));
            let once = V::plus_products(V::no_products(), samples, others);
            [bits(V::of_whole(V::sum_of_whole(once, once))), bits(V::squares_of_pairs(self.0))]
        }
    }

    #[test]
    fn whole_numbers_are_the_plain_formulas_in_all_registers() {
        let mut rng = fastrand::Rng::with_seed(10);
        for round in 0..500 {
            let samples: [i16; 2 * LANES] =
                std::array::from_fn(|_| if round % 5 == 0 { i16::MIN } else { rng.i16(..) });
            let (first, second) = (rng.i16(-8000..8000), rng.i16(-8000..8000));
            let others: [i16; 2 * LANES] = std::array::from_fn(|at| if at % 2 == 0 { first } else { second });
            let found = Simd::Portable.run(OfWhole(&samples, &others));
            assert!(Simd::available().all(|simd| simd.run(OfWhole(&samples, &others)) == found));
            for (lane, both) in samples.as_chunks::<2>().0.iter().enumerate() {
                let [a, b] = both.map(i32::from);
                let product = 2 * (a * i32::from(first) + b * i32::from(second));
                let [a, b] = [a, b].map(|sample| f64::from(sample.max(-32767)));
                assert_eq!(f32::from_bits(found[0][lane]), product as f32);
                assert_eq!(f32::from_bits(found[1][lane]), (a * a + b * b) as f32);
            }
        }
    }

    #[test]
    fn lanes_go_where_they_are_meant_to() {
        let (a, b) = ([1.0, -2.0, 3.5, 0.1, 5.0, -6.5, 7.0, 1e-9], [0.3; LANES]);
        for simd in Simd::available() {
            let Results { less, of_two, of_one, of_many, of_few, .. } = simd.run(All { a, b });
            let numbers = |lanes: [u32; LANES]| lanes.map(f32::from_bits);
            let [reversed, greatest, nearest] = of_one.map(numbers);
            let [fours, eights, first, last] = of_many.map(numbers);
            assert_eq!(less[0], 0b1010_1010);
            assert_eq!(numbers(of_two[3]), [1.0, 0.3, 3.5, 0.3, 5.0, 0.3, 7.0, 0.3], "the greater");
            assert_eq!(reversed, [1e-9, 7.0, -6.5, 5.0, 0.1, 3.5, -2.0, 1.0]);
            assert_eq!(greatest, [3.5, 3.5, 3.5, 3.5, 7.0, 7.0, 7.0, 7.0]);
            assert_eq!(nearest, [1.0, -2.0, 4.0, 0.0, 5.0, -6.0, 7.0, 0.0]);
            assert_eq!((fours[0], fours[2]), (2.6, 1.2));
            assert!((eights[0] - 8.1).abs() < 1e-5 && (eights[1] - 2.4).abs() < 1e-5, "{eights:?}");
            assert_eq!((first[0], first[1], last[0], last[6]), (3.5, 0.3, 7.0, 7.0));
            let few = of_few.map(f32::from_bits);
            assert_eq!([few[0], few[1], few[2], few[3]], [eights[0], eights[1], eights[1], eights[0]]);
        }
    }
}
