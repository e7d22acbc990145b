//! What speaks for and against a pair of tones being a keypad's.

use super::Digit;
use super::comparison::{BACK, Followed, Presence, Remainder};
use super::filter::response;
use super::fit::{Bounds, Fit, FittedTone, fit};
use super::front_end::WORKING_RATE;
use super::history::History;
use super::kernel::{HOP, SHORT, SHORT_SAMPLES, tone_hz};
use super::limits::Limits;
use super::logarithm::db;
use super::onset::Onset;
use super::two_tones::Variation;
use super::waves::angle;
use std::f32::consts::TAU;

/// Amplitude of noise, as a part of the pair's, from which its beginning is misjudged by more than in silence, and so many
/// filtered samples the more for each unit beyond: 0.9 ms at an S/N of 10 dB in 4 kHz.
const NOISY: f32 = 0.06;
const PER_NOISE: f32 = 30.0;
/// Level of the last 4 ms, against the usual one, that shows a pair still sounds: -4 dB. Coders of speech, and decoders that make up
/// for lost packets, let a key's level sink by that much within a window.
const AT_END: f32 = 0.6;
/// The same for a pair that ended, -10 dB, and the filtered samples it must have sounded: 29 ms.
const ENDED_AT_END: f32 = 0.3;
const ENDED_LEAST: f32 = 116.0;
/// Variation that no keypad has.
const UNSTEADY: f32 = 0.45;

/// What is measured on every candidate that was fitted, over one window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evidence {
    /// Rise of the tone that rises less from before the onset, in dB.
    pub(crate) rise_db: f32,
    /// Filtered samples the low tone came later than the high one.
    pub(crate) skew: f32,
    pub(crate) fit: Fit,
    /// Relative variation of each tone's complex amplitude over the window: 0 is steady, 1 is unrelated pieces.
    pub(crate) variation: [f32; 2],
}

impl Presence {
    /// Of a pair fitted to the `window` filtered samples that end `back` sub-blocks ago.
    pub(crate) fn of(fit: &Fit, history: &History, window: usize, back: usize) -> Self {
        history.simd().run(Followed { samples: history.window(window + BACK, back * HOP), fit })
    }

    /// Whether a pair still sounds.
    pub(crate) fn lasts(&self) -> bool {
        self.at_end > AT_END
    }

    /// Filtered samples a pair should have sounded more.
    pub(crate) fn missing(&self, fit: &Fit, limits: &Limits) -> f32 {
        limits.least_sounded + PER_NOISE * (fit.noise() - NOISY).max(0.0) - self.sounded
    }

    /// Whether a pair that ended has sounded 29 ms and lasted to the end of its window.
    pub(crate) fn reaches_its_end(&self) -> bool {
        self.sounded > ENDED_LEAST && self.at_end > ENDED_AT_END
    }
}

impl Evidence {
    /// Fits a pair to the `window` filtered samples that end `back` sub-blocks ago.
    pub(crate) fn fit(
        history: &History,
        sight: &FirstSight,
        window: usize,
        back: usize,
        bounds: Option<&Bounds>,
    ) -> Fit {
        fit(history.window(window, back * HOP), sight.hz, bounds, history.simd())
    }

    /// Measures what goes with a fit over the same window.
    pub(crate) fn gather(history: &History, onset: Onset, fit: Fit, window: usize, back: usize) -> Self {
        let samples = history.window(window, back * HOP);
        let steps = [fit.low.hz, fit.high.hz].map(|hz| TAU * hz / WORKING_RATE as f32);
        Self {
            rise_db: db(onset.rise()),
            skew: onset.skew(history, back),
            fit,
            variation: history.simd().run(Variation { samples, steps }),
        }
    }

    /// Flatness of what is beside the pair over the same window: geometric over arithmetic mean of the powers of its partials,
    /// in dB; noise has -2.5.
    pub(crate) fn flatness_db(&self, history: &History, window: usize, back: usize) -> f32 {
        history.simd().run(Remainder { samples: history.window(window, back * HOP), fit: &self.fit })
    }

    /// Whether neither tone changes by more than noise explains.
    pub(crate) fn is_steady(&self) -> bool {
        self.variation[0].max(self.variation[1]) < UNSTEADY
    }
}

/// Level of a fitted tone at the line, as an amplitude.
pub(crate) fn line_amplitude(tone: &FittedTone) -> f32 {
    tone.amplitude / response(tone.hz).abs().max(0.01)
}

/// What a pair looks like before it is fitted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstSight {
    /// Frequency of both tones in Hz, from their turn between the two short windows that end `back` sub-blocks ago.
    pub(crate) hz: [f32; 2],
    /// How far they are off.
    off_hz: [f32; 2],
}

/// How far a frequency may seem off for that to be its only meaning, in Hz: no tone is so far off that it seems less.
const UNAMBIGUOUS_HZ: f32 = 20.0;
const SHORT_SECONDS: f32 = SHORT_SAMPLES as f32 / WORKING_RATE as f32;

/// How far a tone's frequency is off in Hz, from its turn in `lag` sub-blocks.
fn off_over(history: &History, tone: usize, back: usize, lag: usize) -> f32 {
    let (now, before) = (history.short(back, tone), history.short(back + lag, tone));
    let [re, im] = [now[0] * before[0] + now[1] * before[1], now[1] * before[0] - now[0] * before[1]];
    angle(re, im) / (TAU * SHORT_SECONDS * lag as f32 / SHORT as f32)
}

impl FirstSight {
    pub(crate) fn of(history: &History, digit: Digit, back: usize) -> Self {
        let tones = digit.tones();
        let off_hz = tones.map(|tone| {
            let off_hz = off_over(history, tone, back, SHORT);
            if off_hz.abs() < UNAMBIGUOUS_HZ {
                return off_hz;
            }
            // As the turn over a whole short window goes round, that over a sub-block tells how often it went.
            let whole_turn_hz = 1.0 / SHORT_SECONDS;
            off_hz + whole_turn_hz * ((off_over(history, tone, back, 1) - off_hz) / whole_turn_hz).round()
        });
        Self { hz: [tone_hz(tones[0]) as f32 + off_hz[0], tone_hz(tones[1]) as f32 + off_hz[1]], off_hz }
    }

    /// Whether both tones are near enough to their nominal frequencies to be fitted, this sight being off by up to `slack_hz`.
    pub(crate) fn is_near(&self, digit: Digit, limits: &Limits, slack_hz: f32) -> bool {
        let [low, high] = digit.tones().map(|tone| limits.deviation_hz(tone) + slack_hz);
        self.off_hz[0].abs() < low && self.off_hz[1].abs() < high
    }

    /// By how much of its frequency each tone may be off, from the least to the most, this sight being off by up to `slack_hz`.
    pub(crate) fn deviation(&self, digit: Digit, slack_hz: f32) -> [[f32; 2]; 2] {
        let nominal_hz = digit.nominal_hz();
        [0, 1].map(|tone| [-slack_hz, slack_hz].map(|slack_hz| (self.off_hz[tone] + slack_hz) / nominal_hz[tone]))
    }

    /// What part of the band's energy both tones can have, from the shares that short windows show: those, and what they
    /// don't show because the tones are off.
    pub(crate) fn share(&self, [low, high]: [f32; 2]) -> f32 {
        let shown = |tone: usize| {
            let turn = 0.5 * TAU * self.off_hz[tone] * SHORT_SAMPLES as f32 / WORKING_RATE as f32;
            1.0 - turn * turn * (1.0 / 3.0) + turn.powi(4) * (2.0 / 45.0)
        };
        low / shown(0) + high / shown(1)
    }
}
