//! A field's digits: each key, the end of an entry, and whether it is asked for once more or read back.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::dtmf::Digit;
use crate::menu::collector::{Collector, Keyed, Rules, Watches};
use crate::menu::event::{Dropped, EventKind, Outcome, Rule};
use crate::menu::model::{Centavos, Collect, FieldKind, FieldSpec, Kind};

use super::entry::Stage;
use super::{KeyUse, Phase, Runtime};

impl Runtime {
    /// For an entry in the present state; of nothing where no digits are collected.
    pub(super) fn new_collector(&self) -> Collector {
        match &self.here().kind {
            Kind::Collect(collect) if !self.reads_back() => {
                let field = self.menu.field(collect.field);
                let watches = match field.kind {
                    FieldKind::CardNumber => Watches::ForItsBrand,
                    _ if field.watches_for_cards() => Watches::ForCards,
                    _ => Watches::Nothing,
                };
                let (length, next_takes) = (self.length_of(field), self.next_takes(collect));
                let star_parts = field.centavos == Centavos::AfterStar;
                Collector::new(Rules { length, end_key: field.end_key, watches, star_parts, next_takes })
            }
            _ => Collector::nothing(),
        }
    }

    /// The fewest digits of the field that is asked for right after this one, if one is.
    fn next_takes(&self, collect: &Collect) -> Option<usize> {
        let is_asked_further = !collect.twice.is_empty() || !collect.read_back.is_empty();
        let next = self.menu.state(collect.on_done);
        match &next.kind {
            Kind::Collect(next_one) if !is_asked_further && !next.flush_keys => {
                Some(*self.menu.field(next_one.field).digits.start())
            }
            _ => None,
        }
    }

    /// A CVV's length is known once the card's brand is.
    fn length_of(&self, field: &FieldSpec) -> RangeInclusive<usize> {
        match (field.kind, self.session.brand()) {
            (FieldKind::Cvv, Some(brand)) => brand.cvv_length()..=brand.cvv_length(),
            _ => field.digits.clone(),
        }
    }

    pub(super) fn accept_digit(&mut self, key: Digit, collect: &Collect) -> KeyUse {
        let (before, held_back) = (self.collector.keyed(), self.collector.held_back());
        let keyed = self.collector.key(key);
        if let Keyed::MatchBefore | Keyed::HeldBack = keyed {
            return self.hold_back(key, keyed, collect);
        }
        let field = self.menu.field(collect.field);
        let kind = field.kind;
        let shown = field.most_shown().is_none_or(|most| before < most) || !key.as_char().is_ascii_digit();
        self.note(EventKind::Key { shown: shown.then(|| key.as_char()), queued: false });
        self.after_key(key, keyed, held_back, collect);
        match kind {
            kind if kind.is_card_data() || keyed == Keyed::Card => KeyUse::Secret,
            _ if self.menu.field(collect.field).watches_for_cards() => KeyUse::Doubtful,
            _ => KeyUse::Open,
        }
    }

    /// A digit beyond a full entry: the next field's, a card number's, or one too many.
    fn hold_back(&mut self, key: Digit, keyed: Keyed, collect: &Collect) -> KeyUse {
        self.note(EventKind::Key { shown: None, queued: true });
        if keyed == Keyed::MatchBefore {
            if !key.as_char().is_ascii_digit() {
                self.type_ahead.unpop(key);
            }
            self.return_held_back();
            self.complete(collect, true);
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
                self.complete(collect, by_itself);
                self.expect_stray_end_key(false);
            }
            Keyed::MatchBefore | Keyed::HeldBack => {}
            Keyed::Card => self.card_like(),
            Keyed::NoMatch => self.entry_error(Outcome::NoMatch),
            Keyed::TooMany => self.too_many(),
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

    /// More digits than the field takes. No card number is so short, but it may have been meant for one.
    fn too_many(&mut self) {
        if self.watched_field().is_some() {
            self.forget_card_like();
        }
        self.entry_error(Outcome::TooMany);
    }

    /// *Inter-digit* or *terminator grace* fired: rules 2, 3 and 6.
    pub(super) fn entry_timed_out(&mut self) {
        let menu = Arc::clone(&self.menu);
        match &menu.state(self.state).kind {
            Kind::Collect(_) if self.collector.is_card() => self.card_like(),
            Kind::Collect(_) if self.collector.is_too_long() => self.too_many(),
            Kind::Collect(collect) if self.collector.is_complete() => {
                self.return_held_back();
                self.complete(collect, true);
                self.expect_stray_end_key(false);
            }
            _ => self.entry_error(Outcome::NoMatch),
        }
    }

    fn complete(&mut self, collect: &Collect, by_itself: bool) {
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
        self.ask_further(menu.field(collect.field).kind, by_itself);
    }

    /// Goes on to the second entry, or to what is read back. What was keyed ahead cannot be a yes to an amount; nor to an
    /// entry that ended by itself: it may be the rest of a longer number.
    fn ask_further(&mut self, kind: FieldKind, by_itself: bool) {
        self.collector = self.new_collector();
        self.row.clear();
        if self.reads_back() && (kind == FieldKind::Amount || by_itself) {
            self.flush_keys_ahead();
        }
        if self.reads_back() && by_itself {
            self.expect_burst(self.last_key, Dropped::Flushed);
        }
        self.prompt_entry(&[]);
    }
}
