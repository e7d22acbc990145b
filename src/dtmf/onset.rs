//! When the tones of a pair came up and went down.

use super::Digit;
use super::evidence::db;
use super::history::{History, MEMORY};
use super::kernel::{HOP, SHORT, SHORT_SAMPLES};

/// Oldest onset looked for, in sub-blocks.
const OLDEST: usize = MEMORY - 2 * SHORT;

/// When the tones of a pair came up, seen from now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Onset {
    /// Filtered samples since the pair's level passed half of what it is now.
    pub(crate) age: f32,
    /// Rise of each tone from before the onset, in dB.
    pub(crate) rise_db: [f32; 2],
    /// Strongest power of each tone in the last 12 ms.
    level: [f32; 2],
}

impl Onset {
    /// Looks for the onset of a pair from `back` sub-blocks ago; ages count from there.
    pub(crate) fn find(history: &History, digit: Digit, back: usize) -> Self {
        let tones = pasts(history, digit, back);
        let level = tones.map(|past| past[past.len() - SHORT..].iter().copied().fold(0f32, f32::max));
        let age = crossing(tones, 0.25 * (level[0] + level[1]));
        let before = (age / HOP as f32) as usize + 3;
        let rise_db = [0, 1].map(|tone| {
            let past = tones[tone];
            db(level[tone] / past[past.len().saturating_sub(before + 1)].max(1e-12))
        });
        Self { age, rise_db, level }
    }

    /// Filtered samples the low tone came later than the high one.
    pub(crate) fn skew(&self, history: &History, digit: Digit, back: usize) -> f32 {
        let tones = pasts(history, digit, back);
        let [low, high] = [0, 1].map(|tone| crossing([tones[tone]], 0.25 * self.level[tone]));
        high - low
    }
}

/// Powers of both tones of a pair up to `back` sub-blocks ago, the newest last.
fn pasts(history: &History, digit: Digit, back: usize) -> [&[f32]; 2] {
    digit.tones().map(|tone| {
        let past = history.powers(tone);
        &past[..past.len() - back]
    })
}

/// Samples before now at which the sum of short-window powers, followed back, fell below `expected`; between sub-blocks
/// by amplitude.
fn crossing<const N: usize>(powers: [&[f32]; N], expected: f32) -> f32 {
    const STRIDE: usize = 8;
    let value = |age: usize| powers.iter().map(|past| past[past.len() - 1 - age]).sum::<f32>();
    let falls_within_stride = |age: usize| {
        let strides = powers.map(|past| &past[past.len() - age - STRIDE..past.len() - age]);
        let mut falls = false;
        for at in 0..STRIDE {
            falls |= strides.iter().map(|stride| stride[at]).sum::<f32>() < expected;
        }
        falls
    };
    let mut age = SHORT / 2;
    while age + STRIDE <= OLDEST && !falls_within_stride(age) {
        age += STRIDE;
    }
    while age < OLDEST && value(age) >= expected {
        age += 1;
    }
    let (above, below) = (value(age - 1).sqrt(), value(age).sqrt());
    let part = if above > below { ((above - expected.sqrt()) / (above - below)).clamp(0.0, 1.0) } else { 0.0 };
    (age as f32 - 1.0 + part) * HOP as f32 + SHORT_SAMPLES as f32 * 0.5
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
        let lanes = digit.tones();
        let level = lanes.map(|lane| (SHORT..2 * SHORT).map(|age| history.power(age, lane)).fold(0f32, f32::max));
        let fall_db = [0, 1].map(|tone| db(level[tone] / history.power(0, lanes[tone]).max(1e-12)));
        let at = |tone: usize| {
            let below = |age: &usize| history.power(*age, lanes[tone]) < 0.25 * level[tone];
            (0..SHORT).take_while(below).count() as f32 * HOP as f32
        };
        Self { fall_db, skew: at(1) - at(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::{GeneratorConfig, generate};

    /// Onset and history of a 5 that has sounded for `ms`, after 200 ms of silence.
    fn five(ms: f64) -> (Onset, History) {
        let config = GeneratorConfig { lead_ms: 200.0, ..GeneratorConfig::default() }.timing(ms, 0.0);
        let history = History::of(&generate(&[Digit::at(1, 1)], &config).unwrap());
        (Onset::find(&history, Digit::at(1, 1), 0), history)
    }

    #[test]
    fn the_age_of_a_pair_is_how_long_it_has_sounded() {
        for ms in [28.0, 40.0, 60.0, 100.0] {
            let (onset, history) = five(ms);
            // The filter's look-ahead, 2 ms, has not been heard yet.
            assert!((f64::from(onset.age) / 4.0 - (ms - 2.1)).abs() < 1.5, "{ms} ms: {} ms", onset.age / 4.0);
            assert!(onset.rise_db.iter().all(|rise| *rise > 25.0), "{onset:?}");
            assert!(onset.skew(&history, Digit::at(1, 1), 0).abs() < 4.0, "both tones began together");
        }
    }

    #[test]
    fn tones_that_begin_apart_are_told_by_their_skew() {
        let tone = |hz: f64, n: usize| 0.1 * (std::f64::consts::TAU * hz * n as f64 / 8000.0).sin();
        let samples: Vec<f32> = (0..1200)
            .map(|n| {
                let low = if n >= 720 { tone(770.0, n) } else { 0.0 };
                let high = if n >= 600 { tone(1336.0, n) } else { 0.0 };
                (low + high) as f32
            })
            .collect();
        let history = History::of(&samples);
        let onset = Onset::find(&history, Digit::at(1, 1), 0);
        let skew = onset.skew(&history, Digit::at(1, 1), 0);
        assert!((skew / 4.0 - 15.0).abs() < 2.0, "15 ms apart, told {} ms", skew / 4.0);
    }

    #[test]
    fn a_stride_in_which_the_power_falls_is_searched_to_the_sub_block() {
        for up in [20, 23, 31, 40, 100] {
            let mut powers = [0.01f32; MEMORY];
            powers[MEMORY - up..].fill(1.0);
            let age = crossing([&powers], 0.25);
            assert!((age - (up as f32 * 4.0 - 4.0 + SHORT_SAMPLES as f32 * 0.5)).abs() < 4.0, "{up}: {age}");
        }
    }
}
