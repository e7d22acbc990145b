//! The header of a WAV stream, read tolerantly and without seeking.
//!
//! The header is walked here rather than by hound because recorders in the field write what hound refuses (mu-law,
//! unknown lengths, chunks of odd length before the sound, RF64), and because a last packet cut short must still be heard:
//! packet readers drop it, and 1152 frames are 144 ms of an 8 kHz call, more than a digit. hound writes our files and
//! is the oracle in the tests.

use std::io::{self, Read};

use super::adpcm::{AdpcmForm, AdpcmKind};
use super::gsm::{self, Packing};
use super::pcm::SampleFormat;
use super::{au, caf, w64};

/// Bytes within which the sound must begin.
const LONGEST_HEADER: u64 = 16 << 20;
/// Bytes of the `fmt ` chunk that are looked at: a WAVEFORMATEXTENSIBLE is 40.
const FORMAT_BYTES: usize = 40;
/// Declared lengths from here up are what programs write that can't go back to fill in the length (0x7FFF_Fxxx and
/// 0xFFFF_FFFF are usual): the sound goes on to the stream's end.
const UNKNOWN_LENGTH: u32 = 0x7FFF_0000;

/// The first four bytes of a WAV; the latter two have lengths of 64 bits.
pub(super) const MAGIC: [&[u8; 4]; 3] = [b"RIFF", b"RF64", b"BW64"];

/// What a WAV header says, up to the first byte of sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) encoding: Encoding,
    pub(super) channels: u16,
    pub(super) sample_rate: u32,
    pub(super) length: Length,
    pub(super) trailer: Trailer,
}

impl Header {
    /// What must be the same in recordings that are read as one.
    pub(super) const fn form(&self) -> (Encoding, u16, u32) {
        (self.encoding, self.channels, self.sample_rate)
    }

    /// Whether sound of so many bytes can be gone on behind: what is coded in blocks ends with a whole one.
    pub(super) const fn is_whole(&self, bytes: u64) -> bool {
        matches!(self.encoding, Encoding::Samples(_)) || self.torn(bytes) == 0
    }

    /// The bytes of so many that are no whole frame or block.
    pub(super) const fn torn(&self, bytes: u64) -> u64 {
        let unit = match self.encoding {
            Encoding::Samples(format) => format.bytes() * self.channels as usize,
            Encoding::Adpcm(form) => form.block_bytes,
            Encoding::Gsm(packing) => packing.block_bytes(),
            Encoding::G722 | Encoding::Other(_) => 1,
        };
        if unit == 0 { 0 } else { bytes % unit as u64 }
    }
}

/// What may stand behind the sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trailer {
    /// Chunks of a WAV, or sound that a length of 32 bits did not hold.
    Riff,
    /// What the container's 64-bit length leaves to others.
    Own,
}

/// Who can decode the sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// One sample after another.
    Samples(SampleFormat),
    /// Blocks of ADPCM.
    Adpcm(AdpcmForm),
    /// Frames of GSM full rate, in one channel.
    Gsm(Packing),
    /// Octets of G.722, in one channel.
    G722,
    /// A format tag nobody here decodes.
    Other(u16),
}

/// How long the sound is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// Bytes, as the header says.
    Bytes(u64),
    /// To the stream's end: a streaming writer's header.
    ToTheEnd,
    /// The header says 0: an empty recording, or a writer that died before it filled in the length.
    Zero,
}

/// Why a header can't be used; `at` is a byte position in the stream.
#[derive(Debug)]
pub(super) enum HeaderError {
    Read(io::Error),
    NotWav,
    Broken {
        at: u64,
        what: &'static str,
    },
    /// Sound in a form nobody here decodes, by name.
    Form(String),
}

/// Reads `reader` up to the first byte of sound, also where it is an AU, a Wave64 or a Core Audio file.
pub(super) fn read_header(reader: impl Read) -> Result<Header, HeaderError> {
    let mut walk = Walk { reader, at: 0 };
    let start: [u8; 12] = walk.take().map_err(|error| walk.or_not_wav(error))?;
    if start.starts_with(au::MAGIC) {
        return au::read_header(start, &mut walk);
    }
    if start.starts_with(w64::MAGIC) {
        return w64::read_header(start, &mut walk);
    }
    if start.starts_with(caf::MAGIC) {
        return caf::read_header(start, &mut walk);
    }
    if !MAGIC.iter().any(|&magic| start.starts_with(magic)) || &start[8..] != b"WAVE" {
        return Err(HeaderError::NotWav);
    }
    let (mut format, mut long_length) = (None, None);
    loop {
        let at = walk.at;
        let (id, length) = walk.chunk()?;
        match &id {
            b"fmt " => format = Some(read_format(&mut walk, length.into())?),
            b"ds64" => long_length = Some(read_long_length(&mut walk, length)?),
            b"data" => {
                let broken = HeaderError::Broken { at, what: "the sound begins before its format is told" };
                let length = told_length(length, long_length);
                return format.ok_or(broken).map(|format: Format| format.header(length, Trailer::Riff));
            }
            _ => walk.skip(u64::from(length))?,
        }
        walk.pad(length)?;
    }
}

