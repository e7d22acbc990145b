//! Reading recordings of any length in constant memory.

use std::fmt;
use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::Path;

use super::adpcm::AdpcmReader;
use super::block::Block;
use super::g722::G722Reader;
use super::gsm::GsmReader;
use super::joined::{Ended, Following, Layout};
use super::packets::PacketReader;
use super::pcm::FrameReader;
use super::problem::{AudioError, Problem, Warning};
use super::raw::RawFormat;
use super::riff::{Behind, Encoding, Header, HeaderError, Length, Trailer, begins_chunk, read_header};
use super::stream::{Counted, Limited, WavBody};
use super::watch::Watch;
use crate::dtmf::RATES_HZ;

mod opener;

pub use opener::Opener;

/// How names of recordings end that can be read and have a header, in lower case.
pub const ENDINGS: [&str; 28] = [
    "wav", "wave", "rf64", "bwf", "w64", "caf", "mp3", "ogg", "oga", "opus", "flac", "aif", "aiff", "aifc", "m4a",
    "m4b", "m4r", "mp4", "m4v", "mov", "aac", "adts", "au", "snd", "ogv", "webm", "mka", "mkv",
];
/// Most channels a recording may have.
pub const MOST_CHANNELS: usize = 32;
/// Sample rates a recording may have, in Hz: those the detector takes.
pub const SAMPLE_RATES: std::ops::RangeInclusive<u32> = RATES_HZ;

/// A recording being read, from a file or from a stream that can't seek.
///
/// Reads WAV (linear PCM, floating point, G.711, ADPCM, GSM full rate, G.722, RF64, headers of unknown length), Wave64,
/// CAF, AU, what has no header and a name that tells its form ([`RawFormat::of_name`]), and through symphonia mp3, ogg,
/// flac, aiff, m4a and WebM; Opus at 48 kHz, whatever it was before. A file cut short is decoded as far as it goes and
/// leaves a [`Warning`]; so does a damaged packet or page, which becomes silence of its length, so that times stay right.
/// An mp3's and a raw AAC's frames carry no times: what is damaged there is gone, and a [`Warning`] tells it where the
/// header tells a count. Joined mp3s, oggs, flacs and WAVs are read to the end of the last that goes on in the
/// form of the first. An m4a begins where its index says; raw AAC tells no encoder's delay, and its times are late by it.
///
/// A loop of one's own, with a detector for each channel; [`decode`](crate::decode::decode) is this loop, ready made:
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/samples/wrong-key.wav"));
/// use tonopago::audio::{Block, Recording};
/// use tonopago::dtmf::{Detector, Event, Profile};
///
/// let mut recording = Recording::open(path)?;
/// let detector = |_| Detector::new(recording.sample_rate(), &Profile::default());
/// let mut detectors = (0..recording.channels()).map(detector).collect::<Result<Vec<_>, _>>()?;
/// let mut digits = vec![String::new(); recording.channels()];
/// let mut block = Block::new();
/// while recording.next_block(&mut block)? {
///     for (channel, detector) in detectors.iter_mut().enumerate() {
///         detector.process(block.channel(channel), &mut |event| {
///             if let Event::Begin(begin) = event {
///                 digits[channel].push(begin.digit.as_char());
///             }
///         });
///     }
/// }
/// assert_eq!(digits, ["1990817#990817#990817#"]);
/// assert_eq!((recording.sample_rate(), recording.seconds()), (8000, 27.36));
/// if let Some(warning) = recording.warning() {
///     eprintln!("{}: {warning}", recording.name());
/// }
/// # Ok(())
/// # }
/// ```
pub struct Recording {
    name: String,
    source: Source,
    sample_rate: u32,
    channels: usize,
    frames: u64,
    /// How the sound of a WAV ends; of a stream it is known at the end.
    ended: Ended,
    watch: Option<Watch>,
    warning: Option<Warning>,
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Recording");
        shown.field("name", &self.name).field("sample_rate", &self.sample_rate).field("channels", &self.channels);
        shown.field("frames", &self.frames).field("warning", &self.warning).finish_non_exhaustive()
    }
}

enum Source {
    Wav { body: Box<dyn WavBody>, length: Length },
    Packets(Box<PacketReader>),
}

/// A byte stream that may move between threads.
trait Input: Read + Send + Sync {}
impl<R: Read + Send + Sync> Input for R {}

impl Recording {
    /// Opens a file, or a pipe that has a path.
    ///
    /// # Errors
    /// If it can't be opened, is empty, is no recording, or is in a form that can't be decoded.
    pub fn open(path: &Path) -> Result<Self, AudioError> {
        Opener::new().open(path)
    }

