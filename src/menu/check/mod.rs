//! Checks on a menu as a graph: what can be reached, what must come before what, and that no way goes round for ever
//! without the caller.

pub(in crate::menu) mod graph;
mod order;
mod outcomes;
mod seldom_meant;
mod spoken_keys;
mod sub_menus;

use crate::yaml::{Notes, Path, quoted};

use super::Catalog;
use super::model::{Kind, Menu, State, StateId};

pub(super) fn check(menu: &Menu, catalog: &dyn Catalog, notes: &Notes) {
    let checker = Checker { menu, catalog, notes };
    checker.unreachable_states();
    checker.calls_that_cannot_end();
    checker.loops_without_input();
    checker.loops_of_silence();
    checker.fields_before_use();
    checker.yes_before_charge();
    checker.cards_keyed_anew();
    checker.paid_is_said_to_payers();
    checker.words_that_are_known();
    checker.outcomes_that_tell();
    checker.amounts_that_were_said();
    checker.languages_of_states();
    checker.sub_menus();
    checker.after_hang_up();
    checker.answers_of_one_table();
    checker.keys_that_are_named();
    checker.back_to_months();
    checker.what_is_seldom_meant();
}

struct Checker<'a> {
    menu: &'a Menu,
    catalog: &'a dyn Catalog,
    notes: &'a Notes,
}

impl Checker<'_> {
    /// A problem of a state, told at its name.
    fn problem(&self, id: StateId, message: &str, cure: &str) {
        let name = &self.menu.state(id).name;
        let path = Path::default().key("states").key(name).name();
        self.notes.add(&path, format!("state {} {message}", quoted(name)), cure);
    }

    fn states(&self) -> impl Iterator<Item = (StateId, &State)> {
        self.menu.states.iter().enumerate().map(|(index, state)| (StateId(index), state))
    }

    fn unreachable_states(&self) {
        let mut reachable = self.reachable(self.entrances(), |_| false);
        let after_hang_up = self.reachable(self.menu.on_hang_up.into_iter().collect(), |_| false);
        reachable.iter_mut().zip(after_hang_up).for_each(|(reached, after)| *reached |= after);
        for (id, _) in self.states().filter(|(id, _)| !reachable[id.0]) {
            self.problem(id, "is never reached: no way leads to it", "lead an outcome to it, or remove it");
        }
    }

    /// Every state must have a way to one that hangs up.
    fn calls_that_cannot_end(&self) {
        let mut ends: Vec<bool> = self.menu.states.iter().map(|state| state.kind.is_last()).collect();
        loop {
            let leads = |(id, state): &(StateId, &State)| {
                let returns_to_an_end = || self.visits().any(|(_, _, next)| ends[next.0]);
                let returns = matches!(state.kind, Kind::Return) && returns_to_an_end();
                !ends[id.0] && (returns || graph::targets(&state.kind).iter().any(|target| ends[target.0]))
            };
            let more: Vec<StateId> = self.states().filter(leads).map(|(id, _)| id).collect();
            if more.is_empty() {
                break;
            }
            more.into_iter().for_each(|id| ends[id.0] = true);
        }
        if ends.iter().all(|ends| !ends) {
            let path = Path::default().key("states").name();
            return self.notes.add(&path, "no state ends the call", "add hang_up: true to the last one");
        }
        for (id, _) in self.states().filter(|(id, _)| !ends[id.0]) {
            self.problem(id, "never lets the call end", "lead one of its ways to a state with hang_up: true");
        }
    }

    /// States that come back to themselves without a key: for ever, or as often as a service can be asked.
    fn loops_without_input(&self) {
        for (start, state) in self.states().filter(|(_, state)| !takes_keys(state)) {
            let ways = match &state.kind {
                Kind::Visit { to, next } => self.returning(&takes_keys)[to].then_some(*next).into_iter().collect(),
                kind => graph::targets(kind),
            };
            if self.reachable_on_level(ways, takes_keys)[start.0] {
                self.problem(
                    start,
                    "comes back to itself without a key from the caller",
                    "let one of the states of this loop take a key, or end the call",
                );
            }
        }
    }

    /// States that ask and come back to themselves where the caller does nothing at all: nobody holds the line until the
    /// call's limit.
    fn loops_of_silence(&self) {
        if !self.menu.states.iter().any(|state| state.kind.is_last()) {
            return; // told already
        }
        let waits = |state: &State| state.kind.entry().is_some();
        for (start, _) in self.states().filter(|(_, state)| waits(state)) {
            if self.reachable_in_silence(start)[start.0] {
                self.problem(
                    start,
                    "comes back to itself from its give_up, without a key from the caller",
                    "lead its give_up: to the call's end, or over a branch: that counts with tries:",
                );
            }
        }
    }

    /// Going back to an offer of months that leads on to the same question.
    fn back_to_months(&self) {
        for (id, state) in self.states() {
            let back = state.kind.entry().and_then(|entry| entry.on_back).map(|back| self.menu.state(back));
            let Some(State { name: offer, kind: Kind::Months(months), .. }) = back else { continue };
            if months.on_done == id {
                let path = Path::default().key("states").key(&state.name).key("on").key("back");
                let offer = quoted(offer);
                self.notes.warn(
                    &path,
                    format!("back leads to {offer}, which an amount too small for months passes at once: back here"),
                    format!("lead it to where {offer} is come from"),
                );
            }
        }
    }

    fn languages_of_states(&self) {
        for (id, state) in self.states() {
            if let Some(language) = state.language
                && !self.menu.languages.contains(&language)
            {
                let message = format!("switches to {}, which this menu does not speak", language.code());
                self.problem(id, &message, "add the language to languages: at the top");
            }
        }
    }
}

const fn takes_keys(state: &State) -> bool {
    // Months without interest that the amount does not allow are passed without a key.
    matches!(state.kind, Kind::Choose(_) | Kind::Confirm(_) | Kind::Collect(_))
}
