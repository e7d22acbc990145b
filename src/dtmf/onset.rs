//! When the tones of a pair came up and went down.

use super::Digit;
use super::history::{History, MEMORY};
use super::kernel::{HOP, SHORT, SHORT_SAMPLES};
use super::logarithm::db;

/// Oldest onset looked for, in sub-blocks: what was before it can be asked for, too.
pub(crate) const OLDEST: usize = MEMORY - 2 * SHORT - 1;

/// Age in filtered samples from which a pair was there all the time that was looked at: no onset of it was seen.
const UNSEEN: f32 = ((OLDEST - 1) * HOP + SHORT_SAMPLES / 2) as f32;

/// Power at the onset, as a part of what it is now: half the level.
const AT_ONSET: f32 = 0.25;
/// Sub-blocks ago at which the short window of a pair older than 18 ms had more power than that.
const RECENT: usize = 3;

/// What a pair is compared with ended so many filtered samples before its onset: 3 ms.
const CLEAR_OF: f32 = 12.0;
// The oldest that is asked for: what was before the oldest onset of a pair that went down, and its neighbour.
const _: () = assert!(SHORT + OLDEST + (SHORT_SAMPLES / 2 + CLEAR_OF as usize).div_ceil(HOP) < MEMORY);

/// When the tones of a pair came up, seen from now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Onset {
    /// Filtered samples since the level of what came up passed half of what it is now.
    pub(crate) age: f32,
    /// The tones that came up; one that came alone is counted twice.
    tones: [usize; 2],
    /// Rise of each one's power from before the onset.
    rise: [f32; 2],
    /// Strongest power of each in the last 12 ms.
    level: [f32; 2],
}

/// How a pair came up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Came {
    /// Filtered-sample position from which it sounds, at the latest.
    pub(crate) start: f64,
    /// Rise of the power of the tone that rises less, as a ratio.
    pub(crate) rise: f32,
    /// Whether it was seen to come up, and not there all the time that was looked at.
    pub(crate) is_seen: bool,
}

impl Onset {
    /// Looks for the onset of a pair from `back` sub-blocks ago; ages count from there. A tone that it shares with the digit
    /// right before it did not come up with it.
    pub(crate) fn find(history: &History, digit: Digit, back: usize, before: Option<Digit>) -> Self {
        let (mut tones, mut level) = (digit.tones(), history.peaks(back, digit));
        if let Some(slot) = before.and_then(|before| came_alone(digit, before)) {
            (tones, level) = ([tones[slot]; 2], [level[slot]; 2]);
        }
        let age = crossing(history, tones, back, AT_ONSET * (level[0] + level[1]));
        let before = power_before(history, tones, back, age + CLEAR_OF);
        let rise = [level[0] / before[0].max(1e-12), level[1] / before[1].max(1e-12)];
        Self { age, tones, rise, level }
    }

    /// The same onset so many filtered samples later.
    pub(crate) fn older(self, by: usize) -> Self {
        Self { age: self.age + by as f32, ..self }
    }

    /// Whether a pair that sounds now came up in the last 18 ms. That is seen at less cost than when it did.
    pub(crate) fn is_recent(history: &History, digit: Digit) -> bool {
        let [low, high] = digit.tones();
        let power = |age: usize| history.power(age, low) + history.power(age, high);
        power(RECENT) < AT_ONSET * power(0)
    }

    /// How the pair came up, seen from a filtered-sample position.
    pub(crate) fn came(&self, now: f64) -> Came {
        Came { start: now - f64::from(self.age), rise: self.rise(), is_seen: self.age < UNSEEN }
    }

    /// Rise of the tone that rises less from before the onset, as a ratio of powers.
    pub(crate) fn rise(&self) -> f32 {
        self.rise[0].min(self.rise[1])
    }

    /// Filtered samples the low tone came later than the high one.
    pub(crate) fn skew(&self, history: &History, back: usize) -> f32 {
        let age = |slot: usize| crossing(history, [self.tones[slot]; 2], back, 2.0 * AT_ONSET * self.level[slot]);
        age(1) - age(0)
    }
}

/// Powers of tones in the short window that ended an age in filtered samples before `back` sub-blocks ago: between those of
/// sub-blocks.
fn power_before(history: &History, tones: [usize; 2], back: usize, age: f32) -> [f32; 2] {
    let hops = age / HOP as f32;
    let newer = hops as usize;
    let (newer, part) = (back + newer, hops - newer as f32);
    let (newer, older) = (history.powers(newer), history.powers(newer + 1));
    tones.map(|tone| newer[tone] + part * (older[tone] - newer[tone]))
}

