//! Checks on a menu as a graph: what can be reached, what must come before what, and that no way goes round for ever
//! without the caller.

use std::collections::BTreeSet;

use super::model::{FieldId, Kind, Menu, State, StateId};
use super::problem::Notes;
use super::yaml::Path;

pub(super) fn check(menu: &Menu, notes: &Notes) {
    let checker = Checker { menu, notes };
    checker.unreachable_states();
    checker.calls_that_cannot_end();
    checker.loops_without_input();
    checker.order_of_states();
    checker.languages_of_states();
}

struct Checker<'a> {
    menu: &'a Menu,
    notes: &'a Notes,
}

impl Checker<'_> {
    fn problem(&self, id: StateId, message: String, cure: &str) {
        let path = Path::default().key("states").key(&self.menu.state(id).name);
        self.notes.add(&path, message, cure);
    }

    fn states(&self) -> impl Iterator<Item = (StateId, &State)> {
        self.menu.states.iter().enumerate().map(|(index, state)| (StateId(index), state))
    }

    /// States that can be entered from the start without entering `avoid`.
    fn reachable_without(&self, avoid: impl Fn(&State) -> bool) -> BTreeSet<StateId> {
        let mut seen = BTreeSet::new();
        // `give_up` is where a call over its limit goes, from anywhere.
        let mut open = vec![self.menu.start, self.menu.give_up];
        while let Some(id) = open.pop() {
            if avoid(self.menu.state(id)) || !seen.insert(id) {
                continue;
            }
            open.extend(targets(&self.menu.state(id).kind));
        }
        seen
    }

    fn unreachable_states(&self) {
        let reachable = self.reachable_without(|_| false);
        for (id, state) in self.states().filter(|(id, _)| !reachable.contains(id)) {
            self.problem(id, format!("no way leads to state {:?}", state.name), "lead an outcome to it, or remove it");
        }
    }

    /// Every state must have a way to one that hangs up.
    fn calls_that_cannot_end(&self) {
        let mut ends: BTreeSet<StateId> =
            self.states().filter(|(_, state)| matches!(state.kind, Kind::HangUp)).map(|(id, _)| id).collect();
        loop {
            let leads = |(id, state): &(StateId, &State)| {
                !ends.contains(id) && targets(&state.kind).iter().any(|target| ends.contains(target))
            };
            let more: Vec<StateId> = self.states().filter(leads).map(|(id, _)| id).collect();
            if more.is_empty() {
                break;
            }
            ends.extend(more);
        }
        for (id, state) in self.states().filter(|(id, _)| !ends.contains(id)) {
            self.problem(
                id,
                format!("from state {:?} the call can never end", state.name),
                "lead one of its ways to a state with hang_up: true",
            );
        }
    }

    /// Speaking states that lead to each other for ever.
    fn loops_without_input(&self) {
        for (start, state) in self.states() {
            let mut here = start;
            let mut steps = 0;
            while let Kind::Say { next } = self.menu.state(here).kind {
                here = next;
                steps += 1;
                if here == start {
                    self.problem(
                        start,
                        format!("state {:?} comes back to itself without a key from the caller", state.name),
                        "let one of the states of this loop take a key, or end the call",
                    );
                    break;
                }
                if steps > self.menu.states.len() {
                    break;
                }
            }
        }
    }

    /// Fields before their use, and a yes to the amount before a charge.
    fn order_of_states(&self) {
        for (id, state) in self.states() {
            for field in used_fields(&state.kind) {
                let name = &self.menu.field(field).name;
                self.must_come_first(
                    id,
                    |earlier| collects(earlier, field),
                    &format!("uses field {name:?} before it is collected on every way"),
                );
            }
            if matches!(state.kind, Kind::Charge(_)) {
                self.must_come_first(
                    id,
                    |earlier| matches!(earlier.kind, Kind::Confirm(_)),
                    "can be reached without a yes to the amount",
                );
                self.must_come_first(
                    id,
                    |earlier| matches!(earlier.kind, Kind::Authorize(_)),
                    "can be reached without an authorized amount",
                );
            }
            if matches!(state.kind, Kind::Confirm(_)) {
                self.must_come_first(
                    id,
                    |earlier| matches!(earlier.kind, Kind::Authorize(_)),
                    "asks for a yes before an amount was authorized",
                );
            }
        }
    }

    fn must_come_first(&self, id: StateId, first: impl Fn(&State) -> bool, message: &str) {
        if self.reachable_without(first).contains(&id) {
            let name = &self.menu.state(id).name;
            self.problem(
                id,
                format!("state {name:?} {message}"),
                "put the state that is missing before it on every way",
            );
        }
    }

    fn languages_of_states(&self) {
        for (id, state) in self.states() {
            if let Some(language) = state.language
                && !self.menu.languages.contains(&language)
            {
                self.problem(
                    id,
                    format!("state {:?} switches to {}, which this menu does not speak", state.name, language.code()),
                    "add the language to languages: at the top",
                );
            }
        }
    }
}

fn collects(state: &State, field: FieldId) -> bool {
    matches!(&state.kind, Kind::Collect(collect) if collect.field == field)
}

fn used_fields(kind: &Kind) -> Vec<FieldId> {
    match kind {
        Kind::Authorize(authorize) => vec![authorize.key],
        Kind::Charge(charge) => vec![charge.key, charge.pan, charge.expiry, charge.cvv],
        _ => Vec::new(),
    }
}

/// Everywhere a state can lead.
fn targets(kind: &Kind) -> Vec<StateId> {
    let entry = |entry: &super::model::Entry| [Some(entry.on_give_up), entry.on_back];
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
            on.on_unavailable,
            on.on_give_up,
        ],
    }
}
