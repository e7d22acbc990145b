//! What others ask of a menu as a whole: its names and texts, and what its calls may do.

use super::{Authorize, FieldKind, Kind, Menu, OwnText, State};

impl Menu {
    /// The prompts whose words the menu itself has, in the order of the file.
    pub fn own_texts(&self) -> &[OwnText] {
        &self.texts
    }

    /// The states' names in the order of the file.
    pub fn state_names(&self) -> impl Iterator<Item = &str> {
        self.states.iter().map(|state| state.name.as_str())
    }

    /// Whether it charges what is paid again and again, under the number of an account or none: whose payment one was, its order
    /// alone tells.
    pub fn charges_without_key(&self) -> bool {
        let asks_without = |state: &State| match &state.kind {
            Kind::Authorize(Authorize { key, .. }) => {
                key.is_none_or(|key| self.field(key).kind != FieldKind::PaymentKey)
            }
            _ => false,
        };
        let charges = self.states.iter().any(|state| matches!(state.kind, Kind::Charge(_)));
        charges && self.states.iter().any(asks_without)
    }

    /// Whether a call may be handed over to a person.
    pub fn transfers_callers(&self) -> bool {
        self.states.iter().any(|state| matches!(state.kind, Kind::Transfer { .. }))
    }

    /// Whether a call may give answers to be kept.
    pub fn saves_answers(&self) -> bool {
        self.answers().next().is_some()
    }

    /// The names of what a call gives to be kept, by the state that keeps it.
    pub fn answers(&self) -> impl Iterator<Item = Vec<&str>> {
        self.states.iter().filter_map(|state| state.kind.saved_names())
    }

    /// Whether all answers have the same names, as the columns of one table must.
    pub fn answers_fit_a_table(&self) -> bool {
        let mut lists = self.answers();
        lists.next().is_none_or(|first| lists.all(|list| list == first))
    }
}
