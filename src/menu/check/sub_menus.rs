//! Sub-menus come back to whoever visits them, what follows a hang-up needs no caller, and answers fit together.

use crate::menu::model::{Kind, State, StateId};
use crate::yaml::{Path, quoted};

use super::Checker;
use super::graph::targets;

/// Sub-menus visited from within sub-menus; a caller is lost long before.
const DEEPEST: usize = 8;

impl Checker<'_> {
    pub(super) fn sub_menus(&self) {
        let returning = self.returning(&|_| false);
        for (id, to, _) in self.visits() {
            if !returning[&to] {
                self.problem(
                    id,
                    "visits a sub-menu that never returns",
                    "lead one of the sub-menu's ways to a state with return: true, or write next: instead of visit:",
                );
            } else if self.visits_itself(to) {
                self.problem(
                    id,
                    "visits a sub-menu that visits itself",
                    "let the inner one go there with next: instead",
                );
            } else if self.depth(to) > DEEPEST {
                let cure = format!("visit at most {DEEPEST} deep; go there with next: instead");
                self.problem(id, "visits sub-menus too deep within each other", &cure);
            }
        }
        let on_level = self.reachable_on_level(self.entrances(), |_| false);
        for (id, _) in self.states().filter(|(id, state)| on_level[id.0] && matches!(state.kind, Kind::Return)) {
            self.problem(id, "returns, but can be reached without a visit", "lead to it from inside a sub-menu only");
        }
    }

    /// The sub-menus visited from this one, on its own level.
    fn visited_from(&self, sub_menu: StateId) -> Vec<StateId> {
        let inside = self.reachable_on_level(vec![sub_menu], |_| false);
        self.visits().filter(|(id, ..)| inside[id.0]).map(|(_, to, _)| to).collect()
    }

    fn visits_itself(&self, sub_menu: StateId) -> bool {
        let (mut open, mut seen) = (self.visited_from(sub_menu), vec![false; self.menu.states.len()]);
        while let Some(visited) = open.pop() {
            if visited == sub_menu {
                return true;
            }
            if !std::mem::replace(&mut seen[visited.0], true) {
                open.extend(self.visited_from(visited));
            }
        }
        false
    }

    /// How deep the visits go from here; ends early where they go round.
    fn depth(&self, sub_menu: StateId) -> usize {
        let (mut level, mut depth) = (vec![sub_menu], 0);
        while !level.is_empty() && depth <= DEEPEST {
            let mut next: Vec<StateId> = level.into_iter().flat_map(|visited| self.visited_from(visited)).collect();
            next.sort_unstable();
            next.dedup();
            level = next;
            depth += 1;
        }
        depth
    }

    /// Answers of one menu stand in one file, and a table has one list of columns.
    pub(super) fn answers_of_one_table(&self) {
        let mut saving = self.states().filter_map(|(id, state)| Some((id, state.kind.saved_names()?)));
        let Some((first, columns)) = saving.next() else { return };
        for (id, _) in saving.filter(|(_, names)| *names != columns) {
            let name = &self.menu.state(id).name;
            let path = Path::default().key("states").key(name).key("save").name();
            let first = quoted(&self.menu.state(first).name);
            self.notes.warn(
                &path,
                format!("state {} saves other answers than {first}: a table (.csv) cannot hold both", quoted(name)),
                "save the same list in both, as what is not known is kept as nothing; or keep answers as JSON lines",
            );
        }
    }

    /// Nobody hears what is said after a hang-up, nor presses a key.
    pub(super) fn after_hang_up(&self) {
        let Some(first) = self.menu.on_hang_up else { return };
        let can_do = |state: &State| {
            (state.kind.needs_no_caller() && state.say.is_empty()) || matches!(state.kind, Kind::HangUp)
        };
        let reached = self.reachable_on_level(vec![first], |state| !can_do(state));
        let led_to = |id: StateId| {
            let leads = |(from, state): (StateId, &State)| reached[from.0] && targets(&state.kind).contains(&id);
            id == first || self.states().any(leads)
        };
        for (id, _) in self.states().filter(|(id, state)| !can_do(state) && led_to(*id)) {
            self.problem(
                id,
                "comes after the caller has hung up, but needs the caller",
                "after on_hang_up: there is only set:, save:, branch: and hours: without say:, then hang_up: true",
            );
        }
    }
}
