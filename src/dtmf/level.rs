//! Levels in dBm0 of samples whose full scale is 1.0 (ITU-T G.711: a full-scale sine is +3.14 dBm0).

/// Level in dBm0 of a sine whose peak is 1.0.
#[expect(clippy::approx_constant, reason = "ITU-T G.711 level, not pi")]
pub const FULL_SCALE_DBM0: f64 = 3.14;

/// Peak amplitude (full scale 1.0) of a sine of the given level in dBm0.
pub fn amplitude(dbm0: f64) -> f64 {
    10f64.powf((dbm0 - FULL_SCALE_DBM0) / 20.0)
}

/// Root-mean-square amplitude (full scale 1.0) of any signal, noise for instance, of the given level in dBm0.
pub fn rms(dbm0: f64) -> f64 {
    amplitude(dbm0) * std::f64::consts::FRAC_1_SQRT_2
}

/// Level in dBm0 of a sine of the given peak amplitude; minus infinity for zero.
pub fn dbm0(amplitude: f64) -> f64 {
    20.0 * amplitude.log10() + FULL_SCALE_DBM0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_scale_sine_is_3_14_dbm0_and_levels_round_trip() {
        assert!((amplitude(FULL_SCALE_DBM0) - 1.0).abs() < 1e-12);
        for level in [-55.0, -10.0, 0.0, 3.0] {
            assert!((dbm0(amplitude(level)) - level).abs() < 1e-9);
        }
        assert!((rms(0.0) / amplitude(0.0) - 0.5f64.sqrt()).abs() < 1e-12);
    }
}
