//! A simulated caller: hears what the box does, and answers in sound, with a person's timing.
//!
//! The caller follows a [`Script`]: for each state of the menu, what to do when it asks first, second, and so on. It
//! reacts to the call's trace the way a person reacts to what is said, and produces only audio; every key it presses is
//! tones that the real detector has to find.

use std::collections::VecDeque;

use fastrand::Rng;

use crate::dtmf::{Digit, GeneratorConfig, generate};
use crate::media::{MediaTime, SAMPLE_RATE};
use crate::menu::{Event, EventKind, Outcome};

/// When a caller reacts to a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// After the prompt, plus a moment's thought.
    HearsOut,
    /// Over the prompt, this long after it began.
    CutsIn(MediaTime),
}

/// What a caller does in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Presses keys, each held and spaced as a person does. A `,` in the text is a pause of one second.
    Keys(String),
    /// Puts the receiver down after pressing these keys.
    KeysThenHangUp(String),
    /// Waits and does nothing.
    Nothing,
}

#[derive(Debug, Clone)]
struct Cue {
    state: String,
    patience: Patience,
    act: Act,
}

/// What a caller does, by state and visit.
#[derive(Debug, Clone, Default)]
pub struct Script {
    cues: Vec<Cue>,
}

impl Script {
    /// A caller who does nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next time `state` is entered or asks again: hears the prompt out and presses `keys`.
    #[must_use]
    pub fn keys(self, state: &str, keys: &str) -> Self {
        self.act(state, Patience::HearsOut, Act::Keys(keys.to_owned()))
    }

    /// The same acts, each cutting into the prompt after this long.
    #[must_use]
    pub fn hurried(mut self, after: MediaTime) -> Self {
        for cue in &mut self.cues {
            cue.patience = Patience::CutsIn(after);
        }
        self
    }

    /// All keys pressed if the call goes as the script expects, in order.
    pub fn all_keys(&self) -> String {
        let pressed = self.cues.iter().map(|cue| match &cue.act {
            Act::Keys(keys) | Act::KeysThenHangUp(keys) => keys.as_str(),
            Act::Nothing => "",
        });
        pressed.collect::<String>().replace(',', "")
    }

    /// The next time `state` is entered or asks again: does `act`.
    #[must_use]
    pub fn act(mut self, state: &str, patience: Patience, act: Act) -> Self {
        self.cues.push(Cue { state: state.to_owned(), patience, act });
        self
    }
}

/// Tone and pause lengths of a person pressing keys, ms.
const TONE_MS: std::ops::RangeInclusive<u64> = 70..=160;
const PAUSE_MS: std::ops::RangeInclusive<u64> = 90..=280;
/// From the end of a prompt to the first key, ms.
const THOUGHT_MS: std::ops::RangeInclusive<u64> = 350..=1100;
const COMMA: MediaTime = MediaTime::from_ms(1000);
/// Level of each tone and twist of a handset behind a line, dBm0 and dB.
const LEVEL_DBM0: f64 = -11.0;
const TWIST_DB: f64 = -2.0;

/// A caller at work.
pub struct Caller {
    cues: VecDeque<Cue>,
    state: String,
    rng: Rng,
    /// Audio to come, and when it starts.
    speaking: VecDeque<f32>,
    /// The cue of the present state, until its time has come.
    waiting: Option<Cue>,
    act_at: Option<MediaTime>,
    hang_up_at: Option<MediaTime>,
    now: MediaTime,
}

impl Caller {
    /// A caller with a script; the seed fixes every tone's length.
    pub fn new(script: Script, seed: u64) -> Self {
        Self {
            cues: script.cues.into(),
            state: String::new(),
            rng: Rng::with_seed(seed),
            speaking: VecDeque::new(),
            waiting: None,
            act_at: None,
            hang_up_at: None,
            now: MediaTime::ZERO,
        }
    }

    /// Speaks (or lets other sound be heard) from now on, before any key: samples at 8 kHz.
    #[must_use]
    pub fn saying(mut self, after: MediaTime, samples: &[f32]) -> Self {
        self.pause(after);
        self.speaking.extend(samples);
        self
    }

    /// Lets the caller notice what the call does.
    pub fn notice(&mut self, event: &Event) {
        match &event.kind {
            EventKind::State { name } => {
                name.clone_into(&mut self.state);
                self.take_cue(event.at);
            }
            EventKind::Outcome(outcome) if is_asked_again(*outcome) => self.take_cue(event.at),
            EventKind::PromptEnded if self.act_at.is_none() && self.waiting.is_some() => {
                self.act_at = Some(event.at + MediaTime::from_ms(self.rng.u64(THOUGHT_MS)));
            }
            _ => {}
        }
    }

    /// The caller's next samples.
    pub fn speak(&mut self, out: &mut [f32]) {
        for sample in out {
            self.now = self.now + MediaTime(1);
            if self.act_at.is_some_and(|at| at <= self.now) {
                self.act_at = None;
                self.perform();
            }
            *sample = self.speaking.pop_front().unwrap_or(0.0);
        }
    }

    /// Whether the caller has put the receiver down by now.
    pub fn has_hung_up(&self) -> bool {
        self.hang_up_at.is_some_and(|at| at <= self.now)
    }

    fn take_cue(&mut self, now: MediaTime) {
        let next = self.cues.iter().position(|cue| cue.state == self.state);
        self.waiting = next.and_then(|index| self.cues.remove(index));
        self.act_at = match &self.waiting {
            Some(Cue { patience: Patience::CutsIn(after), .. }) => Some(now + *after),
            _ => None,
        };
    }

    fn perform(&mut self) {
        let Some(cue) = self.waiting.take() else { return };
        match cue.act {
            Act::Nothing => {}
            Act::Keys(keys) => self.press(&keys),
            Act::KeysThenHangUp(keys) => {
                self.press(&keys);
                self.hang_up_at = Some(self.now + MediaTime(self.speaking.len() as u64));
            }
        }
    }

    fn press(&mut self, keys: &str) {
        for key in keys.chars() {
            match Digit::from_char(key) {
                Some(digit) => self.press_one(digit),
                None => self.pause(COMMA),
            }
        }
    }

    fn press_one(&mut self, digit: Digit) {
        let config = GeneratorConfig {
            sample_rate: SAMPLE_RATE,
            #[expect(clippy::cast_precision_loss, reason = "a few hundred ms")]
            tone_ms: self.rng.u64(TONE_MS) as f64,
            #[expect(clippy::cast_precision_loss, reason = "a few hundred ms")]
            pause_ms: self.rng.u64(PAUSE_MS) as f64,
            phase: (self.rng.f64() * std::f64::consts::TAU, self.rng.f64() * std::f64::consts::TAU),
            edge_ms: 1.0,
            ..GeneratorConfig::default().level(LEVEL_DBM0).twist(TWIST_DB)
        };
        let tones = generate(&[digit], &config).expect("these durations, levels and this rate are in range");
        self.speaking.extend(tones);
    }

    fn pause(&mut self, span: MediaTime) {
        self.speaking.extend(std::iter::repeat_n(0.0, usize::try_from(span.0).unwrap_or(0)));
    }
}

/// Whether the state says its prompt again after this outcome.
const fn is_asked_again(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::NoInput | Outcome::NoMatch | Outcome::Invalid(_))
}
