//! The menu runtime: a pure state machine driven by keys, ends of prompts, service answers and the passing of media
//! time; it answers with [`Action`]s. It hears no audio and reads no clock.
//!
//! Every public input first moves the time forward, then acts, then follows the transitions that became due, so that
//! between inputs the runtime always rests in a state that waits for something: a prompt's end, a key, a service or a
//! timer. That, the limits on attempts, and the call's own limit make every call end.

mod action;
mod call_limit;
mod card_like;
mod digits;
mod entry;
mod months;
mod passing;
mod services;
mod single_key;
mod stray;
#[cfg(test)]
pub(in crate::menu) mod tests;
mod values;

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Zoned;

use crate::card::YearMonth;
use crate::dtmf::Digit;
use crate::media::MediaTime;
use crate::service::{Reply, RequestId};
use crate::speech::Language;

use super::collector::Collector;
use super::event::{Dropped, Event, EventKind, Outcome, Party};
use super::model::{Kind, MOST_SHOWN, Menu, Prompt, State, StateId};
use super::row::Row;
use super::session::Session;
use super::timer::{Timer, Timers};
use super::type_ahead::TypeAhead;
use super::view::{Doing, View};
use action::describe;
pub use action::{Action, KeyUse, Utterance};
use call_limit::LimitReached;
use entry::Visit;
use stray::StrayEndKey;

/// Transitions without a key, a prompt, a service or time between them before the call is ended as faulty. The checks
/// refuse menus that can do this; the bound holds even if a check is wrong.
const MAX_HOPS: usize = 100;

/// What the present state is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A prompt is playing.
    Prompting,
    /// "Are you still there?" is playing, or was: any key goes on.
    StillThere,
    /// Waiting for keys.
    Listening,
    /// Waiting for a service.
    Waiting { id: RequestId, prompt_playing: bool },
    /// The service has answered; the caller is let hear the sentence out first.
    Answered { next: StateId },
    /// The call is over.
    Over,
}

/// One call's way through a menu.
pub struct Runtime {
    menu: Arc<Menu>,
    now: MediaTime,
    state: StateId,
    phase: Phase,
    pending: Option<StateId>,
    language: Language,
    visit: Visit,
    collector: Collector,
    type_ahead: TypeAhead,
    key_down: bool,
    stray_end_key: Option<StrayEndKey>,
    /// Keys until then are the rest of what was dropped, for the same reason.
    burst: Option<(MediaTime, Dropped)>,
    last_key: MediaTime,
    row: Row,
    timers: Timers,
    session: Session,
    /// When the call began, in the menu's time zone.
    began: Zoned,
    /// Refusals and declines so far, by state.
    failures: Vec<u8>,
    /// How often each state has been entered.
    entered_times: Vec<u16>,
    /// Where the sub-menus the call is in lead when they return, the innermost last.
    returns_to: Vec<StateId>,
    /// The caller asked to have everything slower.
    slow: bool,
    last_request: RequestId,
    /// What became of a charge is being told: until keys are asked for again.
    tells_outcome: bool,
    limit: LimitReached,
    hops: usize,
    actions: VecDeque<Action>,
}

impl Runtime {
    /// Begins a call: enters the menu's start state. `began` is when, on the wall's clock: the menu's hours are judged by it
    /// for the whole call, so that closing time cuts no call, and card expiries are compared with its month.
    pub fn new(menu: Arc<Menu>, began: &Zoned) -> Self {
        let mut timers = Timers::default();
        timers.start(Timer::CallLimit, menu.call_limit);
        let mut runtime = Self {
            now: MediaTime::ZERO,
            state: menu.start,
            phase: Phase::Prompting,
            pending: Some(menu.start),
            language: menu.languages[0],
            visit: Visit::default(),
            collector: Collector::nothing(),
            type_ahead: TypeAhead::new(),
            key_down: false,
            stray_end_key: None,
            burst: None,
            last_key: MediaTime::ZERO,
            row: Row::new(),
            timers,
            session: Session::new(&menu, YearMonth::of(began.date())),
            began: menu.local(began),
            failures: vec![0; menu.states.len()],
            entered_times: vec![0; menu.states.len()],
            returns_to: Vec::new(),
            slow: false,
            last_request: RequestId(0),
            tells_outcome: false,
            limit: LimitReached::No,
            hops: 0,
            actions: VecDeque::new(),
            menu,
        };
        runtime.settle();
        runtime
    }

