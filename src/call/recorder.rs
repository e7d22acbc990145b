//! Recording a call without its secrets: frames leave the recorder only after a look-back, within which a key's sound
//! is still silenced from its true onset.

use std::collections::VecDeque;

use crate::media::MediaTime;
use crate::menu::KeyUse;

/// How long frames are held back. Longer than the detector's slowest report plus the length of one engine tick, so a
/// key is always silenced before its first sample is given out.
pub(super) const LOOK_BACK: MediaTime = MediaTime::from_ms(250);
/// Silenced before a key's measured onset: the measurement is good to a few ms.
const MARGIN: MediaTime = MediaTime::from_ms(20);
/// Silenced after a key's measured end: a line echoes the caller's own keys, up to 100 ms late on long routes.
const ECHO: MediaTime = MediaTime::from_ms(150);

/// How long a doubt lasts, as a rule; beyond it memory grows as needed.
const LONGEST_DOUBT: MediaTime = MediaTime::from_ms(60_000);

/// One frame: caller (left), box (right), full scale 1.0.
pub type Frame = [f32; 2];

/// Holds a call's latest frames back and silences what must not be heard.
pub(super) struct Recorder {
    held: VecDeque<Frame>,
    /// Media time of the first held frame.
    first: MediaTime,
    /// A secret key is sounding, as far as we know.
    key_sounding: bool,
    /// After a secret key's end: silence until here.
    silent_until: MediaTime,
    /// Since then keys have been pressed that may turn out to be a card number's.
    doubtful_since: Option<MediaTime>,
    finished: bool,
}

impl Recorder {
    pub(super) fn new() -> Self {
        Self {
            held: VecDeque::with_capacity(2 * LOOK_BACK.0 as usize),
            first: MediaTime::ZERO,
            key_sounding: false,
            silent_until: MediaTime::ZERO,
            doubtful_since: None,
            finished: false,
        }
    }

    fn end(&self) -> MediaTime {
        MediaTime(self.first.0 + self.held.len() as u64)
    }

    /// Adds frames. In a secret state the sound is never even held: silence of the same length takes its place.
    pub(super) fn push(&mut self, caller: &[f32], line_out: &[f32], secret: bool) {
        for (left, right) in caller.iter().zip(line_out) {
            let silent = secret || self.key_sounding || self.end() < self.silent_until;
            self.held.push_back(if silent { [0.0; 2] } else { [*left, *right] });
        }
    }

    /// A key began at `onset`.
    pub(super) fn key_began(&mut self, used: KeyUse, onset: MediaTime) {
        match used {
            KeyUse::Open => {}
            KeyUse::Doubtful if self.doubtful_since.is_none() => {
                self.doubtful_since = Some(onset);
                // Held until the field is over: room for all of it at once, not while it fills.
                self.held.reserve(LONGEST_DOUBT.0 as usize);
            }
            KeyUse::Doubtful => {}
            KeyUse::Secret => {
                self.key_sounding = true;
                self.silence_from(onset);
            }
        }
    }

    /// The keys since the first doubtful one were a card number's.
    pub(super) fn silence_doubtful(&mut self) {
        if let Some(onset) = self.doubtful_since.take() {
            self.silence_from(onset);
            self.silent_until = self.silent_until.max(self.end() + ECHO);
        }
    }

    /// The keys since the first doubtful one were harmless.
    pub(super) const fn release(&mut self) {
        self.doubtful_since = None;
    }

    fn silence_from(&mut self, onset: MediaTime) {
        let from = onset.since(MARGIN).since(self.first);
        for frame in self.held.iter_mut().skip(usize::try_from(from.0).unwrap_or(usize::MAX)) {
            *frame = [0.0; 2];
        }
    }

    /// The key ended at `end`.
    pub(super) fn key_ended(&mut self, end: MediaTime) {
        if std::mem::take(&mut self.key_sounding) {
            self.silent_until = self.silent_until.max(end + ECHO);
        }
    }

    /// No more frames will come: what is held may go.
    pub(super) const fn finish(&mut self) {
        self.finished = true;
    }

    /// Moves out the frames that can no longer turn out to be secret.
    pub(super) fn drain_into(&mut self, out: &mut Vec<Frame>) {
        let doubtful = self.doubtful_since.map_or(0, |since| self.end().since(since.since(MARGIN)).0);
        let keep = if self.finished { 0 } else { LOOK_BACK.0.max(doubtful) };
        let ready = self.held.len().saturating_sub(usize::try_from(keep).unwrap_or(usize::MAX));
        out.extend(self.held.drain(..ready));
        self.first = MediaTime(self.first.0 + ready as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(steps: impl FnOnce(&mut Recorder)) -> Vec<bool> {
        let mut recorder = Recorder::new();
        steps(&mut recorder);
        recorder.finish();
        let mut frames = Vec::new();
        recorder.drain_into(&mut frames);
        frames.iter().map(|frame| *frame != [0.0; 2]).collect()
    }

    fn push_ms(recorder: &mut Recorder, ms: u64, secret: bool) {
        let sound = vec![0.5; MediaTime::from_ms(ms).0 as usize];
        recorder.push(&sound, &sound, secret);
    }

    #[test]
    fn a_secret_key_is_silent_from_before_its_onset_to_after_its_end() {
        let heard = record(|recorder| {
            push_ms(recorder, 130, false);
            recorder.key_began(KeyUse::Secret, MediaTime::from_ms(100));
            push_ms(recorder, 70, false);
            recorder.key_ended(MediaTime::from_ms(190));
            push_ms(recorder, 200, false);
        });
        let at = |ms: u64| heard[MediaTime::from_ms(ms).0 as usize];
        assert!(at(79) && !at(80) && !at(150) && !at(339) && at(340));
        assert_eq!(heard.len(), MediaTime::from_ms(400).0 as usize, "silence has the same length");
    }

    #[test]
    fn secret_states_are_silent_throughout() {
        let heard = record(|recorder| {
            push_ms(recorder, 10, false);
            push_ms(recorder, 10, true);
            push_ms(recorder, 10, false);
        });
        let expected: Vec<bool> = (0..240).map(|sample| !(80..160).contains(&sample)).collect();
        assert_eq!(heard, expected);
    }

    #[test]
    fn doubtful_keys_stay_in_the_recorder_and_vanish_if_they_were_a_card() {
        for was_card in [true, false] {
            let mut recorder = Recorder::new();
            push_ms(&mut recorder, 500, false);
            recorder.key_began(KeyUse::Doubtful, MediaTime::from_ms(480));
            push_ms(&mut recorder, 5000, false);
            let mut frames = Vec::new();
            recorder.drain_into(&mut frames);
            assert_eq!(frames.len() as u64, MediaTime::from_ms(460).0, "not a sample of the key is given out");
            if was_card {
                recorder.silence_doubtful();
            } else {
                recorder.release();
            }
            push_ms(&mut recorder, 300, false);
            recorder.finish();
            recorder.drain_into(&mut frames);
            let heard = |ms: u64| frames[MediaTime::from_ms(ms).0 as usize] != [0.0; 2];
            assert!(heard(459) && heard(5651));
            assert!(heard(461) != was_card && heard(5000) != was_card && heard(5600) != was_card);
        }
    }

    #[test]
    fn frames_are_held_back_for_the_look_back() {
        let mut recorder = Recorder::new();
        push_ms(&mut recorder, 400, false);
        let mut frames = Vec::new();
        recorder.drain_into(&mut frames);
        assert_eq!(frames.len() as u64, MediaTime::from_ms(400).0 - LOOK_BACK.0);
    }
}