/// Chunks that programs write behind the sound.
const BEHIND: [&[u8; 4]; 23] = [
    b"LIST", b"id3 ", b"ID3 ", b"bext", b"fact", b"cue ", b"smpl", b"inst", b"PEAK", b"JUNK", b"iXML", b"_PMX",
    b"cart", b"afsp", // and of a Wave64 and a Core Audio file
    b"list", b"levl", b"junk", b"info", b"free", b"chan", b"pakt", b"strg", b"mark",
];

/// Whether the first bytes behind a data chunk of length 0 begin another chunk: the recording is empty then, and no writer died
/// before it filled in the length.
pub(super) fn begins_chunk(bytes: &[u8]) -> bool {
    BEHIND.iter().any(|&id| bytes.starts_with(id))
}

/// What stands behind a data chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behind {
    /// Nothing, chunks without sound, or zeros that fill a sector up.
    Nothing,
    /// More sound.
    Sound(Next),
    /// Bytes that are no chunk.
    Bytes,
}

/// Sound behind other sound; `at` counts bytes from the end of the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A data chunk's sound, of a length as its chunk tells it.
    Chunk { at: u64, length: u32 },
    /// A WAV file.
    Recording { at: u64 },
}

/// Looks behind a data chunk of `length` bytes that a WAV stream is at the end of.
pub(super) fn behind(reader: impl Read, length: u64) -> Behind {
    let mut walk = Walk { reader, at: 0 };
    if walk.pad(length).is_err() {
        return Behind::Nothing;
    }
    let (mut first, mut is_odd) = (true, length % 2 == 1);
    while let Ok((id, length)) = walk.chunk() {
        match &id {
            b"data" if length > 0 => return Behind::Sound(Next::Chunk { at: walk.at, length }),
            id if MAGIC.contains(&id) => return Behind::Sound(Next::Recording { at: walk.at - 8 }),
            // The writer before left out the byte that makes a length even.
            id if is_odd && MAGIC.iter().any(|magic| id.starts_with(&magic[1..])) => {
                return Behind::Sound(Next::Recording { at: walk.at - 9 });
            }
            b"\0\0\0\0" if length == 0 && walk.only_zeros() => return Behind::Nothing,
            _ if !is_chunk_name(id) => return if first { Behind::Bytes } else { Behind::Nothing },
            _ => {}
        }
        if walk.skip(u64::from(length)).and_then(|()| walk.pad(length)).is_err() {
            break;
        }
        (first, is_odd) = (false, length % 2 == 1);
    }
    Behind::Nothing
}

/// Whether four bytes can be a chunk's: letters, digits, spaces. Where a writer left out the byte that makes a chunk's length
/// even, they are read one too late and end with the first of its length, which may be anything.
fn is_chunk_name(id: [u8; 4]) -> bool {
    id[..3].iter().all(|byte| (b' '..=b'~').contains(byte))
}

/// The sound's length by its chunk's 32 bits and, if there is one, the `ds64` chunk.
pub(super) fn told_length(length: u32, long_length: Option<u64>) -> Length {
    match (length, long_length) {
        (u32::MAX, Some(bytes)) if (1..1 << 62).contains(&bytes) => Length::Bytes(bytes),
        (0, _) => Length::Zero,
        (UNKNOWN_LENGTH.., _) => Length::ToTheEnd,
        (bytes, _) => Length::Bytes(u64::from(bytes)),
    }
}

/// The fields of a `fmt ` chunk that matter.
pub(super) struct Format {
    pub(super) tag: u16,
    pub(super) channels: u16,
    pub(super) sample_rate: u32,
    pub(super) block_align: u16,
    pub(super) bits: u16,
}

impl Format {
    pub(super) fn header(&self, length: Length, trailer: Trailer) -> Header {
        let (channels, sample_rate) = (self.channels, self.sample_rate);
        Header { encoding: self.encoding(), channels, sample_rate, length, trailer }
    }

