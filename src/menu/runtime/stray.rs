//! Keys that were not meant for the present question: the end key that callers press by habit, and the rest of what was keyed
//! before the question was asked.

use crate::dtmf::Digit;
use crate::media::MediaTime;
use crate::menu::event::{Dropped, EventKind, Outcome};
use crate::menu::model::{Choose, Confirm, Kind};

use super::{KeyUse, Runtime};

/// Keys that follow each other faster than this belong together: if one of them was not heard, or was a mistake, the next is
/// its rest, and no answer to a question that came between them.
const BURST: MediaTime = MediaTime::from_ms(1000);

/// How long after an entry or an answer a lone end key still belongs to it: callers press `#` by habit, also twice, and a
/// stray one must not spoil what comes next.
const STRAY_END_KEY: MediaTime = MediaTime::from_ms(3000);

/// An end key that may still be pressed by habit.
#[derive(Debug, Clone, Copy)]
pub(super) struct StrayEndKey {
    until: MediaTime,
    /// It would follow a single key, which needs no end: where the next question offers the end key, it may be meant.
    after_single_key: bool,
}

impl Runtime {
    /// An entry has ended, or a single key was taken.
    pub(super) fn expect_stray_end_key(&mut self, after_single_key: bool) {
        self.stray_end_key = Some(StrayEndKey { until: self.now + STRAY_END_KEY, after_single_key });
    }

    /// The end key, pressed after what it would end was over; perhaps more than once, but before any other key.
    pub(super) fn is_stray_end_key(&mut self, key: Digit) -> bool {
        let is_stray = |stray: &StrayEndKey| {
            is_end_key(key) && self.now <= stray.until && !(stray.after_single_key && self.answers_with(key))
        };
        self.stray_end_key = self.stray_end_key.filter(is_stray);
        self.stray_end_key.is_some()
    }

    /// Whether the present question has this key among its answers.
    fn answers_with(&self, key: Digit) -> bool {
        match &self.here().kind {
            Kind::Choose(Choose { options, .. }) => options.iter().any(|(option, _)| *option == key),
            Kind::Confirm(Confirm { yes, no, .. }) => [yes, no].contains(&&key),
            _ => false,
        }
    }

    /// Whether this is an end key where a field has nothing to end: nothing has been keyed, or the field ends by itself.
    pub(super) fn ends_nothing(&self, key: Digit) -> bool {
        let Kind::Collect(collect) = &self.here().kind else { return false };
        let ends_by_itself = self.menu.field(collect.field).end_key.is_none() && !self.collector.is_full();
        is_end_key(key) && !self.reads_back() && (self.collector.is_empty() || ends_by_itself)
    }

    /// An end key that ends nothing, and nothing is being said: whoever has keyed nothing hears the question again.
    pub(super) fn end_key_in_silence(&mut self, key: Digit) -> KeyUse {
        if !self.collector.is_empty() {
            return self.drop_key(key, Dropped::StrayEndKey);
        }
        self.row.add(key, self.now);
        self.note(EventKind::Key { shown: Some(key.as_char()), queued: false });
        self.note(EventKind::Outcome(Outcome::Repeat));
        self.prompt_entry(&[]);
        KeyUse::Open
    }

    /// The key pressed at this time was dropped: those that follow it at once are its rest.
    pub(super) fn expect_burst(&mut self, at: MediaTime, why: Dropped) {
        self.burst = Some((at + BURST, why));
    }

    /// Drops the keys pressed ahead, and what follows the last of them at once.
    pub(super) fn flush_keys_ahead(&mut self) {
        if !self.type_ahead.is_empty() {
            self.expect_burst(self.last_key, Dropped::Flushed);
        }
        self.drop_keys_ahead(Dropped::Flushed);
    }
}

/// Fields end with `#` or by themselves.
fn is_end_key(key: Digit) -> bool {
    key.as_char() == '#'
}
