//! Ringing: bursts counted from a signal that chatters, pure and by media time.
//!
//! A ring detector gives no clean signal. Many follow the ringing voltage itself (20 to 50 Hz), all bounce. So the line
//! *is ringing* for as long as the signal was seen within the last [`CHATTER`]; a burst is ringing of at least
//! [`SHORTEST`]; bursts closer than [`ONE_RING`] are one ring (the British double ring); a caller has given up when no burst
//! came for [`GIVEN_UP`], longer than any country's pause.

use crate::media::MediaTime;

/// The signal may be away this long within a burst: two periods of the slowest ringing voltage, and bounce.
pub const CHATTER: MediaTime = MediaTime::from_ms(150);
/// Less ringing than this is a spike on the line: dialling on a parallel telephone, a thunderstorm.
pub const SHORTEST: MediaTime = MediaTime::from_ms(200);
/// Bursts with a shorter pause between them are one ring.
pub const ONE_RING: MediaTime = MediaTime::from_ms(800);
/// No ring for so long: the caller has given up. ITU-T E.180 has pauses of up to 5 s.
pub const GIVEN_UP: MediaTime = MediaTime::from_ms(8000);

/// What came of the signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rang {
    /// A ring began; how many with it.
    Ring(u32),
    /// As many rings as asked for have ended: answer now, between two rings.
    Answer,
    /// The caller gave up before.
    GaveUp,
}

/// Counts the rings of one line.
#[derive(Debug, Clone)]
pub struct RingCounter {
    answer_after: u32,
    now: MediaTime,
    /// When the signal was seen last, and when the present burst began.
    seen: Option<MediaTime>,
    began: Option<MediaTime>,
    counted: bool,
    rings: u32,
    /// When the last burst that counted ended.
    ended: MediaTime,
}

impl RingCounter {
    /// Asks for an answer after so many rings; 0 counts as 1.
    pub fn new(answer_after: u32) -> Self {
        let answer_after = answer_after.max(1);
        let (now, ended) = (MediaTime::ZERO, MediaTime::ZERO);
        Self { answer_after, now, seen: None, began: None, counted: false, rings: 0, ended }
    }

    /// Rings so far.
    pub const fn rings(&self) -> u32 {
        self.rings
    }

    /// Forgets all rings: the line was answered, or is not to be.
    pub fn reset(&mut self) {
        *self = Self { now: self.now, ..Self::new(self.answer_after) };
    }

    /// `span` passed, and the signal was there or not.
    pub fn pass(&mut self, span: MediaTime, signal: bool) -> Option<Rang> {
        self.now = self.now + span;
        if signal {
            self.seen = Some(self.now);
        }
        let ringing = self.seen.is_some_and(|seen| self.now - seen <= CHATTER);
        match (self.began, ringing) {
            (None, true) => {
                (self.began, self.counted) = (Some(self.now), false);
                None
            }
            (Some(began), true) => self.burst(began),
            (Some(_), false) => {
                self.began = None;
                if self.counted {
                    self.ended = self.now;
                }
                None
            }
            (None, false) => self.pause(),
        }
    }

    fn burst(&mut self, began: MediaTime) -> Option<Rang> {
        if self.counted || self.now - began < SHORTEST {
            return None;
        }
        self.counted = true;
        if self.rings > 0 && began - self.ended < ONE_RING {
            return None;
        }
        self.rings += 1;
        Some(Rang::Ring(self.rings))
    }

    fn pause(&mut self) -> Option<Rang> {
        let pause = self.now - self.ended;
        if self.rings >= self.answer_after && pause >= CHATTER {
            self.reset();
            return Some(Rang::Answer);
        }
        if self.rings > 0 && pause >= GIVEN_UP {
            self.reset();
            return Some(Rang::GaveUp);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: MediaTime = MediaTime::from_ms(10);

    /// The signal at a ms of a stretch.
    type Signal = fn(u64) -> bool;

    /// Feeds (ms, signal at that ms of the stretch) stretches; what came of it and when, in ms.
    fn rang(answer_after: u32, stretches: &[(u64, Signal)]) -> Vec<(u64, Rang)> {
        let mut counter = RingCounter::new(answer_after);
        let (mut at, mut all) = (0, Vec::new());
        for (ms, signal) in stretches {
            for time in (0..*ms).step_by(10) {
                at += 10;
                all.extend(counter.pass(STEP, signal(time)).map(|rang| (at, rang)));
            }
        }
        all
    }

    const ON: Signal = |_| true;
    const OFF: Signal = |_| false;
    /// A detector that follows 25 Hz, and bounces.
    const CHATTERS: Signal = |ms| ms % 40 < 20 && ms % 70 != 0;

    #[test]
    fn it_answers_after_the_rings_asked_for_and_between_two() {
        for signal in [ON, CHATTERS] {
            let rang = rang(2, &[(1000, signal), (4000, OFF), (1000, signal), (4000, OFF)]);
            let kinds: Vec<Rang> = rang.iter().map(|(_, rang)| *rang).collect();
            assert_eq!(kinds, [Rang::Ring(1), Rang::Ring(2), Rang::Answer]);
            assert!((6100..6500).contains(&rang[2].0), "{rang:?}");
        }
    }

    #[test]
    fn spikes_are_no_rings() {
        assert_eq!(rang(1, &[(10, ON), (500, OFF), (30, ON), (900, OFF), (40, CHATTERS), (9000, OFF)]), []);
    }

    #[test]
    fn a_double_ring_is_one() {
        let double: &[(u64, Signal)] = &[(400, ON), (200, OFF), (400, ON), (2000, OFF)];
        let rang = rang(2, &[double, double].concat());
        let kinds: Vec<Rang> = rang.iter().map(|(_, rang)| *rang).collect();
        assert_eq!(kinds, [Rang::Ring(1), Rang::Ring(2), Rang::Answer]);
    }

    #[test]
    fn a_caller_who_gives_up_is_forgotten() {
        let rang = rang(3, &[(1000, ON), (4000, OFF), (1000, ON), (20_000, OFF), (1000, ON), (1000, OFF)]);
        let kinds: Vec<Rang> = rang.iter().map(|(_, rang)| *rang).collect();
        assert_eq!(kinds, [Rang::Ring(1), Rang::Ring(2), Rang::GaveUp, Rang::Ring(1)]);
    }
}
