//! Who is measured: this build's detector, or another receiver, which is a program.
//!
//! # Contract of a program
//! It is given a WAV file of one channel of 16 bits: by the name in the place of `{file}`, or without that on its standard input. On
//! its standard output it tells the digits it hears, in order: as objects of `decode --format jsonl`, a line each, of which
//! `digit` must be there and `start_s`, `end_s` and `detected_s` let its times be measured, too; or as plain keys, between which
//! there may be blanks. It ends with exit code 0.

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{env, fmt, fs, io, process};

use serde::Deserialize;
use thiserror::Error;

use super::score::{Heard, Score, Times, hear_ours, text};
use super::signal::{RATE, Signal};
use crate::audio::wav::{Encoding, WavForm, WavWriter};
use crate::dtmf::{Digit, GeneratorConfig, Profile, generate};
use crate::private_file;
use crate::program::{self, CommandLine, ProgramError};

/// Where the name of the sound's file stands in a command line.
const FILE: &str = "{file}";
/// How long a program may take beyond the length of the sound: some hear as it comes.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most of a line that is told.
const MOST_OF_A_LINE: usize = 60;
/// What a receiver may tell at most: more digits in a second there are in no sound, and none much later than its end.
const MOST_A_SECOND: u64 = 100;
const LATE_S: f64 = 1.0;

/// Another receiver than ours.
#[derive(Clone, Debug)]
pub struct OtherReceiver {
    line: String,
    command: CommandLine,
    /// Why it heard nothing the last time, until somebody asks.
    trouble: Arc<Mutex<Option<ReceiverError>>>,
}

/// Why another receiver can't be measured.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReceiverError {
    /// The command line has no program or an open quote.
    #[error("the command cannot be read: write the program and its arguments, quotes closed")]
    Command,
    /// The program gave no answer.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// What it said is no digits.
    #[error("line {line} of what the program said is no digits: `{text}`; it should be keys, or JSON with \"digit\"")]
    Words {
        /// From 1.
        line: usize,
        /// Its beginning.
        text: String,
    },
    /// It hears more than there can be.
    #[error("the program told more than {most} digits of {seconds} s of sound")]
    Digits {
        /// What there may be.
        most: u64,
        /// Of sound, in s.
        seconds: u64,
    },
    /// The sound can't be written for it.
    #[error("{path}: {why}: check the space left and TMPDIR")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        why: String,
    },
}

impl OtherReceiver {
    /// A receiver by its command line; arguments with spaces stand in quotes, and no shell is involved.
    ///
    /// # Errors
    /// [`ReceiverError::Command`].
    pub fn new(command: &str) -> Result<Self, ReceiverError> {
        let line = command.to_owned();
        let command = CommandLine::parse(command).ok_or(ReceiverError::Command)?;
        Ok(Self { line, command, trouble: Arc::default() })
    }

    /// What it makes of the sixteen digits, loud, clear and long: those it heard.
    ///
    /// # Errors
    /// If it can't be run, or does not say digits.
    pub fn try_out(&self) -> Result<String, ReceiverError> {
        let config = GeneratorConfig { sample_rate: RATE, lead_ms: 200.0, ..GeneratorConfig::default() };
        let digits: Vec<Digit> = Digit::all().collect();
        let samples = generate(&digits, &config.timing(100.0, 100.0)).expect("the usual tones can be made");
        let heard = self.ask(&samples, RATE)?;
        Ok(text(&heard))
    }

    /// The digits it hears; none if it fails, which [`Self::take_trouble`] tells. Until then it is asked no more: one that hangs
    /// would take a minute each time.
    fn hear(&self, samples: &[f32], rate: u32) -> Vec<Heard> {
        if self.lock().is_some() {
            return Vec::new();
        }
        self.ask(samples, rate).unwrap_or_else(|error| {
            self.lock().get_or_insert(error);
            Vec::new()
        })
    }

    /// Why it could not be measured since this was asked last, if it couldn't.
    pub fn take_trouble(&self) -> Option<ReceiverError> {
        self.lock().take()
    }

