//! The header of a Sony Wave64 file: WAV with lengths of 64 bits. A chunk is named by 16 bytes, its length counts its name and
//! itself, and the next begins at a multiple of eight.

use std::io::Read;

use super::riff::{Format, Header, HeaderError, Length, Trailer, Walk, read_format};

/// The first four bytes. What a WAV names in four capital letters, Wave64 names in four small ones and the same twelve bytes.
pub(super) const MAGIC: &[u8] = b"riff";
const RIFF_REST: [u8; 12] = [0x2E, 0x91, 0xCF, 0x11, 0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1, 0x00, 0x00];
const REST: [u8; 12] = [0xF3, 0xAC, 0xD3, 0x11, 0x8C, 0xD1, 0x00, 0xC0, 0x4F, 0x8E, 0xDB, 0x8A];
/// Bytes of a chunk's name and length.
const CHUNK_HEAD: u64 = 24;
const ALIGNMENT: u64 = 8;
/// Lengths from here up are no lengths.
const UNKNOWN_LENGTH: u64 = 1 << 62;

/// Reads up to the first byte of sound; `start` has been read of it.
pub(super) fn read_header<R: Read>(start: [u8; 12], walk: &mut Walk<R>) -> Result<Header, HeaderError> {
    let rest: [u8; 12] = walk.take()?;
    let wave: [u8; 16] = walk.take()?;
    if start[4..] != RIFF_REST[..8] || rest[..4] != RIFF_REST[8..] || !is_named(wave, b"wave") {
        return Err(HeaderError::NotWav);
    }
    let mut format = None;
    loop {
        let at = walk.at();
        let name: [u8; 16] = walk.take()?;
        let length = u64::from_le_bytes(walk.take()?);
        if is_named(name, b"data") {
            let length = match length {
                UNKNOWN_LENGTH.. => Length::ToTheEnd,
                0..=CHUNK_HEAD => Length::Zero,
                bytes => Length::Bytes(bytes - CHUNK_HEAD),
            };
            let broken = HeaderError::Broken { at, what: "the sound begins before its format is told" };
            return format.ok_or(broken).map(|format: Format| format.header(length, Trailer::Own));
        }
        let too_short = HeaderError::Broken { at, what: "a chunk is shorter than its name" };
        let body = length.checked_sub(CHUNK_HEAD).ok_or(too_short)?;
        if is_named(name, b"fmt ") {
            format = Some(read_format(walk, body)?);
        } else {
            walk.skip(body)?;
        }
        walk.skip(length.wrapping_neg() % ALIGNMENT)?;
    }
}

fn is_named(name: [u8; 16], word: &[u8; 4]) -> bool {
    name.starts_with(word) && name.ends_with(&REST)
}