    /// Reads a recording with its header from a stream that can't seek, such as standard input; `name` is for messages.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_stream(name: &str, stream: impl Read + Send + Sync + 'static) -> Result<Self, AudioError> {
        Opener::new().stream(name, stream)
    }

    /// Reads samples without a header.
    ///
    /// # Errors
    /// If the rate or the number of channels is out of range, or not that of the coding.
    pub fn from_raw(name: &str, stream: impl Read + Send + Sync + 'static, raw: RawFormat) -> Result<Self, AudioError> {
        Opener::new().raw(raw).stream(name, stream)
    }

    /// The file's name as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Samples per second and channel, in Hz, within [`SAMPLE_RATES`].
    pub const fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Channels, 1 to [`MOST_CHANNELS`].
    pub const fn channels(&self) -> usize {
        self.channels
    }

    /// Frames given so far.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// Seconds given so far.
    #[expect(clippy::cast_precision_loss, reason = "a recording of 2^53 frames does not exist")]
    pub fn seconds(&self) -> f64 {
        self.frames as f64 / f64::from(self.sample_rate)
    }

    /// What was wrong with a recording that could be read all the same; complete once
    /// [`next_block`](Self::next_block) has answered `false`.
    pub const fn warning(&self) -> Option<&Warning> {
        self.warning.as_ref()
    }

    /// Fills `block` with the next frames, at most [`BLOCK_FRAMES`](super::BLOCK_FRAMES); `false` is the end.
    ///
    /// # Errors
    /// If the device or the network the file is on fails. What is wrong with the recording itself is a
    /// [`warning`](Self::warning).
    pub fn next_block(&mut self, block: &mut Block) -> Result<bool, AudioError> {
        let read = match &mut self.source {
            Source::Wav { body, .. } => body.next_block(block),
            Source::Packets(reader) => reader.next_block(block),
        };
        let at_s = self.seconds();
        read.map_err(|source| AudioError::new(&self.name, Problem::Read { at_s, source }))?;
        self.frames += block.frames() as u64;
        if block.is_empty() && self.warning.is_none() {
            self.warning = self.judge_end();
        }
        Ok(!block.is_empty())
    }

    fn from_file(name: &str, mut file: Counted<File>, named: Option<RawFormat>) -> Result<Self, AudioError> {
        let read_failed = |source| AudioError::new(name, Problem::Read { at_s: 0.0, source });
        let header = read_header(&mut file);
        let empty = file.stream_position().map_err(read_failed)? == 0;
        match classify(header, empty, named).map_err(|problem| AudioError::new(name, problem))? {
            Kind::Wav(mut header) => {
                let layout = Layout::of(&mut file, &mut header).map_err(read_failed)?;
                let ended = Ended::with(layout.behind);
                Ok(Self { ended, ..Self::wav(name, layout.reader(file), &header)? })
            }
            Kind::Raw(header) => {
                file.rewind().map_err(read_failed)?;
                Self::wav(name, file, &header)
            }
            Kind::Packets => {
                file.rewind().map_err(read_failed)?;
                Self::packets(name, PacketReader::open_file(file))
            }
        }
    }

    /// The rest of a stream whose header has been read, and of those that are joined to it.
    fn wav_stream(name: &str, stream: impl Input + 'static, header: &Header) -> Result<Self, AudioError> {
        let (Length::Bytes(bytes), Trailer::Riff) = (header.length, header.trailer) else {
            return Self::wav(name, stream, header);
        };
        let ended = Ended::default();
        let following = Following::new(stream, header, bytes, ended.clone());
        Self::wav_to_its_end(name, Limited::knowing(following, ended.clone()), header)
            .map(|recording| Self { ended, ..recording })
    }

    /// What has no other sound behind its own, or tells of it by itself.
    fn wav(name: &str, mut stream: impl Input + 'static, header: &Header) -> Result<Self, AudioError> {
        let mut head = Vec::new();
        if header.length == Length::Zero {
            let read = stream.by_ref().take(CHUNK_ID).read_to_end(&mut head);
            read.map_err(|source| AudioError::new(name, Problem::Read { at_s: 0.0, source }))?;
        }
        let length = match header.length {
            Length::Bytes(bytes) => Some(bytes),
            Length::Zero if begins_chunk(&head) => Some(0),
            Length::ToTheEnd | Length::Zero => None,
        };
        Self::wav_to_its_end(name, Limited::new(Cursor::new(head).chain(stream), length), header)
    }

    fn wav_to_its_end<R: Input + 'static>(name: &str, stream: Limited<R>, header: &Header) -> Result<Self, AudioError> {
        let in_file = |problem| AudioError::new(name, problem);
        let (sample_rate, channels) = (header.sample_rate, usize::from(header.channels));
        check_form(sample_rate, channels).map_err(in_file)?;
        if matches!(header.encoding, Encoding::Gsm(_) | Encoding::G722) && channels != 1 {
            return Err(in_file(Problem::Form { what: format!("GSM or G.722 of {channels} channels") }));
        }
        let body: Box<dyn WavBody> = match header.encoding {
            Encoding::Samples(format) => Box::new(FrameReader::new(stream, format, channels)),
            Encoding::Adpcm(form) => {
                let reader = AdpcmReader::new(stream, form, sample_rate);
                Box::new(reader.map_err(|why| in_file(Problem::Undecodable { why }))?)
            }
            Encoding::Gsm(packing) => Box::new(GsmReader::new(stream, packing)),
            Encoding::G722 => Box::new(G722Reader::new(stream)),
            Encoding::Other(tag) => return Err(in_file(Problem::Encoding { tag })),
        };
        let source = Source::Wav { body, length: header.length };
        Ok(Self::unread(name, source, sample_rate, channels))
    }

    fn packets(name: &str, reader: Result<PacketReader, Problem>) -> Result<Self, AudioError> {
        let in_file = |problem| AudioError::new(name, problem);
        let reader = reader.map_err(in_file)?;
        let (sample_rate, channels) = (reader.sample_rate(), reader.channels());
        check_form(sample_rate, channels).map_err(in_file)?;
        let source = Source::Packets(Box::new(reader));
        Ok(Self::unread(name, source, sample_rate, channels))
    }

    /// A recording of which nothing has been read yet.
    fn unread(name: &str, source: Source, sample_rate: u32, channels: usize) -> Self {
        let name = name.to_owned();
        Self { name, source, sample_rate, channels, frames: 0, ended: Ended::default(), watch: None, warning: None }
    }

    /// What is wrong with it, at its end. Where it changed under the reader, that explains most of what its sound says.
    fn judge_end(&self) -> Option<Warning> {
        let judged = self.judge_sound();
        let has_changed = self.watch.as_ref().is_some_and(Watch::has_changed);
        if has_changed && !judged.as_ref().is_some_and(Warning::is_failure) {
            return Some(Warning::Changed { at_s: self.seconds() });
        }
        judged
    }

    /// What the way its sound ended says about it.
    fn judge_sound(&self) -> Option<Warning> {
        let at_s = self.seconds();
        match &self.source {
            Source::Wav { body, length: Length::Bytes(_) } if body.missing_frames() > 0 => {
                let missing_s = body.missing_frames() as f64 / f64::from(self.sample_rate);
                Some(Warning::Truncated { at_s, missing_s })
            }
            Source::Wav { length: Length::Zero, .. } if self.frames > 0 => Some(Warning::Unfinished { at_s }),
            Source::Wav { .. } => match self.ended.behind() {
                (Behind::Nothing, _) => None,
                (Behind::Sound(_), _) => Some(Warning::More { at_s }),
                (Behind::Bytes, bytes) => Some(Warning::Beyond { at_s, bytes }),
            },
            Source::Packets(reader) => reader.warning(self.frames),
        }
    }
}

