//! Bytes as they come from others: in pieces of any length. How they are cut follows from the bytes themselves, so that a
//! recording or a conversation is an input as it is, and a finding cuts the same way again.

use std::io::{self, Read};

/// Most bytes of a short piece.
const SHORT: u64 = 9;
/// Most bytes of a long piece.
const LONG: u64 = 3000;

/// Lengths, one after another, that only the bytes decide.
pub struct Lengths(u64);

impl Lengths {
    /// FNV-1a over the bytes begins the row.
    pub fn of(bytes: &[u8]) -> Self {
        let hash = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        Self(bytes.iter().fold(0xcbf2_9ce4_8422_2325, hash) | 1)
    }

    /// A number below `most`.
    pub fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    /// The length of a piece, at least 1; most are short.
    pub fn next(&mut self) -> usize {
        let most = if self.below(4) == 0 { LONG } else { SHORT };
        usize::try_from(1 + self.below(most)).unwrap_or(1)
    }
}

/// The bytes in pieces.
pub fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut lengths = Lengths::of(bytes);
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (piece, behind) = rest.split_at(lengths.next().min(rest.len()));
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    })
}

/// A reader that gives its bytes in pieces, and is interrupted now and then.
pub struct Chopped {
    bytes: Vec<u8>,
    given: usize,
    lengths: Lengths,
}

impl Chopped {
    pub fn new(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), given: 0, lengths: Lengths::of(bytes) }
    }
}

impl Read for Chopped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.lengths.below(16) == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let rest = &self.bytes[self.given..];
        let count = self.lengths.next().min(rest.len()).min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}
