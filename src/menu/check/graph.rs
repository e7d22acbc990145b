//! The menu's states as a graph, with sub-menus: a visit leads into its sub-menu and, if that can return, on to its next.

use std::collections::HashMap;

use crate::menu::model::{Entry, Kind, State, StateId, Test};

use super::Checker;

/// Which states a walk does not enter.
pub(super) type Avoid<'a> = &'a dyn Fn(&State) -> bool;

impl Checker<'_> {
    /// Where calls come in: the start, and `give_up`, where a call over its limit goes from anywhere.
    pub(super) fn entrances(&self) -> Vec<StateId> {
        let person = self.menu.global_keys.person.map(|(_, person)| person);
        [self.menu.start, self.menu.give_up].into_iter().chain(person).collect()
    }

    /// Which states can be entered from these (themselves included) without entering any to `avoid`. A walk that begins
    /// inside a sub-menu may come back to whoever visits it.
    pub(super) fn reachable(&self, open: Vec<StateId>, avoid: impl Fn(&State) -> bool) -> Vec<bool> {
        let returning = self.returning(&avoid);
        let mut seen = vec![false; self.menu.states.len()];
        self.walk(open.clone(), &avoid, &mut seen, |id| self.ways(id, &returning, true));
        if open != self.entrances() && self.may_return(&open, &avoid, &returning) {
            let callers = self.visits().map(|(_, _, next)| next).collect();
            self.walk(callers, &avoid, &mut seen, |id| self.ways(id, &returning, true));
        }
        seen
    }

    /// Which states of the same level can be entered from these: sub-menus are passed, not entered.
    pub(super) fn reachable_on_level(&self, open: Vec<StateId>, avoid: impl Fn(&State) -> bool) -> Vec<bool> {
        let returning = self.returning(&avoid);
        let mut seen = vec![false; self.menu.states.len()];
        self.walk(open, &avoid, &mut seen, |id| self.ways(id, &returning, false));
        seen
    }

    /// Which states are entered after this one while the caller does nothing. A branch that counts may lead out of any
    /// loop, so what follows it is left out; so is what a sub-menu returns to.
    pub(super) fn reachable_in_silence(&self, from: StateId) -> Vec<bool> {
        let mut seen = vec![false; self.menu.states.len()];
        let counts = |state: &State| match &state.kind {
            Kind::Branch { cases, .. } => cases.iter().any(|(test, _)| matches!(test, Test::Tries { .. })),
            _ => false,
        };
        self.walk(self.silent_ways(from), &counts, &mut seen, |id| self.silent_ways(id));
        seen
    }

    fn silent_ways(&self, id: StateId) -> Vec<StateId> {
        match &self.menu.state(id).kind {
            Kind::Months(months) => vec![months.entry.on_give_up, months.on_done],
            Kind::Visit { to, .. } => vec![*to],
            kind => kind.entry().map_or_else(|| targets(kind), |entry| vec![entry.on_give_up]),
        }
    }

    fn walk(
        &self,
        mut open: Vec<StateId>,
        avoid: Avoid<'_>,
        seen: &mut [bool],
        ways: impl Fn(StateId) -> Vec<StateId>,
    ) {
        while let Some(id) = open.pop() {
            if !seen[id.0] && !avoid(self.menu.state(id)) {
                seen[id.0] = true;
                open.extend(ways(id));
            }
        }
    }

    fn ways(&self, id: StateId, returning: &HashMap<StateId, bool>, into_sub_menus: bool) -> Vec<StateId> {
        let kind = &self.menu.state(id).kind;
        let Kind::Visit { to, next } = kind else { return targets(kind) };
        let into = into_sub_menus.then_some(*to);
        let over = returning[to].then_some(*next);
        into.into_iter().chain(over).collect()
    }

    fn may_return(&self, from: &[StateId], avoid: Avoid<'_>, returning: &HashMap<StateId, bool>) -> bool {
        let mut seen = vec![false; self.menu.states.len()];
        self.walk(from.to_vec(), avoid, &mut seen, |id| self.ways(id, returning, false));
        self.states().any(|(id, state)| seen[id.0] && matches!(state.kind, Kind::Return))
    }

    /// Visits as (state, sub-menu, next).
    pub(super) fn visits(&self) -> impl Iterator<Item = (StateId, StateId, StateId)> + '_ {
        self.states().filter_map(|(id, state)| match state.kind {
            Kind::Visit { to, next } => Some((id, to, next)),
            _ => None,
        })
    }

    /// Which sub-menus can return without entering a state to avoid.
    pub(super) fn returning(&self, avoid: Avoid<'_>) -> HashMap<StateId, bool> {
        let mut returning: HashMap<StateId, bool> = self.visits().map(|(_, to, _)| (to, false)).collect();
        loop {
            let waiting: Vec<StateId> = returning.iter().filter(|(_, can)| !**can).map(|(to, _)| *to).collect();
            let more: Vec<StateId> =
                waiting.into_iter().filter(|to| self.may_return(&[*to], avoid, &returning)).collect();
            if more.is_empty() {
                return returning;
            }
            returning.extend(more.into_iter().map(|to| (to, true)));
        }
    }
}

