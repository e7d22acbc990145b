//! Opening recordings: files, streams, and samples without a header.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::{Kind, Recording, classify};
use crate::audio::packets::PacketReader;
use crate::audio::problem::{AudioError, Problem};
use crate::audio::raw::RawFormat;
use crate::audio::riff::read_header;
use crate::audio::stream::{Counted, Failure, Recorder};
use crate::audio::watch::Watch;

/// How to open recordings, where [`Recording::open`] and [`Recording::from_stream`] don't say enough.
#[derive(Clone, Debug, Default)]
pub struct Opener {
    raw: Option<RawFormat>,
    bytes: Arc<AtomicU64>,
}

impl Opener {
    /// Samples with headers, nothing counted.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes everything as samples without a header.
    #[must_use]
    pub fn raw(self, raw: RawFormat) -> Self {
        Self { raw: Some(raw), ..self }
    }

    /// Adds the bytes read to a counter, for showing progress against the files' lengths.
    #[must_use]
    pub fn counting_into(self, bytes: Arc<AtomicU64>) -> Self {
        Self { bytes, ..self }
    }

    /// Opens a file, or a pipe that has a path.
    ///
    /// # Errors
    /// If it can't be opened, is empty, is no recording, or is in a form that can't be decoded.
    pub fn open(&self, path: &Path) -> Result<Recording, AudioError> {
        let name = path.display().to_string();
        let in_file = |problem: Problem| AudioError::new(&name, problem);
        let open = || {
            let file = File::open(path)?;
            let metadata = file.metadata()?;
            Ok((file, metadata))
        };
        let (file, metadata) = open().map_err(|source| in_file(unopened(path, source)))?;
        if metadata.is_dir() {
            return Err(in_file(Problem::Folder));
        }
        let named = RawFormat::of_name(path);
        if !metadata.is_file() {
            return self.stream_named(&name, file, named);
        }
        let watch = Watch::new(&file, &metadata).map_err(|source| in_file(Problem::Open { source }))?;
        let recording = if self.raw.is_some() {
            self.stream_named(&name, file, named)
        } else {
            Recording::from_file(&name, self.counted(file), named)
        };
        recording.map(|recording| Recording { watch: Some(watch), ..recording })
    }

    /// Reads from a stream that can't seek, such as standard input; `name` is for messages.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn stream(&self, name: &str, stream: impl Read + Send + Sync + 'static) -> Result<Recording, AudioError> {
        self.stream_named(name, stream, None)
    }

    /// As [`stream`](Self::stream); without a header the sound has the form that was `named`.
    fn stream_named(
        &self,
        name: &str,
        stream: impl Read + Send + Sync + 'static,
        named: Option<RawFormat>,
    ) -> Result<Recording, AudioError> {
        let mut stream = self.counted(stream);
        if let Some(raw) = self.raw {
            raw.check().map_err(|problem| AudioError::new(name, problem))?;
            return Recording::wav(name, stream, &raw.header());
        }
        let mut record = Vec::new();
        let header = read_header(Recorder { inner: &mut stream, record: &mut record });
        match classify(header, record.is_empty(), named).map_err(|problem| AudioError::new(name, problem))? {
            Kind::Wav(header) => Recording::wav_stream(name, stream, &header),
            Kind::Raw(header) => Recording::wav(name, Cursor::new(record).chain(stream), &header),
            Kind::Packets => Recording::packets(name, PacketReader::open_stream(record, stream)),
        }
    }

    fn counted<R>(&self, inner: R) -> Counted<R> {
        Counted { inner, bytes: Arc::clone(&self.bytes), failure: Failure::default() }
    }
}

fn unopened(path: &Path, source: io::Error) -> Problem {
    if source.kind() == io::ErrorKind::NotFound && path.is_symlink() {
        return Problem::BrokenLink;
    }
    Problem::Open { source }
}
