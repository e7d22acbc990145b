//! The sixteen DTMF digits and their frequencies (ITU-T Q.23).

use std::fmt;

/// Row (low group) frequencies in Hz, ITU-T Q.23.
pub const ROW_HZ: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
/// Column (high group) frequencies in Hz, ITU-T Q.23.
pub const COLUMN_HZ: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];

const KEYPAD: [u8; 16] = *b"123A456B789C*0#D";

/// One of the sixteen DTMF digits, `0-9`, `*`, `#`, `A-D`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digit(u8);

impl Digit {
    /// All digits in keypad order, row by row.
    pub fn all() -> impl ExactSizeIterator<Item = Self> + Clone {
        (0..16).map(Self)
    }

    /// The digit at a keypad position.
    ///
    /// # Panics
    /// If `row` or `column` is not in `0..4`.
    pub const fn at(row: usize, column: usize) -> Self {
        assert!(row < 4 && column < 4);
        #[expect(clippy::cast_possible_truncation, reason = "below 16")]
        Self((row * 4 + column) as u8)
    }

    /// Parses the key's character; `a-d` are accepted as `A-D`.
    pub fn from_char(character: char) -> Option<Self> {
        let upper = u8::try_from(character).ok()?.to_ascii_uppercase();
        Self::all().find(|digit| KEYPAD[digit.index()] == upper)
    }

    /// The key's character.
    pub const fn as_char(self) -> char {
        KEYPAD[self.index()] as char
    }

    /// Position in keypad order, `0..16`.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Row, `0..4`, top to bottom.
    pub const fn row(self) -> usize {
        self.index() / 4
    }

    /// Column, `0..4`, left to right.
    pub const fn column(self) -> usize {
        self.index() % 4
    }

    /// The tones as the kernel counts them: four rows, then four columns.
    pub(crate) const fn tones(self) -> [usize; 2] {
        [self.row(), 4 + self.column()]
    }

    /// Nominal frequencies of both tones in Hz, as the detector computes.
    pub(crate) const fn nominal_hz(self) -> [f32; 2] {
        [self.low_hz() as f32, self.high_hz() as f32]
    }

    /// Low-group frequency in Hz.
    pub const fn low_hz(self) -> f64 {
        ROW_HZ[self.row()]
    }

    /// High-group frequency in Hz.
    pub const fn high_hz(self) -> f64 {
        COLUMN_HZ[self.column()]
    }
}

impl fmt::Debug for Digit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digit({})", self.as_char())
    }
}

impl fmt::Display for Digit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_char(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_round_trips_and_has_its_q23_pair() {
        for digit in Digit::all() {
            assert_eq!(Digit::from_char(digit.as_char()), Some(digit));
            assert_eq!(Digit::at(digit.row(), digit.column()), digit);
        }
        let five = Digit::from_char('5').unwrap();
        assert_eq!((five.low_hz(), five.high_hz()), (770.0, 1336.0));
        assert_eq!(Digit::from_char('d').map(Digit::high_hz), Some(1633.0));
        assert_eq!(Digit::from_char('E'), None);
        assert_eq!(Digit::from_char('٣'), None);
    }
}
