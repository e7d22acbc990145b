//! What must come before what: fields before their use, a yes to the amount before a charge, a new CVV before the next,
//! a charge that was made before what says so.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::menu::model::{Entry, FieldId, FieldKind, Kind, Prompt, Setting, State, StateId, Test, Value, VariableId};
use crate::yaml::quoted;

use super::graph::{labelled_targets, targets};
use super::{Checker, takes_keys};

/// Cures: the state that is missing.
const AUTHORIZE_FIRST: &str = "lead every way to it over a state with authorize: {}";
const CONFIRM_FIRST: &str = "lead every way to it over a state with confirm: { yes: \"1\", no: \"2\" }";
const CHARGE_FIRST: &str = "lead every way to it over a state with charge: {}";

/// Most states of a way that are named in a cure.
const LONGEST_WAY: usize = 8;

/// Outcomes of a charge that was made.
const PAID: [&str; 2] = ["approved", "already_paid"];

impl Checker<'_> {
    pub(super) fn fields_before_use(&self) {
        for (id, state) in self.states() {
            for field in used_fields(&state.kind) {
                let name = &self.menu.field(field).name;
                let message = format!("uses field {name:?}, which is not collected on every way to it");
                let cure = format!("lead every way to it over a state with collect: {{ field: {name} }}");
                self.must_come_first(id, |earlier| collects(earlier, field), &message, &cure);
            }
        }
    }

    pub(super) fn yes_before_charge(&self) {
        for (id, state) in self.states() {
            match &state.kind {
                Kind::Charge(_) => {
                    self.must_come_first(id, is_confirm, "can be reached without a yes to the amount", CONFIRM_FIRST);
                    self.must_come_first(
                        id,
                        is_authorize,
                        "can be reached without an authorized amount",
                        AUTHORIZE_FIRST,
                    );
                    self.yes_to_this_amount(id);
                }
                Kind::Confirm(_) => {
                    self.must_come_first(
                        id,
                        is_authorize,
                        "asks for a yes before an amount was authorized",
                        AUTHORIZE_FIRST,
                    );
                }
                Kind::Months(_) => {
                    let message = "offers months before an amount was authorized";
                    self.must_come_first(id, is_authorize, message, AUTHORIZE_FIRST);
                }
                _ => {}
            }
        }
    }

    /// A yes is good for one amount: a new authorization needs another, and so does whatever the authorizer was asked about,
    /// if it is keyed anew.
    fn yes_to_this_amount(&self, id: StateId) {
        for (_, state) in self.states() {
            let (after, needed, message, cure): (_, fn(&State) -> bool, _, _) = match &state.kind {
                Kind::Authorize(authorize) => {
                    (authorize.on_authorized, is_confirm, "can be reached without a yes to the amount", CONFIRM_FIRST)
                }
                Kind::Collect(collect) if self.menu.field(collect.field).kind == FieldKind::PaymentKey => {
                    let message = "can be reached with a payment key that was not authorized";
                    (collect.on_done, is_authorize, message, AUTHORIZE_FIRST)
                }
                Kind::Collect(collect) if self.menu.is_authorized_for(collect.field) => {
                    let message = "can be reached with an entry that the authorizer was not asked about";
                    (collect.on_done, is_authorize, message, AUTHORIZE_FIRST)
                }
                _ => continue,
            };
            if self.reachable(vec![after], needed)[id.0] {
                self.problem(id, message, cure);
            }
        }
    }

    /// Who was not charged, or of whom nobody knows it, must not come where those are told who were, before a key of theirs.
    pub(super) fn paid_is_said_to_payers(&self) {
        for (id, state) in self.states() {
            let Kind::Charge(charge) = &state.kind else { continue };
            let paid = self.menu.state(charge.on_approved);
            let led: Vec<String> = labelled_targets(&state.kind)
                .into_iter()
                .filter(|(name, to)| {
                    !PAID.contains(&name.as_str()) && self.leads_without_a_key(*to, charge.on_approved)
                })
                .map(|(name, _)| name)
                .collect();
            if !led.is_empty() {
                let message = format!("leads {} where it leads approved, to {}", led.join(", "), quoted(&paid.name));
                let cure =
                    "lead only approved and already_paid there: others did not pay, or must hear not to pay again";
                self.problem(id, &message, cure);
            }
        }
    }

    /// Whether a state leads to another, or is it, before a key of the caller's and before a card is charged.
    pub(super) fn leads_without_a_key(&self, from: StateId, to: StateId) -> bool {
        let wanted = self.menu.state(to);
        let asks = |state: &State| takes_keys(state) || matches!(state.kind, Kind::Charge(_));
        self.reachable(vec![from], |state| asks(state) && !std::ptr::eq(state, wanted))[to.0]
    }

    /// The CVV is good for one attempt, and the card number too unless only expiry or CVV were wrong.
    pub(super) fn cards_keyed_anew(&self) {
        for (id, state) in self.states() {
            let Kind::Charge(charge) = &state.kind else { continue };
            let all = targets(&state.kind);
            let kept = [charge.on_correct_expiry, charge.on_correct_cvv];
            let forgotten: Vec<StateId> = all.iter().copied().filter(|target| !kept.contains(target)).collect();
            for (from, field) in [(all, charge.cvv), (forgotten.clone(), charge.pan), (forgotten, charge.expiry)] {
                if self.reachable(from, |state| collects(state, field))[id.0] {
                    let name = quoted(&self.menu.field(field).name);
                    let message = format!("can be reached a second time without {name} being keyed again");
                    self.problem(id, &message, "lead the outcomes of the charge over the states that collect the card");
                }
            }
        }
    }

    /// Whatever is said, compared or given to a variable must be known by then.
    pub(super) fn words_that_are_known(&self) {
        for (id, state) in self.states() {
            if prompts(state).any(asks_for_brand) {
                let message = "speaks of the card before its number is collected";
                self.after_the_card(id, message);
            }
            for value in Self::values_of(state) {
                self.known_before(id, state, value);
            }
        }
    }

    /// Values a state says, compares or copies, each once; not those that are always known, or saved even if they are not.
    fn values_of(state: &State) -> Vec<Value> {
        let mut values = Vec::new();
        prompts(state).for_each(|prompt| collect_values(prompt, &mut values));
        values.extend(values_used(&state.kind));
        let mut seen = HashSet::new();
        values.retain(|value| seen.insert(*value));
        values
    }

    fn known_before(&self, id: StateId, state: &State, value: Value) {
        match value {
            Value::Amount => {
                self.must_come_first(id, is_authorize, "says $amount before an amount was authorized", AUTHORIZE_FIRST);
            }
            Value::Order => {
                self.must_come_first(id, is_authorize, "uses $order before an amount was authorized", AUTHORIZE_FIRST);
            }
            Value::Reference => self.must_come_first(
                id,
                |earlier| matches!(earlier.kind, Kind::Charge(_)),
                "says $reference where no charge comes before it on every way",
                CHARGE_FIRST,
            ),
            Value::LastFour if reads_back_a_card(self, state) => {}
            Value::LastFour => self.after_the_card(id, "speaks of the card before its number is collected"),
            Value::Brand if matches!(state.kind, Kind::Branch { .. }) => {
                self.after_the_card(id, "asks for the card's brand before its number is collected");
            }
            Value::Field(field) if self.collects_itself(state, field) => {}
            Value::Field(field) => {
                let name = &self.menu.field(field).name;
                let message = format!("uses ${name}, which is not collected on every way to it");
                let cure = format!("lead every way to it over a state with collect: {{ field: {name} }}");
                self.must_come_first(id, |earlier| collects(earlier, field), &message, &cure);
            }
            Value::Variable(variable) => {
                let name = &self.menu.variables[variable.0].name;
                let message = format!("uses ${name}, which is not set on every way to it");
                let cure = format!("lead every way to it over a state with set: {{ {name}: ... }}");
                self.must_come_first(id, |earlier| sets(earlier, variable), &message, &cure);
            }
            Value::Entry if !reads_back(state) => {
                self.problem(id, "says $entry, but reads nothing back", "say it in read_back: only");
            }
            Value::Entry | Value::Brand | Value::Language | Value::Months => {}
        }
    }

    fn after_the_card(&self, id: StateId, message: &str) {
        let cure = "lead every way to it over a state with collect: { field: card_number }";
        self.must_come_first(id, |earlier| self.collects_card_number(earlier), message, cure);
    }

    /// What a state reads back, it has collected itself.
    fn collects_itself(&self, state: &State, field: FieldId) -> bool {
        collects(state, field) && reads_back(state)
    }

    fn collects_card_number(&self, state: &State) -> bool {
        matches!(&state.kind, Kind::Collect(collect) if self.menu.field(collect.field).kind == FieldKind::CardNumber)
    }

    fn must_come_first(&self, id: StateId, first: impl Fn(&State) -> bool, message: &str, cure: &str) {
        // A state does not come before itself: what it says or uses must be known when it is entered.
        let here = self.menu.state(id);
        let seen = self.reachable(self.entrances(), |state| first(state) && !std::ptr::eq(state, here));
        if !seen[id.0] {
            return;
        }
        self.problem(id, message, &format!("{cure}; a way without: {}", self.way_to(id, &seen)));
    }

    /// The shortest way from where calls come in to a state, over these states: the names of its last ones, with dots for others
    /// before them.
    fn way_to(&self, id: StateId, over: &[bool]) -> String {
        let mut open: VecDeque<StateId> = self.entrances().into();
        let mut comes_from: HashMap<StateId, StateId> = HashMap::new();
        while let Some(from) = open.pop_front().filter(|from| *from != id) {
            for next in targets(&self.menu.state(from).kind) {
                let is_new = !comes_from.contains_key(&next) && !self.entrances().contains(&next);
                if is_new && over[from.0] {
                    comes_from.insert(next, from);
                    open.push_back(next);
                }
            }
        }
        let mut back = std::iter::successors(Some(id), |at| comes_from.get(at).copied());
        let mut names: Vec<&str> =
            back.by_ref().take(LONGEST_WAY).map(|at| self.menu.state(at).name.as_str()).collect();
        names.extend(back.next().map(|_| "..."));
        names.reverse();
        names.join(", ")
    }
}

