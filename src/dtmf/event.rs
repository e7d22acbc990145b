//! What the detector tells: digits that begin and end, and near misses with their reason.

use super::Digit;
use std::fmt;

/// One thing the detector has to say. All times are sample indexes of the input stream, counted from its first sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// A digit is certain; the key may still be down. This is the moment to cut a prompt.
    Begin(Begin),
    /// The digit that began is over.
    End(Detection),
    /// Something looked like a digit and was refused.
    Rejected(NearMiss),
}

/// The beginning of a digit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Begin {
    /// The key.
    pub digit: Digit,
    /// Onset of the tones, in samples. A recorder mutes from here.
    pub start: u64,
    /// How much of the stream was heard when this was decided, in samples: nothing after it was used.
    pub reported: u64,
}

/// What was measured on a pair of tones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// Level of the low-group (row) tone in dBm0.
    pub low_dbm0: f32,
    /// Level of the high-group (column) tone in dBm0.
    pub high_dbm0: f32,
    /// Frequency of the low-group tone in Hz.
    pub low_hz: f32,
    /// Frequency of the high-group tone in Hz.
    pub high_hz: f32,
    /// Power of both tones over everything else between 600 and 1900 Hz, in dB.
    pub snr_db: f32,
}

impl Measurement {
    /// Low-group level over high-group level in dB: positive is normal twist, negative is reverse twist.
    pub fn twist_db(&self) -> f32 {
        self.low_dbm0 - self.high_dbm0
    }
}

/// A complete digit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// The key.
    pub digit: Digit,
    /// Onset of the tones, in samples.
    pub start: u64,
    /// End of the tones, in samples.
    pub end: u64,
    /// How much of the stream was heard when the begin was decided, in samples.
    pub begin_reported: u64,
    /// How much of the stream was heard when the end was decided, in samples.
    pub end_reported: u64,
    /// Levels, frequencies and S/N when the digit was decided.
    pub measured: Measurement,
}

/// Something that was almost a digit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NearMiss {
    /// The key it would have been.
    pub digit: Digit,
    /// Onset of the candidate, in samples.
    pub start: u64,
    /// Its end, in samples.
    pub end: u64,
    /// How much of the stream was heard when it was refused, in samples.
    pub reported: u64,
    /// Why it was refused.
    pub reason: Reason,
    /// What was measured on it.
    pub measured: Measurement,
}

/// Why a candidate was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The tones ended before the shortest accepted duration.
    TooShort,
    /// One tone is too strong against the other.
    Twist,
    /// One tone is too far from its nominal frequency.
    Frequency,
    /// One tone is below the level floor.
    Level,
    /// Too much else sounds beside the two tones: noise, speech or music.
    Noise,
    /// The tones change in level or frequency as a voice does and a keypad does not.
    Unsteady,
    /// It is the digit before, soon again and so much weaker.
    Echo,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooShort => "too short",
            Self::Twist => "twist outside the limits",
            Self::Frequency => "frequency off",
            Self::Level => "level below the floor",
            Self::Noise => "noise or speech beside the tones",
            Self::Unsteady => "tones not steady",
            Self::Echo => "an echo of the digit before",
        })
    }
}
