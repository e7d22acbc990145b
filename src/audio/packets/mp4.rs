//! What symphonia leaves unread of an mp4's index (ISO/IEC 14496-12): where its tracks' sound begins, and in what
//! coding they are.

use std::io::{self, Read};

/// Longest index that is looked at, in bytes: that of an hour's video is some hundred kilobytes.
const LONGEST_INDEX: u64 = 16 << 20;

/// The `moov` box of an mp4.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    pub(super) tracks: Vec<IndexedTrack>,
    /// The sound is in fragments, each with an index of its own.
    pub(super) fragmented: bool,
}

/// One sound track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IndexedTrack {
    pub(super) id: u32,
    /// The four letters of its coding.
    pub(super) coding: [u8; 4],
    /// What the encoder put before the sound, in ticks of the track's time scale.
    pub(super) delay: u64,
}

/// Where a walk over an mp4's boxes came to.
pub(super) enum Found {
    Index(Index),
    /// The sound comes first, and `pass` did not pass over it.
    Sound,
    Nothing,
}

/// Walks over the boxes from the file's start to its index. `pass` passes over so many bytes of sound, or answers `false`.
pub(super) fn find_index<R: Read>(
    reader: &mut R,
    mut pass: impl FnMut(&mut R, u64) -> io::Result<bool>,
) -> io::Result<Found> {
    while let Some((kind, length)) = next_box(reader)? {
        match &kind {
            b"moov" if length <= LONGEST_INDEX => {
                let mut body = Vec::new();
                reader.take(length).read_to_end(&mut body)?;
                let whole = body.len() as u64 == length;
                return Ok(if whole { Found::Index(Index::of(&body)) } else { Found::Nothing });
            }
            b"mdat" | b"moof" => {
                if !pass(reader, length)? {
                    return Ok(Found::Sound);
                }
            }
            _ if length <= LONGEST_INDEX => {
                io::copy(&mut reader.take(length), &mut io::sink())?;
            }
            _ => return Ok(Found::Nothing),
        }
    }
    Ok(Found::Nothing)
}

/// The next box's kind and the length of its body; `None` at the end.
fn next_box(reader: &mut impl Read) -> io::Result<Option<([u8; 4], u64)>> {
    let mut head = Vec::with_capacity(16);
    reader.take(8).read_to_end(&mut head)?;
    if head.starts_with(&[0, 0, 0, 1]) {
        reader.take(8).read_to_end(&mut head)?;
    }
    Ok(box_head(&head).map(|(kind, length, _)| (kind, length)))
}

/// A box's kind, the length of its body, and that of its head; a box to the end of the file is as long as can be.
fn box_head(bytes: &[u8]) -> Option<([u8; 4], u64, usize)> {
    let kind = *bytes.get(4..8)?.first_chunk()?;
    let (length, head) = match number(bytes, 0, 4)? {
        0 => (u64::MAX, 8),
        1 => (number(bytes, 8, 8)?, 16),
        length => (length, 8),
    };
    Some((kind, length.checked_sub(head as u64)?, head))
}

/// The big-endian number in so many bytes.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + length)?;
    Some(bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}

/// The boxes in a body, with their bodies.
fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (kind, length, head) = box_head(bytes)?;
        let rest = &bytes[head.min(bytes.len())..];
        let (body, rest) = rest.split_at(usize::try_from(length).unwrap_or(usize::MAX).min(rest.len()));
        bytes = rest;
        Some((kind, body))
    })
}

fn find<'a>(bytes: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    path.iter().try_fold(bytes, |bytes, &kind| boxes(bytes).find(|(found, _)| found == kind).map(|(_, body)| body))
}

impl Index {
    fn of(moov: &[u8]) -> Self {
        let tracks = boxes(moov).filter(|(kind, _)| kind == b"trak");
        let tracks = tracks.filter_map(|(_, trak)| IndexedTrack::of(trak, moov)).collect();
        Self { tracks, fragmented: find(moov, &[b"mvex"]).is_some() }
    }

    /// What an encoder put before a track's sound, in ticks of the track's time scale.
    pub(super) fn delay(&self, track: u32) -> u64 {
        self.tracks.iter().find(|indexed| indexed.id == track).map_or(0, |indexed| indexed.delay)
    }
}

impl IndexedTrack {
    fn of(trak: &[u8], moov: &[u8]) -> Option<Self> {
        let handler = find(trak, &[b"mdia", b"hdlr"])?;
        if handler.get(8..12)? != b"soun" {
            return None;
        }
        let header = find(trak, &[b"tkhd"])?;
        let id = number(header, if header.first()? == &0 { 12 } else { 20 }, 4)?;
        // The first description: 8 bytes of the list, 4 of the description's length.
        let descriptions = find(trak, &[b"mdia", b"minf", b"stbl", b"stsd"])?;
        let coding = *descriptions.get(12..16)?.first_chunk()?;
        let delay = find(trak, &[b"edts", b"elst"]).map_or_else(|| itunes_delay(moov), edit_start).unwrap_or(0);
        Some(Self { id: u32::try_from(id).ok()?, coding, delay })
    }
}

/// Where in the track's media its first edit begins; an edit that begins at -1 is a pause before it.
fn edit_start(list: &[u8]) -> Option<u64> {
    // Durations and times of 4 bytes or of 8, then 4 bytes of rate.
    let size = if list.first()? == &0 { 4 } else { 8 };
    let entries = list.get(8..)?.chunks_exact(2 * size + 4);
    let negative = 1 << (size * 8 - 1);
    entries.filter_map(|entry| number(entry, size, size)).find(|start| start & negative == 0)
}

/// What iTunes and Apple's tools write: `iTunSMPB`, then a `data` box whose text has the delay as its second number.
fn itunes_delay(moov: &[u8]) -> Option<u64> {
    let after =
        |bytes: &[u8], word: &[u8]| bytes.windows(word.len()).position(|at| at == word).map(|at| at + word.len());
    let tag = &moov[after(moov, b"iTunSMPB")?..];
    // Behind the word come 8 bytes of type and country.
    let text = tag.get(after(tag.get(..64)?, b"data")? + 8..)?;
    let text = std::str::from_utf8(text.get(..40)?).ok()?;
    u64::from_str_radix(text.split_whitespace().nth(1)?, 16).ok()
}
