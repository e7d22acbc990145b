//! Where a flac ends (RFC 9639). symphonia takes whatever stands behind the last frame for a part of it, finds its checksum
//! wrong, and drops it: half a second of an 8 kHz recording.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// Another flac: its mark, and the head of the stream information that must come first. The last metadata block has a bit set.
const NEXT: [[u8; 8]; 2] = [*b"fLaC\0\0\0\x22", *b"fLaC\x80\0\0\x22"];
/// An APE tag of version 2.
const APE_TAG: [u8; 8] = *b"APETAGEX";
const MARK: usize = 8;
/// Bytes of an ID3v1 tag, which begins with `TAG` and ends the file.
const ID3V1: usize = 128;
const PIECE: usize = 8192;

/// The bytes of a stream.
pub(super) type Bytes = Box<dyn Read + Send + Sync>;

/// Another recording that was found behind the first: its beginning, and what it goes on with.
pub(super) struct Next {
    beginning: Vec<u8>,
    rest: Bytes,
}

/// What a flac turned out to be joined to.
#[derive(Clone, Default)]
pub(super) struct Joined(Arc<Mutex<Option<Next>>>);

impl Joined {
    /// Takes the recording behind the first, if there is one. Its bytes are no longer the first's.
    pub(super) fn take(&self) -> Option<Next> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, next: Next) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(next);
    }
}

/// Passes on what belongs to the first flac of a stream.
pub(super) struct FirstFlac {
    /// `None` once what is left of it is another recording's.
    inner: Option<Bytes>,
    joined: Joined,
    /// What has been read and not passed on, and how much of it may be.
    held: Vec<u8>,
    ready: usize,
    ended: bool,
    /// Whether `held` was read with the flac before, and may hold all of this one: reading on first would hold more of each.
    unseen: bool,
}

impl FirstFlac {
    /// The bytes behind a flac's mark.
    pub(super) const fn new(inner: Bytes, joined: Joined) -> Self {
        Self { inner: Some(inner), joined, held: Vec::new(), ready: 0, ended: false, unseen: false }
    }

    /// A flac's mark, and the bytes behind it.
    pub(super) fn of_next(Next { mut beginning, rest }: Next, joined: Joined) -> (Vec<u8>, Self) {
        let held = beginning.split_off(MARK);
        (beginning, Self { held, unseen: true, ..Self::new(rest, joined) })
    }

    fn read_on(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.unseen) {
            let mut piece = [0; PIECE];
            let count = self.inner.as_mut().map_or(Ok(0), |inner| inner.read(&mut piece))?;
            self.held.extend_from_slice(&piece[..count]);
            self.ended = count == 0;
        }
        if let Some(at) = self.held.windows(MARK).position(|bytes| bytes == APE_TAG || is_next(bytes)) {
            let beginning = self.held.split_off(at);
            (self.ended, self.ready) = (true, at);
            if let (true, Some(rest)) = (is_next(&beginning[..MARK]), self.inner.take()) {
                self.joined.put(Next { beginning, rest });
            }
            return Ok(());
        }
        let before_tag = self.held.len().saturating_sub(ID3V1);
        let in_tag = !self.ended || self.held[before_tag..].starts_with(b"TAG");
        self.ready = if in_tag { before_tag } else { self.held.len() };
        Ok(())
    }
}

fn is_next(bytes: &[u8]) -> bool {
    NEXT.iter().any(|mark| bytes == mark)
}

impl Read for FirstFlac {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.ready == 0 && !self.ended {
            self.read_on()?;
        }
        let count = self.ready.min(buffer.len());
        buffer[..count].copy_from_slice(&self.held[..count]);
        self.held.drain(..count);
        self.ready -= count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each flac read on before it looked at what was held: 300 MB of 12 000 that were joined, and minutes.
    #[test]
    fn many_joined_flacs_are_held_one_piece_at_a_time() {
        let flac = [&NEXT[0][..], &[0; 1000]].concat();
        let (mut joined, mut found) = (Joined::default(), 0);
        let bytes = io::Cursor::new(flac.repeat(500).split_off(MARK));
        let mut first = FirstFlac::new(Box::new(bytes), joined.clone());
        loop {
            let mut bytes = Vec::new();
            first.read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes.len(), 1000);
            found += 1;
            let Some(next) = joined.take() else { break };
            assert!(next.beginning.len() <= PIECE + ID3V1, "{} bytes", next.beginning.len());
            joined = Joined::default();
            first = FirstFlac::of_next(next, joined.clone()).1;
        }
        assert_eq!(found, 500);
    }
}
