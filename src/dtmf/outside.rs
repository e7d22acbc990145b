//! What sounds below and above the band of the tones, in the input as it came: voices and instruments reach beyond the
//! band, a keypad does not.

use super::evidence::line_amplitude;
use super::fit::Fit;
use super::front_end::{INPUT_MEMORY, WORKING_RATE};
use super::history::History;
use super::input::Samples;
use super::kernel::{HOP, SHORT_SAMPLES};
use super::logarithm::db;
use super::onset::OLDEST;
use super::partials::{Halves, LONGEST};
use super::simd::{Kernel, LANES, Vector};
use super::waves::Wave;
use std::f32::consts::TAU;
use std::ops::Range;

/// Filtered samples listened to, now and before the onset: 24 ms.
const SPAN: usize = 96;
/// Filtered samples kept clear of the onset: 5 ms.
const BEFORE: i64 = 20;
// The oldest that is asked for: before the oldest onset of a pair that went down.
const _: () = assert!(
    OLDEST * HOP + SHORT_SAMPLES / 2 + SHORT_SAMPLES + BEFORE as usize + SPAN <= INPUT_MEMORY as usize,
    "the input is forgotten too soon"
);
/// Cycles over the span of the partials below the band, 208 to 542 Hz, and above it, 2000 to 3375 Hz.
const BELOW: Range<usize> = 5..14;
const ABOVE: Range<usize> = 48..82;
/// Part of the rate up to which partials are meant as they are found.
const WHOLE_BAND: f32 = 0.45;
/// Rate in Hz the input is brought down to, or less than twice of it.
const RATE_HZ: u64 = 8000;
/// Samples in the span at most.
const MOST: usize = 2 * RATE_HZ as usize * SPAN / WORKING_RATE as usize;
const _: () = assert!(MOST <= LONGEST);
/// What is so far below the pair, in dB, counts for nothing.
pub(crate) const FAINT_DB: f32 = -28.0;
/// Energy from before the onset is taken off so many times: it may have been louder or softer at other moments.
const TIMES: f32 = 3.0;

/// What sounds beyond the band of the tones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outside {
    /// Energy at 200 to 550 Hz over the pair's, in dB.
    pub(crate) below_db: f32,
    /// How much louder that is than before the onset, in dB.
    pub(crate) below_rise_db: f32,
    /// Energy at 2.0 to 3.4 kHz that was not there before the onset, over the pair's, in dB.
    pub(crate) above_risen_db: f32,
}

impl Outside {
    /// Beside a pair fitted to the `window` filtered samples that end `back` samples ago, `age` after its onset.
    pub(crate) fn of(fit: &Fit, history: &History, window: usize, back: usize, age: f32) -> Self {
        let end = history.count() as i64 - back as i64;
        let pair = line_amplitude(&fit.low).powi(2) + line_amplitude(&fit.high).powi(2);
        let now = Bands::at(history, end - ((window + SPAN) / 2) as i64).unwrap_or_default();
        // Where there is nothing now, or nothing is known from before, nothing is known to have come up.
        let is_faint = db(now.below.max(now.above) / pair) < FAINT_DB;
        let before = if is_faint { None } else { Bands::at(history, end - age as i64 - BEFORE - SPAN as i64) };
        let before = before.unwrap_or(now);
        Self {
            below_db: db(now.below / pair),
            below_rise_db: db(now.below / before.below.max(1e-12)),
            above_risen_db: db((now.above - TIMES * before.above) / pair),
        }
    }
}

/// Energies of the input, as sums of squared amplitudes.
#[derive(Clone, Copy, Debug, Default)]
struct Bands {
    below: f32,
    above: f32,
}

impl Bands {
    /// Over a span that begins with a filtered sample, if the stream has it.
    fn at(history: &History, first: i64) -> Option<Self> {
        let (input, rate) = history.input(first, SPAN)?;
        let every = (rate / RATE_HZ).max(1) as usize;
        Some(history.simd().run(Listen { input, every }))
    }
}

struct Listen<'a> {
    input: Samples<'a>,
    /// Input samples of which the mean is taken. It weakens what is at 3.4 kHz by up to 3 dB; what is above the new band
    /// folds into it, and speaks against a keypad all the same.
    every: usize,
}

