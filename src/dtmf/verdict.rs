//! From evidence to a verdict: one sum of weighted measurements, a log-likelihood ratio of keypad against voice.
//!
//! The weights were fitted (logistic regression) on digits under noise, echo, reverberation, GSM, prompt speech, music,
//! twist, frequency offsets and distortion against five languages of telephone speech and hold music at several speeds,
//! with and without the high-pass of a line, and the simulator's music.

use super::Digit;
use super::evidence::Evidence;
use super::onset::Fall;
use super::outside::{FAINT_DB, Outside};

/// Age in filtered samples from which more is asked: 70 ms. What was refused for so long is rather a held chord.
const OLD: f32 = 280.0;
/// How much more, per filtered sample: 0.07 per ms.
const PER_AGE: f32 = 0.0187;

/// What is beside the pair sounds like voice or music rather than noise, from this flatness in dB to that.
const TONAL_FROM_DB: f32 = -2.8;
const TONAL_TO_DB: f32 = -4.0;

/// Number of measurements of a pair.
pub(crate) const MEASUREMENTS: usize = 10;

/// What each measurement adds to the verdict on a pair that still sounds; in the order of [`measurements`].
const SOUNDING: [f32; MEASUREMENTS] =
    [0.2399, 2.0822, -1.2407, -3.4362, -0.417, 0.3124, -0.9406, -0.8064, 0.3013, -4.8782];
/// Added for windows of 24, 36 and 48 ms.
const SOUNDING_WINDOW: [f32; 3] = [-6.381, -3.401, -1.747];
/// What each measurement outside the band takes off; in the order of [`measurements_outside`].
const SOUNDING_OUTSIDE: [f32; 3] = [0.1373, 3.2307, 0.2878];

/// The same for a pair that just ended.
const ENDED: [f32; MEASUREMENTS] =
    [0.3759, 1.9418, -1.3728, -3.9721, -0.7486, 0.2427, -0.1921, -0.7219, 0.6333, -4.8468];
/// Added per dB of fall, per `ln(1 + (skew of the fall / 3 ms)^2)`, per ms of window, and always.
const ENDED_FALL: [f32; 4] = [0.1449, -0.8834, 0.0995, -4.151];
const ENDED_OUTSIDE: [f32; 3] = [0.1398, 2.5043, 0.1351];

/// From where to where what is below and above the band counts, in dB over the pair.
const BELOW_DB: [f32; 2] = [-14.0, 4.0];
const ABOVE_DB: [f32; 2] = [FAINT_DB, -12.0];
const _: () = assert!(BELOW_DB[0] >= FAINT_DB);
/// What is below the band and so much louder than the pair is rather the exchange's dial tone: it counts less and less.
const DIAL_TONE_DB: [f32; 2] = [10.0, 16.0];
/// From this rise to that, in dB, what is below the band counts as having come with the pair.
const RISE_DB: [f32; 2] = [1.0, 3.0];

/// Verdict on a pair that still sounds, over a window of filtered samples, `age` after its onset. Above zero it is a
/// digit, unless [`sounding_outside`] takes off as much.
pub(crate) fn sounding(evidence: &Evidence, digit: Digit, window: usize, age: f32) -> f32 {
    SOUNDING_WINDOW[(window / 48 - 2).min(2)] - PER_AGE * (age - OLD).max(0.0)
        + weighted(&SOUNDING, &measurements(evidence, digit))
}

/// What is taken off the verdict on a pair that still sounds for what sounds outside the band.
pub(crate) fn sounding_outside(outside: &Outside) -> f32 {
    weighted(&SOUNDING_OUTSIDE, &measurements_outside(outside))
}

/// The same as [`sounding`] for a pair that just ended, over its last `window` filtered samples.
pub(crate) fn ended(evidence: &Evidence, digit: Digit, window: usize, fall: &Fall) -> f32 {
    let [per_db, per_skew, per_ms, always] = ENDED_FALL;
    always
        + weighted(&ENDED, &measurements(evidence, digit))
        + per_db * fall.fall_db[0].min(fall.fall_db[1]).clamp(4.0, 25.0)
        + per_skew * (fall.skew / 12.0).powi(2).ln_1p().min(4.0)
        + per_ms * window as f32 / 4.0
}

/// The same as [`sounding_outside`] for a pair that just ended.
pub(crate) fn ended_outside(outside: &Outside) -> f32 {
    weighted(&ENDED_OUTSIDE, &measurements_outside(outside))
}

fn weighted<const N: usize>(weights: &[f32; N], measurements: &[f32; N]) -> f32 {
    weights.iter().zip(measurements).map(|(weight, measurement)| weight * measurement).sum()
}

