//! What must come before what: fields before their use, a yes to the amount before a charge, a new CVV before the next.

use crate::menu::model::{Charge, FieldId, FieldKind, Kind, Prompt, State, StateId};
use crate::menu::problem::quoted;

use super::Checker;
use super::graph::targets;

const PUT_BEFORE: &str = "put the state that is missing before it on every way";

impl Checker<'_> {
    pub(super) fn fields_before_use(&self) {
        for (id, state) in self.states() {
            for field in used_fields(&state.kind) {
                let name = quoted(&self.menu.field(field).name);
                let message = format!("uses field {name}, which is not collected on every way to it");
                self.must_come_first(id, |earlier| collects(earlier, field), &message);
            }
        }
    }

    pub(super) fn yes_before_charge(&self) {
        for (id, state) in self.states() {
            match &state.kind {
                Kind::Charge(charge) => {
                    self.must_come_first(id, is_confirm, "can be reached without a yes to the amount");
                    self.must_come_first(id, is_authorize, "can be reached without an authorized amount");
                    self.yes_to_this_amount(id, charge);
                }
                Kind::Confirm(_) => {
                    self.must_come_first(id, is_authorize, "asks for a yes before an amount was authorized");
                }
                _ => {}
            }
        }
    }

    /// A yes is good for one amount: a new authorization, or a new payment key, needs another.
    fn yes_to_this_amount(&self, id: StateId, charge: &Charge) {
        for (_, state) in self.states() {
            let (after, needed, message): (_, fn(&State) -> bool, _) = match &state.kind {
                Kind::Authorize(authorize) => {
                    (authorize.on_authorized, is_confirm, "can be reached without a yes to the amount")
                }
                Kind::Collect(collect) if collect.field == charge.key => {
                    (collect.on_done, is_authorize, "can be reached with a payment key that was not authorized")
                }
                _ => continue,
            };
            if self.reachable(vec![after], needed)[id.0] {
                self.problem(id, message, PUT_BEFORE);
            }
        }
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

    /// Amounts, references and card digits that are said must be known by then.
    pub(super) fn words_that_are_known(&self) {
        for (id, state) in self.states() {
            let says = |wanted: &Prompt| prompts(state).any(|prompt| contains(prompt, &|said| said == wanted));
            if says(&Prompt::Amount) {
                self.must_come_first(id, is_authorize, "says $amount before an amount was authorized");
            }
            if says(&Prompt::Reference) {
                self.must_come_first(
                    id,
                    |earlier| matches!(earlier.kind, Kind::Charge(_)),
                    "says $reference where no charge comes before it on every way",
                );
            }
            let of_card = |said: &Prompt| matches!(said, Prompt::LastFour | Prompt::IfBrand { .. });
            if prompts(state).any(|prompt| contains(prompt, &of_card)) {
                let message = "speaks of the card before its number is collected";
                self.must_come_first(id, |earlier| self.collects_card_number(earlier), message);
            }
        }
    }

    fn collects_card_number(&self, state: &State) -> bool {
        matches!(&state.kind, Kind::Collect(collect) if self.menu.field(collect.field).kind == FieldKind::CardNumber)
    }

    fn must_come_first(&self, id: StateId, first: impl Fn(&State) -> bool, message: &str) {
        // A state does not come before itself: what it says or uses must be known when it is entered.
        let here = self.menu.state(id);
        if self.reachable(self.entrances(), |state| first(state) && !std::ptr::eq(state, here))[id.0] {
            self.problem(id, message, PUT_BEFORE);
        }
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
        Kind::Authorize(authorize) => vec![authorize.key],
        Kind::Charge(charge) => vec![charge.key, charge.pan, charge.expiry, charge.cvv],
        _ => Vec::new(),
    }
}

/// Everything a state may say.
fn prompts(state: &State) -> impl Iterator<Item = &Prompt> {
    let of_kind: Vec<&Vec<Prompt>> = match &state.kind {
        Kind::Authorize(authorize) => vec![&authorize.waiting.say],
        Kind::Charge(charge) => vec![&charge.waiting.say],
        other => other.entry().map_or_else(Vec::new, |entry| {
            let errors = &entry.errors;
            vec![
                &entry.help,
                &errors.no_input,
                &errors.no_match,
                &errors.invalid,
                &errors.expired,
                &errors.refused_card,
                &errors.cleared,
                &errors.still_there,
            ]
        }),
    };
    state.say.iter().chain(&state.say_again).chain(of_kind.into_iter().flatten())
}

fn contains(prompt: &Prompt, wanted: &dyn Fn(&Prompt) -> bool) -> bool {
    let inside = match prompt {
        Prompt::IfBrand { say, otherwise, .. } => contains(say, wanted) || contains(otherwise, wanted),
        _ => false,
    };
    inside || wanted(prompt)
}
