//! The header of a Core Audio file (CAF, Apple's "Core Audio Format Specification 1.0"), of sound in the codings a WAV may have.

use std::io::Read;

use super::gsm::{FRAME_BYTES, Packing};
use super::pcm::SampleFormat;
use super::riff::{Encoding, Format, Header, HeaderError, Length, Trailer, Walk};

/// The first four bytes.
pub(super) const MAGIC: &[u8] = b"caff";
/// The only version there is.
const VERSION: [u8; 2] = [0, 1];
/// What stands before the sound in its chunk: how often it was edited.
const EDIT_COUNT: u64 = 4;
/// Flags of linear samples.
const FLOATING_POINT: u32 = 1;
const LITTLE_ENDIAN: u32 = 2;

/// Reads up to the first byte of sound; `start` has been read of it.
pub(super) fn read_header<R: Read>(start: [u8; 12], walk: &mut Walk<R>) -> Result<Header, HeaderError> {
    // The description must come first, and is 32 bytes long.
    let length = i64::from_be_bytes(walk.take()?);
    if start[4..6] != VERSION || &start[8..] != b"desc" || length != 32 {
        return Err(HeaderError::Broken { at: 4, what: "it does not begin with a description of its sound" });
    }
    let description = Description::of(&walk.take()?);
    let encoding = description.encoding().map_err(HeaderError::Form)?;
    loop {
        let at = walk.at();
        let name: [u8; 4] = walk.take()?;
        let length = i64::from_be_bytes(walk.take()?);
        let length = match (&name, u64::try_from(length)) {
            (b"data", Err(_)) => Length::ToTheEnd,
            (b"data", Ok(..=EDIT_COUNT)) => Length::Zero,
            (b"data", Ok(bytes)) => Length::Bytes(bytes - EDIT_COUNT),
            (_, Ok(bytes)) => {
                walk.skip(bytes)?;
                continue;
            }
            (_, Err(_)) => return Err(HeaderError::Broken { at, what: "a chunk has no length" }),
        };
        walk.skip(EDIT_COUNT)?;
        let (channels, sample_rate) = (description.channels, description.sample_rate);
        return Ok(Header { encoding, channels, sample_rate, length, trailer: Trailer::Own });
    }
}

/// What the description chunk says.
struct Description {
    sample_rate: u32,
    coding: [u8; 4],
    flags: u32,
    packet_bytes: u32,
    channels: u16,
    bits: u32,
}

impl Description {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
    fn of(bytes: &[u8; 32]) -> Self {
        let (words, _) = bytes.as_chunks::<4>();
        let word = |index: usize| u32::from_be_bytes(words[index]);
        let sample_rate = f64::from_bits(u64::from(word(0)) << 32 | u64::from(word(1)));
        Self {
            sample_rate: sample_rate.round() as u32,
            coding: words[2],
            flags: word(3),
            packet_bytes: word(4),
            channels: u16::try_from(word(6)).unwrap_or(u16::MAX),
            bits: word(7),
        }
    }

    /// How the sound is coded, or the name of what is not decoded.
    fn encoding(&self) -> Result<Encoding, String> {
        match &self.coding {
            b"lpcm" => self.linear().map(Encoding::Samples),
            b"ulaw" => Ok(Encoding::Samples(SampleFormat::MuLaw)),
            b"alaw" => Ok(Encoding::Samples(SampleFormat::ALaw)),
            b"agsm" if (self.packet_bytes, self.channels) == (FRAME_BYTES as u32, 1) => {
                Ok(Encoding::Gsm(Packing::Frames))
            }
            // A WAV's coding, by its tag.
            &[b'm', b's', high, low] => {
                let (tag, bits) = (u16::from_be_bytes([high, low]), u16::try_from(self.bits).unwrap_or(0));
                let block_align = u16::try_from(self.packet_bytes).unwrap_or(0);
                let format = Format { tag, channels: self.channels, sample_rate: self.sample_rate, block_align, bits };
                match format.encoding() {
                    Encoding::Other(tag) => Err(format!("a Core Audio file (CAF) of WAV's coding {tag:#06x}")),
                    encoding => Ok(encoding),
                }
            }
            _ => Err(format!("a Core Audio file (CAF) of {}", name(self.coding))),
        }
    }

    fn linear(&self) -> Result<SampleFormat, String> {
        let bytes = self.packet_bytes.checked_div(self.channels.into());
        let is_packed = bytes == Some(self.bits.div_ceil(8));
        let (floating, little) = (self.flags & FLOATING_POINT != 0, self.flags & LITTLE_ENDIAN != 0);
        match (floating, bytes.filter(|_| is_packed), little) {
            (false, Some(1), _) => Ok(SampleFormat::S8),
            (false, Some(2), false) => Ok(SampleFormat::S16Be),
            (false, Some(2), true) => Ok(SampleFormat::S16Le),
            (false, Some(3), false) => Ok(SampleFormat::S24Be),
            (false, Some(3), true) => Ok(SampleFormat::S24Le),
            (false, Some(4), false) => Ok(SampleFormat::S32Be),
            (false, Some(4), true) => Ok(SampleFormat::S32Le),
            (true, Some(4), false) => Ok(SampleFormat::F32Be),
            (true, Some(4), true) => Ok(SampleFormat::F32Le),
            (true, Some(8), false) => Ok(SampleFormat::F64Be),
            (true, Some(8), true) => Ok(SampleFormat::F64Le),
            _ => Err(format!("a Core Audio file (CAF) of PCM of an unusual sample size ({} bits)", self.bits)),
        }
    }
}

/// The name of a coding that is not decoded from a CAF.
fn name(coding: [u8; 4]) -> String {
    match &coding {
        b"aac " => "AAC".to_owned(),
        b"alac" => "ALAC".to_owned(),
        b"opus" => "Opus".to_owned(),
        b"ima4" => "IMA ADPCM".to_owned(),
        b"samr" => "AMR".to_owned(),
        b".mp3" => "mp3".to_owned(),
        _ => format!("'{}'", coding.escape_ascii()),
    }
}
