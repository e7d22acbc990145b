//! Sound that holds no digits: noise, speech, speech at other speeds, music.

use std::sync::Arc;

use super::row::{Bench, Finding, Item};
use super::score::text;
use super::setting::{Group, tones};
use super::signal::RATE;
use super::{Effort, Options};
use crate::audio::Resampler;
use crate::dtmf::level::dbm0;
use crate::dtmf::{Begin, Detector, Digit, Event, GeneratorConfig, generate};
use crate::simulator::line::LineBuilder;
use crate::simulator::music::Music;

/// Speeds the recordings are played at beside their own.
pub const SPEEDS: [f64; 7] = [0.70, 0.80, 0.90, 1.10, 1.20, 1.35, 1.50];
/// Least speech the rows that need it are measured with, in samples: a minute.
const LEAST: usize = 60 * RATE as usize;
const MINUTE: usize = 60 * RATE as usize;

/// Recorded speech for the rows that need it.
pub(super) struct Speech {
    /// What is not silence.
    pub(super) active: Arc<[f32]>,
    /// Its level as that of a sine of the same power.
    pub(super) level_dbm0: f64,
}

impl Speech {
    /// `None` for less than a minute.
    pub(super) fn of(samples: &[f32]) -> Option<Self> {
        let active: Vec<f32> = samples.chunks_exact(160).filter(|block| loud(block)).flatten().copied().collect();
        if samples.len() < LEAST || active.is_empty() {
            return None;
        }
        let power = active.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / active.len() as f64;
        Some(Self { active: active.into(), level_dbm0: dbm0((2.0 * power).sqrt()) })
    }
}

/// Whether a block of 20 ms of speech is active: above -48 dB of full scale.
fn loud(block: &[f32]) -> bool {
    block.iter().map(|x| x * x).sum::<f32>() > 1e-5 * 160.0
}

/// The rows of this group; those with recordings say what they lack where there are none.
pub(super) fn items<'a>(options: &'a Options) -> Vec<Item<'a>> {
    let minutes = match options.effort {
        Effort::Quick => 1,
        Effort::Full => 60,
    };
    let noise = move || {
        let mut line = LineBuilder::new(71).noise_dbm0(-20.0).build(RATE);
        (0..minutes).map(move |_| line.carry(&vec![0.0; MINUTE]))
    };
    let music = move || (0..minutes).map(|minute| Music::new(minute as u64, RATE).take(MINUTE).collect());
    let mut items = vec![
        item("white noise", 0, minutes, None, noise),
        item("music made by the simulator", 0, minutes, None, music),
    ];
    items.extend(recorded("speech", &options.speech, options.effort));
    items.extend(recorded("recorded music", &options.music, options.effort));
    items
}

/// A recording as it is, and at other speeds.
fn recorded<'a>(what: &str, samples: &'a [f32], effort: Effort) -> Vec<Item<'a>> {
    let at = |speeds: &'static [f64]| move || speeds.iter().flat_map(move |speed| played(samples, *speed, effort));
    let minutes = |speeds: &[f64]| {
        let length = heard_length(samples.len(), effort) as f64;
        (speeds.iter().map(|speed| length / speed).sum::<f64>() / MINUTE as f64).round() as usize
    };
    let shifted = format!("{what} at seven speeds");
    let rows = vec![
        item(what, 0, minutes(&[1.0]), None, at(&[1.0])),
        item(&shifted, one_in(33, minutes(&SPEEDS), 1), minutes(&SPEEDS), None, at(&SPEEDS)),
        // Soon after a digit others are expected: what that costs where somebody speaks on.
        item(
            &format!("{shifted}, keys in it"),
            one_in(3, minutes(&SPEEDS), 2),
            minutes(&SPEEDS),
            Some(Keys::new()),
            at(&SPEEDS),
        ),
    ];
    if samples.len() >= LEAST {
        return rows;
    }
    let lacking = format!("no {what} was given, or less than a minute");
    rows.into_iter().map(|row| Item::skipped(row.group, row.name, lacking.clone())).collect()
}

/// False digits allowed where one in so many hours is promised: `least` also in a shorter sound, which tells no rate.
fn one_in(hours: usize, minutes: usize, least: usize) -> usize {
    (minutes / (60 * hours)).max(least)
}

/// How much of a recording is heard, in samples.
fn heard_length(length: usize, effort: Effort) -> usize {
    match effort {
        Effort::Quick => length.min(MINUTE),
        Effort::Full => length,
    }
}