/// Everywhere a state can lead by itself or by a key; not where a sub-menu returns to.
pub(in crate::menu) fn targets(kind: &Kind) -> Vec<StateId> {
    labelled_targets(kind).into_iter().map(|(_, target)| target).collect()
}

/// The same with the outcome or key that leads there.
pub(in crate::menu) fn labelled_targets(kind: &Kind) -> Vec<(String, StateId)> {
    let named = |ways: &[(&str, StateId)]| ways.iter().map(|(name, to)| ((*name).to_owned(), *to)).collect::<Vec<_>>();
    let entry = |entry: &Entry| {
        let back = entry.on_back.map(|back| ("back", back));
        named(&[("give_up", entry.on_give_up)].into_iter().chain(back).collect::<Vec<_>>())
    };
    match kind {
        Kind::Say { next } | Kind::Set { next, .. } | Kind::Save { next, .. } => named(&[("", *next)]),
        Kind::HangUp | Kind::Return | Kind::Transfer { .. } => Vec::new(),
        Kind::Visit { to, next } => named(&[("visit", *to), ("", *next)]),
        Kind::Branch { cases, otherwise } => {
            let cases = cases.iter().enumerate().map(|(index, (_, to))| (format!("case {}", index + 1), *to));
            cases.chain(named(&[("otherwise", *otherwise)])).collect()
        }
        Kind::Hours(hours) => {
            named(&[("open", hours.on_open), ("closed", hours.on_closed), ("holiday", hours.on_holiday)])
        }
        Kind::Choose(choose) => {
            let options = choose.options.iter().map(|(key, to)| (key.as_char().to_string(), *to));
            options.chain(entry(&choose.entry)).collect()
        }
        Kind::Confirm(confirm) => {
            [named(&[("yes", confirm.on_yes), ("no", confirm.on_no)]), entry(&confirm.entry)].concat()
        }
        Kind::Collect(collect) => [named(&[("done", collect.on_done)]), entry(&collect.entry)].concat(),
        Kind::Months(months) => [named(&[("done", months.on_done)]), entry(&months.entry)].concat(),
        Kind::Authorize(on) => named(&[
            ("authorized", on.on_authorized),
            ("unknown", on.on_unknown),
            ("expired", on.on_expired),
            ("already_paid", on.on_already_paid),
            ("blocked", on.on_blocked),
            ("pending", on.on_pending),
            ("unavailable", on.on_unavailable),
            ("give_up", on.on_give_up),
        ]),
        Kind::Charge(on) => named(&[
            ("approved", on.on_approved),
            ("other_card", on.on_other_card),
            ("call_bank", on.on_call_bank),
            ("declined", on.on_declined),
            ("wrong_number", on.on_correct_pan),
            ("wrong_expiry", on.on_correct_expiry),
            ("wrong_cvv", on.on_correct_cvv),
            ("already_paid", on.on_already_paid),
            ("unknown", on.on_unknown),
            ("no_answer", on.on_no_answer),
            ("unavailable", on.on_unavailable),
            ("give_up", on.on_give_up),
        ]),
    }
}
