//! What speaks for and against a pair of tones being a keypad's.

use super::fit::{Fit, FittedTone, MAX_WINDOW, Spin, amplitudes, fit};
use super::front_end::{WORKING_RATE, response};
use super::history::{History, MEMORY, SHORT, SHORT_SAMPLES};
use super::kernel::{HOP, tone_hz};
use super::{Digit, Profile};
use std::f32::consts::TAU;

/// Oldest onset looked for, in sub-blocks.
const OLDEST: usize = MEMORY - 2 * SHORT;
/// Piece in which the level of a tone is followed, in filtered samples: 8 ms.
const PIECE: usize = 32;

/// A pair must sound this much longer than the longest refused tone, in ms: what the measured duration may be off.
const DURATION_MARGIN_MS: f64 = 1.175;
/// Level of the last 4 ms, against the usual one, that shows a pair still sounds.
const AT_END: f32 = 0.75;
/// The same for a pair that ended, where noise is judged milder, and the filtered samples it must have sounded: 29 ms.
const ENDED_AT_END: f32 = 0.5;
const ENDED_LEAST: f32 = 116.0;
/// In a pair cleaner than this many dB, unexpected energy of this part of its own in the last 4 ms shows that it breaks
/// off; in noise it shows nothing.
const CLEAN_DB: f32 = 13.0;
const END_RESIDUAL: f32 = 0.04;
/// Variation that no keypad has.
const UNSTEADY: f32 = 0.45;

/// How far the first sight of a frequency may be off beside another tone or in noise, in Hz.
const FIRST_SIGHT_HZ: f64 = 12.0;

/// When the tones of a pair came up, seen from now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Onset {
    /// Filtered samples since the pair's level passed half of what it is now.
    pub(crate) age: f32,
    /// Filtered samples the low tone came later than the high one.
    pub(crate) skew: f32,
    /// Rise of each tone from before the onset, in dB.
    pub(crate) rise_db: [f32; 2],
}

impl Onset {
    /// Looks for the onset of a pair from `back` sub-blocks ago; ages count from there.
    pub(crate) fn find(history: &History, digit: Digit, back: usize) -> Self {
        let lanes = [digit.row(), 4 + digit.column()];
        let power = |age: usize, lane: usize| history.powers((age + back).min(MEMORY - 1))[lane];
        let strongest = |lane: usize| (0..SHORT).map(|age| power(age, lane)).fold(0f32, f32::max);
        let level = lanes.map(strongest);
        let [low, high] = lanes;
        let age = crossing(|age| power(age, low) + power(age, high), 0.25 * (level[0] + level[1]));
        let each = [0, 1].map(|tone| crossing(|age| power(age, lanes[tone]), 0.25 * level[tone]));
        let before = (age / HOP as f32) as usize + 3;
        let rise_db = [0, 1].map(|tone| db(level[tone] / power(before, lanes[tone]).max(1e-12)));
        Self { age, skew: each[1] - each[0], rise_db }
    }
}

/// Samples before now at which a short-window power, followed back, fell below `expected`; between hops by amplitude.
fn crossing(value: impl Fn(usize) -> f32, expected: f32) -> f32 {
    let mut age = 0;
    while age < OLDEST && (age < SHORT / 2 || value(age) >= expected) {
        age += 1;
    }
    let (above, below) = (value(age.saturating_sub(1)).sqrt(), value(age).sqrt());
    let part = if above > below { ((above - expected.sqrt()) / (above - below)).clamp(0.0, 1.0) } else { 0.0 };
    (age.saturating_sub(1) as f32 + part) * HOP as f32 + SHORT_SAMPLES as f32 * 0.5
}

/// How the tones of a pair went down, `SHORT` sub-blocks ago.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fall {
    /// Fall of each tone's power from its level to now, in dB.
    pub(crate) fall_db: [f32; 2],
    /// Filtered samples the low tone went later than the high one.
    pub(crate) skew: f32,
}

impl Fall {
    pub(crate) fn find(history: &History, digit: Digit) -> Self {
        let lanes = [digit.row(), 4 + digit.column()];
        let level = lanes.map(|lane| (SHORT..2 * SHORT).map(|age| history.powers(age)[lane]).fold(0f32, f32::max));
        let fall_db = [0, 1].map(|tone| db(level[tone] / history.powers(0)[lanes[tone]].max(1e-12)));
        let at = |tone: usize| {
            let below = |age: &usize| history.powers(*age)[lanes[tone]] < 0.25 * level[tone];
            (0..SHORT).take_while(below).count() as f32 * HOP as f32
        };
        Self { fall_db, skew: at(1) - at(0) }
    }
}

