//! Lines written in one piece.

use std::io::{self, Write};

/// Bytes of whole lines that are gathered before they are written.
const MANY: usize = 4096;

/// Writes whole lines only, each in one piece: whoever breaks the program off finds no half of one.
#[derive(Debug)]
pub(super) struct WholeLines<W> {
    out: W,
    waiting: Vec<u8>,
}

impl<W: Write> WholeLines<W> {
    pub(super) const fn new(out: W) -> Self {
        Self { out, waiting: Vec::new() }
    }

    fn give(&mut self) -> io::Result<()> {
        let given = self.out.write_all(&self.waiting);
        self.waiting.clear();
        given
    }
}

impl<W: Write> Write for WholeLines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= MANY && bytes.ends_with(b"\n") {
            self.give()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.give()?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was written, a write a piece.
    struct Pieces(Vec<Vec<u8>>);

    impl Write for Pieces {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Lines longer than standard output holds back were written in pieces, between which Ctrl-C left half of one.
    #[test]
    fn a_program_that_is_broken_off_leaves_whole_lines() {
        let mut lines = WholeLines::new(Pieces(Vec::new()));
        let long = "long/".repeat(500);
        for n in 0..100 {
            writeln!(lines, "{long} {n} {long}").unwrap();
        }
        writeln!(lines, "short").unwrap();
        lines.flush().unwrap();
        let pieces = lines.out.0;
        assert_eq!(pieces.len(), 101, "more at once would be kept in memory, or torn");
        assert!(pieces.iter().all(|piece| piece.ends_with(b"\n")));
        assert_eq!(pieces.concat().len(), 100 * (2 * long.len() + 2) + 190 + 100 + 6);
    }
}
