//! A WAV on standard output: its header holds its length, and a pipe can't be gone back in.

use std::io::{self, Seek, SeekFrom, Write};

/// Bytes at a file's beginning among which its header is.
const BEGINNING: u64 = 128;
/// Bytes held back before they are sent on.
const HELD: usize = 1 << 16;
/// Bytes at the end of what was written that may still be written over: a byte that makes an odd length even.
const UNSETTLED: usize = 1;

/// Keeps the beginning of what is written, as it is when all is written, and nothing else.
#[derive(Default)]
pub(super) struct Beginning {
    bytes: Vec<u8>,
    at: u64,
}

impl Beginning {
    /// The first bytes of the file.
    pub(super) fn bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl Write for Beginning {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.at < BEGINNING {
            let room = (BEGINNING - self.at) as usize;
            overlay(&mut self.bytes, self.at as usize, &bytes[..bytes.len().min(room)]);
        }
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Beginning {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = target(self.at, to)?;
        Ok(self.at)
    }
}

/// Sends on what is written, in constant memory. Its beginning is known beforehand, so that what goes back to the header can
/// be ignored.
pub(super) struct Onward<W> {
    out: W,
    at: u64,
    sent: u64,
    held: Vec<u8>,
}

impl<W: Write> Onward<W> {
    /// Sends the beginning, and what will be written behind it.
    ///
    /// # Errors
    /// If `out` can't be written.
    pub(super) fn new(mut out: W, beginning: &[u8]) -> io::Result<Self> {
        out.write_all(beginning)?;
        Ok(Self { out, at: 0, sent: beginning.len() as u64, held: Vec::new() })
    }

    /// Sends what is still held back.
    ///
    /// # Errors
    /// If `out` can't be written.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.send(self.held.len())?;
        self.out.flush()
    }

    fn send(&mut self, count: usize) -> io::Result<()> {
        self.out.write_all(&self.held[..count])?;
        self.held.drain(..count);
        self.sent += count as u64;
        Ok(())
    }
}

impl<W: Write> Write for Onward<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let passed = (self.sent.saturating_sub(self.at) as usize).min(bytes.len());
        let place = self.at.saturating_sub(self.sent) as usize;
        overlay(&mut self.held, place, &bytes[passed..]);
        self.at += bytes.len() as u64;
        if self.held.len() >= HELD {
            self.send(self.held.len() - UNSETTLED)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W> Seek for Onward<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = target(self.at, to)?;
        Ok(self.at)
    }
}

/// Writes over what stands at a place, and beyond it.
fn overlay(held: &mut Vec<u8>, place: usize, bytes: &[u8]) {
    let over = bytes.len().min(held.len().saturating_sub(place));
    held[place..place + over].copy_from_slice(&bytes[..over]);
    held.extend_from_slice(&bytes[over..]);
}

/// Where a jump leads to; how long the file will be is not known.
fn target(at: u64, to: SeekFrom) -> io::Result<u64> {
    match to {
        SeekFrom::Start(at) => Some(at),
        SeekFrom::Current(by) => at.checked_add_signed(by),
        SeekFrom::End(_) => None,
    }
    .ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::Cursor;

    use tonopago::audio::g711::Law;
    use tonopago::audio::wav::{Encoding, WavForm, WavWriter};

    use super::*;

    const ENCODINGS: [Encoding; 4] =
        [Encoding::Pcm16, Encoding::Float32, Encoding::G711(Law::Mu), Encoding::G711(Law::A)];

    /// Writes so many samples of a sine, telling how many have been written.
    fn write(file: impl Write + Seek, form: WavForm, count: usize, mut told: impl FnMut(usize)) {
        let mut writer = WavWriter::new(file, form).unwrap();
        let samples: Vec<f32> = (0..count).map(|n| (n as f32 * 0.3).sin()).collect();
        for (index, block) in samples.chunks(777).enumerate() {
            writer.write(&vec![block; usize::from(form.channels)]).unwrap();
            told(index * 777);
        }
        writer.finish().unwrap();
    }

    /// At an odd rate G.711 ends with a byte too many whenever the header is brought up to date.
    #[test]
    fn the_bytes_are_those_of_a_file() {
        for encoding in ENCODINGS {
            for (channels, count) in [(1, 0), (1, 1), (2, 40), (1, 100_001)] {
                let form = WavForm { sample_rate: 11_025, channels, encoding };
                let (mut file, mut beginning, mut sent) = (Cursor::new(Vec::new()), Beginning::default(), Vec::new());
                write(&mut file, form, count, |_| ());
                write(&mut beginning, form, count, |_| ());
                let mut onward = Onward::new(&mut sent, &beginning.bytes()).unwrap();
                write(&mut onward, form, count, |_| ());
                onward.finish().unwrap();
                assert!(sent == file.into_inner(), "{form:?}, {count} samples");
            }
        }
    }

    /// Counts what it gets.
    struct Count<'a>(&'a Cell<usize>);

    impl Write for Count<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.set(self.0.get() + bytes.len());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// All of it was kept until the last sample was made.
    #[test]
    fn what_is_written_is_sent_on_and_not_kept() {
        let (count, form) = (Cell::new(0), WavForm { sample_rate: 8000, channels: 1, encoding: Encoding::Pcm16 });
        let mut onward = Onward::new(Count(&count), &[0; 44]).unwrap();
        write(&mut onward, form, 1_000_000, |samples| assert!(2 * samples < count.get() + 2 * HELD, "{samples}"));
        assert!(onward.held.capacity() <= 4 * HELD, "{} bytes", onward.held.capacity());
    }
}
