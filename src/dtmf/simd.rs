//! Kernels compiled twice: for the vector registers of the processor at hand, and for any processor.
//!
//! Both run the same source in the same order of operations (no multiplication is fused with an addition), so their results
//! are equal to the bit, but for which NaN a NaN is.
#![expect(
    unsafe_code,
    reason = "a function compiled for AVX2 may be called only where the processor was seen to have it"
)]

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
    /// The lesser of two.
    fn lesser(self, other: Self) -> Self;
    /// Where this is less than another: bit `n` for lane `n`.
    fn less(self, than: Self) -> u8;
    /// Sum over the lanes, in pairs.
    fn sum(self) -> f32;
    /// In each of the first four lanes the greatest of those four, and likewise in the last four.
    fn greatest_of_half(self) -> Self;
    /// The greatest of the first four lanes and the greatest of the last four together, of two vectors.
    fn greatest_sums(a: Self, b: Self) -> [f32; 2];
    /// Each half in reverse order.
    fn reversed_halves(self) -> Self;
    /// The sums of four neighbours each, of four vectors one after the other.
    fn sums_of_fours(vectors: [Self; 4]) -> Self;
    /// The sum of each of eight vectors.
    fn sums_of_eights(vectors: [Self; LANES]) -> Self;
    /// The first half of one and the second half of another.
    fn halves(first: Self, second: Self) -> Self;
    /// The sums of the squares of two 16-bit samples each; the least of 16 bits counts as the next to it.
    fn squares_of_pairs(samples: &[i16; 2 * LANES]) -> Self;

    /// Eight whole numbers of 32 bits.
    type Whole: Copy;
    /// The same pair for each lane.
    type Pairs: Copy;
    fn pair(pair: Pair) -> Self::Pairs;
    /// Zeros.
    fn no_products() -> Self::Whole;
    /// Sums, and the two products of two samples and a pair in each lane. What leaves 32 bits goes round.
    fn plus_products(sums: Self::Whole, samples: &[i16; 2 * LANES], pair: Self::Pairs) -> Self::Whole;
    /// Whole numbers as the nearest numbers.
    fn of_whole(sums: Self::Whole) -> Self;
}

/// Two numbers of 16 bits, the first in the lower half.
#[derive(Clone, Copy)]
pub(crate) struct Pair(i32);

impl Pair {
    pub(crate) fn of(first: i16, second: i16) -> Self {
        Self(i32::from(second) << 16 | i32::from(first) & 0xffff)
    }

    #[inline(always)]
    pub(crate) fn both(self) -> [i16; 2] {
        [self.0 as i16, (self.0 >> 16) as i16]
    }
}

/// The vector registers to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Simd {
    /// What every processor of the architecture has.
    Portable,
    /// 256-bit registers of x86-64.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
}

/// Proof that the processor has AVX2: made only by [`Simd::detect`].
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx2(());

impl Simd {
    /// The widest registers of this processor.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            return Self::Avx2(Avx2(()));
        }
        Self::Portable
    }

    /// Runs a kernel in these registers.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            Self::Portable => kernel.run::<Portable>(),
            // SAFETY: the token shows that the processor has AVX2.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(Avx2(())) => unsafe { run_in_avx2(kernel) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn run_in_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<avx2::Avx2Vector>()
}

/// Eight numbers for any processor.
#[derive(Clone, Copy)]
struct Portable(Lanes);

impl Portable {
    #[inline(always)]
    fn with(self, other: Self, of: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|lane| of(self.0[lane], other.0[lane])))
    }
}

impl Add for Portable {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }
}

impl Sub for Portable {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.with(other, |a, b| a - b)
    }
}

impl Mul for Portable {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.with(other, |a, b| a * b)
    }
}

