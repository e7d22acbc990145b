//! The digit that was over last: what sounds on, comes back or comes up behind it.

use super::Digit;
use super::active::Reference;
use super::history::History;
use super::onset::Came;

/// A repeated digit follows its predecessor by a pause of at least this many filtered samples: 16 ms.
const PAUSE_SAMPLES: f64 = 64.0;
/// How long after a digit the same pair may be its echo, in filtered samples: 100 ms.
const ECHO_SAMPLES: f64 = 400.0;
/// The same pair, weaker than this part of the power of the digit before it, is an echo: -7 dB right after the pause, and
/// less and less by so many dB for each filtered sample, 0.2 dB for each ms, as rooms and lines fade. A key that is pressed
/// again is not so much weaker.
const ECHO_POWER: f32 = 0.2;
const ECHO_FADES_DB: f64 = 0.05;
/// How long after a digit the same pair may be its reverberation in a room, in filtered samples: 400 ms; the rise of its power
/// below which it may be, as what reverberates beats: 14 dB; and its power then, as a part of the digit's: -6 dB.
const TAIL_SAMPLES: f64 = 1600.0;
const TAIL_RISE: f32 = 25.0;
const TAIL_POWER: f32 = 0.25;
/// How long after a digit others are to be expected, in filtered samples: 2 s. Most callers press the next key within one.
const SERIES_SAMPLES: f64 = 8000.0;
/// How long a digit has been over that was right before one that is found now, in filtered samples: 40 ms.
const RIGHT_BEFORE_SAMPLES: f64 = 160.0;

/// The digit that was over last.
#[derive(Clone, Copy)]
pub(crate) struct Previous {
    pub(crate) digit: Digit,
    /// Filtered-sample position of its end.
    pub(crate) end: f64,
    reference: Reference,
    /// Filtered-sample position up to which its pair is known to have sounded on since, weaker.
    sounded: f64,
}

impl Previous {
    /// A digit that is over since a filtered-sample position, and was as loud as that.
    pub(crate) fn new(digit: Digit, end: f64, reference: Reference) -> Self {
        Self { digit, end, reference, sounded: end }
    }

    /// Whether it was over so lately that others are to be expected.
    pub(crate) fn is_recent(&self, history: &History) -> bool {
        (history.count() as f64) < self.end + SERIES_SAMPLES
    }

    /// Whether it was right before what is found now.
    pub(crate) fn is_right_before(&self, history: &History) -> bool {
        (history.count() as f64) < self.end + RIGHT_BEFORE_SAMPLES
    }

    /// Whether its pair, that came up so and sounded `back` sub-blocks ago, is its own tail or echo.
    pub(crate) fn is_echo(&self, came: &Came, history: &History, back: usize) -> bool {
        if self.sounds_on(came) {
            return true;
        }
        let after = came.start - self.end;
        let left = || self.reference.left(history, back);
        let faded = || 10f64.powf(-0.1 * ECHO_FADES_DB * (after - PAUSE_SAMPLES)) as f32;
        after < ECHO_SAMPLES && left() < ECHO_POWER * faded()
            || after < TAIL_SAMPLES && came.rise < TAIL_RISE && left() < TAIL_POWER
    }

    /// Follows its pair, that came up so and sounds now, as long as it sounds on: a line that adjusts its level takes some off a key
    /// that is held, and what goes on behind that is no other.
    pub(crate) fn follow(&mut self, came: &Came, history: &History) {
        if self.sounds_on(came) {
            self.sounded = history.count() as f64;
        }
    }

    /// Whether what came up so has sounded on since: it did not come up after a pause.
    fn sounds_on(&self, came: &Came) -> bool {
        let since = if came.is_seen { self.end } else { self.sounded };
        came.start < since + PAUSE_SAMPLES
    }
}
