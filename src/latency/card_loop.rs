//! Through a card that hears what it plays, by wire or by itself: from the moment a key's first sample is handed over to the
//! moment the key is reported, and where that time goes.
//!
//! What is watched are the card's own counts of samples taken and delivered, once a millisecond: no part is known better.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::Distribution;
use crate::dtmf::{Begin, Detector, DetectorError, Digit, Event, GeneratorConfig, Profile};
use crate::line::sound_card::{Block, CardError, Request, SoundCard, Stats};

/// Tones and pauses of the keys played, in ms.
const TONE_MS: f64 = 90.0;
const PAUSE_MS: f64 = 210.0;
/// Level of each tone in dBm0.
const LEVEL_DBM0: f64 = -12.0;
/// Silence before the first key, in ms: the buffers find their level.
const LEAD_MS: f64 = 1500.0;
/// Longest a key may be under way, in seconds.
const LONGEST: f64 = 2.0;
/// How long a card may deliver nothing.
const PATIENCE: Duration = Duration::from_secs(3);
/// Time between two looks at the counts.
const LOOK: Duration = Duration::from_millis(1);

/// Why a loop can't be measured.
#[derive(Debug, Error)]
pub enum LoopError {
    /// The card.
    #[error(transparent)]
    Card(#[from] CardError),
    /// Its rate.
    #[error(transparent)]
    Rate(#[from] DetectorError),
    /// Nothing came back.
    #[error(
        "none of {keys} keys played on {output} was heard on {input}: is the one's output connected with the other's \
         input, and is the level right (`tonopago listen --device {input}`)?"
    )]
    Deaf {
        /// Keys played.
        keys: usize,
        /// The card that played.
        output: String,
        /// The card that listened.
        input: String,
    },
}

/// What one key took, in ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parts {
    /// The key.
    pub digit: Digit,
    /// From handing over its first sample until the card took it: our own buffer.
    pub buffer_ms: f64,
    /// Until the card delivered it again: the card's buffers in both directions, and the way between.
    pub device_ms: f64,
    /// Until it was reported: what the detector has to hear, and the blocks that come with it.
    pub detector_ms: f64,
    /// Of the detector's part, the sound it had to hear.
    pub evidence_ms: f64,
}

impl Parts {
    /// All together.
    pub fn total_ms(&self) -> f64 {
        self.buffer_ms + self.device_ms + self.detector_ms
    }
}

/// What a loop took.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The card that listened.
    pub card: String,
    /// Hz.
    pub rate: u32,
    /// Keys that were reported.
    pub keys: Vec<Parts>,
    /// Keys that were not.
    pub missed: usize,
    /// Samples the card missed because none of ours had come in time, and samples of its that were lost.
    pub starved_and_lost: (u64, u64),
}

impl Measured {
    /// One part of all keys.
    pub fn of(&self, part: impl Fn(&Parts) -> f64) -> Distribution {
        Distribution::new(self.keys.iter().map(part).collect())
    }
}

/// The counts at a moment: samples of ours taken, samples delivered and not lost since.
#[derive(Clone, Copy)]
struct Look {
    at: Instant,
    taken: u64,
    delivered: u64,
}

/// A key on its way: where its first sample stands among those sent.
struct Played {
    digit: Digit,
    first: u64,
    sent: Option<Instant>,
}

/// Plays `keys` keys on a card and hears them on another, or the same; `seed` chooses them.
///
/// # Errors
/// [`LoopError`] if the cards can't be used, or nothing comes back.
pub fn measure(request: &Request, profile: &Profile, keys: usize, seed: u64) -> Result<Measured, LoopError> {
    let stream = SoundCard::open(request)?;
    let mut detector = Detector::new(stream.rate, profile)?;
    let (sound, mut played) = sound(stream.rate, keys, seed);
    let watch = Watch::start(&stream.stats);
    let (mut reports, mut sent) = (Vec::new(), 0);
    let end = sound.len() + (LONGEST * f64::from(stream.rate)) as usize;
    while sent < end && reports.len() < keys {
        let heard = stream.next_block(PATIENCE)?;
        detector.process(heard.samples(), &mut |event| {
            if let Event::Begin(begin) = event {
                reports.push((begin, Instant::now()));
            }
        });
        let length = heard.samples().len();
        stream.send(block(&sound, sent, length));
        sent += length;
        let now = Instant::now();
        let gone = played.iter_mut().filter(|key| key.sent.is_none() && key.first < sent as u64);
        gone.for_each(|key| key.sent = Some(now));
    }
    let looks = watch.stop();
    let found = parts(&played, &reports, &looks, stream.rate);
    if found.is_empty() && keys > 0 {
        let output = request.player().to_owned();
        return Err(LoopError::Deaf { keys, output, input: request.device.clone() });
    }
    let starved_and_lost = (stream.stats.starved(), stream.stats.heard_dropped());
    let missed = keys.saturating_sub(found.len());
    Ok(Measured { card: stream.card().to_owned(), rate: stream.rate, keys: found, missed, starved_and_lost })
}

