//! How one sample is written as bytes: linear PCM, floating point and G.711.

use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

use super::block::{BLOCK_FRAMES, Block};
use super::g711::Law;
use super::stream::{Limited, WavBody};

/// Samples of a floating-point file beyond this magnitude are limited to it, and what is not a number becomes silence,
/// so that powers computed from them stay finite.
const LARGEST_SAMPLE: f32 = 1e6;

/// The encoding of one sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SampleFormat {
    /// 8 bits, offset by 128.
    U8,
    /// 8 bits signed.
    S8,
    /// 16 bits signed, little-endian.
    S16Le,
    /// 16 bits signed, big-endian.
    S16Be,
    /// 24 bits signed, little-endian.
    S24Le,
    /// 24 bits signed, big-endian.
    S24Be,
    /// 32 bits signed, little-endian.
    S32Le,
    /// 32 bits signed, big-endian.
    S32Be,
    /// 32-bit floating point, little-endian.
    F32Le,
    /// 32-bit floating point, big-endian.
    F32Be,
    /// 64-bit floating point, little-endian.
    F64Le,
    /// 64-bit floating point, big-endian.
    F64Be,
    /// ITU-T G.711 mu-law.
    MuLaw,
    /// ITU-T G.711 A-law.
    ALaw,
}

impl SampleFormat {
    /// Every format with the name it is given on the command line.
    pub const NAMES: [(&'static str, Self); 14] = [
        ("u8", Self::U8),
        ("s8", Self::S8),
        ("s16le", Self::S16Le),
        ("s16be", Self::S16Be),
        ("s24le", Self::S24Le),
        ("s24be", Self::S24Be),
        ("s32le", Self::S32Le),
        ("s32be", Self::S32Be),
        ("f32le", Self::F32Le),
        ("f32be", Self::F32Be),
        ("f64le", Self::F64Le),
        ("f64be", Self::F64Be),
        ("mulaw", Self::MuLaw),
        ("alaw", Self::ALaw),
    ];

    /// Bytes of one sample, 1 to 8.
    pub const fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::S8 | Self::MuLaw | Self::ALaw => 1,
            Self::S16Le | Self::S16Be => 2,
            Self::S24Le | Self::S24Be => 3,
            Self::S32Le | Self::S32Be | Self::F32Le | Self::F32Be => 4,
            Self::F64Le | Self::F64Be => 8,
        }
    }

    /// Appends the samples of one channel, as fractions of full scale, from whole frames of so many bytes in which they
    /// begin at an offset.
    #[expect(clippy::cast_possible_truncation, reason = "24 bits of precision are enough")]
    fn decode_channel(self, frames: Frames<'_>, plane: &mut Vec<f32>) {
        match self {
            Self::U8 => frames.each(plane, |[a]| (f32::from(a) - 128.0) / 128.0),
            Self::S8 => frames.each(plane, |[a]| signed32([0, 0, 0, a])),
            Self::S16Le => frames.each(plane, |bytes| f32::from(i16::from_le_bytes(bytes)) / 32_768.0),
            Self::S16Be => frames.each(plane, |bytes| f32::from(i16::from_be_bytes(bytes)) / 32_768.0),
            Self::S24Le => frames.each(plane, |[a, b, c]| signed32([0, a, b, c])),
            Self::S24Be => frames.each(plane, |[a, b, c]| signed32([0, c, b, a])),
            Self::S32Le => frames.each(plane, signed32),
            Self::S32Be => frames.each(plane, |[a, b, c, d]| signed32([d, c, b, a])),
            Self::F32Le => frames.each(plane, |bytes| finite(f32::from_le_bytes(bytes))),
            Self::F32Be => frames.each(plane, |bytes| finite(f32::from_be_bytes(bytes))),
            Self::F64Le => frames.each(plane, |bytes| finite(f64::from_le_bytes(bytes) as f32)),
            Self::F64Be => frames.each(plane, |bytes| finite(f64::from_be_bytes(bytes) as f32)),
            Self::MuLaw => frames.each(plane, |[octet]| Law::Mu.decode_f32(octet)),
            Self::ALaw => frames.each(plane, |[octet]| Law::A.decode_f32(octet)),
        }
    }
}