/// Which of a digit's tones, 0 the low and 1 the high one, came up alone: the other it shares with the digit before.
fn came_alone(digit: Digit, before: Digit) -> Option<usize> {
    match (digit.row() == before.row(), digit.column() == before.column()) {
        (true, false) => Some(1),
        (false, true) => Some(0),
        _ => None,
    }
}

/// Filtered samples before `back` sub-blocks ago at which the sum of tones' powers, followed back, fell below `expected`;
/// between sub-blocks by amplitude.
fn crossing(history: &History, tones: [usize; 2], back: usize, expected: f32) -> f32 {
    let [low, high] = tones;
    let age = history.age_of_less(tones, expected, back + SHORT / 2..back + OLDEST) - back;
    let (above, below) = (history.powers(back + age - 1), history.powers(back + age));
    let (above, below) = ((above[low] + above[high]).sqrt(), (below[low] + below[high]).sqrt());
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

/// Filtered samples since the sum of tones' powers fell below `expected`; between sub-blocks by amplitude.
fn since_half(history: &History, [low, high]: [usize; 2], expected: f32) -> f32 {
    let amplitude = |age: usize| (history.power(age, low) + history.power(age, high)).sqrt();
    let expected = expected.sqrt();
    let Some(age) = (0..=SHORT).find(|age| amplitude(*age) >= expected) else { return SHORT_SAMPLES as f32 };
    if age == 0 {
        return 0.0;
    }
    let (above, below) = (amplitude(age), amplitude(age - 1));
    (age as f32 - (above - expected) / (above - below)) * HOP as f32
}

impl Fall {
    pub(crate) fn find(history: &History, digit: Digit) -> Self {
        let lanes = digit.tones();
        let level = history.peaks(SHORT, digit);
        let fall_db = [0, 1].map(|tone| db(level[tone] / history.power(0, lanes[tone]).max(1e-12)));
        let at = |tone: usize| since_half(history, [lanes[tone]; 2], 2.0 * AT_ONSET * level[tone]);
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
        (Onset::find(&history, Digit::at(1, 1), 0, None), history)
    }

    #[test]
    fn the_age_of_a_pair_is_how_long_it_has_sounded() {
        for ms in [28.0, 40.0, 60.0, 100.0] {
            let (onset, history) = five(ms);
            // The filter's look-ahead, 2 ms, has not been heard yet, nor the rest of a sub-block.
            let missing = ms - f64::from(onset.age) / 4.0 - 2.1;
            assert!((-1.0..3.0).contains(&missing), "{ms} ms: {missing} ms");
            assert!(db(onset.rise()) > 25.0, "{onset:?}");
            assert!(onset.skew(&history, 0).abs() < 4.0, "both tones began together");
        }
    }

    #[test]
    fn a_pair_is_recent_for_19_ms_at_most() {
        for ms in 4..40 {
            let (onset, history) = five(f64::from(ms));
            let is_recent = Onset::is_recent(&history, Digit::at(1, 1));
            // One that may be due before the next sub-block is whole, at 24 ms, is not.
            assert!(if is_recent { onset.age < 76.0 } else { ms > 14 }, "{ms} ms: {is_recent}, {onset:?}");
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
        let onset = Onset::find(&history, Digit::at(1, 1), 0, None);
        let skew = onset.skew(&history, 0);
        assert!((skew / 4.0 - 15.0).abs() < 2.0, "15 ms apart, told {} ms", skew / 4.0);
    }

    #[test]
    fn passing_over_groups_finds_what_every_sub_block_shows() {
        let mut rng = fastrand::Rng::with_seed(5);
        let noise: Vec<f32> = (0..4000).map(|_| rng.f32() - 0.5).collect();
        let history = History::of(&noise);
        for back in 0..SHORT {
            let power = |age: usize| history.power(back + age, 2);
            for expected in [0.01, 0.1, 1.0].map(|part| part * power(SHORT)) {
                let plain = (SHORT / 2..OLDEST).find(|age| power(*age) < expected).unwrap_or(OLDEST);
                let age = crossing(&history, [2, 2], back, 2.0 * expected) / HOP as f32 - 0.5 * SHORT as f32;
                assert!((plain as f32 - 1.0..=plain as f32).contains(&age), "{plain} {age}");
            }
        }
    }
}
