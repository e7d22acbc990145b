//! Eight numbers in an array, for any processor; the compiler puts them into what registers it has.

use super::{LANES, Lanes, Vector};
use std::ops::{Add, Mul, Sub};

/// Eight numbers for any processor.
#[derive(Clone, Copy)]
pub(super) struct Portable(Lanes);

impl Portable {
    #[inline(always)]
    fn with(self, other: Self, of: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|lane| of(self.0[lane], other.0[lane])))
    }

    #[inline(always)]
    fn sum_of_neighbours(self) -> f32 {
        let [a, b, c, d, e, f, g, h] = self.0;
        ((a + b) + (c + d)) + ((e + f) + (g + h))
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
    fn nearest(self) -> Self {
        Self(self.0.map(f32::round_ties_even))
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
    fn greatest_of_halves(vectors: [Self; LANES]) -> [Self; 2] {
        let greatest = vectors.map(Self::greatest_of_half);
        [0, LANES / 2].map(|lane| Self(greatest.map(|Self(lanes)| lanes[lane])))
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
    fn sums_of_two(vectors: [Self; 2]) -> [f32; 2] {
        vectors.map(Self::sum_of_neighbours)
    }

    #[inline(always)]
    fn sums_of_four(vectors: [Self; 4]) -> [f32; 4] {
        vectors.map(Self::sum_of_neighbours)
    }

    #[inline(always)]
    fn sums_of_eights(vectors: [Self; LANES]) -> Self {
        Self(vectors.map(Self::sum_of_neighbours))
    }

    #[inline(always)]
    fn store_16_bits(self, numbers: &mut [i16; LANES]) {
        *numbers = self.0.map(|number| number.round_ties_even().clamp(-32768.0, 32767.0) as i16);
    }

    #[inline(always)]
    fn squares_of_pairs(samples: &[i16; 2 * LANES]) -> Self {
        let square = |sample: i16| i32::from(sample.max(-i16::MAX)).pow(2);
        Self(std::array::from_fn(|lane| (square(samples[2 * lane]) + square(samples[2 * lane + 1])) as f32))
    }

    type Whole = [i32; LANES];
    type Pairs = [[i16; 2]; LANES];

    #[inline(always)]
    fn samples(samples: &[i16; 2 * LANES]) -> Self::Pairs {
        std::array::from_fn(|lane| [samples[2 * lane], samples[2 * lane + 1]])
    }

    #[inline(always)]
    fn no_products() -> [i32; LANES] {
        [0; LANES]
    }

    #[inline(always)]
    fn plus_products(sums: [i32; LANES], a: Self::Pairs, b: Self::Pairs) -> [i32; LANES] {
        let product = |a: i16, b: i16| i32::from(a).wrapping_mul(i32::from(b));
        std::array::from_fn(|lane| {
            let ([a0, a1], [b0, b1]) = (a[lane], b[lane]);
            sums[lane].wrapping_add(product(a0, b0)).wrapping_add(product(a1, b1))
        })
    }

    #[inline(always)]
    fn sum_of_whole(a: [i32; LANES], b: [i32; LANES]) -> [i32; LANES] {
        std::array::from_fn(|lane| a[lane].wrapping_add(b[lane]))
    }

    #[inline(always)]
    fn of_whole(sums: [i32; LANES]) -> Self {
        Self(sums.map(|sum| sum as f32))
    }
}
