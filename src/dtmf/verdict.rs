//! From evidence to a verdict: one sum of weighted measurements, a log-likelihood ratio of keypad against voice.
//!
//! The weights were fitted (logistic regression) on digits under noise, echo, reverberation, GSM, prompt speech, twist,
//! frequency offsets and distortion against five languages of telephone speech at several speeds and hold music.

use super::Digit;
use super::evidence::Evidence;
use super::onset::Fall;

/// Verdict on a pair that still sounds from which it is a digit.
const ACCEPT: f32 = 1.8;
/// Age in filtered samples from which more is asked: 70 ms. What was refused for so long is rather a held chord.
const OLD: f32 = 280.0;
/// How much more, per filtered sample: 0.03 per ms.
const PER_AGE: f32 = 0.0075;
/// Verdict on a pair that just ended from which it was a digit.
pub(crate) const ACCEPT_ENDED: f32 = 1.7;

/// Taken off the verdict on a pair that ended, per dB of flatness below -10 dB.
const PEAKED: f32 = 0.12;

/// What is beside the pair sounds like voice or music rather than noise: more is asked, up to `TONAL`, from this flatness
/// in dB to that.
const TONAL: f32 = 2.2;
const TONAL_FROM_DB: f32 = -2.8;
const TONAL_TO_DB: f32 = -4.0;

/// Number of measurements of a pair.
pub(crate) const MEASUREMENTS: usize = 12;

/// What each measurement adds to the verdict on a pair that still sounds; in the order of [`measurements`].
const SOUNDING: [f32; MEASUREMENTS] =
    [0.0553, 0.3963, -2.7375, -3.1432, -0.6982, 0.1445, -0.5735, -0.2018, -0.0427, -0.9549, -0.1197, 0.6041];
/// Added for windows of 24, 36 and 48 ms.
const SOUNDING_WINDOW: [f32; 3] = [-7.861, -3.879, -6.5];

/// The same for a pair that just ended.
const ENDED: [f32; MEASUREMENTS] =
    [0.0194, 2.6515, -4.1454, -3.6596, -1.1605, 0.1002, 0.2441, -0.2646, 0.1039, -0.703, -0.1063, 0.6371];
/// Added per dB of fall, per `ln(1 + (skew of the fall / 3 ms)^2)`, per ms of window, and always.
const ENDED_FALL: [f32; 4] = [0.1973, 0.0218, 0.0941, -16.578];

/// The verdict from which a pair of an age in filtered samples is a digit.
pub(crate) fn accept_at(age: f32) -> f32 {
    ACCEPT + PER_AGE * (age - OLD).max(0.0)
}

/// Log-likelihood ratio of keypad against voice for a pair that still sounds, over a window of filtered samples.
pub(crate) fn sounding(evidence: &Evidence, digit: Digit, window: usize) -> f32 {
    SOUNDING_WINDOW[(window / 48 - 2).min(2)] - tonal(evidence) + weighted(&SOUNDING, &measurements(evidence, digit))
}

/// The same for a pair that just ended, over its last `window` filtered samples.
pub(crate) fn ended(evidence: &Evidence, digit: Digit, window: usize, fall: &Fall) -> f32 {
    let [per_db, per_skew, per_ms, always] = ENDED_FALL;
    // The end invites a guess under loud speech; where what is beside the pair is one strong partial, it takes more.
    always - tonal(evidence) - PEAKED * (-10.0 - evidence.flatness_db).max(0.0)
        + weighted(&ENDED, &measurements(evidence, digit))
        + per_db * fall.fall_db[0].min(fall.fall_db[1]).clamp(4.0, 25.0)
        + per_skew * (fall.skew / 12.0).powi(2).ln_1p().min(4.0)
        + per_ms * window as f32 / 4.0
}

fn tonal(evidence: &Evidence) -> f32 {
    TONAL * ((evidence.flatness_db - TONAL_FROM_DB) / (TONAL_TO_DB - TONAL_FROM_DB)).clamp(0.0, 1.0)
}

fn weighted(weights: &[f32; MEASUREMENTS], measurements: &[f32; MEASUREMENTS]) -> f32 {
    weights.iter().zip(measurements).map(|(weight, measurement)| weight * measurement).sum()
}

/// What is weighed, each bounded so that no single measurement decides:
/// 0, 1 S/N in the band, in dB and as a root: the pair against everything else.
/// 2, 3 deviation common to both tones and between them: keypads are exact, tapes and clocks are off together.
/// 4 variation of both tones: a keypad's keep level and phase.
/// 5, 6 rise of the tone that rises less in dB, and skew of the onsets: a keypad's tones start at once and together.
/// 7 low band over the pair in dB: the fundamental of a voice.
/// 8 energy no pair of tones explains, in dB.
/// 9 twist.
/// 10, 11 strongest third partial in dB, flatness of the rest in dB: noise is flat, a voice has partials.
pub(crate) fn measurements(evidence: &Evidence, digit: Digit) -> [f32; MEASUREMENTS] {
    let fit = &evidence.fit;
    let snr = fit.snr_db().clamp(-2.0, 25.0);
    let deviation = [fit.low.hz / digit.low_hz() as f32 - 1.0, fit.high.hz / digit.high_hz() as f32 - 1.0];
    let common = 0.5 * (deviation[0] + deviation[1]);
    let between = 0.5 * (deviation[0] - deviation[1]);
    let twist_db = 20.0 * (fit.low.amplitude / fit.high.amplitude.max(1e-9)).max(1e-9).log10();
    [
        snr,
        (snr + 2.0).sqrt(),
        (common / 0.005).powi(2).ln_1p(),
        (between / 0.003).powi(2).ln_1p(),
        evidence.variation.iter().map(|v| (0.001 + v.clamp(0.0, 1.0)).ln()).sum(),
        evidence.rise_db.clamp(0.0, 25.0),
        (evidence.skew / 12.0).powi(2).ln_1p().min(4.0),
        evidence.low_band_db.clamp(-30.0, 6.0),
        evidence.rest_db.clamp(-25.0, 0.0),
        (twist_db / 6.0).powi(4),
        evidence.third_db.clamp(-25.0, 0.0),
        evidence.flatness_db.clamp(-10.0, -2.0),
    ]
}
