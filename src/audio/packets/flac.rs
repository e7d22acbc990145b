//! Where a flac ends (RFC 9639). symphonia takes whatever stands behind the last frame for a part of it, finds its checksum
//! wrong, and drops it: half a second of an 8 kHz recording.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Another flac: its mark, and the head of the stream information that must come first. The last metadata block has a bit set.
const NEXT: [[u8; 8]; 2] = [*b"fLaC\0\0\0\x22", *b"fLaC\x80\0\0\x22"];
/// An APE tag of version 2.
const APE_TAG: [u8; 8] = *b"APETAGEX";
const MARK: usize = 8;
/// Bytes of an ID3v1 tag, which begins with `TAG` and ends the file.
const ID3V1: usize = 128;
const PIECE: usize = 8192;

/// Whether another recording was found behind the first.
#[derive(Clone, Default)]
pub(super) struct Joined(Arc<AtomicBool>);

impl Joined {
    pub(super) fn is_joined(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Passes on what belongs to the first flac of the bytes behind its mark.
pub(super) struct FirstFlac<R> {
    inner: R,
    joined: Joined,
    /// What has been read and not passed on, and how much of it may be.
    held: Vec<u8>,
    ready: usize,
    ended: bool,
}

impl<R: Read> FirstFlac<R> {
    pub(super) const fn new(inner: R, joined: Joined) -> Self {
        Self { inner, joined, held: Vec::new(), ready: 0, ended: false }
    }

    fn read_on(&mut self) -> io::Result<()> {
        let mut piece = [0; PIECE];
        let count = self.inner.read(&mut piece)?;
        let seen = self.held.len().saturating_sub(MARK - 1);
        self.held.extend_from_slice(&piece[..count]);
        self.ended = count == 0;
        let mark = self.held[seen..].windows(MARK).position(|bytes| bytes == APE_TAG || is_next(bytes));
        if let Some(at) = mark.map(|at| seen + at) {
            self.joined.0.fetch_or(is_next(&self.held[at..at + MARK]), Ordering::Relaxed);
            self.ended = true;
            self.ready = at;
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

impl<R: Read> Read for FirstFlac<R> {
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