/// Everything measured on a candidate over one window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evidence {
    pub(crate) onset: Onset,
    pub(crate) fit: Fit,
    /// Filtered samples the fitted pair has sounded, weighted by its level.
    pub(crate) sounded: f32,
    /// Level of the pair in the last 4 ms over its usual level.
    pub(crate) at_end: f32,
    /// Unexpected energy beside the pair in the last 4 ms, over the pair's.
    pub(crate) end_residual: f32,
    /// Energy of the low band over that of the pair, in dB.
    pub(crate) low_band_db: f32,
    /// Relative variation of each tone's complex amplitude over the window: 0 is steady, 1 is unrelated pieces.
    pub(crate) variation: [f32; 2],
    /// The strongest third partial in the band over the weaker tone, in dB.
    pub(crate) third_db: f32,
    /// Flatness of the rest of the band: geometric over arithmetic mean of its powers, in dB; noise has -2.5.
    pub(crate) flatness_db: f32,
    /// Energy in the pieces that two tones of any amplitude do not explain, over the pair's, in dB.
    pub(crate) rest_db: f32,
}

fn db(ratio: f32) -> f32 {
    10.0 * ratio.max(1e-9).log10()
}

impl Evidence {
    /// Fits a pair to the `window` filtered samples that end `back` sub-blocks ago.
    pub(crate) fn fit(history: &History, digit: Digit, window: usize, back: usize) -> Fit {
        let start = |lane: usize| drifted(history, lane, back);
        fit(history.window(window, back * HOP), start(digit.row()), start(4 + digit.column()))
    }

    /// Measures what goes with a fit over the same window.
    pub(crate) fn gather(history: &History, onset: Onset, fit: Fit, window: usize, back: usize) -> Self {
        let samples = history.window(window, back * HOP);
        let pair_energy = (fit.energy - fit.residual).max(1e-12);
        let Presence { sounded, at_end, end_residual } =
            presence(history.window(window + BACK, back * HOP), window, &fit);
        let beside = beside(samples, &fit);
        let (variation, rest) = variation(samples, &fit);
        Self {
            onset,
            fit,
            sounded,
            at_end,
            end_residual,
            low_band_db: db(history.low_energy(back, window / HOP) / pair_energy),
            variation,
            third_db: beside.strongest_db,
            flatness_db: beside.flatness_db,
            rest_db: db(rest / pair_energy),
        }
    }

    /// Whether the pair has sounded long enough and still does.
    pub(crate) fn is_long_enough(&self, profile: &Profile) -> bool {
        let needed = (profile.reject_tone_ms + DURATION_MARGIN_MS) as f32 * (WORKING_RATE as f32 / 1000.0);
        let breaks_off = self.fit.snr_db() > CLEAN_DB && self.end_residual > END_RESIDUAL;
        self.sounded > needed && self.at_end > AT_END && !breaks_off
    }

    /// Whether a pair that ended has sounded 29 ms and lasted to the end of its window.
    pub(crate) fn reaches_its_end(&self) -> bool {
        self.sounded > ENDED_LEAST && self.at_end > ENDED_AT_END
    }

    /// Whether neither tone changes by more than noise explains.
    pub(crate) fn is_steady(&self) -> bool {
        self.variation[0].max(self.variation[1]) < UNSTEADY
    }

    /// Level of a fitted tone at the line, as an amplitude.
    pub(crate) fn line_amplitude(tone: &FittedTone) -> f64 {
        f64::from(tone.amplitude) / response(f64::from(tone.hz)).abs().max(0.01)
    }
}

/// Whether both tones are, at first sight, near enough to their nominal frequencies to be fitted.
pub(crate) fn is_near(history: &History, digit: Digit, profile: &Profile) -> bool {
    let near = |lane: usize| {
        let hz = f64::from(drifted(history, lane, 0));
        (hz - tone_hz(lane)).abs() < profile.frequency_limit_hz(tone_hz(lane)) + FIRST_SIGHT_HZ
    };
    near(digit.row()) && near(4 + digit.column())
}

/// Frequency of a lane's tone in Hz, from its turn between two short windows.
fn drifted(history: &History, lane: usize, back: usize) -> f32 {
    let (now, before) = (history.short(back), history.short(back + SHORT));
    let re = now.re[lane] * before.re[lane] + now.im[lane] * before.im[lane];
    let im = now.im[lane] * before.re[lane] - now.re[lane] * before.im[lane];
    let seconds = SHORT_SAMPLES as f32 / WORKING_RATE as f32;
    tone_hz(lane) as f32 + im.atan2(re) / (TAU * seconds)
}

/// Filtered samples before a window in which its tones are followed back: 10 ms.
const BACK: usize = 40;

/// The fitted waveform, sample by sample, from `first` samples after the middle of the window (before it: negative).
struct Model {
    low: Spin,
    high: Spin,
    amplitude: [f32; 2],
}

impl Model {
    fn new(fit: &Fit, first: f32) -> Self {
        let spin = |tone: &FittedTone| {
            let step = TAU * tone.hz / WORKING_RATE as f32;
            Spin::at(step, first + tone.phase / step)
        };
        Self { low: spin(&fit.low), high: spin(&fit.high), amplitude: [fit.low.amplitude, fit.high.amplitude] }
    }

    fn next(&mut self) -> f32 {
        let value = self.amplitude[0] * self.low.cos + self.amplitude[1] * self.high.cos;
        (self.low, self.high) = (self.low.next(), self.high.next());
        value
    }
}

