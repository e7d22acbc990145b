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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::{Detection, Detector, Event as Heard, Profile};

    const SEED: u64 = 9;

    fn at(ms: u64, kind: EventKind) -> Event {
        Event { at: MediaTime::from_ms(ms), kind }
    }

    fn entered(ms: u64, name: &str) -> Event {
        at(ms, EventKind::State { name: name.to_owned() })
    }

    fn speak(caller: &mut Caller, ms: u64) -> Vec<f32> {
        let mut sound = vec![0.0; usize::try_from(MediaTime::from_ms(ms).0).unwrap()];
        caller.speak(&mut sound);
        sound
    }

    fn keys_in(sound: &[f32]) -> Vec<Detection> {
        let mut detector = Detector::new(SAMPLE_RATE, &Profile::default()).unwrap();
        let mut found = Vec::new();
        let mut on_event = |event| {
            if let Heard::End(digit) = event {
                found.push(digit);
            }
        };
        detector.process(sound, &mut on_event);
        detector.finish(&mut on_event);
        found
    }

    fn text(found: &[Detection]) -> String {
        found.iter().map(|digit| digit.digit.as_char()).collect()
    }

    #[test]
    fn keys_have_a_persons_timing_and_are_heard_by_the_detector() {
        let mut caller = Caller::new(Script::new().keys("a", "0123456789*#"), SEED);
        caller.notice(&entered(0, "a"));
        caller.notice(&at(0, EventKind::PromptEnded));
        let found = keys_in(&speak(&mut caller, 8000));
        assert_eq!(text(&found), "0123456789*#");
        let ms = |samples: u64| MediaTime(samples).as_ms();
        assert!((345..=1105).contains(&ms(found[0].start)), "a moment's thought: {}", ms(found[0].start));
        for digit in &found {
            assert!((65..=165).contains(&ms(digit.end - digit.start)), "held for {} ms", ms(digit.end - digit.start));
        }
        for pair in found.windows(2) {
            let pause = ms(pair[1].start - pair[0].end);
            assert!((85..=285).contains(&pause), "a pause of {pause} ms");
        }
    }

    #[test]
    fn a_caller_who_hears_out_is_silent_until_the_prompt_has_ended() {
        let mut caller = Caller::new(Script::new().keys("a", "5"), SEED);
        caller.notice(&entered(0, "a"));
        assert!(speak(&mut caller, 30_000).iter().all(|sample| *sample == 0.0));
        caller.notice(&at(30_000, EventKind::PromptEnded));
        assert_eq!(text(&keys_in(&speak(&mut caller, 2000))), "5");
    }

    #[test]
    fn a_caller_who_cuts_in_does_so_on_time() {
        let after = MediaTime::from_ms(700);
        let script = Script::new().act("a", Patience::CutsIn(after), Act::Keys("5".into()));
        let mut caller = Caller::new(script, SEED);
        speak(&mut caller, 1000);
        caller.notice(&entered(1000, "a"));
        let first = speak(&mut caller, 2000).iter().position(|sample| *sample != 0.0).unwrap() as u64;
        assert!(first.abs_diff(after.0) < 16, "{first} samples after the state began");
    }

    #[test]
    fn a_comma_is_a_second_without_a_key() {
        let mut caller = Caller::new(Script::new().keys("a", "1,,2"), SEED);
        caller.notice(&entered(0, "a"));
        caller.notice(&at(0, EventKind::PromptEnded));
        let found = keys_in(&speak(&mut caller, 5000));
        assert_eq!(text(&found), "12");
        let pause = MediaTime(found[1].start - found[0].end).as_ms();
        assert!((2085..=2285).contains(&pause), "{pause} ms");
    }

    #[test]
    fn each_visit_and_each_new_question_takes_the_next_cue_of_its_state() {
        let script = Script::new().keys("a", "1").keys("b", "2").keys("a", "3").keys("a", "4");
        let mut caller = Caller::new(script, SEED);
        let mut keys = String::new();
        let mut answer = |caller: &mut Caller, event: Event| {
            caller.notice(&event);
            caller.notice(&at(0, EventKind::PromptEnded));
            keys += &text(&keys_in(&speak(caller, 2500)));
        };
        answer(&mut caller, entered(0, "a"));
        answer(&mut caller, at(0, EventKind::Outcome(Outcome::NoMatch)));
        answer(&mut caller, at(0, EventKind::Outcome(Outcome::Help)));
        answer(&mut caller, entered(0, "b"));
        answer(&mut caller, entered(0, "a"));
        answer(&mut caller, entered(0, "a"));
        assert_eq!(keys, "1324");
    }

    #[test]
    fn the_receiver_is_put_down_after_the_last_key() {
        let script = Script::new().act("a", Patience::HearsOut, Act::KeysThenHangUp("12".into()));
        let mut caller = Caller::new(script, SEED);
        caller.notice(&entered(0, "a"));
        caller.notice(&at(0, EventKind::PromptEnded));
        let mut sound = Vec::new();
        while !caller.has_hung_up() {
            sound.extend(speak(&mut caller, 10));
            assert!(sound.len() < 40_000, "never hangs up");
        }
        assert_eq!(text(&keys_in(&sound)), "12");
    }

    #[test]
    fn the_seed_fixes_every_sample() {
        let sound = |seed| {
            let mut caller = Caller::new(Script::new().keys("a", "123"), seed);
            caller.notice(&entered(0, "a"));
            caller.notice(&at(0, EventKind::PromptEnded));
            speak(&mut caller, 3000)
        };
        assert_eq!(sound(1), sound(1));
        assert_ne!(sound(1), sound(2));
    }

    #[test]
    fn what_is_said_before_the_first_key_is_heard_first() {
        let speech = [0.25; 800];
        let caller = Caller::new(Script::new().act("a", Patience::HearsOut, Act::Nothing), SEED);
        let mut caller = caller.saying(MediaTime::from_ms(500), &speech);
        let sound = speak(&mut caller, 1000);
        assert_eq!((sound[3999], sound[4000], sound[4799], sound[4800]), (0.0, 0.25, 0.25, 0.0));
    }
}