/// Bytes of a chunk's name.
const CHUNK_ID: u64 = 4;

/// Who reads the sound.
enum Kind {
    /// Whoever reads WAVs, from behind the header.
    Wav(Header),
    /// The same, from the first byte.
    Raw(Header),
    Packets,
}

/// `named` is the form that the name tells of sound without a header.
fn classify(header: Result<Header, HeaderError>, empty: bool, named: Option<RawFormat>) -> Result<Kind, Problem> {
    match header {
        Err(HeaderError::NotWav) if empty => Err(Problem::Empty),
        Err(HeaderError::NotWav) => Ok(named.map_or(Kind::Packets, |raw| Kind::Raw(raw.header()))),
        Err(HeaderError::Read(source)) => Err(Problem::Read { at_s: 0.0, source }),
        Err(HeaderError::Broken { at, what }) => Err(Problem::Header { at, what }),
        Err(HeaderError::Form(what)) => Err(Problem::Form { what }),
        Ok(header) => Ok(Kind::Wav(header)),
    }
}

fn check_form(sample_rate: u32, channels: usize) -> Result<(), Problem> {
    if !SAMPLE_RATES.contains(&sample_rate) {
        return Err(Problem::SampleRate { sample_rate });
    }
    if !(1..=MOST_CHANNELS).contains(&channels) {
        return Err(Problem::Channels { channels });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
