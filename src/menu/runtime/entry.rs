//! Keys: type-ahead, barge-in, the collection rules, and what is said after each kind of error.

use std::sync::Arc;

use crate::dtmf::Digit;
use crate::menu::event::{Dropped, EventKind, Outcome, Rule};
use crate::menu::model::{Entry, FieldId, Kind, Prompt};
use crate::menu::timer::Timer;

use super::{KeyUse, Phase, Runtime};

/// Counters of one visit to a state.
#[derive(Debug, Default)]
pub(super) struct Visit {
    no_input: u8,
    no_match: u8,
    invalid: u8,
    mismatch: u8,
    pub(super) attempt: u8,
    asked_still_there: bool,
    pub(super) stage: Stage,
}

/// How far an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Stage {
    /// It is asked for.
    #[default]
    First,
    /// It is asked for a second time, to be compared.
    Second,
    /// It has been read back and waits for a yes.
    ReadBack,
}

impl Visit {
    const fn count(&mut self, error: Outcome) -> u8 {
        let counter = match error {
            Outcome::NoInput => &mut self.no_input,
            Outcome::Invalid(_) => &mut self.invalid,
            Outcome::Mismatch => &mut self.mismatch,
            _ => &mut self.no_match,
        };
        *counter = counter.saturating_add(1);
        *counter
    }

    /// The entry is complete, but not yet keyed twice or said yes to.
    pub(super) const fn is_unconfirmed(&self) -> bool {
        !matches!(self.stage, Stage::First)
    }

    pub(super) const fn begin_anew(&mut self) {
        self.stage = Stage::First;
    }
}

impl Runtime {
    /// Enters a state that takes keys: first those keyed ahead; if they leave nothing begun, the prompt.
    pub(super) fn begin_entry(&mut self) {
        self.collector = self.new_collector();
        let menu = Arc::clone(&self.menu);
        let state = menu.state(self.state);
        if state.barge_in && !self.type_ahead.is_empty() {
            self.phase = Phase::Listening;
            self.start_field_limit();
            self.take_keys_ahead();
            let begun = self.pending.is_some() || self.phase != Phase::Listening || !self.collector.is_empty();
            if begun {
                return;
            }
        }
        self.prompt_entry(&[]);
    }

    /// The entry in progress as it may be shown.
    pub(super) fn shown_entry(&self) -> String {
        match &self.here().kind {
            Kind::Collect(collect) if !self.reads_back() => {
                self.collector.shown(self.menu.field(collect.field).most_shown())
            }
            _ => String::new(),
        }
    }

    /// Whether what was keyed is being read back.
    pub(super) fn reads_back(&self) -> bool {
        self.visit.stage == Stage::ReadBack
    }

    /// The field that is complete, while it is read back.
    pub(super) fn entered(&self) -> Option<FieldId> {
        match &self.here().kind {
            Kind::Collect(collect) if self.reads_back() => Some(collect.field),
            _ => None,
        }
    }

    /// Says `first`, then the state's prompt for this attempt, and listens. Keys pressed ahead cut it before it begins,
    /// as they would have cut it later; so keys are taken in the order they were pressed.
    pub(super) fn prompt_entry(&mut self, first: &[Prompt]) {
        self.clear_entry(Dropped::AfterError);
        self.timers.stop_state_timers();
        let menu = Arc::clone(&self.menu);
        let state = menu.state(self.state);
        if state.barge_in && !self.type_ahead.is_empty() {
            self.phase = Phase::Listening;
            return self.start_field_limit();
        }
        let again = self.visit.attempt > 0 && !state.say_again.is_empty();
        let prompt = match (&state.kind, self.visit.stage) {
            (Kind::Collect(collect), Stage::Second) => &collect.twice,
            (Kind::Collect(collect), Stage::ReadBack) => &collect.read_back,
            _ if again => &state.say_again,
            _ => &state.say,
        };
        self.visit.attempt = self.visit.attempt.saturating_add(1);
        let all: Vec<Prompt> = first.iter().chain(prompt).cloned().chain(self.offers()).collect();
        self.play(&all);
    }

    /// The prompt is over: the timers of the entry begin.
    pub(super) fn listen(&mut self) {
        self.phase = Phase::Listening;
        self.start_field_limit();
        if self.collector.is_empty() {
            self.start_first_digit_timer();
        }
        self.take_keys_ahead();
    }

    fn start_field_limit(&mut self) {
        if let Some(entry) = self.here().kind.entry() {
            let span = self.in_pace(entry.timers.limit);
            self.timers.start(Timer::FieldLimit, self.now + span);
        }
    }