/// Whole frames of interleaved samples, and which channel of them is meant.
#[derive(Clone, Copy)]
struct Frames<'a> {
    bytes: &'a [u8],
    /// Bytes of one frame.
    frame: usize,
    /// Where in it the channel's sample begins.
    offset: usize,
}

impl Frames<'_> {
    /// Appends the channel's samples of `N` bytes each. The format is chosen once for all of them, so that they can be read
    /// several at a time: chosen for each, reading took a quarter of the time a recording takes to decode.
    fn each<const N: usize>(self, plane: &mut Vec<f32>, value: impl Fn([u8; N]) -> f32) {
        if self.frame == N {
            plane.extend(self.bytes.as_chunks::<N>().0.iter().map(|bytes| value(*bytes)));
        } else {
            let frames = self.bytes.chunks_exact(self.frame);
            plane.extend(frames.map(|frame| value(*frame[self.offset..].first_chunk().unwrap_or(&[0; N]))));
        }
    }
}

impl fmt::Display for SampleFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(_, format)| format == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for SampleFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::NAMES.iter().find(|(name, _)| *name == text);
        known.map(|(_, format)| *format).ok_or_else(|| {
            let names: Vec<&str> = Self::NAMES.iter().map(|(name, _)| *name).collect();
            format!("unknown sample format `{text}`; known are {}", names.join(", "))
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "24 bits of precision are enough")]
fn signed32(bytes: [u8; 4]) -> f32 {
    i32::from_le_bytes(bytes) as f32 / 2_147_483_648.0
}

/// The sample, or what stands for it where it is no usable number.
pub(super) fn finite(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-LARGEST_SAMPLE, LARGEST_SAMPLE) } else { 0.0 }
}

/// Reads interleaved samples from a byte stream, block by block.
///
/// A block holds what one read of the stream gave, so that a live pipe is decoded as it arrives.
pub(super) struct FrameReader<R> {
    reader: Limited<R>,
    format: SampleFormat,
    channels: usize,
    buffer: Vec<u8>,
    /// Bytes in `buffer` that belong to a frame not yet complete.
    held: usize,
}

impl<R: Read> FrameReader<R> {
    pub(super) fn new(reader: Limited<R>, format: SampleFormat, channels: usize) -> Self {
        let buffer = vec![0; BLOCK_FRAMES * channels * format.bytes()];
        Self { reader, format, channels, buffer, held: 0 }
    }

    const fn frame_bytes(&self) -> usize {
        self.channels * self.format.bytes()
    }
}

impl<R: Read + Send> WavBody for FrameReader<R> {
    fn next_block(&mut self, block: &mut Block) -> io::Result<()> {
        block.reset(self.channels);
        let frame = self.frame_bytes();
        while self.held < frame {
            let count = self.reader.read_some(&mut self.buffer[self.held..])?;
            if count == 0 {
                return Ok(());
            }
            self.held += count;
        }
        let whole = self.held - self.held % frame;
        for (channel, plane) in block.planes_mut().iter_mut().enumerate() {
            let offset = channel * self.format.bytes();
            self.format.decode_channel(Frames { bytes: &self.buffer[..whole], frame, offset }, plane);
        }
        self.buffer.copy_within(whole..self.held, 0);
        self.held -= whole;
        Ok(())
    }