/// The keys' sound and where each begins.
fn sound(rate: u32, keys: usize, seed: u64) -> (Vec<f32>, Vec<Played>) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let samples = |ms: f64| (ms * f64::from(rate) / 1000.0) as usize;
    let config = GeneratorConfig { sample_rate: rate, ..GeneratorConfig::default() };
    let config = config.level(LEVEL_DBM0).timing(TONE_MS, PAUSE_MS);
    let (mut sound, mut played) = (vec![0.0; samples(LEAD_MS)], Vec::new());
    for _ in 0..keys {
        let digit = Digit::at(rng.usize(0..4), rng.usize(0..4));
        played.push(Played { digit, first: sound.len() as u64, sent: None });
        sound.extend(config.tone(digit).into_iter().flatten());
        // A pause of any length, so that keys meet the card's blocks anywhere.
        sound.resize(sound.len() + samples(PAUSE_MS + 20.0 * rng.f64()), 0.0);
    }
    (sound, played)
}

/// A block of the sound, with silence behind its end.
fn block(sound: &[f32], from: usize, length: usize) -> Block {
    let part = sound.get(from..).unwrap_or_default();
    let mut samples: Vec<f32> = part.iter().take(length).copied().collect();
    samples.resize(length, 0.0);
    Block::new(&samples)
}

/// Finds each key's report and the moments between.
fn parts(played: &[Played], reports: &[(Begin, Instant)], looks: &[Look], rate: u32) -> Vec<Parts> {
    let longest = (LONGEST * f64::from(rate)) as u64;
    let mut next = 0;
    let mut found = Vec::new();
    for key in played {
        // Samples go out as they come in, so that a key comes back after its own place.
        let fits = |(begin, _): &(Begin, Instant)| {
            begin.digit == key.digit && (key.first..key.first + longest).contains(&begin.start)
        };
        let Some(at) = reports[next..].iter().position(fits) else { continue };
        let (begin, reported) = reports[next + at];
        next += at + 1;
        let taken = looks.iter().find(|look| look.taken > key.first);
        let delivered = looks.iter().find(|look| look.delivered > begin.start);
        let (Some(sent), Some(taken), Some(delivered)) = (key.sent, taken, delivered) else { continue };
        found.push(Parts {
            digit: key.digit,
            buffer_ms: ms(sent, taken.at),
            device_ms: ms(taken.at, delivered.at),
            detector_ms: ms(delivered.at, reported),
            evidence_ms: (begin.reported - begin.start) as f64 * 1000.0 / f64::from(rate),
        });
    }
    found
}

fn ms(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64() * 1000.0
}

/// A thread that looks at the counts.
struct Watch {
    over: Arc<AtomicBool>,
    thread: thread::JoinHandle<Vec<Look>>,
}

impl Watch {
    fn start(stats: &Arc<Stats>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (stop, stats) = (Arc::clone(&over), Arc::clone(stats));
        let work = move || {
            let mut looks = Vec::new();
            while !stop.load(Ordering::Acquire) {
                // What was left out will never be taken: those behind it move up.
                let taken = stats.played() + stats.skipped();
                // What was lost the detector does not count.
                let delivered = stats.heard().saturating_sub(stats.heard_dropped());
                looks.push(Look { at: Instant::now(), taken, delivered });
                thread::sleep(LOOK);
            }
            looks
        };
        Self { over, thread: thread::spawn(work) }
    }

    fn stop(self) -> Vec<Look> {
        self.over.store(true, Ordering::Release);
        self.thread.join().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_s_time_is_split_by_the_counts() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let digit = Digit::at(1, 1);
        let played = [Played { digit, first: 800, sent: Some(at(100)) }, Played { digit, first: 8000, sent: None }];
        let looks = [
            Look { at: at(99), taken: 100, delivered: 800 },
            Look { at: at(140), taken: 900, delivered: 1000 },
            Look { at: at(170), taken: 1200, delivered: 1300 },
        ];
        let begin = Begin { digit, start: 1250, reported: 1466 };
        let found = parts(&played, &[(begin, at(200))], &looks, 8000);
        assert_eq!(found.len(), 1, "the second was not reported");
        let Parts { buffer_ms, device_ms, detector_ms, evidence_ms, .. } = found[0];
        assert_eq!((buffer_ms, device_ms, detector_ms, evidence_ms), (40.0, 30.0, 30.0, 27.0));
        assert!((found[0].total_ms() - 100.0).abs() < 1e-9);
    }

    #[test]
    fn the_sound_has_the_keys_where_it_says() {
        let (sound, played) = sound(8000, 5, 1);
        assert_eq!(played.len(), 5);
        for key in &played {
            let first = key.first as usize;
            assert!(sound[first - 10..first].iter().all(|x| *x == 0.0));
            assert!(sound[first..first + 700].iter().any(|x| x.abs() > 0.1));
        }
        let last = block(&sound, sound.len() - 3, 10);
        assert_eq!((last.samples().len(), last.samples()[9]), (10, 0.0));
    }
}
