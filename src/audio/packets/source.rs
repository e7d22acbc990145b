//! A compressed recording's bytes on their way to symphonia.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};

use symphonia::core::io::{MediaSource, ReadOnlySource};

use crate::audio::stream::Counted;

/// Bytes that tell the container.
const HEAD: usize = 12;

/// What symphonia reads from.
pub(super) type Source = Box<dyn MediaSource>;

/// A file's bytes, and a second way to read them should symphonia refuse the first. It gets a file to seek in only where it
/// must, for an mp4's index at the end: in a file that can seek it takes a length guessed from the first bit rates for a
/// count, and refuses one that ends before its header says.
pub(super) fn of_file(mut file: Counted<File>) -> io::Result<(Source, Option<Fallback>)> {
    let head = head(&mut file)?;
    if !is_mp4(&head) {
        return Ok((of_stream(head, file), None));
    }
    let fallback = Fallback(file.try_clone()?);
    file.rewind()?;
    Ok((Box::new(file), Some(fallback)))
}

/// The same file from its start, not to be seeked in.
pub(super) struct Fallback(Counted<File>);

impl Fallback {
    pub(super) fn source(mut self) -> io::Result<Source> {
        self.0.rewind()?;
        Ok(of_stream(Vec::new(), self.0))
    }
}

/// The bytes of a stream of which `head` has been read.
pub(super) fn of_stream(head: Vec<u8>, rest: impl Read + Send + Sync + 'static) -> Source {
    Box::new(ReadOnlySource::new(Cursor::new(head).chain(rest)))
}

fn head(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    reader.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

fn is_mp4(head: &[u8]) -> bool {
    head.get(4..8) == Some(b"ftyp")
}
