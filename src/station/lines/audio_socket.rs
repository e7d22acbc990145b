//! A line of an AudioSocket listener: one of its calls after another.

use std::time::Duration;

use super::super::board::{Count, LineBoard};
use super::super::config::LineConfig;
use super::port::{Port, PortError, gain};
use crate::line::attendant::{STEP, Signals};
use crate::line::audio_socket::{Calls, Connection};
use crate::media::SAMPLE_RATE;

/// Without a call, a line looks so often at what it is told.
const LOOK: Duration = Duration::from_millis(20);
/// Samples of a look.
const LOOK_SAMPLES: usize = SAMPLE_RATE as usize / 50;

/// Gives silence while it has no call.
pub(super) struct AudioSocketPort {
    calls: Calls,
    call: Option<Connection>,
    gains: [f32; 2],
    said: [f32; STEP],
    /// What was counted of the present call before.
    counted: [u64; 4],
    /// What calls that are over have left to be counted.
    owed: [u64; 4],
    broken: u64,
}

impl AudioSocketPort {
    pub(super) fn new(calls: Calls, line: &LineConfig) -> Self {
        let gains = [gain(line.gain_in_db), gain(line.gain_out_db)];
        Self { calls, call: None, gains, said: [0.0; STEP], counted: [0; 4], owed: [0; 4], broken: 0 }
    }

    /// Takes what the present call counted since the last time.
    fn tally(&mut self) {
        let Some(call) = &self.call else { return };
        let tally = call.tally();
        let now = [tally.heard, tally.lost, tally.missing, call.skipped()];
        for ((owed, now), before) in self.owed.iter_mut().zip(now).zip(&mut self.counted) {
            *owed += now - *before;
            *before = now;
        }
    }
}

impl Port for AudioSocketPort {
    fn hear(&mut self, heard: &mut Vec<f32>) -> Result<(), PortError> {
        if self.call.is_none() {
            self.call = self.calls.next(LOOK).map_err(|error| PortError(error.to_string()))?;
            self.counted = [0; 4];
        }
        let Some(call) = &mut self.call else {
            heard.extend([0.0; LOOK_SAMPLES]);
            return Ok(());
        };
        let mut block = [0.0; STEP];
        call.hear(&mut block);
        heard.extend(block.iter().map(|sample| sample * self.gains[0]));
        Ok(())
    }

    fn say(&mut self, said: &[f32]) {
        let Some(call) = &mut self.call else { return };
        for (louder, sample) in self.said.iter_mut().zip(said) {
            *louder = sample * self.gains[1];
        }
        call.say(&self.said[..said.len().min(STEP)]);
    }

    fn count(&mut self, board: &LineBoard) {
        self.tally();
        let counts = [Count::Heard, Count::HeardLost, Count::Missing, Count::Skipped];
        for (count, owed) in counts.into_iter().zip(&mut self.owed) {
            board.add(count, std::mem::take(owed));
        }
        board.add(Count::NoCalls, std::mem::take(&mut self.broken));
    }

    fn signals(&mut self) -> Option<Signals> {
        let Some(call) = &mut self.call else { return Some(Signals::default()) };
        let key = call.next_key();
        let gone = call.ending().is_some();
        Some(Signals { caller: true, gone, key, ..Signals::default() })
    }

    fn reference(&self) -> Option<String> {
        self.call.as_ref().map(|call| call.uuid().to_string())
    }

    fn leave(&mut self) {
        self.tally();
        let Some(call) = self.call.take() else { return };
        match call.ending() {
            Some(ending) if !ending.is_regular() => {
                tracing::warn!(uuid = %call.uuid(), "the call's connection ended: {ending}");
                self.broken += 1;
            }
            _ => {}
        }
        call.hang_up();
    }

    fn close(&mut self) {
        self.calls.close();
    }
}
