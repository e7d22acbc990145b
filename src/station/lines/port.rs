//! Where a line's sound comes from and goes to, at the engine's 8 kHz.

use std::fmt;
use std::sync::Arc;

use crate::line::attendant::Signals;
use crate::menu::Event;

use super::super::board::LineBoard;
use super::super::config::{LineConfig, Source};
use super::audio_socket::AudioSocketPort;
use super::exchange::Exchange;
use super::simulated::SimulatedPort;

/// A line's sound.
pub(super) trait Port {
    /// Waits for more sound and adds it, any length, to `heard`.
    ///
    /// # Errors
    /// If the sound has stopped; the port is to be opened again.
    fn hear(&mut self, heard: &mut Vec<f32>) -> Result<(), PortError>;

    /// Gives sound to the line, as much as was heard.
    fn say(&mut self, said: &[f32]);

    /// Brings the board's counts up to date.
    fn count(&mut self, board: &LineBoard);

    /// What the line tells besides its sound, since the last time it was asked; nothing where a hook tells it.
    fn signals(&mut self) -> Option<Signals> {
        None
    }

    /// What the far side calls its present call, for the log; it names no person.
    fn reference(&self) -> Option<String> {
        None
    }

    /// The line is let go of.
    fn leave(&mut self) {}

    /// No call is taken any more; the present one goes on.
    fn close(&mut self) {}

    /// The call did something; a simulated caller notices.
    fn notice(&mut self, _event: &Event) {}
}

/// Why there is no sound.
#[derive(Debug)]
pub(super) struct PortError(pub(super) String);

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What sound is multiplied by to be so many dB louder.
pub(super) fn gain(db: f64) -> f32 {
    10_f64.powf(db / 20.0) as f32
}

/// Opens a line's sound. `demo_key` gives simulated callers what they pay with.
pub(super) fn open(
    line: &LineConfig,
    exchanges: &[Arc<Exchange>],
    demo_key: DemoKey,
) -> Result<Box<dyn Port>, PortError> {
    match &line.source {
        #[cfg(feature = "sound-card")]
        Source::Card(card) => Ok(Box::new(card::CardPort::open(card, line)?)),
        #[cfg(not(feature = "sound-card"))]
        Source::Card(_) => Err(PortError("this program was built without sound cards".to_owned())),
        Source::AudioSocket { group, .. } => {
            let exchange = exchanges.iter().find(|exchange| exchange.group() == group);
            let exchange = exchange.expect("each group of the configuration has its exchange");
            Ok(Box::new(AudioSocketPort::new(exchange.open().map_err(PortError)?, line)))
        }
        Source::Simulated { every } => Ok(Box::new(SimulatedPort::new(*every, demo_key))),
    }
}

/// Gives a new payment key of a demonstration.
pub(super) type DemoKey = Box<dyn FnMut() -> Option<crate::service::PaymentKey>>;

#[cfg(feature = "sound-card")]
mod card {
    use std::time::Duration;

    use super::super::super::board::{Count, LineBoard};
    use super::super::super::config::{CardConfig, LineConfig};
    use super::{Port, PortError, gain};
    use crate::audio::Resampler;
    use crate::line::sound_card::{DuplexStream, SoundCard};
    use crate::media::SAMPLE_RATE;

    /// How long a card may deliver nothing.
    const PATIENCE: Duration = Duration::from_secs(2);

    /// A sound card.
    pub(super) struct CardPort {
        stream: DuplexStream,
        to_engine: Option<Resampler>,
        to_card: Option<Resampler>,
        gain_in: f32,
        gain_out: f32,
        /// Sound on its way, in the engine's form and the card's.
        scaled: Vec<f32>,
        outgoing: Vec<f32>,
        /// What was counted on the board before.
        counted: [u64; 5],
    }

    impl CardPort {
        pub(super) fn open(card: &CardConfig, line: &LineConfig) -> Result<Self, PortError> {
            let stream = SoundCard::open(&card.request()).map_err(|error| PortError(error.to_string()))?;
            let rate = stream.rate;
            let resampler = |from, to| (from != to).then(|| Resampler::new(from, to));
            Ok(Self {
                to_engine: resampler(rate, SAMPLE_RATE),
                to_card: resampler(SAMPLE_RATE, rate),
                gain_in: gain(line.gain_in_db),
                gain_out: gain(line.gain_out_db),
                scaled: Vec::with_capacity(SAMPLE_RATE as usize),
                outgoing: Vec::with_capacity(rate as usize),
                stream,
                counted: [0; 5],
            })
        }
    }

    impl Port for CardPort {
        fn hear(&mut self, heard: &mut Vec<f32>) -> Result<(), PortError> {
            let block = self.stream.next_block(PATIENCE).map_err(|error| PortError(error.to_string()))?;
            self.scaled.clear();
            self.scaled.extend(block.samples().iter().map(|sample| sample * self.gain_in));
            match &mut self.to_engine {
                Some(resampler) => resampler.process(&self.scaled, heard),
                None => heard.extend_from_slice(&self.scaled),
            }
            Ok(())
        }

        fn say(&mut self, said: &[f32]) {
            self.scaled.clear();
            self.scaled.extend(said.iter().map(|sample| sample * self.gain_out));
            self.outgoing.clear();
            match &mut self.to_card {
                Some(resampler) => resampler.process(&self.scaled, &mut self.outgoing),
                None => self.outgoing.extend_from_slice(&self.scaled),
            }
            self.stream.send_all(&self.outgoing);
        }

        fn count(&mut self, board: &LineBoard) {
            let stats = &self.stream.stats;
            let now = [stats.heard(), stats.heard_dropped(), stats.starved(), stats.skipped(), stats.xruns()];
            let counts = [Count::Heard, Count::HeardLost, Count::Starved, Count::Skipped, Count::Xruns];
            for ((count, now), before) in counts.into_iter().zip(now).zip(&mut self.counted) {
                board.add(count, now - *before);
                *before = now;
            }
        }
    }
}
