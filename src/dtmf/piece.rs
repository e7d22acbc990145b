//! A short piece of the filtered samples, judged as two steady tones of nominal frequency.

use super::Digit;
use super::front_end::WORKING_RATE;
use super::history::History;
use super::kernel::{TONES, tone_hz};
use super::simd::{Kernel, LANES, Lanes, Vector};
use std::f64::consts::TAU;
use std::sync::LazyLock;

/// Filtered samples from one piece to the next: 1 ms.
pub(crate) const STEP: usize = 4;
/// Length of a piece in filtered samples: 6 ms.
pub(crate) const PIECE: usize = 24;
/// Part of a pure piece's energy that is not the pair's, at most.
const IMPURE: f32 = 0.05;
/// Level a tone may change between pieces, as a power ratio: 1.5 dB.
const STEADY: f32 = 1.41;

/// One piece: the powers of both tones in it, its energy, and what is left of it.
pub(crate) struct Piece {
    powers: [f32; 2],
    pub(crate) energy: f32,
    left: f32,
}

impl Piece {
    /// The piece that ends `back` steps ago.
    pub(crate) fn at(history: &History, digit: Digit, back: usize) -> Self {
        let tables = &*TABLES;
        let [low, high] = digit.tones();
        history.simd().run(Judge {
            samples: history.window(PIECE, back * STEP),
            functions: [&tables.functions[low], &tables.functions[high]],
            inverses: &tables.inverses[low][high - TONES / 2],
        })
    }

    /// Whether the piece holds nearly nothing but the pair.
    pub(crate) fn is_pure(&self) -> bool {
        self.energy > 1e-8 && self.left < IMPURE * self.energy
    }

    /// Whether both tones are as loud as in another piece.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        let near = |a: f32, b: f32| a < STEADY * b && b < STEADY * a;
        near(self.powers[0], other.powers[0]) && near(self.powers[1], other.powers[1])
    }
}

/// A cosine and a sine about the middle of a piece.
type Functions = [[Lanes; PIECE / LANES]; 2];

/// What the least squares over a piece need of the nominal frequencies.
struct Tables {
    functions: [Functions; TONES],
    /// By row and column, for the cosines and for the sines (they are orthogonal): the inverse of the symmetric matrix of
    /// their products, as its corner, its side and its other corner.
    inverses: [[[[f32; 3]; 2]; TONES / 2]; TONES / 2],
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let angle =
        |tone: usize, n: usize| TAU * tone_hz(tone) / f64::from(WORKING_RATE) * (n as f64 - 0.5 * (PIECE - 1) as f64);
    let value =
        |part: usize, tone: usize, n: usize| if part == 0 { angle(tone, n).cos() } else { angle(tone, n).sin() };
    let product =
        |part: usize, a: usize, b: usize| (0..PIECE).map(|n| value(part, a, n) * value(part, b, n)).sum::<f64>();
    let inverse = |part: usize, a: usize, b: usize| {
        let (aa, ab, bb) = (product(part, a, a), product(part, a, b), product(part, b, b));
        [bb, -ab, aa].map(|x| (x / (aa * bb - ab * ab)) as f32)
    };
    let lanes = |part, tone| {
        std::array::from_fn(|group| std::array::from_fn(|lane| value(part, tone, group * LANES + lane) as f32))
    };
    let column = |row, column| [0, 1].map(|part| inverse(part, row, TONES / 2 + column));
    Tables {
        functions: std::array::from_fn(|tone| [lanes(0, tone), lanes(1, tone)]),
        inverses: std::array::from_fn(|row| std::array::from_fn(|at| column(row, at))),
    }
});

struct Judge<'a> {
    samples: &'a [f32],
    functions: [&'a Functions; 2],
    inverses: &'a [[f32; 3]; 2],
}

impl Kernel for Judge<'_> {
    type Output = Piece;

    #[inline(always)]
    fn run<V: Vector>(self) -> Piece {
        let Self { samples, functions: [low, high], inverses } = self;
        let mut energy = V::splat(0.0);
        let mut with = [[V::splat(0.0); 2]; 2];
        for (at, samples) in samples.as_chunks::<LANES>().0.iter().enumerate().take(PIECE / LANES) {
            let samples = V::load(samples);
            energy = energy + samples * samples;
            for part in 0..2 {
                with[part][0] = with[part][0] + samples * V::load(&low[part][at]);
                with[part][1] = with[part][1] + samples * V::load(&high[part][at]);
            }
        }
        let (mut powers, mut left) = ([0f32; 2], energy.sum());
        for part in 0..2 {
            let ([corner, side, other], with) = (inverses[part], [with[part][0].sum(), with[part][1].sum()]);
            let found = [corner * with[0] + side * with[1], side * with[0] + other * with[1]];
            powers = [powers[0] + found[0] * found[0], powers[1] + found[1] * found[1]];
            left -= found[0] * with[0] + found[1] * with[1];
        }
        Piece { powers, energy: energy.sum(), left: left.max(0.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::{GeneratorConfig, generate};

    #[test]
    fn a_piece_of_its_own_pair_is_pure_and_tells_its_levels() {
        let config =
            GeneratorConfig { low_dbm0: -10.0, high_dbm0: -7.0, ..GeneratorConfig::default() }.timing(100.0, 0.0);
        for (row, column) in (0..4).flat_map(|row| (0..4).map(move |column| (row, column))) {
            let digit = Digit::at(row, column);
            let history = History::of(&generate(&[digit], &config).unwrap());
            let [early, late] = [10, 40].map(|back| Piece::at(&history, digit, back));
            assert!(early.is_pure() && late.is_pure() && early.matches(&late), "{digit}");
            let other = Piece::at(&history, Digit::at((row + 2) % 4, (column + 2) % 4), 10);
            assert!(!other.is_pure(), "{digit}");
        }
    }
}
