//! WAVs put one behind the other on a pipe: what stands behind each is only seen once it is over.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{UNKNOWN_BEHIND, is_finished};
use crate::audio::riff::{Behind, Header, Length, Next, behind, read_header, told_length};

/// How the sound of a stream ended; known once it is over.
#[derive(Clone)]
pub(in crate::audio) struct Ended(Arc<Mutex<End>>);

struct End {
    /// Bytes that the last header promised and the stream did not give.
    missing: u64,
    /// What stands behind the last, and how many bytes.
    behind: (Behind, u64),
}

impl Default for Ended {
    fn default() -> Self {
        Self::with(UNKNOWN_BEHIND)
    }
}

impl Ended {
    /// Where what stands behind the sound is known from the beginning.
    pub(in crate::audio) fn with(behind: (Behind, u64)) -> Self {
        Self(Arc::new(Mutex::new(End { missing: 0, behind })))
    }

    pub(in crate::audio) fn missing(&self) -> u64 {
        self.end().missing
    }

    pub(in crate::audio) fn behind(&self) -> (Behind, u64) {
        self.end().behind
    }

    fn end(&self) -> MutexGuard<'_, End> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads one recording's sound after another, as long as they have the form of the first.
pub(in crate::audio) struct Following<R> {
    stream: Lookback<R>,
    header: Header,
    /// Bytes of the recording under way; `None` to the stream's end.
    bytes: Option<u64>,
    /// Those of them still to be given.
    left: u64,
    is_over: bool,
    ended: Ended,
}

impl<R: Read> Following<R> {
    /// A stream that is at the first of so many bytes of sound, of the form that `header` tells.
    pub(in crate::audio) fn new(stream: R, header: &Header, bytes: u64, ended: Ended) -> Self {
        let stream = Lookback { inner: stream, recent: Vec::new(), again: Vec::new(), passed: 0 };
        let mut following = Self { stream, header: header.clone(), bytes: None, left: 0, is_over: false, ended };
        following.begin(Some(bytes));
        following
    }

    fn begin(&mut self, bytes: Option<u64>) {
        self.bytes = bytes;
        self.left = bytes.map_or(u64::MAX, |bytes| bytes - self.half_frame(bytes));
    }

    /// Bytes at the end of so many that would put the channels of what follows in each other's place. A block that is cut, behind
    /// which nothing follows, is sound.
    fn half_frame(&self, bytes: u64) -> u64 {
        if self.header.is_whole(bytes) { self.header.torn(bytes) } else { 0 }
    }

    /// Looks behind a recording, and goes on with the next one if there is one that can be read as one with it.
    fn go_on(&mut self) -> io::Result<()> {
        let bytes = self.bytes.unwrap_or(0);
        let half_frame = self.half_frame(bytes);
        io::copy(&mut self.stream.by_ref().take(half_frame), &mut io::sink())?;
        self.stream.mark();
        let behind = behind(&mut self.stream, bytes);
        if let Behind::Sound(next) = behind
            && self.header.is_whole(bytes)
            && let Some(bytes) = self.next(next)?
        {
            self.begin(bytes);
            return Ok(());
        }
        if behind == Behind::Bytes {
            // How many they are is told.
            io::copy(&mut self.stream, &mut io::sink())?;
        }
        self.is_over = true;
        self.ended.end().behind = (behind, self.stream.passed);
        Ok(())
    }

    /// Comes to the first byte of sound that was found, and answers how many there are.
    fn next(&mut self, next: Next) -> io::Result<Option<Option<u64>>> {
        let length = match next {
            Next::Chunk { length, .. } => told_length(length, None),
            Next::Recording { at } => {
                self.stream.back(self.stream.passed - at);
                match read_header(&mut self.stream) {
                    Ok(next) if next.form() == self.header.form() => next.length,
                    _ => return Ok(None),
                }
            }
        };
        Ok(match length {
            Length::Bytes(bytes) => Some(Some(bytes)),
            Length::ToTheEnd => Some(None),
            Length::Zero => {
                let mut head = Vec::new();
                self.stream.by_ref().take(4).read_to_end(&mut head)?;
                self.stream.back(head.len() as u64);
                is_finished(&head).then_some(Some(0))
            }
        })
    }
}

impl<R: Read> Read for Following<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.left == 0 && !self.is_over {
            self.go_on()?;
        }
        if self.is_over || buffer.is_empty() {
            return Ok(0);
        }
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = self.stream.read(&mut buffer[..most])?;
        if count == 0 {
            self.is_over = true;
            self.ended.end().missing = if self.bytes.is_some() { self.left } else { 0 };
        }
        self.left -= count as u64;
        Ok(count)
    }
}

/// Bytes that can be gone back: the eight that begin a chunk, and one before them.
const RECENT: usize = 16;

/// A stream in which the last few bytes can be read again.
struct Lookback<R> {
    inner: R,
    recent: Vec<u8>,
    /// Bytes to be read again, the next one last.
    again: Vec<u8>,
    /// Bytes read since the mark.
    passed: u64,
}

impl<R> Lookback<R> {
    const fn mark(&mut self) {
        self.passed = 0;
    }

    fn back(&mut self, count: u64) {
        for _ in 0..count {
            self.again.extend(self.recent.pop());
        }
        self.passed = self.passed.saturating_sub(count);
    }
}

impl<R: Read> Read for Lookback<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = if self.again.is_empty() || buffer.is_empty() {
            self.inner.read(buffer)?
        } else {
            let count = buffer.len().min(self.again.len());
            buffer[..count].fill_with(|| self.again.pop().unwrap_or(0));
            count
        };
        self.recent.extend_from_slice(&buffer[count.saturating_sub(RECENT)..count]);
        self.recent.drain(..self.recent.len().saturating_sub(RECENT));
        self.passed += count as u64;
        Ok(count)
    }
}
