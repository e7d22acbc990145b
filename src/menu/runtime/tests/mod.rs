//! The runtime driven with keys, prompts and time directly. Sound comes into it in `tests/calls`.

mod asked_with;
mod calls_end;
mod hours;
mod keys;
mod language;
mod limits;
mod properties;
mod services;
mod six_rules;
mod stray;

use super::*;
use crate::menu::Catalog;
use crate::money::Money;
use crate::service::{Authorization, AuthorizeReply, ChargeReply, Refusal, Request};

pub(super) const KEY: &str = "257139";
pub(super) const PAN: &str = "4111111111111111";
pub(super) const EXPIRY: &str = "0830";
pub(super) const CVV: &str = "737";
/// When calls begin, unless a test says otherwise.
pub(super) const BEGAN: &str = "2026-11-04T12:00[America/Mexico_City]";

/// Time between two looks at the timers, as in the engine.
const TICK: MediaTime = MediaTime::from_ms(10);
/// How long every clip lasts here, and every amount and reference.
pub(super) const CLIP: MediaTime = MediaTime::from_ms(1000);
/// How long a key is held, and how long the finger then rests.
const HOLD_MS: u64 = 100;

/// Has every clip in every language.
pub(super) struct Everything;

impl Catalog for Everything {
    fn has(&self, _language: Language, _id: &str) -> bool {
        true
    }

    fn ids(&self, _language: Language) -> Vec<String> {
        Vec::new()
    }
}

/// A menu that must be right.
pub(in crate::menu) fn menu(text: &str) -> Arc<Menu> {
    Menu::parse("test.yaml", text, &Everything).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The payment menu that ships.
pub(in crate::menu) fn pago() -> Arc<Menu> {
    menu(include_str!("../../../../menus/pago.yaml"))
}

/// A menu that collects one field of plain digits and says goodbye. `collect` and `more` complete the state.
pub(super) fn one_field(collect: &str, more: &str) -> Arc<Menu> {
    menu(&format!(
        "{{version: 1, name: one, languages: [es-MX], start: ask, give_up: failed, states: {{
           ask: {{say: [ask], say_again: [again], collect: {{field: code, type: digits, {collect}}}, on: {{done: end}}, {more}}},
           end: {{say: [thanks], hang_up: true}},
           failed: {{say: [failed], hang_up: true}}}}}}"
    ))
}

/// A runtime with an engine's player and a finger on the keypad.
pub(super) struct Bench {
    pub(super) runtime: Runtime,
    pub(super) now: MediaTime,
    playing_until: Option<MediaTime>,
    pub(super) events: Vec<Event>,
    pub(super) requests: Vec<(RequestId, Request)>,
    pub(super) hung_up: bool,
    pub(super) saved: Vec<String>,
    pub(super) transferred: Option<String>,
    /// How often the sound of a field was to be forgotten.
    pub(super) forgotten: usize,
    /// Keys pressed while the call was on.
    pub(super) pressed: usize,
    mark: usize,
}

impl Bench {
    pub(super) fn new(menu: Arc<Menu>) -> Self {
        Self::at(BEGAN, menu)
    }

    /// The same with a call that begins then.
    pub(super) fn at(began: &str, menu: Arc<Menu>) -> Self {
        let mut bench = Self {
            runtime: Runtime::new(menu, &began.parse().unwrap()),
            now: MediaTime::ZERO,
            playing_until: None,
            events: Vec::new(),
            requests: Vec::new(),
            hung_up: false,
            saved: Vec::new(),
            transferred: None,
            forgotten: 0,
            pressed: 0,
            mark: 0,
        };
        bench.act();
        bench
    }

    fn act(&mut self) {
        while let Some(action) = self.runtime.poll_action() {
            match action {
                Action::Play(utterances) => {
                    let until = self.playing_until.unwrap_or(self.now);
                    self.playing_until = Some(utterances.iter().fold(until, |until, said| until + length(said)));
                }
                Action::StopPlaying => self.playing_until = None,
                Action::Request { id, request } => self.requests.push((id, *request)),
                Action::Event(event) => self.events.push(event),
                Action::Save(answers) => self.saved.push(answers.to_string()),
                Action::Transfer { to } => self.transferred = Some(to),
                Action::ForgetDoubtful => self.forgotten += 1,
                Action::HangUp => self.hung_up = true,
            }
        }
    }

    fn tick(&mut self) {
        self.now = self.now + TICK;
        self.runtime.pass_time(self.now);
        self.act();
        if self.playing_until.take_if(|until| *until <= self.now).is_some() {
            self.runtime.prompt_ended(self.now);
            self.act();
        }
    }

    /// Lets media time pass.
    pub(super) fn wait(&mut self, ms: u64) -> &mut Self {
        let until = self.now + MediaTime::from_ms(ms);
        while self.now < until {
            self.tick();
        }
        self
    }

