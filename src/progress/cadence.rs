//! Rhythm: bursts of a tone and the pauses between them.

use super::country::{Kind, Tone};

/// Length of a frame, in ms.
const FRAME_MS: u32 = 20;
/// A steady tone is sure after this long.
const STEADY_MS: u32 = 3000;
/// In a pause the tone's frequencies have at most this part of the burst's power, 8 dB less, and everything together at
/// most that part: our own prompt's echo may be there.
const PAUSE: f64 = 0.16;
const PAUSE_WITH_SPEECH: f64 = 0.5;
/// Frames at the edge of a burst that are neither burst nor pause, and clicks inside one.
const MOST_EDGE_FRAMES: u32 = 2;
/// How far a burst or a pause may be from its nominal length: exchanges keep 10 %, and a frame is lost at each edge.
const TOLERANCE_MS: u32 = 45;
/// Bursts that make a rhythm sure: of a slow one three, of a fast one, which a melody has sooner, four.
const BURSTS: u32 = 3;
const FAST_BURSTS: u32 = 4;
const FAST_CYCLE_MS: u32 = 700;

/// Where the rhythm is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    /// Nothing of the tone yet.
    Nowhere,
    Burst,
    Pause,
}

/// Follows one tone of a table.
pub(super) struct Bursts {
    tone: &'static Tone,
    place: Place,
    /// Of the present burst or pause, in ms.
    length_ms: u32,
    edge_frames: u32,
    /// Power of the present or last burst.
    power: f64,
    /// Bursts of the right length with pauses of the right length between them.
    good: u32,
}

impl Bursts {
    pub(super) fn new(tone: &'static Tone) -> Self {
        Self { tone, place: Place::Nowhere, length_ms: 0, edge_frames: 0, power: 0.0, good: 0 }
    }

    /// Whether a burst sounds.
    pub(super) fn sounds(&self) -> bool {
        self.place == Place::Burst
    }

    /// Takes a frame: whether it is the tone's frequencies, their power, and all its power. The kind of tone once it is sure.
    pub(super) fn take(&mut self, is_tone: bool, tone_power: f64, power: f64) -> Option<Kind> {
        let is_pause = !is_tone && tone_power <= self.power * PAUSE && power <= self.power * PAUSE_WITH_SPEECH;
        match self.place {
            Place::Nowhere if is_tone => self.begin(Place::Burst, power),
            Place::Burst if is_tone => self.go_on(Some(power)),
            Place::Pause if is_pause => self.go_on(None),
            Place::Burst if is_pause => {
                self.end_burst();
                self.begin(Place::Pause, power);
            }
            Place::Pause if is_tone => {
                self.end_pause();
                self.begin(Place::Burst, power);
            }
            Place::Nowhere => {}
            Place::Burst | Place::Pause => self.edge(),
        }
        self.verdict()
    }

    fn begin(&mut self, place: Place, power: f64) {
        // What was at the edge is half of either.
        self.length_ms = FRAME_MS + self.edge_frames * FRAME_MS / 2;
        self.edge_frames = 0;
        if place == Place::Burst {
            self.power = power;
        }
        self.place = place;
    }

    fn go_on(&mut self, burst: Option<f64>) {
        self.length_ms += FRAME_MS * (1 + self.edge_frames);
        self.edge_frames = 0;
        if let Some(power) = burst {
            self.power = power;
        }
    }

    fn edge(&mut self) {
        self.edge_frames += 1;
        if self.edge_frames > MOST_EDGE_FRAMES {
            self.lose();
        }
    }

    fn end_burst(&mut self) {
        let length = self.length_ms + self.edge_frames * FRAME_MS / 2;
        // The first burst may have begun before the line was listened to, and counts as none then.
        if self.fits(length, |(on, _)| on) {
            self.good += 1;
        } else {
            self.good = self.good.saturating_sub(1);
        }
    }

    fn end_pause(&mut self) {
        let length = self.length_ms + self.edge_frames * FRAME_MS / 2;
        if !self.fits(length, |(_, off)| off) {
            self.good = self.good.saturating_sub(1);
        }
    }

    fn fits(&self, length: u32, which: impl Fn((u32, u32)) -> u32) -> bool {
        self.tone.cadence_ms.is_some_and(|cadence| {
            let nominal = which(cadence);
            length.abs_diff(nominal) <= TOLERANCE_MS.max(nominal / 10)
        })
    }

    fn verdict(&mut self) -> Option<Kind> {
        let sure = match self.tone.cadence_ms {
            None => self.place == Place::Burst && self.length_ms >= STEADY_MS,
            Some((on, off)) => self.good >= if on + off <= FAST_CYCLE_MS { FAST_BURSTS } else { BURSTS },
        };
        sure.then(|| {
            self.forget();
            self.tone.kind
        })
    }

    /// Something else sounds. A rhythm that was nearly sure is not all gone: a word of our own prompt may be over it.
    const fn lose(&mut self) {
        let good = self.good.saturating_sub(1);
        self.forget();
        self.good = good;
    }

    const fn forget(&mut self) {
        (self.place, self.length_ms, self.edge_frames, self.power, self.good) = (Place::Nowhere, 0, 0, 0.0, 0);
    }
}
