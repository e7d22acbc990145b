//! A caller who does anything, services that answer anything, and the menu's runtime between them, in media time.

use std::sync::Arc;

use arbitrary::Arbitrary;
use tonopago::dtmf::Digit;
use tonopago::media::MediaTime;
use tonopago::menu::{Action, Catalog, Event, EventKind, Menu, Runtime, Utterance};
use tonopago::money::Money;
use tonopago::service::{
    Authorization, AuthorizeReply, CardField, ChargeReply, Decline, Refusal, Reply, Request, RequestId,
};
use tonopago::speech::Language;
use tonopago::tryout::At;

use crate::canary::{self, CARD};

/// From one look at the timers to the next.
const TICK: MediaTime = MediaTime::from_ms(50);
/// How long every clip lasts, and every amount and number.
const CLIP: MediaTime = MediaTime::from_ms(1000);
/// No call may last longer: the longest limit a menu may set, the longest wait for a service, the last words, and what a
/// state may say in one breath.
const LONGEST: MediaTime = MediaTime::from_ms(3_600_000 + 600_000 + 50 * 30_000);

/// Has every clip in every language.
pub struct Everything;

impl Catalog for Everything {
    fn has(&self, _: Language, _: &str) -> bool {
        true
    }

    fn ids(&self, _: Language) -> Vec<String> {
        Vec::new()
    }
}

/// What a caller, the line or a service does.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub enum Deed {
    Press(Key),
    Hold(Key, u16),
    Wait(u16),
    HearOut,
    /// What payments are keyed with, in the order in which it is asked for.
    Meant(Meant),
    /// To the last request, or to one that was never made.
    Answer {
        is_last: bool,
        reply: u8,
    },
    HangUp,
}

#[derive(Debug, Clone, Copy, Arbitrary)]
pub enum Meant {
    Key,
    Card,
    Expiry,
    Cvv,
    Yes,
}

/// A telephone's key.
#[derive(Debug, Clone, Copy)]
pub struct Key(pub Digit);

impl<'a> Arbitrary<'a> for Key {
    fn arbitrary(bytes: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        let key = *bytes.choose(b"0123456789*#ABCD")?;
        Digit::from_char(char::from(key)).map(Self).ok_or(arbitrary::Error::IncorrectFormat)
    }
}

impl Meant {
    pub fn keys(self) -> impl Iterator<Item = Digit> {
        let keys = match self {
            Self::Key => "257139#",
            Self::Card => "4111111111111111#",
            Self::Expiry => "0830",
            Self::Cvv => "737",
            Self::Yes => "1",
        };
        debug_assert!(!matches!(self, Self::Card) || keys.starts_with(CARD));
        keys.chars().filter_map(Digit::from_char)
    }
}

/// An answer to what was asked, or one that does not fit it.
pub fn reply(number: u8) -> Reply {
    let authorize = |reply| Reply::Authorize(reply);
    let refused = |refusal| authorize(AuthorizeReply::Refused(refusal));
    let charge = |reply| Reply::Charge(reply);
    let reference = || "801585".to_owned();
    match number % 24 {
        0..5 => authorize(AuthorizeReply::Authorized(Authorization {
            amount: Money::mxn(1 + u64::from(number) * 1_234_567),
            order_id: "ord-234".to_owned(),
            description: "Cargo".to_owned(),
            customer: None,
            values: vec![("saldo".to_owned(), "12.50".to_owned()); usize::from(number % 2)],
        })),
        5 => refused(Refusal::Unknown),
        6 => refused(Refusal::Expired),
        7 => refused(Refusal::AlreadyPaid),
        8 => refused(Refusal::Blocked),
        9 => authorize(AuthorizeReply::Unavailable),
        10 => authorize(AuthorizeReply::Pending { reference: reference() }),
        11 => charge(ChargeReply::Declined(Decline::OtherCard)),
        12 => charge(ChargeReply::Declined(Decline::CallYourBank)),
        13 => charge(ChargeReply::Declined(Decline::Generic)),
        14 => charge(ChargeReply::Correct(CardField::Pan)),
        15 => charge(ChargeReply::Correct(CardField::Expiry)),
        16 => charge(ChargeReply::Correct(CardField::Cvv)),
        17 => charge(ChargeReply::AlreadyPaid { reference: reference() }),
        18 => charge(ChargeReply::Unknown { reference: reference() }),
        19 => charge(ChargeReply::Unavailable),
        _ => charge(ChargeReply::Approved { reference: reference() }),
    }
}

/// A runtime, a player and a telephone.
pub struct Caller {
    pub runtime: Runtime,
    pub events: Vec<Event>,
    now: MediaTime,
    playing_until: Option<MediaTime>,
    last_request: RequestId,
    charges: Vec<Authorization>,
    pressed: usize,
    hung_up: bool,
}

