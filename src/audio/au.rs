//! The header of a Sun or NeXT audio file (AU), the form of many a telephone system's mu-law.

use std::io::Read;

use super::pcm::SampleFormat;
use super::riff::{Encoding, Header, HeaderError, Length, Trailer, Walk};

/// The first four bytes.
pub(super) const MAGIC: &[u8] = b".snd";
/// Bytes of the shortest header.
const SHORTEST: u32 = 24;
/// What a writer says that does not know the length.
const UNKNOWN_LENGTH: u32 = u32::MAX;
/// The header's number for G.722.
const G722: u32 = 24;

/// Reads up to the first byte of sound; `start` has been read of it.
pub(super) fn read_header<R: Read>(start: [u8; 12], walk: &mut Walk<R>) -> Result<Header, HeaderError> {
    let rest: [u8; 12] = walk.take()?;
    let [_, offset, length] = words(start);
    let [encoding, sample_rate, channels] = words(rest);
    let text = offset.checked_sub(SHORTEST);
    let text = text.ok_or(HeaderError::Broken { at: 4, what: "the sound begins inside the header" })?;
    walk.skip(u64::from(text))?;
    let length = match length {
        0 => Length::Zero,
        UNKNOWN_LENGTH => Length::ToTheEnd,
        bytes => Length::Bytes(u64::from(bytes)),
    };
    let channels = u16::try_from(channels).unwrap_or(u16::MAX);
    let encoding = match encoding {
        G722 if channels == 1 => Encoding::G722,
        encoding => samples(encoding).map(Encoding::Samples).map_err(HeaderError::Form)?,
    };
    Ok(Header { encoding, channels, sample_rate, length, trailer: Trailer::Riff })
}

fn words([a, b, c, d, e, f, g, h, i, j, k, l]: [u8; 12]) -> [u32; 3] {
    [[a, b, c, d], [e, f, g, h], [i, j, k, l]].map(u32::from_be_bytes)
}

/// How samples are written, by the header's number for it, or the name of what is not decoded.
fn samples(encoding: u32) -> Result<SampleFormat, String> {
    Ok(match encoding {
        1 => SampleFormat::MuLaw,
        2 => SampleFormat::S8,
        3 => SampleFormat::S16Be,
        4 => SampleFormat::S24Be,
        5 => SampleFormat::S32Be,
        6 => SampleFormat::F32Be,
        7 => SampleFormat::F64Be,
        27 => SampleFormat::ALaw,
        23 => return Err("AU in G.726 (G.721)".to_owned()),
        G722 => return Err("AU in G.722 of several channels".to_owned()),
        25 | 26 => return Err("AU in G.723".to_owned()),
        other => return Err(format!("AU in an unknown encoding ({other})")),
    })
}