    /// The next thing to do, in order.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Whether the call has ended.
    pub const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// Whether card data is being asked for: recordings are silent for as long as this holds.
    pub fn is_secret(&self) -> bool {
        !self.is_over() && self.menu.collects_card_data(self.here())
    }

    /// A key went down. Returns whether its sound may be kept.
    pub fn key_down(&mut self, now: MediaTime, key: Digit) -> KeyUse {
        self.advance(now);
        self.key_down = true;
        self.last_key = self.now;
        let used = self.take_key(key);
        self.settle();
        used
    }

    /// The key went up.
    pub fn key_up(&mut self, now: MediaTime) {
        self.advance(now);
        self.key_down = false;
        self.restart_entry_timer();
        self.settle();
    }

    /// The engine has played everything it was given.
    pub fn prompt_ended(&mut self, now: MediaTime) {
        self.advance(now);
        self.after_prompt(true);
        self.settle();
    }

    /// A service answered.
    pub fn reply(&mut self, now: MediaTime, id: RequestId, reply: Reply) {
        self.advance(now);
        self.take_reply(id, reply);
        self.settle();
    }

    /// The caller put the receiver down. Nothing is said any more; what was asked of services goes on without the call.
    pub fn hang_up(&mut self, now: MediaTime) {
        self.advance(now);
        if !self.is_over() {
            self.forget_unconfirmed();
            self.after_hang_up();
            self.end(Party::Caller);
        }
    }

    /// Media time passed.
    pub fn pass_time(&mut self, now: MediaTime) {
        self.advance(now);
    }

    /// What the call is doing, for who shows it; secrets are masked.
    pub fn view(&self) -> View {
        View {
            state: self.here().name.clone(),
            doing: match self.phase {
                Phase::Prompting | Phase::StillThere if !self.timers.runs(Timer::FirstDigit) => Doing::Speaking,
                Phase::Prompting | Phase::StillThere | Phase::Listening => Doing::Listening,
                Phase::Waiting { .. } | Phase::Answered { .. } => Doing::Waiting,
                Phase::Over => Doing::Over,
            },
            takes_keys: self.here().kind.entry().is_some(),
            language: self.language,
            timers: self.timers.running(self.now),
            entry: self.shown_entry(),
            fields: self.shown_values(),
            keys_ahead: self.type_ahead.len(),
        }
    }

    fn here(&self) -> &State {
        self.menu.state(self.state)
    }

    fn advance(&mut self, now: MediaTime) {
        self.now = self.now.max(now);
        while let Some(timer) = self.timers.take_due(self.now) {
            self.note(EventKind::Timer(timer));
            self.fire(timer);
            self.settle();
        }
    }

    fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::FirstDigit => self.no_input(),
            Timer::InterDigit | Timer::Grace => self.entry_timed_out(),
            Timer::FieldLimit => self.entry_error(Outcome::NoMatch),
            Timer::StillWorking => self.still_working(),
            Timer::ServiceLimit => self.service_limit(),
            Timer::CallLimit => self.call_limit(),
        }
    }

    /// Plans a transition; [`Self::settle`] makes it.
    const fn go(&mut self, next: StateId) {
        self.pending = Some(next);
    }

    fn settle(&mut self) {
        self.hops = 0;
        while let Some(next) = self.pending.take() {
            if self.is_over() {
                return;
            }
            self.hops += 1;
            if self.hops > MAX_HOPS {
                return self.end(Party::Box);
            }
            self.enter(next);
        }
    }

    fn enter(&mut self, next: StateId) {
        self.silence();
        self.timers.stop_state_timers();
        self.clear_entry(Dropped::AfterError);
        self.state = next;
        self.visit = Visit::default();
        self.entered_times[next.0] = self.entered_times[next.0].saturating_add(1);
        let menu = Arc::clone(&self.menu);
        let state = menu.state(next);
        self.note(EventKind::State { name: state.name.clone() });
        self.tells_outcome &= state.kind.entry().is_none();
        if let Some(language) = state.language {
            self.language = language;
        }
        if state.flush_keys {
            self.flush_keys_ahead();
        }
        if self.limit != LimitReached::No && matches!(state.kind, Kind::Authorize(_) | Kind::Charge(_)) {
            return self.go(menu.give_up);
        }
        self.act_on_entry(&state.kind);
        match &state.kind {
            kind if kind.passes() && state.barge_in && !self.type_ahead.is_empty() => self.pending = self.leave(),
            Kind::Choose(_) | Kind::Confirm(_) | Kind::Collect(_) => self.begin_entry(),
            Kind::Months(months) if self.has_plans(months) => self.begin_entry(),
            Kind::Months(months) => self.choose_plan(None, months.on_done),
            Kind::Authorize(authorize) => self.ask_authorizer(state, authorize),
            Kind::Charge(charge) => self.ask_charge(state, charge),
            _ => self.play(&state.say),
        }
    }

    /// Starts a prompt and the phase that lasts until it ends.
    fn play(&mut self, prompts: &[Prompt]) {
        self.phase = Phase::Prompting;
        if !self.speak(prompts) {
            self.after_prompt(false);
        }
    }

    /// Sends prompts to the player; false if there is nothing to say.
    fn speak(&mut self, prompts: &[Prompt]) -> bool {
        let utterances = self.utterances(prompts);
        if utterances.is_empty() {
            return false;
        }
        let parts: Vec<Utterance> = utterances.iter().map(Utterance::masked).collect();
        self.note(EventKind::Prompt { says: describe(&parts), parts });
        self.actions.push_back(Action::Play(utterances));
        true
    }

    fn silence(&mut self) {
        self.actions.push_back(Action::StopPlaying);
    }

    fn after_prompt(&mut self, heard: bool) {
        if heard && !self.is_over() {
            self.note(EventKind::PromptEnded);
        }
        match (self.phase, &self.here().kind) {
            (Phase::Waiting { id, .. }, _) => self.phase = Phase::Waiting { id, prompt_playing: false },
            (Phase::Answered { next }, _) => self.go(next),
            (Phase::Prompting, kind) if kind.passes() => self.pending = self.leave(),
            (Phase::Prompting, Kind::HangUp) => self.end(Party::Box),
            (Phase::Prompting, Kind::Transfer { to }) => {
                let to = to.clone();
                self.transfer(&to);
            }
            (Phase::Prompting, _) => self.listen(),
            (Phase::StillThere, _) => self.start_first_digit_timer(),
            (Phase::Listening | Phase::Over, _) => {}
        }
    }

    fn end(&mut self, by: Party) {
        self.drop_keys_ahead(Dropped::CallEnding);
        if self.collector.held_back() > 0 || self.collector.may_become_card(MOST_SHOWN) {
            // The call ends before anyone knows: what went on past a full entry was none, and what did not go on may have
            // been meant to.
            self.actions.push_back(Action::ForgetDoubtful);
        }
        self.clear_entry(Dropped::CallEnding);
        self.row.clear();
        self.note(EventKind::HangUp { by });
        self.silence();
        self.phase = Phase::Over;
        self.pending = None;
        self.timers.stop_all();
        self.session.wipe();
        if by == Party::Box {
            self.actions.push_back(Action::HangUp);
        }
    }

    fn note(&mut self, kind: EventKind) {
        self.actions.push_back(Action::Event(Event { at: self.now, kind }));
    }
}
