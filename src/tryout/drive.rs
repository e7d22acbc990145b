//! Driving a call by the author's keys, in media time.

use std::sync::Arc;

use crate::call::{Call, CallConfig, Effect};
use crate::dtmf::{Digit, GeneratorConfig, generate};
use crate::line::Latencies;
use crate::media::{MediaTime, SAMPLE_RATE};
use crate::menu::{Answers, Doing, Event, EventKind, Menu, Timer, View};
use crate::service::{Reply, Request, RequestId};
use crate::speech::Clips;

use super::at::At;
use super::stand_in::StandIn;
use super::words;

/// Samples fed at once: 10 ms.
const BLOCK: usize = SAMPLE_RATE as usize / 100;
/// How long a key is held, and the finger then rests: a person's way.
const KEY: MediaTime = MediaTime::from_ms(100);
/// Silence before a key that answers a prompt, as a person needs; also what the detector needs between two keys.
const THOUGHT: MediaTime = MediaTime::from_ms(500);
/// No call is waited for longer than this: above every menu's own limit.
const LONGEST: MediaTime = MediaTime::from_ms(3 * 3_600_000);

/// How keys reach the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keying {
    /// As keys.
    #[default]
    Direct,
    /// As tones through the detector.
    Sound,
}

/// How a menu is tried out.
#[derive(Debug, Clone)]
pub struct Setup {
    /// How keys reach the call.
    pub keying: Keying,
    /// What the services answer.
    pub services: StandIn,
    /// When the call begins: hours are judged by it, and card expiries. Fixed by default, so that a script means the same for
    /// ever.
    pub at: At,
    /// Whether what the box says is kept until it is taken: 32 kB a second.
    pub keeps_sound: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self { keying: Keying::Direct, services: StandIn::default(), at: At::default(), keeps_sound: false }
    }
}

/// A call with a keyboard for a telephone.
pub struct Tryout {
    call: Call,
    clips: Arc<Clips>,
    keying: Keying,
    /// What the services answer; may be changed during the call.
    pub services: StandIn,
    due: Vec<(MediaTime, RequestId, Reply)>,
    events: Vec<Event>,
    shown: Vec<(String, String)>,
    /// What the box said since it was taken, where it is kept.
    said: Option<Vec<f32>>,
    /// The answers the call was to keep, in order.
    pub answers: Vec<Answers>,
}

impl Tryout {
    /// Answers the call.
    pub fn new(menu: Arc<Menu>, clips: Arc<Clips>, setup: Setup) -> Self {
        let config = CallConfig { began: setup.at.by_the_clock_of(&menu), ..CallConfig::default() };
        let call = Call::new(menu, Arc::clone(&clips), &config);
        let (keying, services) = (setup.keying, setup.services);
        let mut tryout = Self {
            call,
            clips,
            keying,
            services,
            due: Vec::new(),
            events: Vec::new(),
            shown: Vec::new(),
            said: setup.keeps_sound.then(Vec::new),
            answers: Vec::new(),
        };
        tryout.perform_effects();
        tryout
    }

    /// Media time.
    pub const fn now(&self) -> MediaTime {
        self.call.now()
    }

    /// Whether the call has ended.
    pub const fn is_over(&self) -> bool {
        self.call.is_over()
    }

    /// What the call is doing.
    pub fn view(&self) -> View {
        self.call.view()
    }

