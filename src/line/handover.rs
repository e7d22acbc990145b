//! Handing a caller over to a person: as an extension of an exchange does it, by hook flash, the number in keys, and hanging up;
//! or by the exchange itself, which asks for the number.

use crate::dtmf::{Digit, GeneratorConfig, generate};
use crate::media::{MediaTime, SAMPLE_RATE};

use super::attendant::{STEP, STEP_TIME};

/// Length of each key and of the pause behind it, in ms.
const KEY_MS: f64 = 100.0;

/// How a line hands callers over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandoverConfig {
    /// By hook flash and the number in keys, as it works the hook.
    Flash(FlashTimes),
    /// It lets go, and whoever gave it the call asks where the caller is to go.
    Asked,
}

/// The times an exchange wants of a hook flash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlashTimes {
    /// How long the hook is down: long enough for a flash, too short for hanging up. 100 ms in much of Europe, 500 ms in
    /// America.
    pub flash: MediaTime,
    /// From the flash to the first key: the exchange's dial tone has begun by then.
    pub dial_after: MediaTime,
    /// From the last key to hanging up, which connects the two.
    pub hang_up_after: MediaTime,
    /// What is dialled for the `+` of an international number.
    pub plus: String,
}

impl Default for FlashTimes {
    fn default() -> Self {
        Self {
            flash: MediaTime::from_ms(500),
            dial_after: MediaTime::from_ms(1000),
            hang_up_after: MediaTime::from_ms(1500),
            plus: "00".to_owned(),
        }
    }
}

/// What is to be done with the hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HookMove {
    Take,
    /// It is over.
    Leave,
}

/// A caller being handed over by hook flash. It begins with the hook down.
pub(super) struct Handover {
    times: FlashTimes,
    keys: Vec<f32>,
    stage: Stage,
    /// Time spent in the stage.
    since: MediaTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Flash,
    DialTone,
    Dialling,
    Dialled,
}

impl Handover {
    /// To a number of digits, `*` and `#`, perhaps with a `+` before them.
    pub(super) fn to(number: &str, times: &FlashTimes) -> Self {
        let number = number.replace('+', &times.plus);
        let digits: Vec<Digit> = number.chars().filter_map(Digit::from_char).collect();
        let form = GeneratorConfig { sample_rate: SAMPLE_RATE, ..GeneratorConfig::default() }.timing(KEY_MS, KEY_MS);
        let keys = generate(&digits, &form).expect("the settings are the generator's own but for the spans");
        Self { times: times.clone(), keys, stage: Stage::Flash, since: MediaTime::ZERO }
    }

    /// 10 ms of sound for the line, and what is to be done with its hook after them.
    pub(super) fn step(&mut self, said: &mut [f32; STEP]) -> Option<HookMove> {
        if self.stage == Stage::Dialling {
            self.dial(said);
        }
        self.since = self.since + STEP_TIME;
        let FlashTimes { flash, dial_after, hang_up_after, .. } = self.times;
        match self.stage {
            Stage::Flash if self.since >= flash => {
                self.enter(Stage::DialTone);
                Some(HookMove::Take)
            }
            Stage::DialTone if self.since >= dial_after => {
                self.enter(Stage::Dialling);
                None
            }
            Stage::Dialling if self.keys.is_empty() => {
                self.enter(Stage::Dialled);
                None
            }
            Stage::Dialled if self.since >= hang_up_after => Some(HookMove::Leave),
            Stage::Flash | Stage::DialTone | Stage::Dialling | Stage::Dialled => None,
        }
    }

    /// Whether the hook is down for the flash: what the line tells then is the box's own doing.
    pub(super) fn is_flashing(&self) -> bool {
        self.stage == Stage::Flash
    }

    fn dial(&mut self, said: &mut [f32; STEP]) {
        let length = self.keys.len().min(STEP);
        for (said, key) in said.iter_mut().zip(self.keys.drain(..length)) {
            *said = key;
        }
    }

    fn enter(&mut self, stage: Stage) {
        (self.stage, self.since) = (stage, MediaTime::ZERO);
    }
}