impl Kernel for Listen<'_> {
    type Output = Bands;

    #[inline(always)]
    fn run<V: Vector>(self) -> Bands {
        let mut samples = [[0f32; LANES]; MOST / LANES];
        let count = (self.input.len() / self.every).min(MOST) & !1;
        let (part, mut input) = (1.0 / self.every as f32, self.input.iter());
        for sample in &mut samples.as_flattened_mut()[..count] {
            *sample = part * input.by_ref().take(self.every).sum::<f32>();
        }
        let step = TAU / count as f32;
        let (mut window, half) = (Wave::<V>::at(step, 0.5 * step), V::splat(0.5));
        for lanes in samples.iter_mut().take(count.div_ceil(LANES)) {
            (V::load(lanes) * (half - half * window.cos)).store(lanes);
            window.go_on();
        }
        let halves = Halves::new::<V>(&samples.as_flattened()[..count]);
        Bands { below: energy::<V, 16>(&halves, count, BELOW), above: energy::<V, 48>(&halves, count, ABOVE) }
    }
}

/// Sum of squared amplitudes of partials in a window of so many samples. A Hann window shows an amplitude as its quarter
/// times the length, and in three partials.
#[inline(always)]
fn energy<V: Vector, const N: usize>(halves: &Halves, count: usize, cycles: Range<usize>) -> f32 {
    let meant = cycles.start..cycles.end.min((WHOLE_BAND * count as f32) as usize + 1);
    if meant.is_empty() {
        return 0.0;
    }
    let sum: f32 = halves.partials::<V, N>(meant.clone()).iter().take(meant.len()).sum();
    sum / (1.5 * (0.25 * count as f32).powi(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::filter::response;
    use crate::dtmf::fit::FittedTone;

    /// A pair for 40 ms after 100 ms without, with tones of (Hz, amplitude, first sample).
    fn beside(rate: u32, tones: &[(f32, f32, usize)]) -> Outside {
        let samples = |ms: usize| rate as usize * ms / 1000;
        let tone = |hz: f32, n: usize| (TAU * (hz * n as f32 / rate as f32).fract()).cos();
        let pair = |n: usize| if n < samples(100) { 0.0 } else { 0.1 * (tone(770.0, n) + tone(1336.0, n)) };
        let others = |n: usize| {
            let sounds = tones.iter().filter(|(_, _, from)| n >= samples(*from));
            sounds.map(|(hz, amplitude, _)| amplitude * tone(*hz, n)).sum::<f32>()
        };
        let audio: Vec<f32> = (0..samples(140)).map(|n| pair(n) + others(n)).collect();
        let history = History::of_rate(rate, &audio);
        let fitted = |hz: f32| FittedTone { hz, amplitude: 0.1 * response(hz), phasor: [0.0; 2] };
        let fit = Fit { low: fitted(770.0), high: fitted(1336.0), energy: 1.0, residual: 0.0 };
        Outside::of(&fit, &history, 96, 0, 150.0)
    }

    #[test]
    fn beside_a_keypad_nothing_sounds_at_any_rate() {
        for rate in [8000, 11_025, 16_000, 44_100, 48_000, 192_000] {
            let outside = beside(rate, &[]);
            assert!(outside.below_db < -35.0 && outside.above_risen_db < -35.0, "{rate} Hz: {outside:?}");
        }
    }

    #[test]
    fn what_rises_with_the_pair_is_told_from_what_was_there() {
        for rate in [8000, 11_025, 48_000] {
            let with = beside(rate, &[(430.0, 0.1, 100), (2600.0, 0.05, 100)]);
            assert!((with.below_db + 3.0).abs() < 1.0, "half the pair's energy, {rate} Hz: {with:?}");
            assert!(with.below_rise_db > 20.0, "{rate} Hz: {with:?}");
            assert!((with.above_risen_db + 9.0).abs() < 2.0, "an eighth, {rate} Hz: {with:?}");
            let under = beside(rate, &[(430.0, 0.1, 0), (2600.0, 0.05, 0)]);
            assert!(under.below_rise_db.abs() < 1.0 && under.above_risen_db < -40.0, "{rate} Hz: {under:?}");
        }
    }

    #[test]
    fn at_4_khz_there_is_nothing_above_the_band() {
        let outside = beside(4000, &[(430.0, 0.1, 100)]);
        assert!((outside.below_db + 3.0).abs() < 1.0 && outside.above_risen_db < -40.0, "{outside:?}");
    }
}