    fn ask(&self, samples: &[f32], rate: u32) -> Result<Vec<Heard>, ReceiverError> {
        let (wav, seconds) = (wav(samples, rate), (samples.len() as u64).div_ceil(u64::from(rate)));
        let patience = PATIENCE + Duration::from_secs(seconds);
        let _until_the_file_is_gone = program::at_work();
        let said = if self.command.has(FILE) {
            let file = SoundFile::with(&wav)?;
            let name = file.path.display().to_string();
            self.command.run(|word| word.replace(FILE, &name), Vec::new(), patience)?
        } else {
            self.command.run(str::to_owned, wav, patience)?
        };
        read(&String::from_utf8_lossy(&said), seconds, rate)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<ReceiverError>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Its command line.
impl fmt::Display for OtherReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

/// Who hears, and the limits it is measured against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Receiver<'a> {
    /// Of our own detector these are its limits, too.
    pub(super) profile: Profile,
    pub(super) other: Option<&'a OtherReceiver>,
}

impl Receiver<'_> {
    /// The digits in a sound at `rate` Hz.
    pub(super) fn hear(&self, samples: &[f32], rate: u32) -> Vec<Heard> {
        match self.other {
            Some(other) => other.hear(samples, rate),
            None => hear_ours(samples, rate, &self.profile),
        }
    }

    /// Hears a signal and scores it.
    pub(super) fn score(&self, signal: &Signal) -> Score {
        Score::compare(&signal.sent, &self.hear(&signal.samples, RATE))
    }
}

/// A sound in a file of its own, for as long as the value lives.
struct SoundFile {
    path: PathBuf,
}

impl SoundFile {
    fn with(wav: &[u8]) -> Result<Self, ReceiverError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("tonopago-{}-{number}.wav", process::id()));
        let failed =
            |error: io::Error| ReceiverError::File { path: path.display().to_string(), why: error.to_string() };
        let mut file = private_file::create_new(&path).map_err(failed)?;
        let this = Self { path: path.clone() };
        io::Write::write_all(&mut file, wav).map_err(failed)?;
        Ok(this)
    }
}

impl Drop for SoundFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path); // the system's folder is emptied at times
    }
}

fn wav(samples: &[f32], rate: u32) -> Vec<u8> {
    let form = WavForm { sample_rate: rate, channels: 1, encoding: Encoding::Pcm16 };
    let mut bytes = Vec::new();
    let written = WavWriter::new(Cursor::new(&mut bytes), form)
        .and_then(|mut writer| writer.write(&[samples]).and_then(|()| writer.finish()));
    written.expect("memory takes what is written");
    bytes
}

/// A digit as `decode --format jsonl` writes it; what else is there does not matter.
#[derive(Deserialize)]
struct Told {
    digit: char,
    start_s: Option<f64>,
    end_s: Option<f64>,
    detected_s: Option<f64>,
}

/// The digits in what a program said of so many seconds of sound.
fn read(said: &str, seconds: u64, rate: u32) -> Result<Vec<Heard>, ReceiverError> {
    let most = MOST_A_SECOND * seconds;
    let mut heard = Vec::new();
    for (index, line) in said.lines().enumerate() {
        let wrong = || {
            let text: String = line.chars().take(MOST_OF_A_LINE).collect();
            ReceiverError::Words { line: index + 1, text: program::legible(&text) }
        };
        let left = (most as usize).saturating_sub(heard.len());
        if line.trim_start().starts_with('{') {
            let told: Told = serde_json::from_str(line).map_err(|_| wrong())?;
            let digit = Digit::from_char(told.digit).ok_or_else(wrong)?;
            heard.push(Heard { digit, times: times(&told, seconds, rate) });
        } else {
            let keys = line.chars().filter(|key| !key.is_whitespace()).take(left + 1);
            for key in keys {
                heard.push(Heard { digit: Digit::from_char(key).ok_or_else(wrong)?, times: None });
            }
        }
        if heard.len() as u64 > most {
            return Err(ReceiverError::Digits { most, seconds });
        }
    }
    Ok(heard)
}