    pub(super) fn start_first_digit_timer(&mut self) {
        if let Some(entry) = self.here().kind.entry() {
            let span = self.in_pace(entry.timers.first_digit);
            self.timers.start(Timer::FirstDigit, self.now + span);
        }
    }

    /// *Inter-digit* or *terminator grace* runs from the key's release (a held key is not a pause).
    pub(super) fn restart_entry_timer(&mut self) {
        if self.phase != Phase::Listening || self.collector.is_empty() || self.key_down {
            return;
        }
        let Some(spans) = self.here().kind.entry().map(|entry| entry.timers) else { return };
        let may_be_a_card = self.collector.held_back() > 0 && self.collector.may_become_card(0);
        if self.collector.is_full() && !may_be_a_card {
            self.timers.start(Timer::Grace, self.now + spans.grace);
        } else {
            self.timers.start(Timer::InterDigit, self.now + self.in_pace(spans.inter_digit));
        }
    }

    /// A key from the line.
    pub(super) fn take_key(&mut self, key: Digit) -> KeyUse {
        if self.is_over() {
            return KeyUse::Secret;
        }
        if self.is_stray_end_key(key) {
            return self.drop_key(key, Dropped::StrayEndKey);
        }
        if let Some((_, why)) = self.burst.filter(|(until, _)| self.now <= *until) {
            self.expect_burst(self.now, why);
            return self.drop_key(key, why);
        }
        let state = self.here();
        let (takes_keys, barge_in) = (state.kind.entry().is_some(), state.barge_in);
        match self.phase {
            Phase::Listening if self.ends_nothing(key) => self.end_key_in_silence(key),
            Phase::Listening => self.accept(key),
            Phase::Prompting if takes_keys && barge_in && self.ends_nothing(key) => {
                self.drop_key(key, Dropped::StrayEndKey)
            }
            Phase::Prompting if takes_keys && barge_in => {
                self.cut_prompt();
                self.phase = Phase::Listening;
                self.start_field_limit();
                self.accept(key)
            }
            Phase::StillThere => self.still_here(),
            Phase::Prompting | Phase::Waiting { .. } | Phase::Answered { .. } => self.queue(key),
            Phase::Over => KeyUse::Secret,
        }
    }

    fn cut_prompt(&mut self) {
        self.silence();
        self.note(EventKind::BargeIn);
    }

    /// Keeps a key for the next state that takes keys. Some are dropped there (flush); all are kept off recordings.
    fn queue(&mut self, key: Digit) -> KeyUse {
        let state = self.here();
        if state.kind.is_last() {
            return self.drop_key(key, Dropped::CallEnding);
        }
        if state.flush_keys && state.kind.entry().is_none() {
            self.expect_burst(self.now, Dropped::Flushed);
            return self.drop_key(key, Dropped::Flushed);
        }
        if !self.type_ahead.push(key) {
            return self.drop_key(key, Dropped::TooMany);
        }
        self.note(EventKind::Key { shown: None, queued: true });
        if self.phase == Phase::Prompting && self.here().barge_in && self.here().kind.passes() {
            self.cut_prompt();
            self.pending = self.leave();
        }
        KeyUse::Secret
    }

    pub(super) fn drop_key(&mut self, key: Digit, why: Dropped) -> KeyUse {
        self.row.add(key, self.now);
        self.note(EventKind::Dropped { keys: 1, why });
        KeyUse::Secret
    }

    pub(super) fn drop_keys_ahead(&mut self, why: Dropped) {
        let keys = self.type_ahead.len();
        self.type_ahead.clear();
        self.note_dropped(keys, why);
    }

    pub(super) fn note_dropped(&mut self, keys: usize, why: Dropped) {
        if keys > 0 {
            self.note(EventKind::Dropped { keys, why });
        }
    }

    fn take_keys_ahead(&mut self) {
        while self.phase == Phase::Listening && self.pending.is_none() {
            let Some(key) = self.type_ahead.pop() else { break };
            if self.is_stray_end_key(key) || self.ends_nothing(key) {
                self.drop_key(key, Dropped::StrayEndKey);
            } else {
                self.accept(key);
            }
        }
        self.restart_entry_timer();
    }

    fn still_here(&mut self) -> KeyUse {
        self.cut_prompt();
        self.note(EventKind::Key { shown: None, queued: false });
        self.visit.no_input = 0;
        self.prompt_entry(&[]);
        KeyUse::Secret
    }