impl Caller {
    pub fn new(menu: Arc<Menu>, at: &At) -> Self {
        let began = at.by_the_clock_of(&menu);
        let mut caller = Self {
            runtime: Runtime::new(menu, &began),
            events: Vec::new(),
            now: MediaTime::ZERO,
            playing_until: None,
            last_request: RequestId(0),
            charges: Vec::new(),
            pressed: 0,
            hung_up: false,
        };
        caller.act();
        caller
    }

    /// Does all that, and then nothing until the call is over.
    ///
    /// # Panics
    /// If the call never ends, or ends in a way that no call may.
    pub fn live(&mut self, deeds: impl IntoIterator<Item = Deed>) {
        for deed in deeds {
            if self.runtime.is_over() {
                break;
            }
            self.perform(deed);
        }
        while !self.runtime.is_over() {
            assert!(self.now < LONGEST, "never ends\n{}", self.trace());
            self.wait(MediaTime::from_ms(1000));
        }
        self.check();
    }

    fn perform(&mut self, deed: Deed) {
        match deed {
            Deed::Press(Key(key)) => self.press(key),
            Deed::Hold(Key(key), ms) => {
                self.down(key);
                self.wait(MediaTime::from_ms(u64::from(ms)));
                self.up();
            }
            Deed::Wait(ms) => self.wait(MediaTime::from_ms(u64::from(ms))),
            Deed::HearOut => {
                while self.playing_until.is_some_and(|until| until > self.now) && self.now < LONGEST {
                    self.wait(TICK);
                }
            }
            Deed::Meant(meant) => meant.keys().for_each(|key| self.press(key)),
            Deed::Answer { is_last, reply: number } => {
                let RequestId(last) = self.last_request;
                self.runtime.reply(self.now, RequestId(if is_last { last } else { last + 1 }), reply(number));
                self.act();
            }
            Deed::HangUp => {
                self.runtime.hang_up(self.now);
                self.act();
            }
        }
    }

    fn press(&mut self, key: Digit) {
        self.down(key);
        self.wait(MediaTime::from_ms(100));
        self.up();
        self.wait(MediaTime::from_ms(100));
    }

    fn down(&mut self, key: Digit) {
        self.pressed += usize::from(!self.runtime.is_over());
        self.runtime.key_down(self.now, key);
        self.act();
    }

    fn up(&mut self) {
        self.runtime.key_up(self.now);
        self.act();
    }

    fn wait(&mut self, span: MediaTime) {
        let until = self.now + span;
        while self.now < until {
            self.now = (self.now + TICK).min(until);
            self.runtime.pass_time(self.now);
            self.act();
            if self.playing_until.take_if(|until| *until <= self.now).is_some() {
                self.runtime.prompt_ended(self.now);
                self.act();
            }
        }
    }

    fn act(&mut self) {
        while let Some(action) = self.runtime.poll_action() {
            match action {
                Action::Play(utterances) => {
                    let until = self.playing_until.unwrap_or(self.now);
                    self.playing_until = Some(utterances.iter().fold(until, |until, said| until + length(said)));
                }
                Action::StopPlaying => self.playing_until = None,
                Action::Request { id, request } => {
                    self.last_request = id;
                    if let Request::Charge { authorization, .. } = *request {
                        self.charges.push(authorization);
                    }
                }
                Action::Event(event) => self.events.push(event),
                Action::HangUp => self.hung_up = true,
                Action::Save(_) | Action::Transfer { .. } | Action::ForgetDoubtful => {}
            }
        }
    }

    /// Of every call: it ends once, each key is taken once or dropped once, and no card is told.
    fn check(&self) {
        let ends = self.events.iter().filter(|event| matches!(event.kind, EventKind::HangUp { .. })).count();
        assert_eq!(ends, 1, "{}", self.trace());
        let accounted: usize = self.events.iter().map(|event| accounted(&event.kind)).sum();
        assert_eq!(accounted, self.pressed, "{}", self.trace());
        let view = self.runtime.view();
        assert!(view.fields.is_empty() && view.entry.is_empty(), "{view:?}");
        check_shown(&self.events);
    }

    pub fn trace(&self) -> String {
        self.events.iter().map(|event| format!("{event}\n")).collect()
    }
}

/// No event tells a card, nor do the keys that are shown one by one, where no key between them is hidden.
pub fn check_shown(events: &[Event]) {
    let mut shown = String::new();
    for event in events {
        let told = format!("{event:?} {event}");
        assert!(!canary::tells(&told), "{told}");
        if let EventKind::Key { shown: key, .. } = event.kind {
            shown.push(key.unwrap_or('.'));
        }
    }
    assert!(!shown.contains(&CARD[..CARD.len() - 2]), "{shown}");
}

fn accounted(event: &EventKind) -> usize {
    match event {
        EventKind::Key { queued: false, .. } => 1,
        EventKind::Dropped { keys, .. } => *keys,
        _ => 0,
    }
}

fn length(said: &Utterance) -> MediaTime {
    match said {
        Utterance::Pause(pause) => *pause,
        _ => CLIP,
    }
}
