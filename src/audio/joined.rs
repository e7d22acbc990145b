//! WAV files whose sound lies in several places: recordings put one behind the other, or several data chunks.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::riff::{Behind, Header, Length, MAGIC, Next, Trailer, begins_chunk, behind, read_header, told_length};
use super::stream::Counted;

mod following;

pub(super) use following::{Ended, Following};

/// Where the sound of a file lies.
pub(super) struct Layout {
    /// The places behind the first.
    more: VecDeque<Place>,
    /// Bytes of the first.
    first: u64,
    /// What stands behind the last, and how many bytes.
    pub(super) behind: (Behind, u64),
}

/// Sound in a file.
#[derive(Clone, Copy)]
struct Place {
    start: u64,
    bytes: u64,
}

/// As long as nobody looked.
const UNKNOWN_BEHIND: (Behind, u64) = (Behind::Nothing, 0);

impl Layout {
    /// Looks through a file that is at the first byte of its sound. The header's length becomes that of all the sound that can
    /// be read as one: what is joined to it must have the same form. A length that did not fit 32 bits is put right: programs
    /// that can't write more write the rest of it.
    pub(super) fn of(file: &mut Counted<File>, header: &mut Header) -> io::Result<Self> {
        let mut layout = Self { more: VecDeque::new(), first: u64::MAX, behind: UNKNOWN_BEHIND };
        let (Length::Bytes(bytes), Trailer::Riff) = (header.length, header.trailer) else { return Ok(layout) };
        let start = file.stream_position()?;
        // Not counted: the progress is that of the sound.
        let file = &mut file.inner;
        let end = file.metadata()?.len();
        let (mut place, mut is_first, mut all) = (Place { start, bytes }, true, 0);
        loop {
            place.bytes += layout.look_behind(file, place, end)?;
            let next = match layout.behind.0 {
                Behind::Sound(next) if header.is_whole(place.bytes) => {
                    next_place(file, header, place.start + place.bytes, next, end)?
                }
                _ => None,
            };
            // Half a frame between two places would put the channels of the second in each other's place.
            let sound = if next.is_some() { place.bytes - header.torn(place.bytes) } else { place.bytes };
            if std::mem::take(&mut is_first) {
                layout.first = sound;
            } else {
                layout.more.push_back(Place { bytes: sound, ..place });
            }
            all += sound;
            let Some(next) = next else { break };
            place = next;
        }
        header.length = Length::Bytes(all);
        file.seek(SeekFrom::Start(start))?;
        Ok(layout)
    }

    /// Looks behind a place, and answers the bytes that its header's 32 bits left out.
    fn look_behind(&mut self, file: &mut File, place: Place, end: u64) -> io::Result<u64> {
        let (told_end, left) = (place.start + place.bytes, end.saturating_sub(place.start).saturating_sub(place.bytes));
        if i64::try_from(told_end).is_err() {
            self.behind = UNKNOWN_BEHIND;
            return Ok(0);
        }
        file.seek(SeekFrom::Start(told_end))?;
        self.behind = (behind(file, place.bytes), left);
        let wrapped = left >> 32 << 32;
        if wrapped == 0 || matches!(self.behind.0, Behind::Sound(_)) {
            return Ok(0);
        }
        self.behind = UNKNOWN_BEHIND;
        Ok(wrapped)
    }

    /// The sound of all places, as if it stood in one; `file` is at the first.
    pub(super) fn reader(self, file: Counted<File>) -> Places {
        Places { file, more: self.more, left: self.first }
    }
}

/// Where sound that was found behind other sound lies, if it has the same form.
fn next_place(file: &mut File, header: &Header, behind: u64, next: Next, end: u64) -> io::Result<Option<Place>> {
    let (start, length) = match next {
        Next::Chunk { at, length } => (behind + at, told_length(length, None)),
        Next::Recording { at } => {
            file.seek(SeekFrom::Start(behind + at))?;
            match read_header(&mut *file) {
                Ok(next) if next.form() == header.form() => (file.stream_position()?, next.length),
                _ => return Ok(None),
            }
        }
    };
    Ok(match length {
        Length::Bytes(bytes) => Some(Place { start, bytes }),
        Length::ToTheEnd => Some(Place { start, bytes: end.saturating_sub(start) }),
        Length::Zero => {
            let mut head = Vec::new();
            file.take(4).read_to_end(&mut head)?;
            is_finished(&head).then_some(Place { start, bytes: 0 })
        }
    })
}

/// Whether a recording without sound, behind whose header stand these first of four bytes, was to have none.
fn is_finished(head: &[u8]) -> bool {
    head.is_empty() || begins_chunk(head) || MAGIC.iter().any(|&magic| head == magic)
}

/// Reads one place after another.
pub(super) struct Places {
    file: Counted<File>,
    more: VecDeque<Place>,
    /// Bytes left of the place under way.
    left: u64,
}

impl Read for Places {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.left == 0 {
            let Some(next) = self.more.pop_front() else { return Ok(0) };
            self.file.seek(SeekFrom::Start(next.start))?;
            self.left = next.bytes;
        }
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = self.file.read(&mut buffer[..most])?;
        self.left -= count as u64;
        Ok(count)
    }
}
