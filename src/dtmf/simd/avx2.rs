//! A vector nobody can name but [`super::run_in_avx2`] and [`super::run_in_avx512`], which run only where there is AVX2: that
//! is what makes each of these calls sound.

use super::{LANES, Lanes, Vector};
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
    fn nearest(self) -> Self {
        // SAFETY: there is AVX2, see above.
        Self(unsafe { _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0) })
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
    fn greatest_of_halves([a, b, c, d, e, f, g, h]: [Self; LANES]) -> [Self; 2] {
        // SAFETY: there is AVX2, see above.
        unsafe {
            // Of two in turns the greatest of every second lane; then of four the greatest of each half.
            let ab = _mm256_max_ps(_mm256_unpacklo_ps(a.0, b.0), _mm256_unpackhi_ps(a.0, b.0));
            let cd = _mm256_max_ps(_mm256_unpacklo_ps(c.0, d.0), _mm256_unpackhi_ps(c.0, d.0));
            let ef = _mm256_max_ps(_mm256_unpacklo_ps(e.0, f.0), _mm256_unpackhi_ps(e.0, f.0));
            let gh = _mm256_max_ps(_mm256_unpacklo_ps(g.0, h.0), _mm256_unpackhi_ps(g.0, h.0));
            let first =
                _mm256_max_ps(_mm256_shuffle_ps::<0b01_00_01_00>(ab, cd), _mm256_shuffle_ps::<0b11_10_11_10>(ab, cd));
            let last =
                _mm256_max_ps(_mm256_shuffle_ps::<0b01_00_01_00>(ef, gh), _mm256_shuffle_ps::<0b11_10_11_10>(ef, gh));
            [Self(_mm256_permute2f128_ps::<0x20>(first, last)), Self(_mm256_permute2f128_ps::<0x31>(first, last))]
        }
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
    fn sums_of_two([a, b]: [Self; 2]) -> [f32; 2] {
        let [a, b, ..] = Self::sums_of_four([a, b, a, b]);
        [a, b]
    }

    #[inline(always)]
    fn sums_of_four([a, b, c, d]: [Self; 4]) -> [f32; 4] {
        let mut sums = [0.0; 4];
        // SAFETY: there is AVX2, see above; four numbers are written where there are four.
        unsafe {
            let halves = _mm256_hadd_ps(_mm256_hadd_ps(a.0, b.0), _mm256_hadd_ps(c.0, d.0));
            let both = _mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps::<1>(halves));
            _mm_storeu_ps(sums.as_mut_ptr(), both);
        }
        sums
    }

    #[inline(always)]
    fn sums_of_eights([a, b, c, d, e, f, g, h]: [Self; LANES]) -> Self {
        // SAFETY: there is AVX2, see above.
        Self(unsafe {
            // Of the first halves of four vectors, then of the second ones.
            let first = _mm256_hadd_ps(_mm256_hadd_ps(a.0, b.0), _mm256_hadd_ps(c.0, d.0));
            let last = _mm256_hadd_ps(_mm256_hadd_ps(e.0, f.0), _mm256_hadd_ps(g.0, h.0));
            _mm256_add_ps(_mm256_permute2f128_ps::<0x20>(first, last), _mm256_permute2f128_ps::<0x31>(first, last))
        })
    }

    #[inline(always)]
    fn store_16_bits(self, numbers: &mut [i16; LANES]) {
        // SAFETY: there is AVX2, see above; eight numbers are written where there are eight.
        unsafe {
            let whole = _mm256_cvtps_epi32(self.0);
            let both = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256::<1>(whole));
            _mm_storeu_si128(numbers.as_mut_ptr().cast(), both);
        }
    }

    #[inline(always)]
    fn squares_of_pairs(samples: &[i16; 2 * LANES]) -> Self {
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
    fn samples(samples: &[i16; 2 * LANES]) -> __m256i {
        // SAFETY: there is AVX2, see above; sixteen samples are read where there are sixteen.
        unsafe { _mm256_loadu_si256(samples.as_ptr().cast()) }
    }

    #[inline(always)]
    fn no_products() -> __m256i {
        // SAFETY: there is AVX2, see above.
        unsafe { _mm256_setzero_si256() }
    }

    #[inline(always)]
    fn plus_products(sums: __m256i, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: there is AVX2, see above.
        unsafe { _mm256_add_epi32(sums, _mm256_madd_epi16(a, b)) }
    }

    #[inline(always)]
    fn sum_of_whole(a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: there is AVX2, see above.
        unsafe { _mm256_add_epi32(a, b) }
    }

    #[inline(always)]
    fn of_whole(sums: __m256i) -> Self {
        // SAFETY: there is AVX2, see above.
        Self(unsafe { _mm256_cvtepi32_ps(sums) })
    }
}