    fn missing_frames(&self) -> u64 {
        self.reader.missing() / self.frame_bytes() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_reads_its_extremes_and_its_middle() {
        let cases: [(SampleFormat, &[u8], f32); 20] = [
            (SampleFormat::U8, &[0], -1.0),
            (SampleFormat::U8, &[128], 0.0),
            (SampleFormat::S8, &[0xC0], -0.5),
            (SampleFormat::S16Le, &[0x00, 0x80], -1.0),
            (SampleFormat::S16Le, &[0x00, 0x40], 0.5),
            (SampleFormat::S16Be, &[0x40, 0x00], 0.5),
            (SampleFormat::S24Le, &[0x00, 0x00, 0x80], -1.0),
            (SampleFormat::S24Le, &[0x00, 0x00, 0x20], 0.25),
            (SampleFormat::S24Be, &[0x80, 0x00, 0x00], -1.0),
            (SampleFormat::S24Be, &[0x20, 0x00, 0x00], 0.25),
            (SampleFormat::S32Le, &[0, 0, 0, 0xC0], -0.5),
            (SampleFormat::S32Be, &[0xC0, 0, 0, 0], -0.5),
            (SampleFormat::F32Le, &0.25_f32.to_le_bytes(), 0.25),
            (SampleFormat::F32Be, &0.25_f32.to_be_bytes(), 0.25),
            (SampleFormat::F64Be, &(-0.125_f64).to_be_bytes(), -0.125),
            (SampleFormat::F32Le, &f32::NAN.to_le_bytes(), 0.0),
            (SampleFormat::F64Le, &(-0.125_f64).to_le_bytes(), -0.125),
            (SampleFormat::F64Le, &1e300_f64.to_le_bytes(), 0.0),
            (SampleFormat::MuLaw, &[0xFF], 0.0),
            (SampleFormat::ALaw, &[0xD5], 8.0 / 32_768.0),
        ];
        for (format, bytes, expected) in cases {
            let size = format.bytes();
            assert_eq!(size, bytes.len());
            // Alone, and as the second channel of two frames.
            let stereo = [&vec![0xA5; size], bytes, &vec![0x5A; size], bytes].concat();
            for (bytes, frame, offset, frames) in [(bytes, size, 0, 1), (&stereo, 2 * size, size, 2)] {
                let mut plane = Vec::new();
                format.decode_channel(Frames { bytes, frame, offset }, &mut plane);
                let found: Vec<u32> = plane.iter().map(|sample| sample.to_bits()).collect();
                assert_eq!(found, vec![expected.to_bits(); frames], "{format} {bytes:?}");
            }
        }
    }

    #[test]
    fn names_round_trip_and_a_wrong_one_lists_the_right_ones() {
        for (name, format) in SampleFormat::NAMES {
            assert_eq!((name.parse(), format.to_string()), (Ok(format), name.to_owned()));
        }
        assert!("pcm".parse::<SampleFormat>().unwrap_err().contains("s16le, s16be"));
    }

    /// Gives one byte a read, the worst a pipe can do.
    struct Trickle(Vec<u8>);

    impl Read for Trickle {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if buffer.is_empty() || self.0.is_empty() {
                return Ok(0);
            }
            buffer[0] = self.0.remove(0);
            Ok(1)
        }
    }

    #[test]
    fn a_trickling_pipe_gives_every_whole_frame_and_drops_a_torn_one() {
        let bytes = [0x00, 0x40, 0x00, 0xC0, 0x00, 0x20, 0x00, 0xE0, 0x00, 0x10];
        let mut reader = FrameReader::new(Limited::new(Trickle(bytes.to_vec()), None), SampleFormat::S16Le, 2);
        let (mut block, mut left, mut right) = (Block::new(), Vec::new(), Vec::new());
        loop {
            reader.next_block(&mut block).unwrap();
            if block.is_empty() {
                break;
            }
            left.extend_from_slice(block.channel(0));
            right.extend_from_slice(block.channel(1));
        }
        assert_eq!((left, right), (vec![0.5, 0.25], vec![-0.5, -0.25]));
    }

    #[test]
    fn bytes_after_the_promised_end_are_not_sound() {
        let mut reader = FrameReader::new(Limited::new(&[128_u8; 10][..], Some(6)), SampleFormat::U8, 1);
        let mut block = Block::new();
        reader.next_block(&mut block).unwrap();
        assert_eq!((block.frames(), reader.missing_frames()), (6, 0));
        reader.next_block(&mut block).unwrap();
        assert!(block.is_empty());
    }
}