    pub(super) fn encoding(&self) -> Encoding {
        // The container's size decides; a wrong block alignment, or one too small for the bits, leaves these to tell it.
        let holds = |size: u16| size * self.channels == self.block_align && size >= self.bits.div_ceil(8);
        let aligned = self.block_align.checked_div(self.channels).filter(|&size| holds(size));
        let by_size = |size| match (self.tag, size) {
            (1, 1) => Some(SampleFormat::U8),
            (1, 2) => Some(SampleFormat::S16Le),
            (1, 3) => Some(SampleFormat::S24Le),
            (1, 4) => Some(SampleFormat::S32Le),
            (3, 4) => Some(SampleFormat::F32Le),
            (3, 8) => Some(SampleFormat::F64Le),
            (6, _) => Some(SampleFormat::ALaw),
            (7, _) => Some(SampleFormat::MuLaw),
            _ => None,
        };
        let adpcm = |kind| {
            let (block_bytes, channels) = (usize::from(self.block_align), usize::from(self.channels));
            Encoding::Adpcm(AdpcmForm { kind, block_bytes, channels })
        };
        match self.tag {
            2 => adpcm(AdpcmKind::Microsoft),
            0x11 => adpcm(AdpcmKind::Ima),
            0x31 if (usize::from(self.block_align), self.channels) == (gsm::BLOCK_BYTES, 1) => {
                Encoding::Gsm(Packing::Pairs)
            }
            // The second is the one that libavcodec writes.
            0x65 | 0x28F if self.channels == 1 => Encoding::G722,
            tag => aligned
                .and_then(by_size)
                .or_else(|| by_size(self.bits.div_ceil(8)))
                .map_or(Encoding::Other(tag), Encoding::Samples),
        }
    }
}

/// Reads a `fmt ` chunk of `length` bytes.
pub(super) fn read_format<R: Read>(walk: &mut Walk<R>, length: u64) -> Result<Format, HeaderError> {
    let at = walk.at;
    if length < 16 {
        return Err(HeaderError::Broken { at, what: "the format chunk is shorter than 16 bytes" });
    }
    let mut bytes = [0; FORMAT_BYTES];
    let count = usize::try_from(length).map_or(FORMAT_BYTES, |length| length.min(FORMAT_BYTES));
    walk.fill(&mut bytes[..count])?;
    walk.skip(length - count as u64)?;
    let short = |offset: usize| u16::from_le_bytes([bytes[offset], bytes[offset + 1]]);
    // WAVEFORMATEXTENSIBLE (0xFFFE) carries the tag in the first two bytes of its sub-format.
    let tag = if short(0) == 0xFFFE { short(24) } else { short(0) };
    let sample_rate = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
    Ok(Format { tag, channels: short(2), sample_rate, block_align: short(12), bits: short(14) })
}

/// The sound's length from the `ds64` chunk of an RF64 file (EBU Tech 3306): the second of its 64-bit numbers.
fn read_long_length<R: Read>(walk: &mut Walk<R>, length: u32) -> Result<u64, HeaderError> {
    if length < 16 {
        return Err(HeaderError::Broken { at: walk.at, what: "the ds64 chunk is shorter than 16 bytes" });
    }
    let _whole_file: [u8; 8] = walk.take()?;
    let sound = walk.take()?;
    walk.skip(u64::from(length) - 16)?;
    Ok(u64::from_le_bytes(sound))
}

/// A reader that knows its position.
pub(super) struct Walk<R> {
    reader: R,
    at: u64,
}

impl<R: Read> Walk<R> {
    /// The position in bytes.
    pub(super) const fn at(&self) -> u64 {
        self.at
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), HeaderError> {
        self.reader.read_exact(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                HeaderError::Broken { at: self.at, what: "the file ends inside its header" }
            }
            _ => HeaderError::Read(error),
        })?;
        self.at += buffer.len() as u64;
        Ok(())
    }

    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], HeaderError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn chunk(&mut self) -> Result<([u8; 4], u32), HeaderError> {
        let [a, b, c, d, length @ ..]: [u8; 8] = self.take()?;
        Ok(([a, b, c, d], u32::from_le_bytes(length)))
    }

    pub(super) fn skip(&mut self, bytes: u64) -> Result<(), HeaderError> {
        if self.at.saturating_add(bytes) > LONGEST_HEADER {
            return Err(HeaderError::Broken { at: self.at, what: "the sound does not begin within the first 16 MiB" });
        }
        let skipped = io::copy(&mut self.reader.by_ref().take(bytes), &mut io::sink()).map_err(HeaderError::Read)?;
        self.at += skipped;
        if skipped < bytes {
            return Err(HeaderError::Broken { at: self.at, what: "the file ends inside its header" });
        }
        Ok(())
    }

    /// Whether nothing but zeros is left, as far as it is worth looking.
    fn only_zeros(&mut self) -> bool {
        let bytes = io::BufReader::new(self.reader.by_ref().take(LONGEST_HEADER)).bytes();
        bytes.map_while(Result::ok).all(|byte| byte == 0)
    }

    /// Chunks begin at even positions.
    fn pad(&mut self, length: impl Into<u64>) -> Result<(), HeaderError> {
        self.skip(length.into() % 2)
    }

    /// A stream shorter than the first words of a WAV file is some other thing, not a broken one.
    fn or_not_wav(&self, error: HeaderError) -> HeaderError {
        match error {
            HeaderError::Broken { .. } => HeaderError::NotWav,
            other => other,
        }
    }
}
