//! One of the two bands of G.722: a prediction that adapts to what it missed (ITU-T G.722, 3.6 and 5.2; names of blocks are the
//! standard's).

use super::tables::BandTables;

/// Bounds of what a band may give.
const LIMITS: (i32, i32) = (-16_384, 16_383);
/// Differences that the zeros of the prediction look back on.
const ZEROS: usize = 6;

/// What is remembered of a band.
pub(super) struct Band {
    tables: &'static BandTables,
    /// The quantizer's step, and its logarithm.
    step: i32,
    logarithm: i32,
    /// What is expected next, and the part of it that the zeros tell.
    expected: i32,
    of_zeros: i32,
    /// The poles' weights, the last values they look back on, and the last values without the poles' part.
    poles: [i32; 2],
    reconstructed: [i32; 2],
    partial: [i32; 2],
    /// The zeros' weights and the last differences they look back on.
    zeros: [i32; ZEROS],
    differences: [i32; ZEROS],
}

impl Band {
    pub(super) const fn new(tables: &'static BandTables) -> Self {
        Self {
            tables,
            step: tables.first_step,
            logarithm: 0,
            expected: 0,
            of_zeros: 0,
            poles: [0; 2],
            reconstructed: [0; 2],
            partial: [0; 2],
            zeros: [0; ZEROS],
            differences: [0; ZEROS],
        }
    }

    /// The band's sample for a quantized difference, before the band adapts to it.
    pub(super) fn heard(&self, quantized: i32) -> i32 {
        (self.expected + scaled(self.step, quantized)).clamp(LIMITS.0, LIMITS.1)
    }

    /// Goes on by a code: INVQAL and LOGSCL, SCALEL, and the predictor.
    pub(super) fn adapt(&mut self, code: usize) {
        let difference = scaled(self.step, self.tables.quantized[code]);
        let decayed = scaled_by(self.logarithm, 127, 7);
        self.logarithm = (decayed + self.tables.step_changes[code]).clamp(0, self.tables.largest_logarithm);
        self.step = self.tables.step(self.logarithm);
        self.predict(difference);
    }

    fn predict(&mut self, difference: i32) {
        let reconstructed = saturated(self.expected + difference);
        let partial = saturated(self.of_zeros + difference);
        self.poles = self.adapted_poles(partial);
        self.adapt_zeros(difference);
        // DELAYA.
        self.reconstructed = [reconstructed, self.reconstructed[0]];
        self.partial = [partial, self.partial[0]];
        self.differences.copy_within(..ZEROS - 1, 1);
        self.differences[0] = difference;
        // FILTEP, FILTEZ and PREDIC.
        let weighted = |(weight, value): (&i32, &i32)| scaled(*weight, saturated(2 * value));
        let of_poles: i32 = self.poles.iter().zip(&self.reconstructed).map(weighted).sum();
        self.of_zeros = saturated(self.zeros.iter().zip(&self.differences).map(weighted).sum());
        self.expected = saturated(saturated(of_poles) + self.of_zeros);
    }

    /// UPPOL2 and UPPOL1.
    fn adapted_poles(&self, partial: i32) -> [i32; 2] {
        let agrees = |past: i32| (partial < 0) == (past < 0);
        let first = saturated(self.poles[0] * 4);
        let first = if agrees(self.partial[0]) { (-first).min(32_767) } else { first };
        let toward = if agrees(self.partial[1]) { 128 } else { -128 };
        let second = ((first >> 7) + toward + scaled(self.poles[1], 32_512)).clamp(-12_288, 12_288);
        let toward = if agrees(self.partial[0]) { 192 } else { -192 };
        let bound = saturated(15_360 - second);
        [saturated(scaled(self.poles[0], 32_640) + toward).clamp(-bound, bound), second]
    }

    /// UPZERO.
    fn adapt_zeros(&mut self, difference: i32) {
        let toward = if difference == 0 { 0 } else { 128 };
        for (weight, past) in self.zeros.iter_mut().zip(&self.differences) {
            let toward = if (difference < 0) == (*past < 0) { toward } else { -toward };
            *weight = saturated(scaled(*weight, 32_640) + toward);
        }
    }
}

/// The number, held to 16 bits.
pub(super) fn saturated(number: i32) -> i32 {
    number.clamp(i16::MIN.into(), i16::MAX.into())
}

/// A product of two fractions of 15 bits.
const fn scaled(a: i32, b: i32) -> i32 {
    scaled_by(a, b, 15)
}

const fn scaled_by(a: i32, b: i32, bits: u32) -> i32 {
    (a * b) >> bits
}