fn reads_back(state: &State) -> bool {
    matches!(&state.kind, Kind::Collect(collect) if !collect.read_back.is_empty())
}

fn reads_back_a_card(checker: &Checker<'_>, state: &State) -> bool {
    reads_back(state) && checker.collects_card_number(state)
}

fn sets(state: &State, variable: VariableId) -> bool {
    match &state.kind {
        Kind::Set { values, .. } => values.iter().any(|(set, _)| *set == variable),
        Kind::Authorize(authorize) => authorize.tells.contains(&variable),
        _ => false,
    }
}

fn is_confirm(state: &State) -> bool {
    matches!(state.kind, Kind::Confirm(_))
}

fn is_authorize(state: &State) -> bool {
    matches!(state.kind, Kind::Authorize(_))
}

fn collects(state: &State, field: FieldId) -> bool {
    matches!(&state.kind, Kind::Collect(collect) if collect.field == field)
}

fn used_fields(kind: &Kind) -> Vec<FieldId> {
    match kind {
        Kind::Authorize(authorize) => authorize.key.into_iter().collect(),
        Kind::Charge(charge) => vec![charge.pan, charge.expiry, charge.cvv],
        _ => Vec::new(),
    }
}

/// Values that a branch compares, that are copied to variables, or that the authorizer is told.
pub(super) fn values_used(kind: &Kind) -> Vec<Value> {
    match kind {
        Kind::Branch { cases, .. } => cases.iter().filter_map(|(test, _)| test.value()).collect(),
        Kind::Set { values, .. } => {
            let copied = |(_, setting): &(VariableId, Setting)| match setting {
                Setting::Value(value) => Some(*value),
                Setting::Text(_) => None,
            };
            values.iter().filter_map(copied).collect()
        }
        Kind::Authorize(authorize) => authorize.with.iter().map(|(_, value)| *value).collect(),
        _ => Vec::new(),
    }
}