/// What is weighed, each bounded so that no single measurement decides:
/// 0, 1 S/N in the band, in dB and as a root: the pair against everything else.
/// 2, 3 deviation of both tones, and in % that between them: keypads are exact, and tapes and clocks are off together.
/// 4 variation of both tones: a keypad's keep level and phase.
/// 5, 6 rise of the tone that rises less in dB, and skew of the onsets: a keypad's tones start at once and together.
/// 7 twist.
/// 8, 9 flatness of what is beside the pair, in dB, and how tonal that is: noise is flat, a voice has partials.
fn measurements(evidence: &Evidence, digit: Digit) -> [f32; MEASUREMENTS] {
    let fit = &evidence.fit;
    let snr = fit.snr_db().clamp(-2.0, 25.0);
    let deviation = [fit.low.hz / digit.low_hz() as f32 - 1.0, fit.high.hz / digit.high_hz() as f32 - 1.0];
    let common = 0.5 * (deviation[0] + deviation[1]);
    let between = 0.5 * (deviation[0] - deviation[1]);
    let twist_db = 20.0 * (fit.low.amplitude / fit.high.amplitude.max(1e-9)).max(1e-9).log10();
    [
        snr,
        (snr + 2.0).sqrt(),
        ((common.powi(2) + between.powi(2)) / 0.0008f32.powi(2)).ln_1p(),
        (100.0 * between).abs().min(2.0),
        evidence.variation.iter().map(|v| (0.001 + v.clamp(0.0, 1.0)).ln()).sum(),
        evidence.rise_db.clamp(0.0, 25.0),
        (evidence.skew / 12.0).powi(2).ln_1p().min(4.0),
        (twist_db / 6.0).powi(4),
        evidence.flatness_db.clamp(-10.0, -2.0),
        part_of([TONAL_FROM_DB, TONAL_TO_DB], evidence.flatness_db),
    ]
}

/// What is weighed outside the band:
/// 0 what came with the pair below the band, in dB over [`BELOW_DB`]: the voice's or the chord's lower partials.
/// 1 how loud it is there, 0 to 1, whether it came with the pair or not; a dial tone is let pass.
/// 2 what came with the pair above the band, in dB over [`ABOVE_DB`]: the higher partials.
fn measurements_outside(outside: &Outside) -> [f32; 3] {
    let below = part_of(BELOW_DB, outside.below_db);
    [
        part_of(RISE_DB, outside.below_rise_db) * below * (BELOW_DB[1] - BELOW_DB[0]),
        below * (1.0 - part_of(DIAL_TONE_DB, outside.below_db)),
        part_of(ABOVE_DB, outside.above_risen_db) * (ABOVE_DB[1] - ABOVE_DB[0]),
    ]
}

/// How far a value is on the way from one limit to the other, 0 to 1.
fn part_of([from, to]: [f32; 2], value: f32) -> f32 {
    ((value - from) / (to - from)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::fit::{Fit, FittedTone};

    /// What a clean 5 looks like, `snr_db` above noise, with tones off by parts of their frequencies.
    fn five(snr_db: f32, off: [f32; 2]) -> Evidence {
        let tone = |hz: f32, off: f32| FittedTone { hz: hz * (1.0 + off), amplitude: 0.1, phase: 0.0 };
        let residual = 1.0 / (1.0 + 10f32.powf(0.1 * snr_db));
        Evidence {
            rise_db: 25.0,
            skew: 0.0,
            fit: Fit { low: tone(770.0, off[0]), high: tone(1336.0, off[1]), energy: 1.0, residual },
            variation: [0.01; 2],
            flatness_db: -2.5,
        }
    }

    fn verdict(evidence: &Evidence) -> f32 {
        sounding(evidence, Digit::at(1, 1), 96, 100.0)
    }

    #[test]
    fn each_thing_a_keypad_does_not_do_speaks_against_it() {
        let clean = verdict(&five(20.0, [0.0; 2]));
        assert!(clean > 5.0, "{clean}");
        assert!(verdict(&five(0.0, [0.0; 2])) < clean, "noise");
        assert!(verdict(&five(20.0, [0.015, 0.015])) < clean, "a slow tape");
        assert!(verdict(&five(20.0, [0.015, -0.015])) < verdict(&five(20.0, [0.015, 0.015])), "tones off apart");
        assert!(verdict(&Evidence { variation: [0.3; 2], ..five(20.0, [0.0; 2]) }) < clean, "it wavers");
        assert!(verdict(&Evidence { rise_db: 3.0, ..five(20.0, [0.0; 2]) }) < clean, "one tone was there before");
        assert!(verdict(&Evidence { skew: 60.0, ..five(20.0, [0.0; 2]) }) < clean, "the tones came apart");
        assert!(verdict(&Evidence { flatness_db: -8.0, ..five(20.0, [0.0; 2]) }) < clean, "other partials");
        let [young, old] = [100.0, 600.0].map(|age| sounding(&five(20.0, [0.0; 2]), Digit::at(1, 1), 96, age));
        assert!(old < young - 4.0, "a held chord");
    }

    #[test]
    fn voices_and_chords_are_taken_off_and_a_dial_tone_is_not() {
        let outside = |below_db, below_rise_db, above_risen_db| Outside { below_db, below_rise_db, above_risen_db };
        for off in [sounding_outside, ended_outside] {
            assert!(off(&outside(-30.0, 20.0, -40.0)) < f32::EPSILON, "a keypad in silence");
            assert!(off(&outside(22.0, 0.0, -40.0)) < f32::EPSILON, "a dial tone");
            assert!(off(&outside(0.0, 0.0, -40.0)) > 1.0, "a voice that went on");
            assert!(off(&outside(0.0, 20.0, -40.0)) > off(&outside(0.0, 0.0, -40.0)) + 1.0, "one that began");
            assert!(off(&outside(-30.0, 0.0, -10.0)) > 1.0, "sibilants and overtones");
        }
    }
}
