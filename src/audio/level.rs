//! Levels on a telephone line, in dBm0, and a meter for them.
//!
//! 0 dBm0 is the level of G.711's digital milliwatt; a sine that just fills the scale has +3.14 dBm0 (ITU-T G.711, A-law;
//! the 0.03 dB by which mu-law differs is ignored here). The DTMF room, which knows nobody, holds the number.

pub use crate::dtmf::level::FULL_SCALE_DBM0;

/// The level given for digital silence and everything below it, in dBm0: under the least step of 16 bits.
pub const SILENCE_DBM0: f64 = -100.0;
/// Time over which [`Meter`] averages power, in seconds.
const METER_SECONDS: f64 = 0.05;
/// Speed at which the peak mark of [`Meter`] falls, in dB per second.
const PEAK_FALL_DB_PER_S: f64 = 20.0;

/// The level in dBm0 of a signal with this mean square (full scale 1.0), at least [`SILENCE_DBM0`].
pub fn dbm0_of_power(mean_square: f64) -> f64 {
    (10.0 * (2.0 * mean_square).log10() + FULL_SCALE_DBM0).max(SILENCE_DBM0)
}

/// The level of several signals together, from their levels in dBm0.
pub fn dbm0_of_sum(levels: &[f64]) -> f64 {
    10.0 * levels.iter().map(|level| 10_f64.powf(level / 10.0)).sum::<f64>().log10()
}

/// Level and peak of a running signal, as a level meter shows them. Allocates nothing.
#[derive(Clone, Debug)]
pub struct Meter {
    power: f64,
    keep: f64,
    peak: f64,
    peak_keep: f64,
    clipped: u64,
}

impl Meter {
    /// A meter at rest for a signal of `sample_rate` Hz.
    pub fn new(sample_rate: u32) -> Self {
        let rate = f64::from(sample_rate);
        let keep = (-1.0 / (METER_SECONDS * rate)).exp();
        let peak_keep = 10_f64.powf(-PEAK_FALL_DB_PER_S / 20.0 / rate);
        Self { power: 0.0, keep, peak: 0.0, peak_keep, clipped: 0 }
    }

    /// Takes the next samples.
    pub fn process(&mut self, samples: &[f32]) {
        for &sample in samples {
            let magnitude = f64::from(sample).abs();
            self.power = self.power * self.keep + magnitude * magnitude * (1.0 - self.keep);
            self.peak = (self.peak * self.peak_keep).max(magnitude);
            // The largest positive 16-bit sample is 32767/32768.
            self.clipped += u64::from(magnitude >= 0.999_96);
        }
    }

    /// Average level over about the last 50 ms, in dBm0.
    pub fn level_dbm0(&self) -> f64 {
        dbm0_of_power(self.power)
    }

    /// Level of a sine with the recent peak, in dBm0; it falls by 20 dB a second.
    pub fn peak_dbm0(&self) -> f64 {
        dbm0_of_power(self.peak * self.peak / 2.0)
    }

    /// Samples at full scale since the start.
    pub const fn clipped(&self) -> u64 {
        self.clipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::level::amplitude;

    fn sine(peak: f64, seconds: f64) -> Vec<f32> {
        let count = (8000.0 * seconds) as u32;
        (0..count).map(|n| (peak * (std::f64::consts::TAU * 1004.0 / 8000.0 * f64::from(n)).sin()) as f32).collect()
    }

    #[test]
    fn a_full_scale_sine_is_3_14_dbm0_and_the_conversions_agree() {
        assert!((dbm0_of_power(0.5) - FULL_SCALE_DBM0).abs() < 1e-9);
        for level in [-60.0, -25.0, 0.0, FULL_SCALE_DBM0] {
            assert!((dbm0_of_power(amplitude(level).powi(2) / 2.0) - level).abs() < 1e-9);
        }
        assert!((dbm0_of_sum(&[-10.0, -10.0]) + 6.99).abs() < 0.001);
        assert_eq!(dbm0_of_power(0.0), SILENCE_DBM0);
    }

    #[test]
    fn the_meter_reads_a_steady_tone_and_falls_after_it() {
        let mut meter = Meter::new(8000);
        meter.process(&sine(amplitude(-13.0), 1.0));
        assert!((meter.level_dbm0() + 13.0).abs() < 0.1, "{}", meter.level_dbm0());
        assert!((meter.peak_dbm0() + 13.0).abs() < 0.1, "{}", meter.peak_dbm0());
        meter.process(&[0.0; 8000]);
        assert!((meter.peak_dbm0() + 33.0).abs() < 0.2, "{}", meter.peak_dbm0());
        assert!(meter.level_dbm0() < -80.0);
        assert_eq!(meter.clipped(), 0);
        meter.process(&[1.0, -1.0, 32_767.0 / 32_768.0, 0.5]);
        assert_eq!(meter.clipped(), 3);
    }
}
