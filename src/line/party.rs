//! Who is at the other end of a line driven in virtual time.

use crate::audio::{AudioError, Block, Recording, Resampler, Warning};
use crate::media::SAMPLE_RATE;
use crate::menu::Event;
use crate::simulator::Caller;
use crate::simulator::line::Line;

/// The other end: gives audio, hears audio, may hang up.
pub trait Party {
    /// Fills `heard` with the line's next samples (8 kHz), having been sent `said` before; returns how many there were
    /// before the party hung up. Fewer than asked for: the party is gone.
    ///
    /// # Errors
    /// If its audio cannot be read on.
    fn next(&mut self, said: &[f32], heard: &mut [f32]) -> Result<usize, AudioError>;

    /// Lets the party notice what the call did.
    fn notice(&mut self, event: &Event);
}

/// A simulated caller behind a simulated line.
pub struct SimulatedCaller {
    caller: Caller,
    line: Line,
    spoken: Vec<f32>,
}

impl SimulatedCaller {
    /// Puts a caller at the end of a line; the line must have been built for 8 kHz.
    pub const fn new(caller: Caller, line: Line) -> Self {
        Self { caller, line, spoken: Vec::new() }
    }
}

impl Party for SimulatedCaller {
    fn next(&mut self, said: &[f32], heard: &mut [f32]) -> Result<usize, AudioError> {
        if self.caller.has_hung_up() {
            return Ok(0);
        }
        self.spoken.resize(heard.len(), 0.0);
        self.caller.speak(&mut self.spoken);
        self.line.process(&self.spoken, said, heard);
        Ok(heard.len())
    }

    fn notice(&mut self, event: &Event) {
        self.caller.notice(event);
    }
}

/// A caller recorded earlier: one channel of a file, whose keys come when they come. The end of the file is the caller's
/// hang-up.
pub struct RecordedCaller {
    recording: Recording,
    channel: usize,
    block: Block,
    resampler: Option<Resampler>,
    /// Samples at 8 kHz not yet given, from `given` on.
    ready: Vec<f32>,
    given: usize,
    at_end: bool,
}

impl RecordedCaller {
    /// Takes one channel (from 0) of a recording; any rate, resampled to 8 kHz.
    ///
    /// Returns `None` if the recording has no such channel.
    pub fn new(recording: Recording, channel: usize) -> Option<Self> {
        let rate = recording.sample_rate();
        (channel < recording.channels()).then(|| Self {
            resampler: (rate != SAMPLE_RATE).then(|| Resampler::new(rate, SAMPLE_RATE)),
            recording,
            channel,
            block: Block::new(),
            ready: Vec::new(),
            given: 0,
            at_end: false,
        })
    }

    /// What was wrong with the recording so far: cut short, or damaged.
    pub const fn warning(&self) -> Option<&Warning> {
        self.recording.warning()
    }

    fn read_on(&mut self) -> Result<(), AudioError> {
        self.ready.drain(..self.given);
        self.given = 0;
        self.at_end = !self.recording.next_block(&mut self.block)?;
        match &mut self.resampler {
            Some(resampler) if self.at_end => resampler.finish(&mut self.ready),
            Some(resampler) => resampler.process(self.block.channel(self.channel), &mut self.ready),
            None if self.at_end => {}
            None => self.ready.extend_from_slice(self.block.channel(self.channel)),
        }
        Ok(())
    }
}

impl Party for RecordedCaller {
    fn next(&mut self, _said: &[f32], heard: &mut [f32]) -> Result<usize, AudioError> {
        while self.ready.len() - self.given < heard.len() && !self.at_end {
            self.read_on()?;
        }
        let count = heard.len().min(self.ready.len() - self.given);
        heard[..count].copy_from_slice(&self.ready[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }

    fn notice(&mut self, _event: &Event) {}
}