impl Vector for Portable {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([value; LANES])
    }

    #[inline(always)]
    fn load(lanes: &Lanes) -> Self {
        Self(*lanes)
    }

    #[inline(always)]
    fn store(self, lanes: &mut Lanes) {
        *lanes = self.0;
    }

    #[inline(always)]
    fn reversed(self) -> Self {
        let [a, b, c, d, e, f, g, h] = self.0;
        Self([h, g, f, e, d, c, b, a])
    }

    #[inline(always)]
    fn greater(self, other: Self) -> Self {
        self.with(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn lesser(self, other: Self) -> Self {
        self.with(other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn less(self, than: Self) -> u8 {
        (0..LANES).fold(0, |bits, lane| bits | (u8::from(self.0[lane] < than.0[lane]) << lane))
    }

    #[inline(always)]
    fn sum(self) -> f32 {
        let [a, b, c, d, e, f, g, h] = self.0;
        ((a + e) + (c + g)) + ((b + f) + (d + h))
    }

    #[inline(always)]
    fn greatest_of_half(self) -> Self {
        let [a, b, c, d, e, f, g, h] = self.0;
        let twos = self.greater(Self([c, d, a, b, g, h, e, f]));
        let [a, b, c, d, e, f, g, h] = twos.0;
        twos.greater(Self([b, a, d, c, f, e, h, g]))
    }

    #[inline(always)]
    fn greatest_sums(a: Self, b: Self) -> [f32; 2] {
        [a, b].map(|vector| {
            let greatest = vector.greatest_of_half();
            greatest.0[0] + greatest.0[LANES / 2]
        })
    }

    #[inline(always)]
    fn reversed_halves(self) -> Self {
        let [a, b, c, d, e, f, g, h] = self.0;
        Self([d, c, b, a, h, g, f, e])
    }

    #[inline(always)]
    fn sums_of_fours(vectors: [Self; 4]) -> Self {
        let sum = |[a, b, c, d]: [f32; 4]| (a + b) + (c + d);
        let mut sums = [0.0; LANES];
        for (sums, Self([a, b, c, d, e, f, g, h])) in sums.as_chunks_mut::<2>().0.iter_mut().zip(vectors) {
            *sums = [sum([a, b, c, d]), sum([e, f, g, h])];
        }
        Self(sums)
    }

    #[inline(always)]
    fn sums_of_eights(vectors: [Self; LANES]) -> Self {
        let sum = |[a, b, c, d, e, f, g, h]: Lanes| ((a + b) + (c + d)) + ((e + f) + (g + h));
        Self(vectors.map(|Self(lanes)| sum(lanes)))
    }

    #[inline(always)]
    fn halves(Self([a, b, c, d, ..]): Self, Self([.., e, f, g, h]): Self) -> Self {
        Self([a, b, c, d, e, f, g, h])
    }

    #[inline(always)]
    fn squares_of_pairs(samples: &[i16; 2 * LANES]) -> Self {
        let square = |sample: i16| i32::from(sample.max(-i16::MAX)).pow(2);
        Self(std::array::from_fn(|lane| (square(samples[2 * lane]) + square(samples[2 * lane + 1])) as f32))
    }

    type Whole = [i32; LANES];
    type Pairs = [i32; 2];

    #[inline(always)]
    fn pair(pair: Pair) -> [i32; 2] {
        pair.both().map(i32::from)
    }

    #[inline(always)]
    fn no_products() -> [i32; LANES] {
        [0; LANES]
    }

    #[inline(always)]
    fn plus_products(sums: [i32; LANES], samples: &[i16; 2 * LANES], [first, second]: [i32; 2]) -> [i32; LANES] {
        std::array::from_fn(|lane| {
            let [a, b] = [samples[2 * lane], samples[2 * lane + 1]].map(i32::from);
            sums[lane].wrapping_add(a.wrapping_mul(first)).wrapping_add(b.wrapping_mul(second))
        })
    }

    #[inline(always)]
    fn of_whole(sums: [i32; LANES]) -> Self {
        Self(sums.map(|sum| sum as f32))
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    //! A vector nobody can name but [`super::run_in_avx2`], which runs only where there is AVX2: that is what makes each of
    //! these calls sound.

    use super::{Lanes, Vector};
    use std::arch::x86_64::*;
    use std::ops::{Add, Mul, Sub};

    /// Eight numbers in one register.
    #[derive(Clone, Copy)]
    pub(super) struct Avx2Vector(__m256);

    impl Add for Avx2Vector {
        type Output = Self;
        #[inline(always)]
        fn add(self, other: Self) -> Self {
            // SAFETY: there is AVX2, see above.
            Self(unsafe { _mm256_add_ps(self.0, other.0) })
        }
    }

    impl Sub for Avx2Vector {
        type Output = Self;
        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            // SAFETY: there is AVX2, see above.
            Self(unsafe { _mm256_sub_ps(self.0, other.0) })
        }
    }

    impl Mul for Avx2Vector {
        type Output = Self;
        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            // SAFETY: there is AVX2, see above.
            Self(unsafe { _mm256_mul_ps(self.0, other.0) })
        }
    }

    impl Vector for Avx2Vector {
        #[inline(always)]
        fn splat(value: f32) -> Self {
            // SAFETY: there is AVX2, see above.
            Self(unsafe { _mm256_set1_ps(value) })
        }

        #[inline(always)]
        fn load(lanes: &Lanes) -> Self {
            // SAFETY: there is AVX2, see above; eight numbers are read where there are eight.
            Self(unsafe { _mm256_loadu_ps(lanes.as_ptr()) })
        }

        #[inline(always)]
        fn store(self, lanes: &mut Lanes) {
            // SAFETY: there is AVX2, see above; eight numbers are written where there are eight.
            unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), self.0) }
        }

        #[inline(always)]
        fn reversed(self) -> Self {
            // SAFETY: there is AVX2, see above.
            Self(unsafe { _mm256_permutevar8x32_ps(self.0, _mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0)) })
        }

        #[inline(always)]
        fn greater(self, other: Self) -> Self {
            // SAFETY: there is AVX2, see above.
            Self(unsafe { _mm256_max_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn lesser(self, other: Self) -> Self {
            // SAFETY: there is AVX2, see above.
            Self(unsafe { _mm256_min_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn less(self, than: Self) -> u8 {
            // SAFETY: there is AVX2, see above. There are eight bits.
            unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(self.0, than.0)) as u8 }
        }

        #[inline(always)]
        fn sum(self) -> f32 {
            // SAFETY: there is AVX2, see above.
            unsafe {
                let fours = _mm_add_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
                let twos = _mm_add_ps(fours, _mm_movehl_ps(fours, fours));
                _mm_cvtss_f32(_mm_add_ss(twos, _mm_movehdup_ps(twos)))
            }
        }

        #[inline(always)]
        fn greatest_of_half(self) -> Self {
            // SAFETY: there is AVX2, see above.
            unsafe {
                let twos = _mm256_max_ps(self.0, _mm256_permute_ps::<0b01_00_11_10>(self.0));
                Self(_mm256_max_ps(twos, _mm256_permute_ps::<0b10_11_00_01>(twos)))
            }
        }

        #[inline(always)]
        fn greatest_sums(a: Self, b: Self) -> [f32; 2] {
            // SAFETY: there is AVX2, see above.
            unsafe {
                // Both in turns, in each half: their first two lanes, and their last two.
                let (first, last) = (_mm256_unpacklo_ps(a.0, b.0), _mm256_unpackhi_ps(a.0, b.0));
                let twos = _mm256_max_ps(first, last);
                let greatest = _mm256_max_ps(twos, _mm256_permute_ps::<0b01_00_11_10>(twos));
                let sums = _mm_add_ps(_mm256_castps256_ps128(greatest), _mm256_extractf128_ps::<1>(greatest));
                [_mm_cvtss_f32(sums), _mm_cvtss_f32(_mm_movehdup_ps(sums))]
            }
        }

        #[inline(always)]
        fn reversed_halves(self) -> Self {
            // SAFETY: there is AVX2, see above.
            Self(unsafe { _mm256_permute_ps::<0b00_01_10_11>(self.0) })
        }

        #[inline(always)]
        fn sums_of_fours([a, b, c, d]: [Self; 4]) -> Self {
            // SAFETY: there is AVX2, see above.
            Self(unsafe {
                let sums = _mm256_hadd_ps(_mm256_hadd_ps(a.0, b.0), _mm256_hadd_ps(c.0, d.0));
                // Those of the first halves come before those of the second ones.
                _mm256_permutevar8x32_ps(sums, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7))
            })
        }

        #[inline(always)]
        fn sums_of_eights([a, b, c, d, e, f, g, h]: [Self; super::LANES]) -> Self {
            // SAFETY: there is AVX2, see above.
            Self(unsafe {
                // Of the first halves of four vectors, then of the second ones.
                let first = _mm256_hadd_ps(_mm256_hadd_ps(a.0, b.0), _mm256_hadd_ps(c.0, d.0));
                let last = _mm256_hadd_ps(_mm256_hadd_ps(e.0, f.0), _mm256_hadd_ps(g.0, h.0));
                _mm256_add_ps(_mm256_permute2f128_ps::<0x20>(first, last), _mm256_permute2f128_ps::<0x31>(first, last))
            })
        }

        #[inline(always)]
        fn halves(first: Self, second: Self) -> Self {
            // SAFETY: there is AVX2, see above.
            Self(unsafe { _mm256_blend_ps::<0xf0>(first.0, second.0) })
        }

        #[inline(always)]
        fn squares_of_pairs(samples: &[i16; 2 * super::LANES]) -> Self {
            // SAFETY: there is AVX2, see above; sixteen samples are read where there are sixteen.
            Self(unsafe {
                let samples = _mm256_loadu_si256(samples.as_ptr().cast());
                // Two squares of the least number would leave 32 bits.
                let samples = _mm256_max_epi16(samples, _mm256_set1_epi16(-i16::MAX));
                _mm256_cvtepi32_ps(_mm256_madd_epi16(samples, samples))
            })
        }

        type Whole = __m256i;
        type Pairs = __m256i;

        #[inline(always)]
        fn pair(super::Pair(both): super::Pair) -> __m256i {
            // SAFETY: there is AVX2, see above.
            unsafe { _mm256_set1_epi32(both) }
        }

        #[inline(always)]
        fn no_products() -> __m256i {
            // SAFETY: there is AVX2, see above.
            unsafe { _mm256_setzero_si256() }
        }

        #[inline(always)]
        fn plus_products(sums: __m256i, samples: &[i16; 2 * super::LANES], pair: __m256i) -> __m256i {
            // SAFETY: there is AVX2, see above; sixteen samples are read where there are sixteen.
            unsafe {
                let samples = _mm256_loadu_si256(samples.as_ptr().cast());
                _mm256_add_epi32(sums, _mm256_madd_epi16(samples, pair))
            }
        }

        #[inline(always)]
        fn of_whole(sums: __m256i) -> Self {
            // SAFETY: there is AVX2, see above.
            Self(unsafe { _mm256_cvtepi32_ps(sums) })
        }
    }
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
        /// Of lanes, and of the greatest of halves.
        sums: [u32; 4],
        less: [u8; 2],
        /// Sum, difference, product, greater, lesser.
        of_two: [[u32; LANES]; 5],
        /// Reversed, reversed halves, the greatest of each half, sums of fours, of eights, and halves.
        of_one: [[u32; LANES]; 6],
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
            let [greatest, greatest_b] = V::greatest_sums(a, b);
            Results {
                sums: [a.sum(), (a * b).sum(), greatest, greatest_b].map(f32::to_bits),
                less: [a.less(b), b.less(a)],
                of_two: [bits(a + b), bits(a - b), bits(a * b), bits(a.greater(b)), bits(a.lesser(b))],
                of_one: [
                    bits(a.reversed()),
                    bits(a.reversed_halves()),
                    bits(a.greatest_of_half()),
                    bits(fours),
                    bits(eights),
                    bits(V::halves(a, b)),
                ],
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
            let (wide, portable) = (Simd::detect().run(All { a, b }), Simd::Portable.run(All { a, b }));
            // Which of the numbers that are none came out is nobody's business.
            let is_number = |bits: &u32| !f32::from_bits(*bits).is_nan();
            if [&wide, &portable]
                .iter()
                .all(|found| found.sums.iter().chain(found.of_one[3..5].iter().flatten()).all(is_number))
            {
                assert_eq!(wide, portable, "{a:?} {b:?}");
            }
            assert_eq!(
                (wide.less, wide.of_two[3], wide.of_two[4]),
                (portable.less, portable.of_two[3], portable.of_two[4])
            );
        }
    }

    /// What 16-bit samples come to with a pair, and their squares.
    struct OfWhole<'a>(&'a [i16; 2 * LANES], Pair);

    impl Kernel for OfWhole<'_> {
        type Output = [[u32; LANES]; 2];

        #[inline(always)]
        fn run<V: Vector>(self) -> Self::Output {
            let once = V::plus_products(V::no_products(), self.0, V::pair(self.1));
            [bits(V::of_whole(V::plus_products(once, self.0, V::pair(self.1)))), bits(V::squares_of_pairs(self.0))]
        }
    }

    #[test]
    fn whole_numbers_are_the_plain_formulas_in_all_registers() {
        let mut rng = fastrand::Rng::with_seed(10);
        for round in 0..500 {
            let samples: [i16; 2 * LANES] =
                std::array::from_fn(|_| if round % 5 == 0 { i16::MIN } else { rng.i16(..) });
            let (first, second) = (rng.i16(-8000..8000), rng.i16(-8000..8000));
            let pair = Pair::of(first, second);
            assert_eq!(pair.both(), [first, second]);
            let found = Simd::detect().run(OfWhole(&samples, pair));
            assert_eq!(Simd::Portable.run(OfWhole(&samples, pair)), found);
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
        for simd in [Simd::detect(), Simd::Portable] {
            let Results { sums, less, of_two, of_one } = simd.run(All { a, b });
            let of_two = of_two.map(|lanes| lanes.map(f32::from_bits));
            let [reversed, mirrored, greatest, fours, eights, halves] = of_one.map(|lanes| lanes.map(f32::from_bits));
            assert_eq!((sums[2..].to_vec(), less[0]), (vec![10.5f32.to_bits(), 0.6f32.to_bits()], 0b1010_1010));
            assert_eq!(of_two[3], [1.0, 0.3, 3.5, 0.3, 5.0, 0.3, 7.0, 0.3], "the greater");
            assert_eq!(of_two[4], [0.3, -2.0, 0.3, 0.1, 0.3, -6.5, 0.3, 1e-9], "the lesser");
            assert_eq!(reversed, [1e-9, 7.0, -6.5, 5.0, 0.1, 3.5, -2.0, 1.0]);
            assert_eq!(mirrored, [0.1, 3.5, -2.0, 1.0, 1e-9, 7.0, -6.5, 5.0]);
            assert_eq!(halves, [1.0, -2.0, 3.5, 0.1, 0.3, 0.3, 0.3, 0.3]);
            assert_eq!((eights[0], eights[1]), (8.1, 2.4));
            assert_eq!(greatest, [3.5, 3.5, 3.5, 3.5, 7.0, 7.0, 7.0, 7.0]);
            assert_eq!((fours[0], fours[2]), (2.6, 1.2));
        }
    }
}
