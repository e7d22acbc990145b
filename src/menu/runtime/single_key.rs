//! States that take a single key: a choice, a yes or no, a plan; and the keys that mean the same in all of them.

use std::sync::Arc;

use crate::dtmf::Digit;
use crate::menu::event::{Dropped, EventKind, Outcome};
use crate::menu::model::{Entry, Kind, Prompt, StateId, YES_NO};
use crate::menu::said_by_itself::SLOWER;

use super::{KeyUse, Runtime};

impl Runtime {
    pub(super) fn accept_single(&mut self, key: Digit, target: Option<StateId>, entry: &Entry) -> KeyUse {
        let global = if target.is_none() { self.global_meaning(key, entry) } else { None };
        let meant = target.is_some() || global.is_some();
        self.note(EventKind::Key { shown: meant.then(|| key.as_char()), queued: false });
        match (target, global) {
            (Some(target), _) => {
                self.note(EventKind::Outcome(Outcome::Match));
                self.after_single_key(key);
                self.go(target);
            }
            (None, Some(meaning)) => {
                // Keys in a burst were not meant for this question, and one of them may be its yes.
                if matches!(self.here().kind, Kind::Confirm(_)) {
                    self.expect_burst(self.now, Dropped::Flushed);
                }
                self.do_global(meaning, entry);
            }
            (None, None) => {
                self.expect_burst(self.now, Dropped::AfterError);
                self.entry_error(Outcome::NoMatch);
            }
        }
        if meant { KeyUse::Open } else { KeyUse::Secret }
    }

    /// Some callers press the end key after every answer.
    fn after_single_key(&mut self, key: Digit) {
        if key.as_char().is_ascii_digit() {
            self.expect_stray_end_key(true);
        }
    }

    fn global_meaning(&self, key: Digit, entry: &Entry) -> Option<Outcome> {
        if key.as_char() == '*' {
            return Some(if entry.on_back.is_some() { Outcome::Back } else { Outcome::Repeat });
        }
        let keys = &self.menu.global_keys;
        if keys.help == Some(key) && !entry.help.is_empty() {
            return Some(Outcome::Help);
        }
        if !self.here().global_keys {
            return None;
        }
        match Some(key) {
            key if key == keys.slower => Some(Outcome::OtherPace),
            key if key == keys.language => Some(Outcome::OtherLanguage),
            key if key == keys.person.map(|(key, _)| key) => Some(Outcome::Person),
            _ => None,
        }
    }

    fn do_global(&mut self, meaning: Outcome, entry: &Entry) {
        if matches!(meaning, Outcome::Back | Outcome::Repeat) {
            return self.back_or_repeat(entry);
        }
        self.note(EventKind::Outcome(meaning));
        self.expect_stray_end_key(true);
        match meaning {
            Outcome::Help => self.prompt_entry(&entry.help),
            Outcome::OtherPace => {
                self.slow = !self.slow;
                let slower = Prompt::Clip { id: SLOWER.to_owned(), language: None };
                self.prompt_entry(if self.slow { std::slice::from_ref(&slower) } else { &[] });
            }
            Outcome::OtherLanguage => {
                let languages = &self.menu.languages;
                let at = languages.iter().position(|language| *language == self.language).unwrap_or(0);
                self.language = languages[(at + 1) % languages.len()];
                self.prompt_entry(&[]);
            }
            _ => {
                if let Some((_, person)) = self.menu.global_keys.person {
                    self.go(person);
                }
            }
        }
    }

    /// A key at what is read back: yes, no, or once more.
    pub(super) fn accept_read_back(&mut self, key: Digit, done: StateId) -> KeyUse {
        let (yes, no) = YES_NO;
        let meant = [yes, no, '*'].contains(&key.as_char());
        self.note(EventKind::Key { shown: meant.then(|| key.as_char()), queued: false });
        match key.as_char() {
            pressed if pressed == yes => {
                self.note(EventKind::Outcome(Outcome::Match));
                self.after_single_key(key);
                self.visit.begin_anew();
                self.go(done);
            }
            pressed if pressed == no => {
                self.note(EventKind::Outcome(Outcome::Cleared));
                self.after_single_key(key);
                self.forget_unconfirmed();
                self.prompt_entry(&[]);
            }
            '*' => {
                self.note(EventKind::Outcome(Outcome::Repeat));
                self.prompt_entry(&[]);
            }
            _ => {
                self.expect_burst(self.now, Dropped::AfterError);
                self.entry_error(Outcome::NoMatch);
            }
        }
        if meant { KeyUse::Open } else { KeyUse::Secret }
    }

    /// An entry that was not keyed twice, or not said yes to, counts for nothing; it is asked for from the start.
    pub(super) fn forget_unconfirmed(&mut self) {
        let menu = Arc::clone(&self.menu);
        let (Kind::Collect(collect), true) = (&menu.state(self.state).kind, self.visit.is_unconfirmed()) else {
            return;
        };
        self.session.forget(collect.field);
        self.clear_entry(Dropped::AfterError);
        self.visit.begin_anew();
        self.collector = self.new_collector();
    }
}