/// Everything a state may say.
pub(super) fn prompts(state: &State) -> impl Iterator<Item = &Prompt> {
    let of_kind: Vec<&Vec<Prompt>> = match &state.kind {
        Kind::Authorize(authorize) => vec![&authorize.waiting.say],
        Kind::Charge(charge) => vec![&charge.waiting.say],
        Kind::Collect(collect) => {
            let mut own = entry_prompts(&collect.entry);
            own.extend([&collect.twice, &collect.read_back]);
            own
        }
        other => other.entry().map_or_else(Vec::new, entry_prompts),
    };
    state.say.iter().chain(&state.say_again).chain(of_kind.into_iter().flatten())
}

fn entry_prompts(entry: &Entry) -> Vec<&Vec<Prompt>> {
    let errors = &entry.errors;
    vec![
        &entry.help,
        &errors.no_input,
        &errors.no_match,
        &errors.no_answer,
        &errors.invalid,
        &errors.expired,
        &errors.refused_card,
        &errors.looks_like_card,
        &errors.mismatch,
        &errors.too_many,
        &errors.cleared,
        &errors.still_there,
    ]
}

/// The values a prompt says or asks about.
fn collect_values(prompt: &Prompt, values: &mut Vec<Value>) {
    match prompt {
        Prompt::Value { value, .. } => values.push(*value),
        Prompt::If { test, say, otherwise } => {
            values.extend(test.value());
            say.iter().chain(otherwise).for_each(|prompt| collect_values(prompt, values));
        }
        _ => {}
    }
}

fn asks_for_brand(prompt: &Prompt) -> bool {
    match prompt {
        Prompt::If { test, say, otherwise } => {
            matches!(test, Test::Is { value: Value::Brand, .. }) || say.iter().chain(otherwise).any(asks_for_brand)
        }
        _ => false,
    }
}
