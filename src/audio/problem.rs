//! What can be wrong with a recording: errors that stop it and warnings that do not.

use std::fmt;
use std::io;

use thiserror::Error;

use super::file::{MOST_CHANNELS, SAMPLE_RATES};
use super::raw::RawEncoding;

/// A recording that can't be read: which, and why.
#[derive(Debug, Error)]
#[error("{name}: {problem}")]
pub struct AudioError {
    name: String,
    #[source]
    problem: Problem,
}

impl AudioError {
    pub(super) fn new(name: &str, problem: Problem) -> Self {
        Self { name: name.to_owned(), problem }
    }

    /// The recording's name as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is wrong with it.
    pub const fn problem(&self) -> &Problem {
        &self.problem
    }
}

/// Why a recording can't be read, with the cure.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Problem {
    /// The operating system refuses the file.
    #[error("cannot be opened ({source}): check the path and the permissions")]
    Open {
        /// The system's reason.
        source: io::Error,
    },
    /// The path is a link that leads nowhere.
    #[error("is a link to what is not there: mend the link, or name the file it was to lead to")]
    BrokenLink,
    /// The path is a folder.
    #[error("is a folder, not a recording: name the files in it")]
    Folder,
    /// No byte to read.
    #[error("is empty: record or copy it again")]
    Empty,
    /// Fewer bytes than any recording has.
    #[error("is too short to hold any sound: record or copy it again")]
    TooShort,
    /// A WAV header that makes no sense.
    #[error(
        "has a broken header at byte {at} ({what}): copy it again, or name its form with --raw-rate and --raw-format"
    )]
    Header {
        /// Position in bytes.
        at: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// A WAV encoding nobody here decodes.
    #[error(
        "is WAV in {} (format tag {tag:#06x}), which is not decoded here: convert it, for example with ffmpeg -i FILE out.wav",
        encoding_name(*tag)
    )]
    Encoding {
        /// The WAVE format tag.
        tag: u16,
    },
    /// Not a recording in any known form.
    #[error(
        "is no recording this program can decode ({why}): convert it to WAV, for example with ffmpeg -i FILE out.wav, or, if it is \
         sound without a header, name its form with --raw-rate and --raw-format"
    )]
    Undecodable {
        /// The decoder's reason.
        why: String,
    },
    /// A recording in a known form that nobody here decodes.
    #[error("is {what}, which is not decoded here: convert it to WAV, for example with ffmpeg -i FILE out.wav")]
    Form {
        /// The form's name.
        what: String,
    },
    /// An mp4 that can only be read by going back in it, from a stream that can't.
    #[error(
        "is an MP4 whose index follows its sound, and a pipe can't go back to that: name the file instead, or move its index with \
         ffmpeg -i FILE -c copy -movflags +faststart out.m4a"
    )]
    IndexBehind,
    /// An mp4 whose end, with the index, is missing.
    #[error(
        "is an MP4 without its index: it was cut short, or its recorder never finished it or is still at it: \
             record or copy it again"
    )]
    NoIndex,
    /// A container that no sound can be read from.
    #[error(
        "is {container} of which no sound can be read: it was cut short before its sound, is damaged, or holds another coding than \
         {codings}: copy it again, or convert it to WAV, for example with ffmpeg -i FILE out.wav"
    )]
    NoSoundIn {
        /// The container's name.
        container: &'static str,
        /// The codings that are decoded from it.
        codings: &'static str,
    },
    /// A container of pictures or text alone.
    #[error("has no sound track: check that it is the right file")]
    NoSoundTrack,
    /// A known form that ends within its header.
    #[error("ends before its sound begins: it was cut short: record or copy it again")]
    NoBeginning,
    /// Something else than a recording.
    #[error("is {what}, not a recording: {cure}")]
    NoRecording {
        /// What it is.
        what: &'static str,
        /// What to do.
        cure: &'static str,
    },
    /// A sample rate outside [`SAMPLE_RATES`].
    #[error(
        "has a sample rate of {sample_rate} Hz, and {} to {} are read: resample it, for example with ffmpeg -i FILE -ar 48000 out.wav, or \
         correct its header",
        SAMPLE_RATES.start(), SAMPLE_RATES.end()
    )]
    SampleRate {
        /// Hz.
        sample_rate: u32,
    },
    /// Sound without a header of which another rate is told than its coding has.
    #[error("is to be read as {coding} of {sample_rate} Hz, and {coding} has {own} samples a second: give {own}")]
    CodingRate {
        /// The coding that was named.
        coding: RawEncoding,
        /// Its samples per second, in Hz.
        own: u32,
        /// What was told, in Hz.
        sample_rate: u32,
    },
    /// No channel, or more than [`MOST_CHANNELS`].
    #[error("has {channels} channels, and 1 to {MOST_CHANNELS} are read: split it, or correct its header")]
    Channels {
        /// What the header says.
        channels: usize,
    },
    /// The device or network the file is on failed.
    #[error("cannot be read further at {at_s:.3} s ({source}): check the device it is on")]
    Read {
        /// Seconds from the start.
        at_s: f64,
        /// The system's reason.
        source: io::Error,
    },
}