/// How long the fitted waveform, continued back beyond the window, has been there, and whether it still is.
struct Presence {
    sounded: f32,
    at_end: f32,
    end_residual: f32,
}

fn presence(samples: &[f32], window: usize, fit: &Fit) -> Presence {
    const STEP: usize = 8;
    let middle = BACK as f32 + 0.5 * window as f32 - 0.5;
    let mut model = Model::new(fit, -middle);
    let usual = 0.5 * (fit.low.amplitude.powi(2) + fit.high.amplitude.powi(2)).max(1e-12);
    let (mut total, mut plateau, mut end, mut end_residual, mut residual) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (index, piece) in samples.chunks_exact(STEP).enumerate() {
        let (mut with, mut model_energy, mut left) = (0.0, 0.0, 0.0);
        for sample in piece {
            let model = model.next();
            with += model * sample;
            model_energy += model * model;
            left += (sample - model).powi(2);
        }
        let part = with / model_energy.max(1e-12);
        // Before the window the phase may be another (a splice, another digit): that takes nothing away.
        total += STEP as f32 * if index * STEP < BACK { part.max(0.0) } else { part };
        let place = (index * STEP + STEP / 2) as f32 - middle;
        if place.abs() < 0.25 * window as f32 {
            plateau += STEP as f32 * part / (0.5 * window as f32);
            residual += left * 2.0 * STEP as f32 / (0.5 * window as f32);
        }
        if (index + 3) * STEP > samples.len() {
            end += 0.5 * part;
            end_residual += left;
        }
    }
    let plateau = plateau.max(0.1);
    let end_residual = (end_residual - 4.0 * residual).max(0.0) / (2.0 * STEP as f32 * usual);
    Presence { sounded: total / plateau, at_end: end / plateau, end_residual }
}

/// What the band holds beside the pair.
struct Beside {
    strongest_db: f32,
    flatness_db: f32,
}

/// Looks for third partials between 620 and 1850 Hz, at least 70 Hz from the tones.
fn beside(samples: &[f32], fit: &Fit) -> Beside {
    let mut rest = [0f32; MAX_WINDOW];
    let rest = &mut rest[..samples.len()];
    let middle = 0.5 * (samples.len() as f32 - 1.0);
    let mut model = Model::new(fit, -middle);
    let mut window = Spin::at(TAU * 0.5 / (middle + 1.0), -middle);
    for (rest, sample) in rest.iter_mut().zip(samples) {
        *rest = (sample - model.next()) * (0.5 + 0.5 * window.cos);
        window = window.next();
    }
    let spacing = WORKING_RATE as f32 / samples.len() as f32;
    let (mut strongest, mut sum, mut logs, mut count) = (0f32, 0f32, 0f32, 0f32);
    let mut hz = 620.0;
    while hz < 1850.0 {
        if (hz - fit.low.hz).abs() > 70.0 && (hz - fit.high.hz).abs() > 70.0 {
            let power = goertzel(rest, hz);
            strongest = strongest.max(power);
            sum += power;
            logs += power.max(1e-20).ln();
            count += 1.0;
        }
        hz += spacing;
    }
    let weaker = Evidence::line_amplitude(&fit.low).min(Evidence::line_amplitude(&fit.high)) as f32;
    // A Hann window halves the amplitude of a partial; its Goertzel power is (amplitude * length / 4) squared.
    let unit = (weaker * samples.len() as f32 * 0.25).powi(2).max(1e-20);
    Beside {
        strongest_db: db(strongest / unit),
        flatness_db: 4.342_945 * (logs / count - (sum / count).max(1e-20).ln()),
    }
}

/// Squared magnitude of a window's correlation with one frequency in Hz, by Goertzel's recurrence.
fn goertzel(samples: &[f32], hz: f32) -> f32 {
    let coefficient = 2.0 * (TAU * hz / WORKING_RATE as f32).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        (last, before) = (sample + coefficient * last - before, last);
    }
    last * last + before * before - coefficient * last * before
}

/// Relative variation of each tone's complex amplitude over the pieces, and the energy no pair of tones explains.
fn variation(samples: &[f32], fit: &Fit) -> ([f32; 2], f32) {
    let (mut sums, mut squares, mut rest) = ([[0f32; 2]; 2], [0f32; 2], 0.0);
    let pieces = samples.chunks_exact(PIECE);
    let count = pieces.len() as f32;
    for (index, piece) in pieces.enumerate() {
        let (tones, left) = amplitudes(piece, [fit.low.hz, fit.high.hz], (index * PIECE) as f32);
        for (tone, [re, im]) in tones.into_iter().enumerate() {
            sums[tone][0] += re;
            sums[tone][1] += im;
            squares[tone] += re * re + im * im;
        }
        rest += left;
    }
    let relative = |tone: usize| {
        let [re, im] = sums[tone];
        1.0 - (re * re + im * im) / (count * squares[tone]).max(1e-20)
    };
    ([relative(0), relative(1)], rest)
}
