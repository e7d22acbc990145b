//! From evidence to a verdict: one sum of weighted measurements, a log-likelihood ratio of keypad against voice.
//!
//! The weights were fitted (logistic regression) on digits under noise, echo, reverberation, GSM, prompt speech, twist
//! and frequency offsets against five languages of telephone speech at several speeds and hold music.

use super::Digit;
use super::evidence::Evidence;

/// Verdict at which a pair is a digit.
pub(crate) const ACCEPT: f32 = 1.3;

/// What each measurement adds, per its unit.
struct Weights {
    /// Per dB of S/N in the band, up to 25 dB.
    snr: f32,
    /// Per square root of dB of S/N.
    snr_root: f32,
    /// Per `ln(1 + (deviation / 0.4 %)^2)`, summed over both tones: keypads are exact, voices are anywhere.
    deviation: f32,
    /// Per `ln(0.003 + variation)`, summed over both tones: a keypad's tones keep level and phase.
    variation: f32,
    /// Per dB of rise of the tone that rises less, up to 25 dB.
    rise: f32,
    /// Per `ln(1 + (skew / 3 ms)^2)`, up to 4: a keypad's tones start together.
    skew: f32,
    /// Per dB of low-band energy over the pair's, from -30 to 6 dB: the fundamental of a voice.
    low_band: f32,
    /// Per dB of energy no pair of tones explains, from -25 dB.
    rest: f32,
    /// Per fourth power of twist / 6 dB.
    twist: f32,
    /// Per dB of the strongest third partial over the weaker tone, from -25 dB.
    third: f32,
    /// Per dB of flatness of what is beside the pair, from -10 to -2 dB: noise is flat, a voice has partials.
    flatness: f32,
    /// For windows of 24, 36 and 48 ms.
    window: [f32; 3],
}

const WEIGHTS: Weights = Weights {
    snr: 0.0592,
    snr_root: 0.3304,
    deviation: -1.8309,
    variation: -0.8992,
    rise: 0.133,
    skew: -0.507,
    low_band: -0.175,
    rest: -0.0456,
    twist: -0.7334,
    third: -0.0974,
    flatness: 0.58,
    window: [-8.764, -5.3437, -3.3544],
};

/// Log-likelihood ratio of keypad against voice for evidence of a pair over a window of filtered samples.
pub(crate) fn score(evidence: &Evidence, digit: Digit, window: usize) -> f32 {
    let w = &WEIGHTS;
    let fit = &evidence.fit;
    let snr = fit.snr_db().clamp(0.0, 25.0);
    let deviation = |hz: f32, nominal: f64| ((hz / nominal as f32 - 1.0) / 0.004).powi(2).ln_1p();
    let twist_db = 20.0 * (fit.low.amplitude / fit.high.amplitude.max(1e-9)).max(1e-9).log10();
    let variation: f32 = evidence.variation.iter().map(|v| (0.003 + v.clamp(0.0, 1.0)).ln()).sum();
    let rise = evidence.onset.rise_db[0].min(evidence.onset.rise_db[1]).clamp(0.0, 25.0);
    let skew = (evidence.onset.skew / 12.0).powi(2).ln_1p().min(4.0);
    w.window[(window / 48 - 2).min(2)]
        + w.snr * snr
        + w.snr_root * snr.sqrt()
        + w.deviation * (deviation(fit.low.hz, digit.low_hz()) + deviation(fit.high.hz, digit.high_hz()))
        + w.variation * variation
        + w.rise * rise
        + w.skew * skew
        + w.low_band * evidence.low_band_db.clamp(-30.0, 6.0)
        + w.rest * evidence.rest_db.clamp(-25.0, 0.0)
        + w.twist * (twist_db / 6.0).powi(4)
        + w.third * evidence.third_db.clamp(-25.0, 0.0)
        + w.flatness * evidence.flatness_db.clamp(-10.0, -2.0)
}