/// A recording at another speed, piece by piece: at 1.5 it is higher and shorter.
fn played(samples: &[f32], speed: f64, effort: Effort) -> impl Iterator<Item = Vec<f32>> {
    let mut resampler = Resampler::new((f64::from(RATE) * speed).round() as u32, RATE);
    samples[..heard_length(samples.len(), effort)].chunks(MINUTE).map(move |chunk| {
        if (speed - 1.0).abs() < 1e-9 {
            return chunk.to_vec();
        }
        let mut out = Vec::with_capacity(resampler.most_output(chunk.len()));
        resampler.process(chunk, &mut out);
        out
    })
}

/// The false digits in a sound; keys that are pressed in it don't count.
fn item<'a, I: Iterator<Item = Vec<f32>>>(
    what: &str,
    allowed: usize,
    minutes: usize,
    keys: Option<Keys>,
    sound: impl Fn() -> I + 'a,
) -> Item<'a> {
    Item::new(Group::TalkOff, format!("false digits in {what}"), move |bench: &mut Bench<'_>| {
        let mut heard_before = 0;
        let pressed = sound().map(|mut chunk| {
            if let Some(keys) = &keys {
                keys.press(heard_before, &mut chunk);
            }
            heard_before += chunk.len() as u64;
            chunk
        });
        let found = if bench.is_other() {
            heard_by_another(pressed, minutes, bench, keys.as_ref())
        } else {
            let is_known = |begin: &Begin| keys.as_ref().is_some_and(|keys| keys.are_at(begin.digit, begin.start));
            heard(pressed, minutes, bench, is_known)
        };
        finding(&found, allowed, minutes)
    })
}

/// The digits told of a sound but those that are known to be in it.
fn heard(
    sound: impl Iterator<Item = Vec<f32>>,
    minutes: usize,
    bench: &mut Bench<'_>,
    is_known: impl Fn(&Begin) -> bool,
) -> String {
    let mut found = String::new();
    let mut detector = Detector::new(RATE, &bench.profile()).expect("8 kHz is in range");
    let mut on_event = |event| {
        if let Event::Begin(begin) = event
            && !is_known(&begin)
        {
            found.push(begin.digit.as_char());
        }
    };
    for (minute, chunk) in sound.enumerate() {
        detector.process(&chunk, &mut on_event);
        bench.done(minute + 1, minutes);
    }
    detector.finish(&mut on_event);
    found
}

/// The same of another receiver, which hears whole pieces. Where it tells no times, as many keys are known as were pressed.
fn heard_by_another(
    sound: impl Iterator<Item = Vec<f32>>,
    minutes: usize,
    bench: &mut Bench<'_>,
    keys: Option<&Keys>,
) -> String {
    let mut found = String::new();
    for (index, piece) in Pieces::of(sound).enumerate() {
        let (mut heard, first) = (bench.hear(&piece, RATE), (index * PIECE) as u64);
        if let Some(keys) = keys {
            let mut pressed = piece.len().div_ceil(Keys::EVERY as usize);
            heard.retain(|heard| {
                let is_there = heard.times.is_none_or(|times| keys.are_at(heard.digit, first + times.start));
                let is_known = heard.digit == keys.digit && is_there && (heard.times.is_some() || pressed > 0);
                pressed -= usize::from(is_known && heard.times.is_none());
                !is_known
            });
        }
        found.push_str(&text(&heard));
        bench.done((((index + 1) * PIECE) / MINUTE).min(minutes), minutes);
    }
    found
}

/// Samples that another receiver hears in one go: 10 minutes, so that no key is cut.
const PIECE: usize = 10 * MINUTE;
const _: () = assert!((PIECE as u64).is_multiple_of(Keys::EVERY));

/// A sound in pieces of [`PIECE`]; the last is shorter.
struct Pieces<I> {
    sound: I,
    waiting: Vec<f32>,
}

impl<I: Iterator<Item = Vec<f32>>> Pieces<I> {
    const fn of(sound: I) -> Self {
        Self { sound, waiting: Vec::new() }
    }
}

impl<I: Iterator<Item = Vec<f32>>> Iterator for Pieces<I> {
    type Item = Vec<f32>;

    fn next(&mut self) -> Option<Vec<f32>> {
        while self.waiting.len() < PIECE
            && let Some(more) = self.sound.next()
        {
            self.waiting.extend(more);
        }
        let rest = self.waiting.split_off(self.waiting.len().min(PIECE));
        let piece = std::mem::replace(&mut self.waiting, rest);
        (!piece.is_empty()).then_some(piece)
    }
}

/// A key pressed every 2 s in the place of what sounds there.
struct Keys {
    digit: Digit,
    samples: Vec<f32>,
}

impl Keys {
    const EVERY: u64 = 2 * RATE as u64;
    /// Silence before and after a key, and how far from its beginning it may be told, in ms.
    const PAUSE_MS: f64 = 40.0;