    /// A key for the present state.
    fn accept(&mut self, key: Digit) -> KeyUse {
        if self.is_secret() {
            self.row.clear(); // a card number that was asked for is none to look for
        } else {
            if self.watched_field().is_some() && self.collector.is_empty() {
                self.collector.follow(self.row.before(self.now));
            }
            self.row.add(key, self.now);
        }
        self.accept_here(key)
    }

    fn accept_here(&mut self, key: Digit) -> KeyUse {
        self.hops = 0; // keys are finite: transitions they cause are no endless loop
        self.timers.stop(Timer::FirstDigit);
        self.timers.stop(Timer::InterDigit);
        self.timers.stop(Timer::Grace);
        let menu = Arc::clone(&self.menu);
        match &menu.state(self.state).kind {
            Kind::Choose(choose) => {
                let target = choose.options.iter().find(|(option, _)| *option == key).map(|(_, target)| *target);
                self.accept_single(key, target, &choose.entry)
            }
            Kind::Confirm(confirm) if key == confirm.yes => {
                self.session.confirm();
                self.accept_single(key, Some(confirm.on_yes), &confirm.entry)
            }
            Kind::Confirm(confirm) => {
                let no = (key == confirm.no).then_some(confirm.on_no);
                self.accept_single(key, no, &confirm.entry)
            }
            Kind::Collect(collect) if self.reads_back() => self.accept_read_back(key, collect.on_done),
            Kind::Collect(collect) => self.accept_digit(key, collect),
            Kind::Months(months) => {
                let plan = self.plan_of_key(key, months);
                let used = self.accept_single(key, plan.map(|_| months.on_done), &months.entry);
                self.session.months = plan.flatten();
                used
            }
            _ => KeyUse::Secret,
        }
    }

    pub(super) fn back_or_repeat(&mut self, entry: &Entry) {
        if let Some(back) = entry.on_back {
            self.note(EventKind::Outcome(Outcome::Back));
            self.go(back);
        } else {
            self.note(EventKind::Outcome(Outcome::Repeat));
            self.prompt_entry(&[]);
        }
    }

    /// Rule 1.
    pub(super) fn no_input(&mut self) {
        if self.phase == Phase::StillThere {
            return self.give_up();
        }
        self.entry_error(Outcome::NoInput);
    }

    /// Says what went wrong and asks again, or gives up. Keys keyed ahead were meant for a dialogue that is not
    /// happening; they are dropped.
    pub(super) fn entry_error(&mut self, error: Outcome) {
        self.note(EventKind::Outcome(error));
        self.drop_keys_ahead(Dropped::AfterError);
        let count = self.visit.count(error);
        let menu = Arc::clone(&self.menu);
        let Some(entry) = menu.state(self.state).kind.entry() else { return };
        let allowed = match error {
            Outcome::NoInput => entry.attempts.no_input,
            Outcome::Invalid(_) => entry.attempts.invalid,
            Outcome::Mismatch => entry.attempts.mismatch,
            _ => entry.attempts.no_match,
        };
        if count < allowed {
            let prompts = match error {
                Outcome::NoInput => &entry.errors.no_input,
                Outcome::Invalid(Rule::Expired) => &entry.errors.expired,
                Outcome::Invalid(Rule::RefusedCard) => &entry.errors.refused_card,
                Outcome::Invalid(Rule::LooksLikeCard) => &entry.errors.looks_like_card,
                Outcome::Invalid(_) => &entry.errors.invalid,
                Outcome::Mismatch => &entry.errors.mismatch,
                Outcome::TooMany => &entry.errors.too_many,
                _ if self.reads_back() => &entry.errors.no_answer,
                _ => &entry.errors.no_match,
            };
            self.prompt_entry(prompts);
        } else if error == Outcome::NoInput && self.may_ask_still_there(entry) {
            self.ask_still_there(entry);
        } else {
            self.give_up();
        }
    }

    const fn may_ask_still_there(&self, entry: &Entry) -> bool {
        !self.visit.asked_still_there && !entry.errors.still_there.is_empty()
    }

    fn ask_still_there(&mut self, entry: &Entry) {
        self.visit.asked_still_there = true;
        self.timers.stop_state_timers();
        self.phase = Phase::StillThere;
        if !self.speak(&entry.errors.still_there) {
            self.start_first_digit_timer();
        }
    }

    fn give_up(&mut self) {
        self.note(EventKind::Outcome(Outcome::GiveUp));
        self.forget_unconfirmed();
        if let Some(entry) = self.here().kind.entry() {
            self.pending = Some(entry.on_give_up);
        }
    }
}
