//! A profile's limits in the units of the detector.

use super::evidence::line_amplitude;
use super::fit::{Bounds, Fit};
use super::front_end::WORKING_RATE;
use super::kernel::{TONES, tone_hz};
use super::level::amplitude;
use super::{Digit, Profile, Reason};

/// Tolerance of levels and twist beyond the profile's limits, in dB, for ripple and noise.
const LEVEL_MARGIN_DB: f64 = 1.0;
/// A pair must sound this much longer than the longest refused tone, in ms: what the measured duration may be off in silence.
const DURATION_MARGIN_MS: f64 = 1.0;
/// How far twist may be misjudged at first sight, as a ratio of amplitudes: 5 dB; and just before a fit: 2.5 dB (at most 2.0 was
/// seen in digits at an S/N of -3 dB).
const TWIST_AT_SIGHT: f32 = 1.8;
const TWIST_BEFORE_FIT: f32 = 1.334;

/// A high tone this near to twice the low one, as a part of it, is a note's octave: a keypad's tones come no nearer to it
/// than 0.37 %, with both at opposite limits.
const OCTAVE: f32 = 0.003;

/// Limits in Hz, amplitudes and filtered samples.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    deviation_hz: [f32; TONES],
    /// Least and greatest amplitude of the low tone over that of the high one.
    ratio: [f32; 2],
    /// The same of powers, at first sight and just before a fit.
    power_ratio: [f32; 2],
    power_ratio_before_fit: [f32; 2],
    floor: f32,
    /// Filtered samples a pair that still sounds must have sounded.
    pub(crate) least_sounded: f32,
    /// Filtered samples of pause that end a digit.
    pub(crate) split: f64,
}

impl Limits {
    pub(crate) fn new(profile: &Profile) -> Self {
        let samples = |ms: f64| ms * f64::from(WORKING_RATE) / 1000.0;
        let greatest = |db: f64| 10f64.powf((db + LEVEL_MARGIN_DB) / 20.0) as f32;
        let ratio = [1.0 / greatest(profile.reverse_twist_db), greatest(profile.normal_twist_db)];
        // Where the ratio of amplitudes may be misjudged by so much.
        let of_powers = |slack: f32| [(ratio[0] / slack).powi(2), (ratio[1] * slack).powi(2)];
        Self {
            deviation_hz: std::array::from_fn(|tone| profile.frequency_limit_hz(tone_hz(tone)) as f32),
            ratio,
            power_ratio: of_powers(TWIST_AT_SIGHT),
            power_ratio_before_fit: of_powers(TWIST_BEFORE_FIT),
            floor: amplitude(profile.floor_dbm0 - LEVEL_MARGIN_DB) as f32,
            least_sounded: samples(profile.reject_tone_ms + DURATION_MARGIN_MS) as f32,
            split: samples(0.5 * (profile.bridge_gap_ms + profile.split_gap_ms)),
        }
    }

    /// How far a tone may be from its nominal frequency, in Hz.
    pub(crate) fn deviation_hz(&self, tone: usize) -> f32 {
        self.deviation_hz[tone]
    }

    /// Energy of `n` filtered samples below which no pair is looked for: 13 dB below one at the floor, so that one that is
    /// somewhat too weak is still told as a near miss.
    pub(crate) fn silence(&self, n: usize) -> f32 {
        0.05 * n as f32 * self.floor * self.floor
    }

    /// Least and greatest power of the low tone over that of the high one that may, at first sight, be within the limits of twist.
    pub(crate) fn power_ratio(&self) -> [f32; 2] {
        self.power_ratio
    }

    /// Whether a pair of such powers may, at first sight, be within the limits of twist.
    pub(crate) fn may_have_powers(&self, powers: [f32; 2]) -> bool {
        is_ratio_within(powers, self.power_ratio)
    }

    /// The same of the powers over the window it would be fitted to, which are off by less.
    pub(crate) fn may_be_fitted(&self, powers: [f32; 2]) -> bool {
        is_ratio_within(powers, self.power_ratio_before_fit)
    }

    /// Where a fit of a pair is worth finishing.
    pub(crate) fn bounds(&self, digit: Digit) -> Bounds {
        let around = |tone: usize| {
            let (hz, deviation) = (tone_hz(tone) as f32, self.deviation_hz[tone]);
            [hz - deviation, hz + deviation]
        };
        Bounds { hz: digit.tones().map(around), ratio: self.ratio }
    }

    /// Which of the limits a fitted pair breaks.
    pub(crate) fn broken_by(&self, fit: &Fit, digit: Digit) -> Option<Reason> {
        let off = |hz: f32, tone: usize| (hz - tone_hz(tone) as f32).abs() > self.deviation_hz[tone];
        let [low_tone, high_tone] = digit.tones();
        let (low, high) = (line_amplitude(&fit.low), line_amplitude(&fit.high));
        let is_octave = (0.5 * fit.high.hz - fit.low.hz).abs() < OCTAVE * fit.low.hz;
        if off(fit.low.hz, low_tone) || off(fit.high.hz, high_tone) || is_octave {
            Some(Reason::Frequency)
        } else if low > self.ratio[1] * high || low < self.ratio[0] * high {
            Some(Reason::Twist)
        } else if low.min(high) < self.floor {
            Some(Reason::Level)
        } else {
            None
        }
    }
}

/// Whether the first number over the second is between two others.
fn is_ratio_within([low, high]: [f32; 2], [least, greatest]: [f32; 2]) -> bool {
    low > least * high && low < greatest * high
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::fit::FittedTone;

    fn five(low_hz: f32, high_hz: f32, low: f32, high: f32) -> Fit {
        let tone = |hz, amplitude| FittedTone { hz, amplitude, phasor: [0.0; 2] };
        Fit { low: tone(low_hz, low), high: tone(high_hz, high), energy: 1.0, residual: 0.0 }
    }

    #[test]
    fn each_limit_is_told_by_its_reason() {
        let limits = Limits::new(&Profile::default());
        let broken = |fit: &Fit| limits.broken_by(fit, Digit::at(1, 1));
        assert_eq!(broken(&five(770.0, 1336.0, 0.1, 0.1)), None);
        assert_eq!(broken(&five(770.0 * 1.018, 1336.0 * 0.982, 0.1, 0.1)), None);
        assert_eq!(broken(&five(770.0 * 1.03, 1336.0, 0.1, 0.1)), Some(Reason::Frequency));
        assert_eq!(broken(&five(770.0, 1336.0, 0.1, 0.25)), None, "8 dB");
        assert_eq!(
            limits.broken_by(&five(753.0, 1506.0, 0.1, 0.1), Digit::at(1, 2)),
            Some(Reason::Frequency),
            "octave"
        );
        assert_eq!(broken(&five(770.0, 1336.0, 0.1, 0.4)), Some(Reason::Twist), "12 dB");
        assert_eq!(broken(&five(770.0, 1336.0, 0.004, 0.004)), Some(Reason::Level), "-45 dBm0");
    }

    #[test]
    fn what_is_refused_at_sight_would_be_refused_by_a_fit() {
        let limits = Limits::new(&Profile::default());
        for twist_db in -30..=30 {
            let ratio = 10f32.powf(twist_db as f32 / 10.0);
            if !limits.may_have_powers([ratio, 1.0]) {
                let fit = five(770.0, 1336.0, ratio.sqrt(), 1.0);
                assert_eq!(limits.broken_by(&fit, Digit::at(1, 1)), Some(Reason::Twist), "{twist_db} dB");
            }
        }
        assert!(!limits.may_have_powers([1.0, 1000.0]) && limits.may_have_powers([1.0, 8.0]));
    }
}
