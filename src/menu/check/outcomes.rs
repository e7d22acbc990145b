//! What a service tells with some of its outcomes only must not be spoken of after the others: an amount is known where the
//! key was good, a reference where the charge was made or nobody knows.

use std::collections::HashSet;

use crate::menu::model::{Kind, Prompt, State, StateId, Value};
use crate::yaml::{Path, quoted};

use super::Checker;
use super::graph::labelled_targets;
use super::order::{prompts, values_used};

/// Outcomes of an authorization that tell an amount.
const WITH_AN_AMOUNT: [&str; 1] = ["authorized"];
/// Outcomes of a charge that tell a reference.
const WITH_A_REFERENCE: [&str; 3] = ["approved", "already_paid", "unknown"];

/// Something that a service tells.
struct Told {
    /// By which states.
    by: fn(&State) -> bool,
    /// With which of their outcomes.
    with: &'static [&'static str],
    /// What it is, in a message.
    what: &'static str,
    cure: &'static str,
}

const AMOUNT: Told = Told {
    by: |state| matches!(state.kind, Kind::Authorize(_)),
    with: &WITH_AN_AMOUNT,
    what: "there is no amount then",
    cure: "lead only authorized there",
};
const REFERENCE: Told = Told {
    by: |state| matches!(state.kind, Kind::Charge(_)),
    with: &WITH_A_REFERENCE,
    what: "there is no $reference then",
    cure: "lead only approved, already_paid and unknown there; no_answer, if not named, goes where unknown does: name it, \
           and say sin_respuesta where it leads",
};

impl Checker<'_> {
    /// Nobody is to hear "the amount is", or "your reference is", and then nothing.
    pub(super) fn outcomes_that_tell(&self) {
        let of_the_amount = |value| matches!(value, Value::Amount | Value::Order);
        self.told_with(&AMOUNT, &|state| matches!(state.kind, Kind::Confirm(_)) || speaks_of(state, &of_the_amount));
        self.told_with(&REFERENCE, &|state| speaks_of(state, &|value| value == Value::Reference));
    }

    fn told_with(&self, told: &Told, asks_for_it: &dyn Fn(&State) -> bool) {
        // Where it may be unknown even without an answer, that is told already.
        let never_told = self.reachable(self.entrances(), told.by);
        let asking: Vec<(StateId, &State)> = self.states().filter(|(_, state)| asks_for_it(state)).collect();
        let stops: HashSet<*const State> = asking.iter().map(|(_, state)| std::ptr::from_ref(*state)).collect();
        // A branch that asks for it goes elsewhere where there is none; what asks a service tells it, and is not told.
        let speaks = |(id, state): &&(StateId, &State)| {
            !never_told[id.0] && !matches!(state.kind, Kind::Branch { .. }) && !(told.by)(state)
        };
        for (id, state) in self.states().filter(|(_, state)| (told.by)(state)) {
            for (speaker_id, speaker) in asking.iter().filter(speaks) {
                // The first that speaks of it is enough.
                let stop = |other: &State| {
                    let other_speaks = stops.contains(&std::ptr::from_ref(other)) || (told.by)(other);
                    other_speaks && !std::ptr::eq(other, *speaker)
                };
                let leads = |(name, to): &(String, StateId)| {
                    !told.with.contains(&name.as_str())
                        && self.reachable(vec![*to], stop)[speaker_id.0]
                        && !self.is_said_to_be_paid(state, *to, *speaker_id)
                };
                let names: Vec<String> =
                    labelled_targets(&state.kind).into_iter().filter(leads).map(|(name, _)| name).collect();
                if !names.is_empty() {
                    let message = format!("leads {} to {}, but {}", names.join(", "), quoted(&speaker.name), told.what);
                    self.problem(id, &message, told.cure);
                }
            }
        }
    }

    /// A yes is one to the amount that is charged: what the caller keyed, or the merchant tells besides, may be another.
    pub(super) fn amounts_that_were_said(&self) {
        let after_authorized = |state: &State| match &state.kind {
            Kind::Authorize(authorize) => Some(authorize.on_authorized),
            _ => None,
        };
        // What could not be read may be just this.
        let may_say = |state: &State| {
            let say = Path::default().key("states").key(&state.name).key("say");
            state.say.iter().any(says_the_amount) || self.notes.concern(&say)
        };
        // What another authorization allows is another amount.
        let tells = |state: &State| may_say(state) || after_authorized(state).is_some();
        let starts = self.states().filter_map(|(_, state)| after_authorized(state)).collect();
        let unsaid = self.reachable(starts, tells);
        for (id, _) in self.states().filter(|(id, state)| matches!(state.kind, Kind::Confirm(_)) && unsaid[id.0]) {
            self.problem(id, "asks for a yes to an amount that was not said", "say $amount in it, or before it");
        }
    }

    /// Whether an outcome leads a charge to where those are told who have paid, which is told of by itself.
    fn is_said_to_be_paid(&self, charge: &State, to: StateId, speaker: StateId) -> bool {
        let Kind::Charge(charge) = &charge.kind else { return false };
        charge.on_approved == speaker && self.leads_without_a_key(to, speaker)
    }
}

/// Whether a prompt says the authorized amount: whatever it asks about first, but for the amount itself.
fn says_the_amount(prompt: &Prompt) -> bool {
    let any_says = |said: &Vec<Prompt>| said.iter().any(says_the_amount);
    match prompt {
        Prompt::Value { value, .. } => *value == Value::Amount,
        Prompt::If { test, say, .. } if test.value() == Some(Value::Amount) => any_says(say),
        Prompt::If { say, otherwise, .. } => any_says(say) && any_says(otherwise),
        _ => false,
    }
}

/// Whether a state says, compares or copies such a value, known or not.
fn speaks_of(state: &State, such: &dyn Fn(Value) -> bool) -> bool {
    prompts(state).any(|prompt| says(prompt, such)) || values_used(&state.kind).into_iter().any(such)
}

/// Whether a prompt says such a value, known or not. What asks about one first says it only where there is one.
fn says(prompt: &Prompt, such: &dyn Fn(Value) -> bool) -> bool {
    match prompt {
        Prompt::Value { value, .. } => such(*value),
        Prompt::If { test, say, otherwise } => {
            let is_known = test.value().is_some_and(such);
            let said = if is_known { &[][..] } else { say };
            said.iter().chain(otherwise).any(|prompt| says(prompt, such))
        }
        _ => false,
    }
}
