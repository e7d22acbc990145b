//! A compressed recording's bytes on their way to symphonia.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use symphonia::core::io::{MediaSource, ReadOnlySource};

use super::flac::{FirstFlac, Joined, Next};
use super::forms;
use super::mp4::{self, Found, Index};
use super::ogg::{Losses, PageWatch};
use crate::audio::problem::Problem;
use crate::audio::stream::{Counted, Recorder};

/// Bytes that tell what it is: so many that the third packet of an MPEG transport stream and the mark of a tar are among them.
const HEAD: usize = 512;
/// Those among them that tell a container that is read.
const MARK: usize = 12;

/// What symphonia reads from, and what an mp4's index says beside.
pub(super) struct Source {
    pub(super) bytes: Box<dyn MediaSource>,
    pub(super) index: Index,
    /// What to say of it should symphonia find nothing.
    pub(super) known: Option<Problem>,
    /// The pages that are lost of an ogg.
    pub(super) losses: Losses,
    /// What a flac turned out to be joined to.
    pub(super) joined: Joined,
}

/// A file's bytes, and a second way to read them should symphonia refuse the first. It gets a file to seek in only where it
/// must, for an mp4's index at the end: in a file that can seek it takes a length guessed from the first bit rates for a
/// count, and refuses one that ends before its header says.
///
/// # Errors
/// If the file can't be read, or is known to hold nothing that can be decoded.
pub(super) fn of_file(mut file: Counted<File>) -> Result<(Source, Option<Fallback>), Problem> {
    let head = head(&mut file).map_err(unread)?;
    if !is_mp4(&head) {
        return Ok((of_other(head, file)?, None));
    }
    of_mp4(file).map_err(unread)
}

fn unread(source: io::Error) -> Problem {
    Problem::Read { at_s: 0.0, source }
}

fn of_mp4(mut file: Counted<File>) -> io::Result<(Source, Option<Fallback>)> {
    file.rewind()?;
    let found = mp4::find_index(&mut file, pass_by_seeking)?;
    file.rewind()?;
    let Found::Index(index) = found else {
        return Ok((of_rest(Vec::new(), file, Index::default(), Some(Problem::NoIndex)), None));
    };
    if index.fragmented {
        // Made to be read as it comes, also where the last fragment is cut.
        return Ok((of_rest(Vec::new(), file, index, None), None));
    }
    let fallback = Fallback { file: file.try_clone()?, index: index.clone() };
    let (losses, joined) = (Losses::default(), Joined::default());
    Ok((Source { bytes: Box::new(file), index, known: None, losses, joined }, Some(fallback)))
}

fn pass_by_seeking(file: &mut Counted<File>, bytes: u64) -> io::Result<bool> {
    // A box to the end of the file has no number of bytes to pass, and nothing behind it.
    i64::try_from(bytes).map_or(Ok(false), |bytes| file.seek(SeekFrom::Current(bytes)).map(|_| true))
}

/// The same file from its start, not to be seeked in.
pub(super) struct Fallback {
    file: Counted<File>,
    index: Index,
}

impl Fallback {
    pub(super) fn source(mut self) -> Result<Source, Problem> {
        self.file.rewind().map_err(unread)?;
        Ok(of_rest(Vec::new(), self.file, self.index, None))
    }
}

/// The bytes of a stream of which `record` has been read.
///
/// # Errors
/// As [`of_file`].
pub(super) fn of_stream(record: Vec<u8>, rest: impl Read + Send + Sync + 'static) -> Result<Source, Problem> {
    let mut stream = Cursor::new(record).chain(rest);
    let head = head(&mut stream).map_err(unread)?;
    if !is_mp4(&head) {
        return of_other(head, stream);
    }
    let (mut stream, mut record) = (Cursor::new(head).chain(stream), Vec::new());
    let recorder = &mut Recorder { inner: &mut stream, record: &mut record };
    let (index, known) = match mp4::find_index(recorder, |_, _| Ok(false)).map_err(unread)? {
        Found::Index(index) => (index, None),
        Found::Sound => (Index::default(), Some(Problem::IndexBehind)),
        Found::Nothing => (Index::default(), Some(Problem::NoIndex)),
    };
    Ok(of_rest(record, stream, index, known))
}

/// The bytes of a flac behind another.
pub(super) fn of_joined(next: Next) -> Source {
    let joined = Joined::default();
    let (mark, first) = FirstFlac::of_next(next, joined.clone());
    Source { joined, ..of_rest(mark, first, Index::default(), None) }
}

fn of_other(mut head: Vec<u8>, rest: impl Read + Send + Sync + 'static) -> Result<Source, Problem> {
    if let Some(refused) = forms::refused(&head) {
        return Err(refused);
    }
    let known = forms::guessed(&head);
    let rest = Cursor::new(head.split_off(MARK.min(head.len()))).chain(rest);
    if head.starts_with(b"OggS") {
        let losses = Losses::default();
        let pages = PageWatch::new(Cursor::new(head).chain(rest), losses.clone());
        return Ok(Source { losses, ..of_rest(Vec::new(), pages, Index::default(), known) });
    }
    if head.starts_with(b"fLaC") {
        let joined = Joined::default();
        let first = FirstFlac::new(Box::new(rest), joined.clone());
        return Ok(Source { joined, ..of_rest(head, first, Index::default(), None) });
    }
    Ok(of_rest(head, rest, Index::default(), known))
}

fn of_rest(record: Vec<u8>, rest: impl Read + Send + Sync + 'static, index: Index, known: Option<Problem>) -> Source {
    let (losses, joined) = (Losses::default(), Joined::default());
    Source { bytes: Box::new(ReadOnlySource::new(Cursor::new(record).chain(rest))), index, known, losses, joined }
}

/// The first bytes, behind tags: symphonia is built without ID3, looks for a recording's first bytes in the tag, and gives up
/// after 1 MiB of a cover picture.
fn head(mut reader: impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    loop {
        reader.by_ref().take((HEAD - head.len()) as u64).read_to_end(&mut head)?;
        let Some(length) = tag_length(&head) else { return Ok(head) };
        let here = usize::try_from(length).map_or(head.len(), |length| length.min(head.len()));
        head.drain(..here);
        io::copy(&mut reader.by_ref().take(length - here as u64), &mut io::sink())?;
    }
}

/// The length in bytes of the ID3v2 tag that `head` begins (ID3v2.4 structure, 3.1): 10 of header, the size in four bytes of
/// seven bits, and as many of footer if a flag says so.
fn tag_length(head: &[u8]) -> Option<u64> {
    let &[b'I', b'D', b'3', _, _, flags, a, b, c, d, ..] = head else { return None };
    let size = [a, b, c, d].iter().try_fold(0, |size, &byte| (byte < 0x80).then_some(size << 7 | u64::from(byte)))?;
    Some(10 + size + if flags & 0x10 == 0 { 0 } else { 10 })
}

fn is_mp4(head: &[u8]) -> bool {
    head.get(4..8) == Some(b"ftyp")
}
