//! The digits in recordings: one file, or many at once.
//!
//! [`decode`] runs one detector for each channel of a [`Recording`]; [`Batch`] does so for many files in parallel and hands
//! out what they hold in the order the files were named. [`Reporter`] writes it as text, JSON lines or CSV. Memory does not
//! grow with the length of a recording.

mod batch;
mod endings;
mod inputs;
mod names;
pub mod plot;
mod report;
mod whole_lines;

pub use batch::{Batch, Ending, Item};
pub use inputs::{FolderProblem, Gathered, Input, InputError, LeftOut, file_identity, gather};
pub use names::Name;
pub use report::{Format, Reporter};

use std::fmt;
use std::ops::ControlFlow;

use thiserror::Error;

use crate::audio::{AudioError, Block, Recording, Warning};
use crate::dtmf::{Detector, DetectorError, Digit, Event, Measurement, Profile, Reason};

/// What to listen for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The limits of the receiver.
    pub profile: Profile,
    /// Whether near misses are told, too.
    pub rejected: bool,
}

/// A digit or a near miss. Times are in seconds from the start of the recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    /// Channel, from 0.
    pub channel: usize,
    /// The key, or the one a near miss would have been.
    pub digit: Digit,
    /// Onset of the tones.
    pub start_s: f64,
    /// End of the tones.
    pub end_s: f64,
    /// When a reader of the stream knew the digit (or refused it): nothing after this time was used.
    pub detected_s: f64,
    /// Levels, frequencies and S/N.
    pub measured: Measurement,
    /// Why it was refused; `None` for a digit.
    pub rejected: Option<Reason>,
}

impl Entry {
    /// What an event of a channel's detector says; `None` for the begin of a digit, which its end says better.
    pub fn new(channel: usize, event: Event, sample_rate: u32) -> Option<Self> {
        let seconds = |samples: u64| samples as f64 / f64::from(sample_rate);
        let (digit, start, end, known, measured, rejected) = match event {
            Event::Begin(_) => return None,
            Event::End(digit) => (digit.digit, digit.start, digit.end, digit.begin_reported, digit.measured, None),
            Event::Rejected(miss) => {
                (miss.digit, miss.start, miss.end, miss.reported, miss.measured, Some(miss.reason))
            }
        };
        let (start_s, end_s, detected_s) = (seconds(start), seconds(end), seconds(known));
        Some(Self { channel, digit, start_s, end_s, detected_s, measured, rejected })
    }
}

/// A channel's name after a separator, by the number that JSON and CSV give; nothing where there is only one.
struct ChannelName(usize, usize, &'static str);

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (_, 1) => Ok(()),
            (0, 2) => write!(f, "{}left", self.2),
            (1, 2) => write!(f, "{}right", self.2),
            (channel, _) => write!(f, "{}channel {channel}", self.2),
        }
    }
}

/// What is known of a recording once it is decoded, or of the part that could be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Samples per second and channel, in Hz.
    pub sample_rate: u32,
    /// Channels.
    pub channels: usize,
    /// Length in seconds.
    pub seconds: f64,
    /// What was wrong with the file, though it could be read.
    pub warning: Option<Warning>,
}

/// Why a recording could not be decoded.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// It can't be opened.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// It can't be read further, and what was read has been told.
    #[error("{source}")]
    Interrupted {
        /// What stopped the reading.
        source: AudioError,
        /// The part that was read.
        heard: Summary,
    },
    /// The detector does not work at its sample rate.
    #[error("{name}: {source}")]
    Detector {
        /// The recording.
        name: String,
        /// The detector's reason.
        source: DetectorError,
    },
}

impl DecodeError {
    /// What is wrong, without the recording's name: that is told as [`Input`] tells it, which no terminal obeys.
    pub fn reason(&self) -> String {
        match self {
            Self::Audio(error) | Self::Interrupted { source: error, .. } => error.problem().to_string(),
            Self::Detector { source, .. } => source.to_string(),
        }
    }
}

