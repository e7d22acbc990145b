//! Media time: the engine's only clock is the count of samples it was given.

use std::fmt;
use std::ops::{Add, Sub};

/// The engine's sample rate in Hz. Drivers resample; a telephone line carries nothing above 4 kHz.
pub const SAMPLE_RATE: u32 = 8000;

const SAMPLES_PER_MS: u64 = SAMPLE_RATE as u64 / 1000;

/// A point in a call, or a span of it, in samples at [`SAMPLE_RATE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MediaTime(pub u64);

impl MediaTime {
    /// The start of the call.
    pub const ZERO: Self = Self(0);

    /// From milliseconds.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms * SAMPLES_PER_MS)
    }

    /// Whole milliseconds, rounded down.
    pub const fn as_ms(self) -> u64 {
        self.0 / SAMPLES_PER_MS
    }

    /// The span since `earlier`; zero if that is later.
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

impl Add for MediaTime {
    type Output = Self;
    fn add(self, span: Self) -> Self {
        Self(self.0 + span.0)
    }
}

impl Sub for MediaTime {
    type Output = Self;
    fn sub(self, earlier: Self) -> Self {
        self.since(earlier)
    }
}

impl fmt::Display for MediaTime {
    /// Minutes, seconds and milliseconds: `01:02.345`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.as_ms();
        write!(f, "{:02}:{:02}.{:03}", ms / 60_000, ms / 1000 % 60, ms % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn converts_and_prints() {
        assert_eq!(MediaTime::from_ms(62_345).0, 498_760);
        assert_eq!(MediaTime(498_767).to_string(), "01:02.345");
        assert_eq!(MediaTime(5) - MediaTime(9), MediaTime::ZERO);
    }
}
