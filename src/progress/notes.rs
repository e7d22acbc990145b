//! The special information tone: three rising notes (ITU-T E.180).

use super::frame::Frame;

/// The notes in Hz.
const NOTES_HZ: [f64; 3] = [950.0, 1400.0, 1800.0];
/// Each is within 50 Hz of its nominal frequency.
const OFFSETS_HZ: [f64; 7] = [0.0, -15.0, 15.0, -30.0, 30.0, -45.0, 45.0];
/// Frames of 20 ms in a note: 330 ms +-70 ms, and 274 or 380 ms in the United States; a frame may be lost at each edge.
const FRAMES: std::ops::RangeInclusive<u32> = 11..=21;
/// Frames between two notes: gaps of up to 30 ms, and their edges.
const MOST_GAP: u32 = 3;

/// Follows the notes.
pub(super) struct Notes {
    /// The note that sounds or sounded last, and its frames.
    note: usize,
    frames: u32,
    gap: u32,
}

impl Notes {
    pub(super) const fn new() -> Self {
        Self { note: 0, frames: 0, gap: 0 }
    }

    /// Takes a frame; true as soon as the third note has lasted long enough.
    pub(super) fn take(&mut self, frame: &Frame<'_>) -> bool {
        let is = |note: usize| frame.is_note(NOTES_HZ[note], &OFFSETS_HZ);
        if is(self.note) {
            self.frames += 1 + std::mem::take(&mut self.gap);
        } else if self.frames > 0 && self.note < 2 && FRAMES.contains(&self.frames) && is(self.note + 1) {
            (self.note, self.frames, self.gap) = (self.note + 1, 1, 0);
        } else {
            self.gap += 1;
            if self.gap > MOST_GAP || self.frames == 0 {
                *self = Self::new();
            }
        }
        if self.note == 2 && self.frames == *FRAMES.start() {
            *self = Self::new();
            return true;
        }
        false
    }
}
