//! One call on the wire, without socket and clock: bytes in, 10 ms of sound at a time out, and the other way round.
//!
//! # Contract
//! - [`Session::receive`] takes the far side's bytes as they come. [`Session::hear`] gives 10 ms of its sound, always: silence
//!   where none has come in time. The driver asks for it every 10 ms of its clock.
//! - Sound is held for [`HOLD`] before it is given, at the beginning and after a gap, so that what comes in fits and starts is
//!   whole. What comes faster than time passes is held up to [`MOST`]; the oldest is lost beyond it. Sound held for longer than
//!   [`ENOUGH`] is caught up with by leaving out quiet pieces, one in ten at most: a pause between two keys stays one.
//! - Keys and the end come in their place between the samples.
//! - The same bytes, asked for at the same places, give the same sound, keys and end, however the bytes are split.

use std::collections::VecDeque;
use std::io;

use zeroize::Zeroize as _;

use super::frame::{FRAME, Frame, FrameReader, Uuid, WireError, samples, write_audio, write_hang_up};
use crate::audio::Resampler;
use crate::dtmf::Digit;
use crate::line::attendant::STEP;
use crate::media::SAMPLE_RATE;

/// Samples held before sound is given: 60 ms, three frames.
pub const HOLD: usize = SAMPLE_RATE as usize * 60 / 1000;
/// Samples that need not be held: 240 ms.
pub const ENOUGH: usize = SAMPLE_RATE as usize * 240 / 1000;
/// Samples held at most: 2 s.
pub const MOST: usize = 2 * SAMPLE_RATE as usize;
/// Keys held at most; nobody presses so many in [`MOST`].
const MOST_KEYS: usize = 64;
/// Quieter than this, of full scale, is a pause: -40 dB.
const QUIET: f32 = 0.01;
/// From one piece left out to the next, in steps.
const BETWEEN_SKIPS: u32 = 10;

/// How a far side ended a call.
#[derive(Debug, thiserror::Error)]
pub enum Ending {
    /// It closed the connection, as Asterisk does when the caller hangs up.
    #[error("the caller hung up")]
    Closed,
    /// It sent bytes that are no AudioSocket.
    #[error(transparent)]
    Broken(#[from] WireError),
    /// It told that it has failed, perhaps why (1 hang-up, 2 forwarding, 4 memory).
    #[error("Asterisk ended the call with an error{}", meaning(*.0))]
    Failed(Option<u8>),
    /// The connection was lost.
    #[error("the connection was lost: {0}")]
    Lost(#[from] io::Error),
    /// It has read nothing for too long.
    #[error("the far side takes no sound")]
    Deaf,
}

/// What a code of Asterisk's says, for the end of a sentence.
fn meaning(code: Option<u8>) -> String {
    match code {
        None => String::new(),
        Some(1) => ": the caller hung up".to_owned(),
        Some(2) => ": a frame could not be passed on".to_owned(),
        Some(4) => ": it has no memory left".to_owned(),
        Some(other) => format!(" of an unknown kind, {other}"),
    }
}

impl Ending {
    /// Whether calls end in this way as a rule.
    pub const fn is_regular(&self) -> bool {
        matches!(self, Self::Closed)
    }
}

/// Samples that did not arrive as they were sent. All only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Heard.
    pub heard: u64,
    /// Heard and lost.
    pub lost: u64,
    /// Silent because none had come in time.
    pub missing: u64,
}

/// One call.
pub struct Session {
    reader: FrameReader,
    resampler: Option<(u32, Resampler)>,
    /// A frame's samples, as they came and at 8 kHz.
    arrived: Vec<f32>,
    converted: Vec<f32>,
    queue: VecDeque<f32>,
    /// Samples that ever came into the queue and out of it.
    came: u64,
    went: u64,
    /// Keys as bytes, which are wiped, and how many samples had come before each.
    keys: VecDeque<(u64, u8)>,
    /// Samples of silence still to be given before sound is.
    hold: usize,
    since_skip: u32,
    ending: Option<Ending>,
    tally: Tally,
    /// What is said and does not fill a frame.
    saying: Vec<f32>,
}

impl Session {
    /// A connection's beginning.
    pub fn new() -> Self {
        Self {
            reader: FrameReader::new(),
            resampler: None,
            arrived: Vec::with_capacity(FRAME),
            converted: Vec::with_capacity(FRAME),
            queue: VecDeque::with_capacity(MOST),
            came: 0,
            went: 0,
            keys: VecDeque::with_capacity(MOST_KEYS),
            hold: HOLD,
            since_skip: 0,
            ending: None,
            tally: Tally::default(),
            saying: Vec::with_capacity(FRAME),
        }
    }

