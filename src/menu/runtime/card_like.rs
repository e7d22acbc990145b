//! A card number keyed where none was asked for: told from an entry, refused, and kept out of recordings.

use crate::menu::event::Dropped;
use crate::menu::model::{FieldSpec, Kind};

use super::{Action, Runtime};

impl Runtime {
    /// Whether a field is being keyed that may turn out to be a card number; recordings are held back for as long.
    pub fn is_doubtful(&self) -> bool {
        !self.is_over() && !self.collector.is_empty() && self.watched_field().is_some()
    }

    /// The field of the present state, where card numbers are watched for.
    pub(super) fn watched_field(&self) -> Option<&FieldSpec> {
        match &self.here().kind {
            Kind::Collect(collect) if !self.reads_back() => {
                Some(self.menu.field(collect.field)).filter(|field| field.watches_for_cards())
            }
            _ => None,
        }
    }

    /// Wipes the entry. Keys held back to see whether they belong to a card number are accounted for.
    pub(super) fn clear_entry(&mut self, why: Dropped) {
        let held = self.collector.held_back();
        self.collector.clear();
        self.note_dropped(held, why);
    }

    /// A card number stood where none was asked for: its sound goes, and its digits.
    pub(super) fn forget_card_like(&mut self) {
        self.actions.push_back(Action::ForgetDoubtful);
        self.clear_entry(Dropped::AfterError);
        self.row.clear();
    }

    /// Keys held back belong to the next field, in the order they were pressed.
    pub(super) fn return_held_back(&mut self) {
        for key in self.collector.take_held_back().into_iter().rev() {
            self.type_ahead.unpop(key);
        }
    }
}
