//! The menu's states as a graph.

use crate::menu::model::{Entry, Kind, State, StateId};

use super::Checker;

impl Checker<'_> {
    /// Where calls come in: the start, and `give_up`, where a call over its limit goes from anywhere.
    pub(super) fn entrances(&self) -> Vec<StateId> {
        vec![self.menu.start, self.menu.give_up]
    }

    /// Which states can be entered from these (themselves included) without entering any to `avoid`.
    pub(super) fn reachable(&self, mut open: Vec<StateId>, avoid: impl Fn(&State) -> bool) -> Vec<bool> {
        let mut seen = vec![false; self.menu.states.len()];
        while let Some(id) = open.pop() {
            if !seen[id.0] && !avoid(self.menu.state(id)) {
                seen[id.0] = true;
                open.extend(targets(&self.menu.state(id).kind));
            }
        }
        seen
    }
}

/// Everywhere a state can lead.
pub(super) fn targets(kind: &Kind) -> Vec<StateId> {
    let entry = |entry: &Entry| [Some(entry.on_give_up), entry.on_back];
    match kind {
        Kind::Say { next } => vec![*next],
        Kind::HangUp => Vec::new(),
        Kind::Choose(choose) => {
            let options = choose.options.iter().map(|(_, target)| Some(*target));
            options.chain(entry(&choose.entry)).flatten().collect()
        }
        Kind::Confirm(confirm) => {
            [Some(confirm.on_yes), Some(confirm.on_no)].into_iter().chain(entry(&confirm.entry)).flatten().collect()
        }
        Kind::Collect(collect) => [Some(collect.on_done)].into_iter().chain(entry(&collect.entry)).flatten().collect(),
        Kind::Authorize(on) => vec![
            on.on_authorized,
            on.on_unknown,
            on.on_expired,
            on.on_already_paid,
            on.on_blocked,
            on.on_pending,
            on.on_unavailable,
            on.on_give_up,
        ],
        Kind::Charge(on) => vec![
            on.on_approved,
            on.on_other_card,
            on.on_call_bank,
            on.on_declined,
            on.on_correct_pan,
            on.on_correct_expiry,
            on.on_correct_cvv,
            on.on_already_paid,
            on.on_unknown,
            on.on_no_answer,
            on.on_unavailable,
            on.on_give_up,
        ],
    }
}