    /// Lets the prompt play to its end, whatever comes of that.
    pub(super) fn hear_out(&mut self) -> &mut Self {
        while self.playing_until.is_some_and(|until| until > self.now) {
            self.tick();
        }
        self
    }

    /// Lets time pass until the call is in this state and silent; fails after ten minutes.
    pub(super) fn until(&mut self, state: &str) -> &mut Self {
        let give_up = self.now + MediaTime::from_ms(600_000);
        while self.runtime.here().name != state || self.playing_until.is_some() {
            assert!(self.now < give_up && !self.runtime.is_over(), "never silent in {state}:\n{}", self.trace());
            self.tick();
        }
        self
    }

    /// Puts a finger on a key.
    pub(super) fn down(&mut self, key: char) -> KeyUse {
        self.pressed += usize::from(!self.runtime.is_over());
        let used = self.runtime.key_down(self.now, Digit::from_char(key).unwrap());
        self.act();
        used
    }

    pub(super) fn up(&mut self) -> &mut Self {
        self.runtime.key_up(self.now);
        self.act();
        self
    }

    /// Presses keys, a person's way.
    pub(super) fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys.chars() {
            self.down(key);
            self.wait(HOLD_MS).up().wait(HOLD_MS);
        }
        self
    }

    /// Presses keys in one instant, as no person can.
    pub(super) fn rattle(&mut self, keys: &str) -> &mut Self {
        for key in keys.chars() {
            self.down(key);
            self.up();
        }
        self
    }

    /// Answers the last request.
    pub(super) fn answer(&mut self, reply: Reply) -> &mut Self {
        let id = self.requests.last().expect("a request").0;
        self.answer_to(id, reply)
    }

    pub(super) fn answer_to(&mut self, id: RequestId, reply: Reply) -> &mut Self {
        self.runtime.reply(self.now, id, reply);
        self.act();
        self
    }

    pub(super) fn hang_up(&mut self) -> &mut Self {
        self.runtime.hang_up(self.now);
        self.act();
        self
    }

    /// What happened since the last look, without its times, one entry per line.
    pub(super) fn news(&mut self) -> String {
        let news = lines(&self.events[self.mark..]);
        self.mark = self.events.len();
        news
    }

    /// Everything with its times, for a test's own failure.
    pub(super) fn trace(&self) -> String {
        self.events.iter().map(|event| format!("{event}\n")).collect()
    }

    pub(super) fn state(&self) -> &str {
        &self.runtime.here().name
    }

    pub(super) fn is_silent(&self) -> bool {
        self.playing_until.is_none()
    }

    /// When an event of this text happened last.
    pub(super) fn time_of(&self, text: &str) -> MediaTime {
        let found = self.events.iter().rev().find(|event| squeeze(&event.kind.to_string()) == text);
        found.unwrap_or_else(|| panic!("no {text:?} in\n{}", self.trace())).at
    }

    /// Follows the payment menu to a state, as a caller who does everything right.
    pub(super) fn pay_until(state: &str) -> Self {
        let mut bench = Self::new(pago());
        bench.pay("bienvenida", state);
        bench
    }

    /// Goes on like that from one state of it to another.
    pub(super) fn pay(&mut self, from: &str, to: &str) -> &mut Self {
        let ways = ["bienvenida", "clave", "autorizar", "confirmar", "tarjeta", "vencimiento", "codigo"];
        for here in ways.into_iter().skip_while(|here| *here != from).take_while(|here| *here != to) {
            self.until(here);
            match here {
                "clave" => self.keys(KEY).keys("#"),
                "autorizar" => self.answer(authorized()),
                "tarjeta" => self.keys(PAN).keys("#"),
                "vencimiento" => self.keys(EXPIRY),
                "codigo" => self.keys(CVV),
                _ => self.keys("1"),
            };
        }
        self.until(to);
        self.news();
        self
    }
}

fn length(utterance: &Utterance) -> MediaTime {
    match utterance {
        Utterance::Pause(span) => *span,
        _ => CLIP,
    }
}

fn lines(events: &[Event]) -> String {
    let lines: Vec<String> = events.iter().map(|event| squeeze(&event.kind.to_string())).collect();
    lines.join("\n")
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The answer to a good payment key.
pub(super) fn authorized() -> Reply {
    Reply::Authorize(AuthorizeReply::Authorized(Authorization {
        amount: Money::mxn(20_050),
        order_id: "ord-234".into(),
        description: "Cargo IVR".into(),
        customer: None,
        values: Vec::new(),
    }))
}

pub(super) fn refused() -> Reply {
    Reply::Authorize(AuthorizeReply::Refused(Refusal::Unknown))
}

pub(super) fn approved() -> Reply {
    Reply::Charge(ChargeReply::Approved { reference: "801585".into() })
}
