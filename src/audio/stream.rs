//! Byte streams under a recording: counted, remembered, limited to what a header promises.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use symphonia::core::io::MediaSource;

use super::block::Block;
use super::joined::Ended;

/// Between two looks at a stream that has nothing yet, such as a standard input that was left in non-blocking mode. The
/// stream is any reader, so there is no descriptor to wait on.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The sound of a WAV stream, behind its header.
pub(super) trait WavBody: Send {
    /// Fills `block`; an empty block is the end.
    fn next_block(&mut self, block: &mut Block) -> io::Result<()>;

    /// Frames the header promised and the stream has not given.
    fn missing_frames(&self) -> u64;
}

/// Counts the bytes that pass, waits for those that are yet to come, and remembers why reading failed.
pub(super) struct Counted<R> {
    pub(super) inner: R,
    pub(super) bytes: Arc<AtomicU64>,
    pub(super) failure: Failure,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = loop {
            match self.inner.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(LOOK_AGAIN),
                // Not all who read from here ask again.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result.inspect_err(|error| self.failure.remember(error))?,
            }
        };
        self.bytes.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Why a device could not be read. symphonia's readers take some failures for the end of the recording.
#[derive(Clone, Default)]
pub(super) struct Failure(Arc<OnceLock<io::Error>>);

impl Failure {
    /// What happened, if anything did.
    pub(super) fn error(&self) -> Option<io::Error> {
        self.0.get().map(copy)
    }

    fn remember(&self, error: &io::Error) {
        // The first failure is the one to tell.
        let _ = self.0.set(copy(error));
    }
}

fn copy(error: &io::Error) -> io::Error {
    let other = || io::Error::new(error.kind(), error.to_string());
    error.raw_os_error().map_or_else(other, io::Error::from_raw_os_error)
}

impl Counted<File> {
    /// A second hand on the same file and the same position in it.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        let (bytes, failure) = (Arc::clone(&self.bytes), self.failure.clone());
        Ok(Self { inner: self.inner.try_clone()?, bytes, failure })
    }
}

impl Seek for Counted<File> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

impl MediaSource for Counted<File> {
    fn is_seekable(&self) -> bool {
        self.inner.is_seekable()
    }

    fn byte_len(&self) -> Option<u64> {
        self.inner.byte_len()
    }
}

/// Keeps what passes, so that a stream that can't seek can be read again from its start.
pub(super) struct Recorder<'a, R> {
    pub(super) inner: R,
    pub(super) record: &'a mut Vec<u8>,
}

impl<R: Read> Read for Recorder<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.record.extend_from_slice(&buffer[..count]);
        Ok(count)
    }
}

/// A stream that ends where its header says, or at its own end if that comes first.
pub(super) struct Limited<R> {
    inner: R,
    remaining: Option<u64>,
    ended: Ended,
}

impl<R: Read> Limited<R> {
    /// `length` in bytes; `None` where only the stream's end decides.
    pub(super) fn new(inner: R, length: Option<u64>) -> Self {
        Self { inner, remaining: length, ended: Ended::default() }
    }

    /// A stream that knows its end, and tells how it ended.
    pub(super) fn knowing(inner: R, ended: Ended) -> Self {
        Self { inner, remaining: None, ended }
    }

    /// Bytes promised and not given.
    pub(super) fn missing(&self) -> u64 {
        self.remaining.unwrap_or_else(|| self.ended.missing())
    }

    /// Reads a block of so many bytes; less only at the end.
    pub(super) fn read_block(&mut self, size: usize, block: &mut Vec<u8>) -> io::Result<()> {
        block.clear();
        let mut space = [0; 512];
        while block.len() < size {
            let most = space.len().min(size - block.len());
            let count = self.read_some(&mut space[..most])?;
            if count == 0 {
                break;
            }
            block.extend_from_slice(&space[..count]);
        }
        Ok(())
    }

    /// Reads once, whatever that gives; 0 is the end.
    pub(super) fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let space = buffer.len();
        let most = self.remaining.map_or(space, |bytes| usize::try_from(bytes).map_or(space, |bytes| bytes.min(space)));
        let count = loop {
            match self.inner.read(&mut buffer[..most]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        if let Some(remaining) = &mut self.remaining {
            *remaining -= count as u64;
        }
        Ok(count)
    }
}