    fn new() -> Self {
        let digit = Digit::at(0, 0);
        let config = GeneratorConfig { lead_ms: Self::PAUSE_MS, ..tones(-10.0).timing(60.0, Self::PAUSE_MS) };
        Self { digit, samples: generate(&[digit], &config).expect("a key at 8 kHz") }
    }

    /// Presses keys in samples that begin at this one of the stream.
    fn press(&self, first: u64, samples: &mut [f32]) {
        for (at, sample) in (first..).zip(samples) {
            if let Some(key) = self.samples.get((at % Self::EVERY) as usize) {
                *sample = *key;
            }
        }
    }

    /// Whether a digit that begins with this sample of the stream is one of them.
    fn are_at(&self, digit: Digit, start: u64) -> bool {
        let pause = (Self::PAUSE_MS * f64::from(RATE) / 1000.0) as u64;
        digit == self.digit && (start % Self::EVERY).abs_diff(pause) < pause
    }
}

fn finding(found: &str, allowed: usize, minutes: usize) -> Finding {
    let which = if found.is_empty() { String::new() } else { format!(" ({found})") };
    Finding {
        target: if allowed == 0 { "none".to_owned() } else { format!("at most {allowed}") },
        measured: format!("{} in {minutes} minutes{which}", found.len()),
        pass: found.len() <= allowed,
        trials: minutes,
        failed: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::Profile;

    #[test]
    fn other_speeds_change_pitch_and_length() {
        let tone: Vec<f32> = (0..16_000).map(|n| (n as f32 * 0.5).sin()).collect();
        let crossings = |samples: &[f32]| samples.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
        let fast: Vec<f32> = played(&tone, 1.5, Effort::Full).flatten().collect();
        assert!(fast.len().abs_diff(16_000 * 2 / 3) < 100, "{}", fast.len());
        let per_sample = |samples: &[f32]| crossings(samples) as f64 / samples.len() as f64;
        assert!((per_sample(&fast) / per_sample(&tone) - 1.5).abs() < 0.02);
    }

    #[test]
    fn keys_pressed_in_a_sound_are_heard_and_known() {
        let (keys, mut sound) = (Keys::new(), vec![0.1; 5 * RATE as usize]);
        let (first, second) = sound.split_at_mut(16_300);
        keys.press(0, first);
        keys.press(16_300, second);
        let (mut known, mut detector) = (Vec::new(), Detector::new(RATE, &Profile::default()).unwrap());
        detector.process(&sound, &mut |event| {
            if let Event::Begin(begin) = event {
                known.push(keys.are_at(begin.digit, begin.start));
            }
        });
        assert_eq!(known, [true; 3]);
        assert!(keys.are_at(keys.digit, 16_320) && !keys.are_at(keys.digit, 24_000));
        assert!(!keys.are_at(Digit::at(1, 1), 16_320));
    }

    #[test]
    fn pieces_hold_all_of_the_sound_in_its_order() {
        let lengths = [3 * MINUTE + 7, 9 * MINUTE, 0, 12 * MINUTE];
        let mut next = 0_u32;
        let chunks = lengths.map(|length| {
            let chunk: Vec<f32> = (next..).take(length).map(|n| (n % 1024) as f32).collect();
            next += length as u32;
            chunk
        });
        let pieces: Vec<Vec<f32>> = Pieces::of(chunks.clone().into_iter()).collect();
        assert_eq!(pieces.iter().map(Vec::len).collect::<Vec<_>>(), [PIECE, PIECE, 4 * MINUTE + 7]);
        assert!(pieces.concat() == chunks.concat());
    }

    #[test]
    fn digits_in_speech_are_false_and_counted() {
        let only = vec!["digits in speech".to_owned()];
        let options = Options { speech: vec![0.01; 2 * LEAST], only, ..Options::default() };
        let rows = super::super::measure(&options, &mut |_| {});
        assert!(rows.iter().all(|row| row.pass), "{rows:?}");
        // At seven speeds two minutes are 2 / 0.7 + 2 / 0.8 and so on.
        assert_eq!(rows.iter().map(|row| row.trials).collect::<Vec<_>>(), [2, 14, 14]);
        assert!(!finding("5", 0, 10).pass && finding("5", 1, 10).pass);
    }

    #[test]
    fn what_is_promised_by_the_hour_is_allowed_by_the_hour() {
        // The packaged speech at seven speeds, and the 46 hours of Q.24's speech at as many.
        assert_eq!((one_in(33, 417, 1), one_in(3, 417, 2)), (1, 2));
        assert_eq!((one_in(33, 18_800, 1), one_in(3, 18_800, 2)), (9, 104));
    }
}