    /// What happened since the last time.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// What the box said since the last time, for as long as media time went on: mono at [`SAMPLE_RATE`] Hz, full scale 1.0.
    /// Nothing unless [`Setup::keeps_sound`].
    pub fn take_sound(&mut self) -> Vec<f32> {
        self.said.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// What happened since the last time, as lines of a transcript with their times: events, then the fields that have
    /// changed, masked.
    pub fn take_lines(&mut self) -> Vec<(MediaTime, String)> {
        let events = self.take_events();
        let mut lines: Vec<_> = events.iter().filter_map(|event| Some((event.at, self.line(&event.kind)?))).collect();
        let fields = if self.is_over() { Vec::new() } else { self.view().fields };
        let changed = fields.iter().filter(|field| !self.shown.contains(field));
        lines.extend(changed.map(|(name, value)| (self.now(), format!("  {name} = {value}"))));
        self.shown = fields;
        lines
    }

    /// An event as a line of a transcript, prompts in words; `None` for what a reader does not miss.
    pub fn line(&self, event: &EventKind) -> Option<String> {
        words::line(&self.clips, event)
    }

    /// Lets media time pass, silent on the caller's side.
    pub fn wait(&mut self, span: MediaTime) {
        let until = self.now() + span;
        while self.now() < until {
            let samples = usize::try_from((until - self.now()).0).unwrap_or(BLOCK).min(BLOCK);
            self.feed(&[0.0; BLOCK][..samples]);
        }
    }

    /// Presses keys one after the other; characters that are no keys are skipped.
    pub fn press(&mut self, keys: &str) {
        for key in keys.chars().filter_map(Digit::from_char) {
            match self.keying {
                Keying::Direct => {
                    self.call.key_down(key);
                    self.perform_effects();
                    self.wait(KEY);
                    self.call.key_up();
                    self.perform_effects();
                    self.wait(KEY);
                }
                Keying::Sound => self.sound(key),
            }
        }
    }

    fn sound(&mut self, key: Digit) {
        #[expect(clippy::cast_precision_loss, reason = "100 ms")]
        let ms = KEY.as_ms() as f64;
        let config =
            GeneratorConfig { sample_rate: SAMPLE_RATE, tone_ms: ms, pause_ms: ms, ..GeneratorConfig::default() };
        let tones = generate(&[key], &config).expect("the settings are the generator's own but for the spans");
        for block in tones.chunks(BLOCK) {
            self.feed(block);
        }
    }

    /// Puts the receiver down.
    pub fn hang_up(&mut self) {
        self.call.hang_up();
        self.perform_effects();
    }

    /// Hears the call out until it waits for a key, or ends. Whoever has keyed all that fits waits for what is said to it.
    pub fn until_it_listens(&mut self) {
        let is_full = |view: &View| view.timers.iter().any(|(timer, _)| *timer == Timer::Grace);
        let waits = |view: &View| matches!(view.doing, Doing::Listening | Doing::Over) && !is_full(view);
        while !waits(&self.view()) && self.now() < LONGEST {
            self.wait(MediaTime::from_ms(10));
        }
        if !self.is_over() {
            self.wait(THOUGHT);
        }
    }

    /// Hears the call until it is saying something that a key can cut, or waits for a key, or ends.
    pub fn until_it_asks(&mut self) {
        let asks = |view: &View| view.takes_keys && view.doing != Doing::Waiting || view.doing == Doing::Over;
        while !asks(&self.view()) && self.now() < LONGEST {
            self.wait(MediaTime::from_ms(10));
        }
    }

    fn feed(&mut self, heard: &[f32]) {
        let mut said = [0.0; BLOCK];
        let mut done = 0;
        while done < heard.len() {
            let until = self.until_due(heard.len() - done);
            let step = self.call.step(&heard[done..done + until], &mut said[..until]);
            if let Some(kept) = &mut self.said {
                kept.extend_from_slice(&said[..step]);
            }
            done += step;
            self.perform_effects();
            while let Some(index) = self.due.iter().position(|(due, ..)| *due <= self.call.now()) {
                let (_, id, reply) = self.due.remove(index);
                self.call.reply(id, reply);
                self.perform_effects();
            }
        }
    }

    /// Samples that may be fed before an answer is due, at least one and at most `wanted`.
    fn until_due(&self, wanted: usize) -> usize {
        let Some(due) = self.due.iter().map(|(due, ..)| *due).min() else { return wanted };
        usize::try_from(due.since(self.call.now()).0).unwrap_or(usize::MAX).clamp(1, wanted)
    }

    fn perform_effects(&mut self) {
        while let Some(effect) = self.call.poll_effect() {
            match effect {
                Effect::Event(event) => self.events.push(event),
                Effect::Save(answers) => self.answers.push(answers),
                Effect::Transfer { .. } | Effect::HangUp => {}
                Effect::Request { id, request } => {
                    let takes = match &*request {
                        Request::Authorize { .. } => Latencies::default().authorize,
                        Request::Charge { .. } => Latencies::default().charge,
                    };
                    if let Some(reply) = self.services.perform(&request) {
                        self.due.push((self.call.now() + takes, id, reply));
                    }
                }
            }
        }
    }
}
