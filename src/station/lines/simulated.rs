//! Simulated callers on a line that does not exist, in real time: a box without hardware has something to do.

use std::thread;
use std::time::{Duration, Instant};

use super::super::board::{Count, LineBoard};
use super::port::{DemoKey, Port, PortError};
use crate::demo::CARD;
use crate::line::attendant::STEP;
use crate::line::pace::Pace;
use crate::media::{MediaTime, SAMPLE_RATE};
use crate::menu::{Event, EventKind};
use crate::service::PaymentKey;
use crate::simulator::line::{Line, LineBuilder};
use crate::simulator::{Caller, Script};
use crate::speech::Clips;

/// The line: some noise, and the hybrid's echo.
const NOISE_DBM0: f64 = -50.0;
const ECHO: (f64, f64) = (28.0, 14.0);
/// Who dials waits so long before speaking.
const DIALLED: MediaTime = MediaTime::from_ms(300);
/// What a caller says first, at most: enough for the box to notice.
const HELLO: usize = SAMPLE_RATE as usize;
/// Between two callers at least: a line begins calls only after quiet.
const LEAST_PAUSE: Duration = Duration::from_secs(3);
/// A caller whom nobody answers gives up.
const PATIENCE: MediaTime = MediaTime::from_ms(20_000);

/// Callers who pay, one after another, at 10 ms every 10 ms.
pub(super) struct SimulatedPort {
    every: Duration,
    demo_key: DemoKey,
    line: Line,
    caller: Option<Caller>,
    /// Samples the present caller has lived for, and whether the box has answered.
    age: MediaTime,
    answered: bool,
    /// Samples until the next caller.
    pause: u64,
    seed: u64,
    said: [f32; STEP],
    pace: Pace,
    counted: u64,
}

impl SimulatedPort {
    pub(super) fn new(every: Duration, demo_key: DemoKey) -> Self {
        let line = LineBuilder::new(1).noise_dbm0(NOISE_DBM0).echo(ECHO.0, ECHO.1).build(SAMPLE_RATE);
        Self {
            every: every.max(LEAST_PAUSE),
            demo_key,
            line,
            caller: None,
            age: MediaTime::ZERO,
            answered: false,
            pause: samples_of(LEAST_PAUSE),
            seed: 0,
            said: [0.0; STEP],
            pace: Pace::new(Instant::now()),
            counted: 0,
        }
    }

    fn next_caller(&mut self) {
        self.pause = samples_of(self.every);
        let Some(key) = (self.demo_key)() else { return };
        self.seed += 1;
        let mut caller = Caller::new(script(&key), self.seed);
        if let Some(speech) = Clips::embedded().caller_speech().first() {
            let samples = speech.samples();
            caller = caller.saying(DIALLED, &samples[..samples.len().min(HELLO)]);
        }
        (self.caller, self.age, self.answered) = (Some(caller), MediaTime::ZERO, false);
    }
}

fn samples_of(span: Duration) -> u64 {
    MediaTime::from_ms(u64::try_from(span.as_millis()).unwrap_or(u64::MAX / 8)).0
}

/// A caller who does everything right, in the menu that ships.
fn script(key: &PaymentKey) -> Script {
    Script::new()
        .keys("bienvenida", "1")
        .keys("clave", &format!("{}#", key.expose()))
        .keys("confirmar", "1")
        .keys("tarjeta", &format!("{}#", CARD.number))
        .keys("vencimiento", CARD.expiry)
        .keys("codigo", CARD.cvv)
}

impl Port for SimulatedPort {
    fn hear(&mut self, heard: &mut Vec<f32>) -> Result<(), PortError> {
        thread::sleep(self.pace.next(Instant::now()));
        if self.caller.is_none() {
            self.pause = self.pause.saturating_sub(STEP as u64);
            if self.pause == 0 {
                self.next_caller();
            }
        }
        let mut spoken = [0.0; STEP];
        if let Some(caller) = &mut self.caller {
            caller.speak(&mut spoken);
            self.age.0 += STEP as u64;
            if !self.answered && self.age > PATIENCE {
                self.caller = None;
            }
        }
        let mut block = [0.0; STEP];
        self.line.process(&spoken, &self.said, &mut block);
        heard.extend_from_slice(&block);
        self.counted += STEP as u64;
        Ok(())
    }

    fn say(&mut self, said: &[f32]) {
        let count = said.len().min(STEP);
        self.said[..count].copy_from_slice(&said[..count]);
    }

    fn count(&mut self, board: &LineBoard) {
        board.add(Count::Heard, std::mem::take(&mut self.counted));
    }

    fn notice(&mut self, event: &Event) {
        self.answered = true;
        if matches!(event.kind, EventKind::HangUp { .. }) {
            self.caller = None;
        } else if let Some(caller) = &mut self.caller {
            // The caller has been there for longer than the call.
            caller.notice(&Event { at: self.age, kind: event.kind.clone() });
        }
    }
}