/// Finds the digits of every channel and tells them in the order they were decided; `on_entry` may break off.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/samples/wrong-key.wav"));
/// use std::ops::ControlFlow;
/// use tonopago::audio::Recording;
/// use tonopago::decode::{Options, decode};
///
/// let mut digits = String::new();
/// let heard = decode(Recording::open(path)?, &Options::default(), &mut |entry| {
///     println!("channel {} from {:.3} to {:.3} s: {}", entry.channel, entry.start_s, entry.end_s, entry.digit);
///     digits.push(entry.digit.as_char());
///     ControlFlow::Continue(())
/// })?;
/// assert_eq!((&*digits, heard.seconds, heard.warning), ("1990817#990817#990817#", 27.36, None));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If the recording can't be read further, or has a sample rate the detector does not take. What was read is told first, as if
/// the recording ended there.
pub fn decode(
    recording: Recording,
    options: &Options,
    on_entry: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<Summary, DecodeError> {
    decode_and(recording, options, &mut |_| {}, on_entry)
}

/// As [`decode`]; `on_block` gets to see the sound, too, each block before what is found in it.
///
/// # Errors
/// As [`decode`].
pub fn decode_and(
    mut recording: Recording,
    options: &Options,
    on_block: &mut dyn FnMut(&Block),
    on_entry: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<Summary, DecodeError> {
    let sample_rate = recording.sample_rate();
    let mut detectors = (0..recording.channels())
        .map(|_| Detector::new(sample_rate, &options.profile))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| DecodeError::Detector { name: recording.name().to_owned(), source })?;
    let (mut block, mut found, mut more, mut failure) = (Block::new(), Vec::new(), true, None);
    while more {
        more = recording.next_block(&mut block).unwrap_or_else(|error| {
            failure = Some(error);
            false
        });
        if more {
            on_block(&block);
        }
        let wanted = |found: &Found| options.rejected || found.entry.rejected.is_none();
        let mut on_event = |channel, event| found.extend(Found::new(channel, event, sample_rate).filter(wanted));
        if more {
            for (channel, detector) in detectors.iter_mut().enumerate() {
                detector.process(block.channel(channel), &mut |event| on_event(channel, event));
            }
        } else {
            for (channel, detector) in std::mem::take(&mut detectors).into_iter().enumerate() {
                detector.finish(&mut |event| on_event(channel, event));
            }
        }
        // Order among channels follows from the sound alone, not from how it came in blocks.
        found.sort_by_key(|found| (found.told, found.entry.channel));
        if found.drain(..).any(|found| on_entry(found.entry).is_break()) {
            break;
        }
    }
    let heard = Summary {
        sample_rate,
        channels: recording.channels(),
        seconds: recording.seconds(),
        warning: recording.warning().cloned(),
    };
    match failure {
        None => Ok(heard),
        Some(source) => Err(DecodeError::Interrupted { source, heard }),
    }
}

/// An entry and when its event came, in samples.
struct Found {
    told: u64,
    entry: Entry,
}

impl Found {
    fn new(channel: usize, event: Event, sample_rate: u32) -> Option<Self> {
        let told = match event {
            Event::End(detection) => detection.end_reported,
            Event::Rejected(miss) => miss.reported,
            Event::Begin(_) => return None,
        };
        Entry::new(channel, event, sample_rate).map(|entry| Self { told, entry })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Cursor, Read};

    use super::*;
    use crate::audio::{RawEncoding, RawFormat, SampleFormat};
    use crate::dtmf::{GeneratorConfig, generate};

    fn audio(digits: &str, config: GeneratorConfig) -> Vec<f32> {
        let digits: Vec<Digit> = digits.chars().filter_map(Digit::from_char).collect();
        generate(&digits, &config).unwrap()
    }

    /// Two channels as 32-bit floating point.
    fn stereo(left: &[f32], right: &[f32]) -> Vec<u8> {
        let length = left.len().max(right.len());
        let at = |channel: &[f32], n: usize| channel.get(n).copied().unwrap_or(0.0);
        (0..length).flat_map(|n| [at(left, n), at(right, n)]).flat_map(f32::to_le_bytes).collect()
    }

    fn entries(stream: impl Read + Send + Sync + 'static, channels: usize, options: &Options) -> Vec<Entry> {
        let raw = RawFormat { sample_rate: 8000, channels, format: RawEncoding::Samples(SampleFormat::F32Le) };
        let recording = Recording::from_raw("test", stream, raw).unwrap();
        let mut entries = Vec::new();
        let mut on_entry = |entry| {
            entries.push(entry);
            ControlFlow::Continue(())
        };
        decode(recording, options, &mut on_entry).unwrap();
        entries
    }

    /// A pipe that gives odd amounts.
    struct Pieces(Cursor<Vec<u8>>, usize);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = buffer.len().min(self.1);
            self.0.read(&mut buffer[..most])
        }
    }

    #[test]
    fn each_channel_is_decoded_on_its_own_and_times_are_right() {
        let config = GeneratorConfig { lead_ms: 100.0, ..GeneratorConfig::default() };
        let later = GeneratorConfig { lead_ms: 180.0, ..config };
        let sound = stereo(&audio("147", config), &audio("#A", later));
        let found = entries(Cursor::new(sound), 2, &Options::default());
        let told: Vec<(usize, char)> = found.iter().map(|entry| (entry.channel, entry.digit.as_char())).collect();
        assert_eq!(told, [(0, '1'), (1, '#'), (0, '4'), (1, 'A'), (0, '7')]);
        for (entry, start_s) in found.iter().zip([0.1, 0.18, 0.26, 0.34, 0.42]) {
            assert!((entry.start_s - start_s).abs() < 0.01 && (entry.end_s - start_s - 0.08).abs() < 0.01, "{entry:?}");
            assert!(entry.start_s < entry.detected_s && entry.detected_s < entry.end_s + 0.05, "{entry:?}");
        }
    }

    #[test]
    fn entries_do_not_depend_on_how_a_pipe_delivers() {
        let sound = stereo(&audio("159D*", GeneratorConfig::default()), &audio("8#03", GeneratorConfig::default()));
        let whole = entries(Cursor::new(sound.clone()), 2, &Options::default());
        for size in [1, 7, 1000, 4099] {
            assert_eq!(entries(Pieces(Cursor::new(sound.clone()), size), 2, &Options::default()), whole, "{size}");
        }
    }

    #[test]
    fn near_misses_are_told_with_their_reason_when_asked_for() {
        let twisted = GeneratorConfig { lead_ms: 50.0, ..GeneratorConfig::default() }.twist(16.0);
        let sound = stereo(&audio("5", twisted), &[]);
        assert_eq!(entries(Cursor::new(sound.clone()), 2, &Options::default()), []);
        let options = Options { rejected: true, ..Options::default() };
        let found = entries(Cursor::new(sound), 2, &options);
        assert!(found.iter().any(|entry| entry.rejected == Some(Reason::Twist)), "{found:?}");
    }

    /// A disk that fails in the midst of a file.
    struct Failing(Cursor<Vec<u8>>);

    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::other("the disk is broken")),
                count => Ok(count),
            }
        }
    }

    #[test]
    fn what_was_read_before_an_error_is_told_with_its_length() {
        let mut sound = audio("12", GeneratorConfig::default());
        // The second digit is on when the disk fails.
        sound.truncate(sound.len() - 200);
        let frames = sound.len();
        let stream = Failing(Cursor::new(stereo(&sound, &sound)));
        let raw = RawFormat { sample_rate: 8000, channels: 2, format: RawEncoding::Samples(SampleFormat::F32Le) };
        let recording = Recording::from_raw("test", stream, raw).unwrap();
        let mut digits = String::new();
        let mut on_entry = |entry: Entry| {
            digits.push(entry.digit.as_char());
            ControlFlow::Continue(())
        };
        let error = decode(recording, &Options::default(), &mut on_entry).unwrap_err();
        assert_eq!(digits, "1122");
        let DecodeError::Interrupted { heard, .. } = &error else { panic!("{error:?}") };
        assert_eq!((heard.sample_rate, heard.channels, heard.seconds), (8000, 2, frames as f64 / 8000.0));
        assert!(error.to_string().contains("the disk is broken"), "{error}");
    }

    #[test]
    fn a_listener_that_has_enough_stops_the_decoding() {
        let sound = stereo(&audio("123456", GeneratorConfig::default()), &[]);
        let raw = RawFormat { sample_rate: 8000, channels: 2, format: RawEncoding::Samples(SampleFormat::F32Le) };
        let recording = Recording::from_raw("test", Pieces(Cursor::new(sound), 800), raw).unwrap();
        let mut count = 0;
        let mut on_entry = |_| {
            count += 1;
            ControlFlow::Break(())
        };
        let summary = decode(recording, &Options::default(), &mut on_entry).unwrap();
        assert_eq!(count, 1);
        assert!(summary.seconds < 0.3, "{summary:?}");
    }
}
