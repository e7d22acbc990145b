//! The tables of ITU-T G.722.

/// What a band's quantizer does.
pub(super) struct BandTables {
    /// The difference that each code of the prediction stands for, as a fraction of the step (tables 14 and 19).
    pub(super) quantized: &'static [i32],
    /// By how much each code changes the step's logarithm (tables 13 and 20).
    pub(super) step_changes: &'static [i32],
    pub(super) largest_logarithm: i32,
    pub(super) first_step: i32,
    /// The logarithm's octave from which on a step is no longer a fraction.
    octave: i32,
}

impl BandTables {
    /// The step of a logarithm (SCALEL, SCALEH).
    pub(super) const fn step(&self, logarithm: i32) -> i32 {
        let mantissa = STEPS[(logarithm >> 6 & 31) as usize];
        let down = self.octave - (logarithm >> 11);
        4 * if down < 0 { mantissa << -down } else { mantissa >> down }
    }
}

/// Below 4 kHz, by the four upper bits of the code's six.
pub(super) static LOW_BAND: BandTables = BandTables {
    quantized: &[
        0, -20_456, -12_896, -8968, -6288, -4240, -2584, -1200, 20_456, 12_896, 8968, 6288, 4240, 2584, 1200, 0,
    ],
    step_changes: &[-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60],
    largest_logarithm: 18_432,
    first_step: 32,
    octave: 8,
};

/// From 4 kHz up.
pub(super) static HIGH_BAND: BandTables = BandTables {
    quantized: &[-7408, -1616, 7408, 1616],
    step_changes: &[798, -214, 798, -214],
    largest_logarithm: 22_528,
    first_step: 8,
    octave: 10,
};

/// The difference that all six bits of the low band stand for (table 16).
pub(super) const LOW_FINE: [i32; 64] = [
    -136, -136, -136, -136, -24_808, -21_904, -19_008, -16_704, -14_984, -13_512, -12_280, -11_192, -10_232, -9360,
    -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360,
    -1040, -728, 24_808, 21_904, 19_008, 16_704, 14_984, 13_512, 12_280, 11_192, 10_232, 9360, 8576, 7856, 7192, 6576,
    6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
];

/// Half of the quadrature mirror filter; the other half is this backwards (table 11).
pub(super) const MIRROR_FILTER: [i32; 12] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

/// An octave of steps (table 15).
const STEPS: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896, 2960, 3025,
    3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];
