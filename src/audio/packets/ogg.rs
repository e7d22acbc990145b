//! Which pages of an ogg are lost (RFC 3533).
//!
//! symphonia drops a page that its checksum condemns, lets the next begin where the last good one ended, and is right again only
//! with the page after that: the sound of the page between would be early by what is lost.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use symphonia::core::checksum::Crc32;
use symphonia::core::io::Monitor as _;

/// Bytes of a page's header, before the lengths of its segments.
const HEADER: usize = 27;
const CAPTURE: &[u8] = b"OggS";

/// Pages missing between two of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    pub(super) serial: u32,
    /// Where the last page before ended, in ticks, and where the first page after it ends.
    pub(super) before: i64,
    pub(super) after: i64,
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

/// Passes an ogg's bytes and looks at its pages.
pub(super) struct PageWatch<R> {
    inner: R,
    losses: Losses,
    /// What has passed of the page that is yet to end.
    begun: Vec<u8>,
    last: BTreeMap<u32, LastPage>,
}

/// The last good page of one stream.
struct LastPage {
    number: u32,
    ends: i64,
    /// Pages are missing, and none since has told where it ends.
    lost: bool,
}

impl<R: Read> PageWatch<R> {
    pub(super) fn new(inner: R, losses: Losses) -> Self {
        Self { inner, losses, begun: Vec::new(), last: BTreeMap::new() }
    }

    fn look(&mut self) {
        let begun = std::mem::take(&mut self.begun);
        let mut rest = &begun[..];
        while let Some(at) = rest.windows(CAPTURE.len()).position(|bytes| bytes == CAPTURE) {
            rest = &rest[at..];
            let Some(length) = page_length(rest).filter(|&length| length <= rest.len()) else {
                self.begun = rest.to_vec();
                return;
            };
            // As symphonia does, a page that is no page is searched for the next.
            let good = is_good(&rest[..length]);
            if good {
                self.page(rest);
            }
            rest = &rest[if good { length } else { CAPTURE.len() }..];
        }
        self.begun = rest[rest.len().saturating_sub(CAPTURE.len() - 1)..].to_vec();
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
        if let Some(last) = last.filter(|_| lost && told) {
            self.losses.push(Loss { serial, before: last.ends, after: ends });
        }
        let ends = if told { ends } else { last.map_or(0, |last| last.ends) };
        self.last.insert(serial, LastPage { number, ends, lost: lost && !told });
    }
}

impl<R: Read> Read for PageWatch<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.begun.extend_from_slice(&buffer[..count]);
        self.look();
        Ok(count)
    }
}

/// The length of a page of which so much is here; `None` if that is too little to tell.
fn page_length(bytes: &[u8]) -> Option<usize> {
    let segments = usize::from(*bytes.get(HEADER - 1)?);
    let lengths = bytes.get(HEADER..HEADER + segments)?;
    Some(HEADER + segments + lengths.iter().map(|&length| usize::from(length)).sum::<usize>())
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
