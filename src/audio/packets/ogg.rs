//! Which pages of an ogg are lost (RFC 3533).
//!
//! symphonia drops a page that its checksum condemns, lets the next begin where the last good one ended, and is right again only
//! with the page after that: the sound of the page between would be early by what is lost.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex, PoisonError};

use symphonia::core::checksum::Crc32;
use symphonia::core::io::Monitor as _;

use super::opus;

/// Bytes of a page's header, before the lengths of its segments.
const HEADER: usize = 27;
const CAPTURE: &[u8] = b"OggS";

/// Sound missing between two pages of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    pub(super) serial: u32,
    /// Where the last page before ended, in ticks, and where the first page after it ends.
    pub(super) before: i64,
    pub(super) after: i64,
    /// There are bytes in the place of the missing ones.
    pub(super) damaged: bool,
}

/// The losses seen so far in what symphonia has read.
#[derive(Clone, Default)]
pub(super) struct Losses(Arc<Mutex<VecDeque<Loss>>>);

impl Losses {
    /// The loss that a packet of a stream at a time stands behind.
    pub(super) fn before(&self, serial: u32, begins: i64) -> Option<Loss> {
        let mut losses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = losses.iter().position(|loss| loss.serial == serial && begins >= loss.before)?;
        losses.remove(index)
    }

    fn push(&self, loss: Loss) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(loss);
    }
}

/// Passes an ogg's good pages on. symphonia passes over the others by itself, but not where it looks for the first sound: the
/// whole recording was refused for it.
pub(super) struct PageWatch<R> {
    inner: R,
    losses: Losses,
    /// Good pages to pass on.
    good: Cursor<Vec<u8>>,
    /// What has passed of the page that is yet to end.
    begun: Vec<u8>,
    /// Bytes have passed since the last good page that are none's.
    skipped: bool,
    last: BTreeMap<u32, LastPage>,
}

/// The last good page of one stream.
struct LastPage {
    number: u32,
    ends: i64,
    /// Pages are missing, and none since has told where it ends.
    lost: bool,
    /// Of an Opus stream, the frames of the packet that goes on in the next page.
    opus: Option<u64>,
}

impl<R: Read> PageWatch<R> {
    pub(super) fn new(inner: R, losses: Losses) -> Self {
        Self { inner, losses, good: Cursor::default(), begun: Vec::new(), skipped: false, last: BTreeMap::new() }
    }

    /// Looks for the next good page in what is begun. No further: how much is read at once must not decide which losses are known
    /// when a packet is heard.
    fn look(&mut self) {
        let begun = std::mem::take(&mut self.begun);
        let mut rest = &begun[..];
        while let Some(at) = rest.windows(CAPTURE.len()).position(|bytes| bytes == CAPTURE) {
            self.skipped |= at > 0;
            rest = &rest[at..];
            let Some(length) = page_length(rest).filter(|&length| length <= rest.len()) else {
                self.begun = rest.to_vec();
                return;
            };
            // As symphonia does, a page that is no page is searched for the next.
            let good = is_good(&rest[..length]);
            if good {
                self.page(&rest[..length]);
                self.good.get_mut().extend_from_slice(&rest[..length]);
            }
            self.skipped = !good;
            rest = &rest[if good { length } else { CAPTURE.len() }..];
            if good {
                self.begun = rest.to_vec();
                return;
            }
        }
        let passed = rest.len().saturating_sub(CAPTURE.len() - 1);
        self.skipped |= passed > 0;
        self.begun = rest[passed..].to_vec();
    }

    fn page(&mut self, page: &[u8]) {
        let word = |at: usize| u32::from_le_bytes([page[at], page[at + 1], page[at + 2], page[at + 3]]);
        let (serial, number) = (word(14), word(18));
        let ends = i64::from(word(6)) | i64::from(word(10)) << 32;
        let begins_stream = page[5] & 2 != 0;
        let last = self.last.get(&serial).filter(|_| !begins_stream);
        let lost = last.is_some_and(|last| last.lost || number != last.number.wrapping_add(1));
        // No packet ends on a page of the time -1.
        let told = ends >= 0;
        let opus = last.map_or_else(|| begins_opus(page).then_some(0), |last| last.opus);
        let opus = opus.map(|begun| opus_frames(page, begun));
        if let Some(last) = last.filter(|last| told && (lost || last.is_left(ends, opus))) {
            self.losses.push(Loss { serial, before: last.ends, after: ends, damaged: self.skipped });
        }
        let ends = if told { ends } else { last.map_or(0, |last| last.ends) };
        let opus = opus.map(|(_, begun)| begun);
        self.last.insert(serial, LastPage { number, ends, lost: lost && !told, opus });
    }
}

impl LastPage {
    /// Whether sound is missing though no page is: what recorded an Opus stream got no packet for a while. Before the first
    /// page of sound nothing is missing, whatever its time.
    fn is_left(&self, ends: i64, opus: Option<(u64, u64)>) -> bool {
        opus.is_some_and(|(frames, _)| self.ends > 0 && ends > self.ends.saturating_add_unsigned(frames))
    }
}

impl<R: Read> Read for PageWatch<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let given = self.good.read(buffer)?;
            if given > 0 || buffer.is_empty() {
                return Ok(given);
            }
            self.good = Cursor::default();
            self.look();
            if !self.good.get_ref().is_empty() {
                continue;
            }
            let count = self.inner.read(buffer)?;
            if count == 0 && self.begun.len() < HEADER {
                return Ok(0);
            }
            if count == 0 {
                // What would go on behind the end is no page, and may hold some.
                self.begun.drain(..CAPTURE.len());
                self.skipped = true;
            }
            self.begun.extend_from_slice(&buffer[..count]);
        }
    }
}

/// The length of a page of which so much is here; `None` if that is too little to tell.
fn page_length(bytes: &[u8]) -> Option<usize> {
    let segments = usize::from(*bytes.get(HEADER - 1)?);
    let lengths = bytes.get(HEADER..HEADER + segments)?;
    Some(HEADER + segments + lengths.iter().map(|&length| usize::from(length)).sum::<usize>())
}

/// The packets' bytes of a whole page, each piece's length before them.
fn body(page: &[u8]) -> (&[u8], &[u8]) {
    page[HEADER..].split_at(usize::from(page[HEADER - 1]))
}

fn begins_opus(page: &[u8]) -> bool {
    body(page).1.starts_with(b"OpusHead")
}

/// The frames of the Opus packets that end on a page, and those of the packet that goes on in the next. `begun` are those of the
/// packet that goes on in this one.
fn opus_frames(page: &[u8], begun: u64) -> (u64, u64) {
    let (lengths, mut rest) = body(page);
    let mut frames = 0_u64;
    let mut packet = (page[5] & 1 != 0).then_some(begun);
    for &length in lengths {
        let of_packet = packet.unwrap_or_else(|| opus::packet_frames(rest));
        rest = rest.get(usize::from(length)..).unwrap_or_default();
        // A packet goes on in the next piece after one of 255 bytes.
        packet = (length == u8::MAX).then_some(of_packet);
        frames += if packet.is_none() { of_packet } else { 0 };
    }
    (frames, packet.unwrap_or(0))
}

/// Whether a page is what its checksum says (RFC 3533, 6), which is reckoned with zeros in its own place.
fn is_good(page: &[u8]) -> bool {
    let (head, tail) = page.split_at(22);
    let mut sum = Crc32::new(0);
    for bytes in [head, &[0; 4], &tail[4..]] {
        sum.process_buf_bytes(bytes);
    }
    tail.starts_with(&sum.crc().to_le_bytes())
}
