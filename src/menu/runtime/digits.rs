//! A field's digits: each key, the end of an entry, and whether it is asked for once more or read back.

use std::sync::Arc;

use crate::dtmf::Digit;
use crate::menu::collector::{Keyed, STRAY_END_KEY};
use crate::menu::event::{Dropped, EventKind, Outcome, Rule};
use crate::menu::model::{Collect, FieldId, FieldKind, Kind};

use super::entry::Stage;
use super::{KeyUse, Phase, Runtime};

impl Runtime {
    pub(super) fn accept_digit(&mut self, key: Digit, collect: &Collect) -> KeyUse {
        let (before, held_back) = (self.collector.keyed(), self.collector.held_back());
        let keyed = self.collector.key(key);
        if let Keyed::MatchBefore | Keyed::HeldBack = keyed {
            return self.keep_for_the_next_field(key, keyed, collect);
        }
        let field = self.menu.field(collect.field);
        let kind = field.kind;
        let shown = field.shows_digit(before) || !key.as_char().is_ascii_digit();
        self.note(EventKind::Key { shown: shown.then(|| key.as_char()), queued: false });
        self.after_key(key, keyed, held_back, collect);
        match kind {
            kind if kind.is_card_data() || keyed == Keyed::Card => KeyUse::Secret,
            _ if self.menu.field(collect.field).watches_for_cards() => KeyUse::Doubtful,
            _ => KeyUse::Open,
        }
    }

    /// A digit beyond a full entry: the next field's, unless all of it turns out to be a card number.
    fn keep_for_the_next_field(&mut self, key: Digit, keyed: Keyed, collect: &Collect) -> KeyUse {
        self.note(EventKind::Key { shown: None, queued: true });
        if keyed == Keyed::MatchBefore {
            self.type_ahead.unpop(key);
            self.return_held_back();
            self.complete(collect);
        } else {
            self.restart_entry_timer();
        }
        KeyUse::Secret
    }

    fn after_key(&mut self, key: Digit, keyed: Keyed, held_back: usize, collect: &Collect) {
        match keyed {
            Keyed::More | Keyed::Full => self.restart_entry_timer(),
            Keyed::Ignored => {
                self.restart_entry_timer();
                if self.collector.is_empty() && self.phase == Phase::Listening {
                    self.start_first_digit_timer();
                }
            }
            Keyed::Match => {
                let by_itself = Some(key) != self.menu.field(collect.field).end_key;
                self.complete(collect);
                self.expect_stray_end_key(collect.field, by_itself);
            }
            Keyed::MatchBefore | Keyed::HeldBack => {}
            Keyed::Card => self.card_like(),
            Keyed::NoMatch => self.entry_error(Outcome::NoMatch),
            Keyed::Cleared => {
                self.note(EventKind::Outcome(Outcome::Cleared));
                self.note_dropped(held_back, Dropped::Cleared);
                self.prompt_entry(&collect.entry.errors.cleared);
            }
            Keyed::Back if self.visit.is_unconfirmed() => {
                self.note(EventKind::Outcome(Outcome::Back));
                self.forget_unconfirmed();
                self.prompt_entry(&[]);
            }
            Keyed::Back => self.back_or_repeat(&collect.entry),
        }
    }

    fn card_like(&mut self) {
        self.forget_card_like();
        self.entry_error(Outcome::Invalid(Rule::LooksLikeCard));
    }

    fn expect_stray_end_key(&mut self, field: FieldId, ended_by_itself: bool) {
        let end_key = self.menu.field(field).end_key.or_else(|| Digit::from_char('#'));
        self.stray_end_key = end_key.filter(|_| ended_by_itself).map(|key| (key, self.now + STRAY_END_KEY));
    }

    /// *Inter-digit* or *terminator grace* fired: rules 2, 3 and 6.
    pub(super) fn entry_timed_out(&mut self) {
        let menu = Arc::clone(&self.menu);
        match &menu.state(self.state).kind {
            Kind::Collect(_) if self.collector.is_card() => self.card_like(),
            Kind::Collect(collect) if self.collector.is_complete() => {
                self.return_held_back();
                self.complete(collect);
                self.expect_stray_end_key(collect.field, true);
            }
            _ => self.entry_error(Outcome::NoMatch),
        }
    }

    fn complete(&mut self, collect: &Collect) {
        let menu = Arc::clone(&self.menu);
        let entry = self.collector.take();
        if menu.field(collect.field).kind == FieldKind::YesNo && !matches!(entry.expose(), "1" | "2") {
            return self.entry_error(Outcome::NoMatch);
        }
        if self.visit.stage == Stage::Second && self.session.digits(collect.field) != Some(entry.expose()) {
            self.forget_unconfirmed();
            return self.entry_error(Outcome::Mismatch);
        }
        if let Err(rule) = self.session.store(&menu, collect.field, entry) {
            return self.entry_error(Outcome::Invalid(rule));
        }
        self.visit.stage = match self.visit.stage {
            Stage::First if !collect.twice.is_empty() => Stage::Second,
            Stage::First | Stage::Second if !collect.read_back.is_empty() => Stage::ReadBack,
            _ => {
                self.visit.begin_anew();
                self.note(EventKind::Outcome(Outcome::Match));
                return self.go(collect.on_done);
            }
        };
        self.note(EventKind::Outcome(Outcome::AgainToBeSure));
        self.ask_further(menu.field(collect.field).kind);
    }

    /// Goes on to the second entry, or to what is read back. What was keyed ahead cannot be a yes to an amount.
    fn ask_further(&mut self, kind: FieldKind) {
        self.collector = self.new_collector();
        if self.reads_back() && kind == FieldKind::Amount {
            self.drop_keys_ahead(Dropped::Flushed);
        }
        self.prompt_entry(&[]);
    }
}