    /// Takes bytes from the far side; its UUID, if it is among them. Once the session is ending, bytes are for nobody.
    pub fn receive(&mut self, bytes: &[u8]) -> Option<Uuid> {
        if self.ending.is_some() {
            return None;
        }
        self.reader.push(bytes);
        let mut named = None;
        loop {
            match self.reader.next_frame() {
                Ok(None) => return named,
                Ok(Some(Frame::Uuid(uuid))) => named = Some(uuid),
                Ok(Some(Frame::Audio { rate, bytes })) => {
                    self.arrived.clear();
                    self.arrived.extend(samples(bytes));
                    self.take_in(rate);
                }
                Ok(Some(Frame::Key(key))) if self.keys.len() < MOST_KEYS => {
                    self.keys.push_back((self.came, key.as_char() as u8));
                }
                Ok(Some(Frame::Key(_))) => {}
                Ok(Some(Frame::HangUp)) => return self.ends(Ending::Closed, named),
                Ok(Some(Frame::Error(reason))) => return self.ends(Ending::Failed(reason), named),
                Err(error) => return self.ends(Ending::Broken(error), named),
            }
        }
    }

    /// The connection is no more. What came before is heard first.
    pub fn end(&mut self, ending: Ending) {
        self.ending.get_or_insert(ending);
    }

    /// Whether nothing more comes in.
    pub const fn is_ending(&self) -> bool {
        self.ending.is_some()
    }

    /// Gives the next 10 ms.
    pub fn hear(&mut self, block: &mut [f32; STEP]) {
        self.since_skip += 1;
        if self.queue.len() > ENOUGH && self.since_skip >= BETWEEN_SKIPS && self.is_quiet() {
            self.since_skip = 0;
            self.lose(STEP);
        }
        if !self.is_ready() {
            self.tally.missing += if self.went > 0 { STEP as u64 } else { 0 };
            return block.fill(0.0);
        }
        let count = STEP.min(self.queue.len());
        for (sample, queued) in block.iter_mut().zip(self.queue.drain(..count)) {
            *sample = queued;
        }
        block[count..].fill(0.0);
        self.went += count as u64;
        self.tally.heard += count as u64;
    }

    /// A key that was pressed before the sound that comes next.
    pub fn next_key(&mut self) -> Option<Digit> {
        let (before, key) = self.keys.front_mut()?;
        if *before > self.went && self.queue.len() >= STEP {
            return None;
        }
        let key = std::mem::take(key);
        self.keys.pop_front();
        Digit::from_char(char::from(key))
    }

    /// How it ended, once all that came before has been heard.
    pub fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref().filter(|_| self.queue.is_empty() && self.keys.is_empty())
    }

    /// How it ended, whatever has not been heard.
    pub fn into_ending(mut self) -> Option<Ending> {
        self.ending.take()
    }

    /// What has become of the sound.
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// Adds what is said to `out`, in whole frames; returns how many samples those are.
    pub fn say(&mut self, said: &[f32], out: &mut Vec<u8>) -> usize {
        self.saying.extend_from_slice(said);
        let whole = self.saying.len() / FRAME * FRAME;
        for frame in self.saying[..whole].chunks_exact(FRAME) {
            write_audio(frame, out);
        }
        self.saying.drain(..whole);
        whole
    }

    /// Adds the rest of what is said, and the end.
    pub fn hang_up(&mut self, out: &mut Vec<u8>) {
        if !self.saying.is_empty() {
            write_audio(&self.saying, out);
            self.saying.clear();
        }
        write_hang_up(out);
    }

    fn ends(&mut self, ending: Ending, named: Option<Uuid>) -> Option<Uuid> {
        self.end(ending);
        named
    }

    /// Takes a frame's samples into the queue.
    fn take_in(&mut self, rate: u32) {
        if rate == SAMPLE_RATE {
            self.resampler = None;
            self.queue.extend(&self.arrived);
            self.came += self.arrived.len() as u64;
        } else {
            if self.resampler.as_ref().is_none_or(|(present, _)| *present != rate) {
                self.resampler = Some((rate, Resampler::new(rate, SAMPLE_RATE)));
            }
            if let Some((_, resampler)) = &mut self.resampler {
                self.converted.clear();
                resampler.process(&self.arrived, &mut self.converted);
            }
            self.queue.extend(&self.converted);
            self.came += self.converted.len() as u64;
        }
        self.lose(self.queue.len().saturating_sub(MOST));
    }

    fn lose(&mut self, samples: usize) {
        self.queue.drain(..samples);
        self.went += samples as u64;
        self.tally.lost += samples as u64;
    }

    /// Whether the next piece may be left out: a pause in whose place no key was told.
    fn is_quiet(&self) -> bool {
        self.queue.iter().take(STEP).all(|sample| sample.abs() < QUIET)
    }

    /// Whether sound may be given now.
    fn is_ready(&mut self) -> bool {
        if self.ending.is_some() {
            return !self.queue.is_empty();
        }
        if self.queue.len() >= HOLD {
            self.hold = 0;
        }
        if self.hold == 0 && self.queue.len() >= STEP {
            return true;
        }
        if self.hold == 0 {
            self.hold = HOLD;
        } else if !self.queue.is_empty() {
            self.hold = self.hold.saturating_sub(STEP);
        }
        false
    }
}

impl Drop for Session {
    /// Keys may be those of a card.
    fn drop(&mut self) {
        self.keys.iter_mut().for_each(|(_, key)| key.zeroize());
    }
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