/// What was wrong with a recording that was read all the same.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// It ends before the end its header tells.
    Truncated {
        /// Seconds decoded.
        at_s: f64,
        /// Seconds missing.
        missing_s: f64,
    },
    /// Its bytes end inside a packet or before its last page, and its header tells no length.
    Torn {
        /// Seconds decoded.
        at_s: f64,
    },
    /// It holds less than its header tells, at its end or where its packets, which carry no times, are damaged.
    Missing {
        /// Seconds decoded.
        at_s: f64,
        /// Seconds missing.
        missing_s: f64,
    },
    /// Its header says it is empty, and it is not: the program that wrote it did not finish.
    Unfinished {
        /// Seconds decoded.
        at_s: f64,
    },
    /// More sound stands behind, which can't be read as one with it.
    More {
        /// Seconds decoded.
        at_s: f64,
    },
    /// Bytes that are no chunk stand behind the sound its header tells of: the header may be wrong.
    Beyond {
        /// Seconds decoded.
        at_s: f64,
        /// How many.
        bytes: u64,
    },
    /// Somebody wrote into it or cut it while it was read.
    Changed {
        /// Seconds decoded.
        at_s: f64,
    },
    /// Damaged packets became silence.
    Damaged {
        /// How many.
        packets: u32,
    },
    /// The rest can't be decoded.
    Abandoned {
        /// Seconds decoded.
        at_s: f64,
        /// The decoder's reason.
        why: String,
    },
}

impl Warning {
    /// Whether sound that is there could not be decoded, or may be there by now: what was read is not the recording. One that was
    /// cut short, or of which packets are damaged, is decoded to its end.
    pub const fn is_failure(&self) -> bool {
        matches!(self, Self::Abandoned { .. } | Self::More { .. } | Self::Changed { .. })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { at_s, missing_s } => {
                write!(f, "cut short: ends at {at_s:.3} s, {missing_s:.3} s before the end its header tells")
            }
            Self::Torn { at_s } => write!(f, "cut short: ends at {at_s:.3} s, in the middle of its sound"),
            Self::Missing { at_s, missing_s } => write!(
                f,
                "cut short or damaged: {at_s:.3} s are left, {missing_s:.3} s less than its header tells; times behind damage are early"
            ),
            Self::Unfinished { at_s } => write!(f, "unfinished: its header says 0 s, and it holds {at_s:.3} s"),
            Self::More { at_s } => {
                write!(
                    f,
                    "decoded up to {at_s:.3} s only: a recording or data chunk behind that, in another form or unfinished, is not read"
                )
            }
            Self::Beyond { at_s, bytes } => write!(
                f,
                "decoded up to {at_s:.3} s only, as its header says: {bytes} bytes behind that are not read; if they are sound, correct \
                 the header, or name the form of the whole with --raw-rate and --raw-format"
            ),
            Self::Changed { at_s } => write!(
                f,
                "decoded up to {at_s:.3} s only: it changed while it was read, as what is still being recorded or copied does; decode \
                 it again when that is done"
            ),
            Self::Damaged { packets } => write!(f, "{packets} damaged packets were taken as silence"),
            Self::Abandoned { at_s, why } => write!(f, "decoded up to {at_s:.3} s only: {why}"),
        }
    }
}

fn encoding_name(tag: u16) -> &'static str {
    match tag {
        0x0001 => "PCM of an unusual sample size",
        0x0003 => "floating point of an unusual sample size",
        0x0031 => "GSM 6.10",
        0x0014 | 0x0042 | 0x0111 => "G.723",
        0x0040 | 0x0045 | 0x0064 => "G.726",
        0x0041 | 0x0083 | 0x0133 => "G.729",
        0x0050 | 0x0055 => "MPEG audio",
        0x0161 | 0x0162 => "Windows Media Audio",
        _ => "an unknown encoding",
    }
}