/// In samples; those that no clock tells, or one of another sound, are none.
fn times(told: &Told, seconds: u64, rate: u32) -> Option<Times> {
    let clock = 0.0..=seconds as f64 + LATE_S;
    let sample = |seconds: f64| clock.contains(&seconds).then(|| (seconds * f64::from(rate)).round() as u64);
    Some(Times { start: sample(told.start_s?)?, end: sample(told.end_s?)?, reported: sample(told.detected_s?)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_json_lines_are_digits_and_all_else_is_told() {
        let digits = |said: &str| {
            let heard = read(said, 1, 8000)?;
            Ok::<String, ReceiverError>(heard.iter().map(|heard| heard.digit.as_char()).collect())
        };
        assert_eq!(digits("12 3\n\n*#aD\n").unwrap(), "123*#AD");
        assert_eq!(digits("{\"digit\":\"7\"}\n8\n").unwrap(), "78");
        for (said, line, text) in
            [("1\nDTMF: 5\n", 2, "DTMF: 5"), ("{\"digits\":7}", 1, "{\"digits\":7}"), ("é", 1, "é")]
        {
            let error = digits(said).unwrap_err();
            assert_eq!(error, ReceiverError::Words { line, text: text.to_owned() });
        }
        let told = r#"{"file":"x.wav","digit":"5","start_s":0.1,"end_s":0.15,"detected_s":0.13,"snr_db":20}"#;
        let times = Some(Times { start: 800, end: 1200, reported: 1040 });
        assert_eq!(read(told, 1, 8000).unwrap(), [Heard { digit: Digit::at(1, 1), times }]);
        // Sums of times that no sound has were an internal error.
        for odd in ["-1e300", "1e300", "2.1"] {
            let odd = told.replace("0.1,", &format!("{odd},"));
            assert_eq!(read(&odd, 1, 8000).unwrap()[0].times, None, "{odd}");
        }
        let error = read("\u{1b}[2J", 1, 8000).unwrap_err();
        assert_eq!(error, ReceiverError::Words { line: 1, text: "\\u{1b}[2J".to_owned() }, "a terminal is not steered");
    }

    /// Millions were compared with what was sent, each with each.
    #[test]
    fn more_digits_than_there_can_be_are_told() {
        let too_many = ReceiverError::Digits { most: 200, seconds: 2 };
        for (one, fits) in [("1", "1".repeat(200)), ("1\n", "1\n".repeat(200))] {
            assert_eq!(read(&fits, 2, 8000).unwrap().len(), 200);
            assert_eq!(read(&format!("{fits}{one}"), 2, 8000).unwrap_err(), too_many);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_program_is_given_the_sound_and_nothing_is_left_behind() {
        let ask = |command: &str| OtherReceiver::new(command).unwrap().try_out();
        // The length of the sound, once by name and once on its input: 16 digits of 200 ms, and 200 ms.
        let length = (16 * 1600 + 1600) * 2 + 44;
        for command in ["wc -c", "sh -c 'wc -c <\"$0\"' {file}"] {
            assert_eq!(ask(command).unwrap(), length.to_string(), "{command}");
        }
        assert_eq!(OtherReceiver::new("").err(), Some(ReceiverError::Command));
        let of_ours = format!("tonopago-{}-", process::id());
        let left = fs::read_dir(env::temp_dir()).unwrap().flatten();
        assert_eq!(left.filter(|file| file.file_name().to_string_lossy().starts_with(&of_ours)).count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_fails_hears_nothing_and_says_why_once() {
        let other = OtherReceiver::new("sh -c 'echo broken >&2; exit 1'").unwrap();
        assert!(other.hear(&[0.0; 800], RATE).is_empty());
        assert!(other.take_trouble().is_some_and(|trouble| trouble.to_string().contains("saying: broken")));
        assert!(other.take_trouble().is_none());
    }

    /// One that hangs in the middle of a run took a minute for each sound there was.
    #[cfg(unix)]
    #[test]
    fn a_program_that_failed_is_not_asked_again_until_somebody_looks() {
        let folder = tempfile::tempdir().unwrap();
        let asked = folder.path().join("asked");
        let other = OtherReceiver::new(&format!("sh -c 'echo >>\"$0\"; exit 1' '{}'", asked.display())).unwrap();
        for _ in 0..3 {
            other.hear(&[0.0; 800], RATE);
            other.hear(&[0.0; 800], RATE);
            assert!(other.take_trouble().is_some());
        }
        assert_eq!(fs::read(asked).unwrap().len(), 3);
    }
}
