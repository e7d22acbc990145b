//! The resolved menu: every name an index, every duration a span, every outcome routed. Built only by the resolver, so
//! the runtime cannot meet an unchecked menu.

use std::ops::RangeInclusive;

use crate::card::Brand;
use crate::dtmf::Digit;
use crate::media::MediaTime;
use crate::speech::Language;

/// Index of a state in [`Menu::states`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct StateId(pub(super) usize);

/// Index of a field in [`Menu::fields`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct FieldId(pub(super) usize);

/// A menu that passed all checks.
#[derive(Debug)]
pub struct Menu {
    /// The menu's name, for logs.
    pub name: String,
    /// The languages every prompt exists in; the first is spoken at the start.
    pub languages: Vec<Language>,
    /// The longest a call may last; then it is ended politely.
    pub call_limit: MediaTime,
    pub(super) start: StateId,
    /// Where a call goes that has lasted too long, and the default for every `give_up`.
    pub(super) give_up: StateId,
    pub(super) states: Vec<State>,
    pub(super) fields: Vec<FieldSpec>,
}

impl Menu {
    pub(super) fn state(&self, id: StateId) -> &State {
        &self.states[id.0]
    }

    pub(super) fn field(&self, id: FieldId) -> &FieldSpec {
        &self.fields[id.0]
    }

    /// The states' names in the order of the file.
    pub fn state_names(&self) -> impl Iterator<Item = &str> {
        self.states.iter().map(|state| state.name.as_str())
    }

    /// Whether what is keyed in the state of this name is secret. False for an unknown name.
    pub fn is_secret_state(&self, name: &str) -> bool {
        let state = self.states.iter().find(|state| state.name == name);
        state.is_some_and(|state| self.collects_card_data(state))
    }

    pub(super) fn collects_card_data(&self, state: &State) -> bool {
        matches!(&state.kind, Kind::Collect(collect) if self.field(collect.field).kind.is_card_data())
    }
}

/// One state.
#[derive(Debug)]
pub(super) struct State {
    pub(super) name: String,
    pub(super) say: Vec<Prompt>,
    /// Said instead of `say` from the second attempt on; empty: `say` again.
    pub(super) say_again: Vec<Prompt>,
    pub(super) language: Option<Language>,
    pub(super) barge_in: bool,
    pub(super) flush_keys: bool,
    pub(super) kind: Kind,
}

/// What a state does.
#[derive(Debug)]
pub(super) enum Kind {
    /// Speaks and goes on.
    Say { next: StateId },
    /// Takes one key of several.
    Choose(Choose),
    /// Takes yes or no to the authorized amount.
    Confirm(Confirm),
    /// Takes a field's digits.
    Collect(Collect),
    /// Asks the authorizer.
    Authorize(Authorize),
    /// Charges the card.
    Charge(Charge),
    /// Speaks and ends the call.
    HangUp,
}

impl Kind {
    /// What a state that takes keys shares with the others that do.
    pub(super) const fn entry(&self) -> Option<&Entry> {
        match self {
            Self::Choose(choose) => Some(&choose.entry),
            Self::Confirm(confirm) => Some(&confirm.entry),
            Self::Collect(collect) => Some(&collect.entry),
            Self::Say { .. } | Self::Authorize(_) | Self::Charge(_) | Self::HangUp => None,
        }
    }
}

#[derive(Debug)]
pub(super) struct Choose {
    pub(super) options: Vec<(Digit, StateId)>,
    pub(super) entry: Entry,
}

#[derive(Debug)]
pub(super) struct Confirm {
    pub(super) yes: Digit,
    pub(super) no: Digit,
    pub(super) on_yes: StateId,
    pub(super) on_no: StateId,
    pub(super) entry: Entry,
}

#[derive(Debug)]
pub(super) struct Collect {
    pub(super) field: FieldId,
    pub(super) on_done: StateId,
    pub(super) entry: Entry,
}

/// What all states that take keys share.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) timers: TimerSettings,
    /// Errors of one kind that are forgiven in one visit, the last one not included.
    pub(super) attempts: u8,
    pub(super) on_give_up: StateId,
    pub(super) on_back: Option<StateId>,
    /// Said on key `0` where that is not an option; only states that take one key.
    pub(super) help: Vec<Prompt>,
    /// What is said after each kind of error.
    pub(super) errors: ErrorPrompts,
}

/// Prompts by kind of error.
#[derive(Debug)]
pub(super) struct ErrorPrompts {
    pub(super) no_input: Vec<Prompt>,
    pub(super) no_match: Vec<Prompt>,
    pub(super) invalid: Vec<Prompt>,
    pub(super) expired: Vec<Prompt>,
    pub(super) refused_card: Vec<Prompt>,
    pub(super) cleared: Vec<Prompt>,
    pub(super) still_there: Vec<Prompt>,
}

/// The spans of one state's timers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimerSettings {
    pub(super) first_digit: MediaTime,
    pub(super) inter_digit: MediaTime,
    pub(super) grace: MediaTime,
    /// Absolute, from the state's entry; restarted by each attempt.
    pub(super) limit: MediaTime,
}

#[derive(Debug)]
pub(super) struct Authorize {
    pub(super) key: FieldId,
    /// Refusals in one call before `give_up`.
    pub(super) attempts: u8,
    pub(super) waiting: Waiting,
    pub(super) on_authorized: StateId,
    pub(super) on_unknown: StateId,
    pub(super) on_expired: StateId,
    pub(super) on_already_paid: StateId,
    pub(super) on_blocked: StateId,
    pub(super) on_pending: StateId,
    pub(super) on_unavailable: StateId,
    pub(super) on_give_up: StateId,
}

#[derive(Debug)]
pub(super) struct Charge {
    pub(super) key: FieldId,
    pub(super) pan: FieldId,
    pub(super) expiry: FieldId,
    pub(super) cvv: FieldId,
    /// Declines and corrections in one call before `give_up`.
    pub(super) attempts: u8,
    pub(super) waiting: Waiting,
    pub(super) on_approved: StateId,
    pub(super) on_other_card: StateId,
    pub(super) on_call_bank: StateId,
    pub(super) on_declined: StateId,
    pub(super) on_correct_pan: StateId,
    pub(super) on_correct_expiry: StateId,
    pub(super) on_correct_cvv: StateId,
    pub(super) on_already_paid: StateId,
    pub(super) on_unknown: StateId,
    pub(super) on_unavailable: StateId,
    /// Nothing is known, not even a reference: the service did not answer within the call's patience.
    pub(super) on_no_answer: StateId,
    pub(super) on_give_up: StateId,
}

/// What a caller hears while a service works, and how long the call waits for it.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Repeated every [`Waiting::every`], after the state's own `say`.
    pub(super) say: Vec<Prompt>,
    pub(super) every: MediaTime,
    /// Then the service counts as unavailable (authorize) or the outcome as unknown (charge).
    pub(super) limit: MediaTime,
}

/// A field a menu collects.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FieldSpec {
    pub(super) name: String,
    pub(super) kind: FieldKind,
    pub(super) digits: RangeInclusive<usize>,
    pub(super) end_key: Option<Digit>,
}

/// What a field's digits are; secrecy and validation follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum FieldKind {
    /// The merchant's key: masked in traces, may be recorded.
    PaymentKey,
    /// Card number.
    CardNumber,
    /// Card expiry, MMYY.
    Expiry,
    /// Card verification value.
    Cvv,
    /// Any digits.
    Digits,
}

impl FieldKind {
    /// All kinds with the name a menu's author writes.
    pub(super) const NAMED: [(&'static str, Self); 5] = [
        ("payment_key", Self::PaymentKey),
        ("card_number", Self::CardNumber),
        ("expiry", Self::Expiry),
        ("cvv", Self::Cvv),
        ("digits", Self::Digits),
    ];

    /// Whether the digits are card data: never traced, recorded or kept.
    pub(super) const fn is_card_data(self) -> bool {
        matches!(self, Self::CardNumber | Self::Expiry | Self::Cvv)
    }

    /// Whether traces show the digits.
    pub(super) const fn is_masked(self) -> bool {
        !matches!(self, Self::Digits)
    }

    /// Shortest and longest entry where the menu does not say.
    pub(super) const fn default_digits(self) -> RangeInclusive<usize> {
        match self {
            Self::PaymentKey => 6..=10,
            Self::CardNumber => 13..=19,
            Self::Expiry => 4..=4,
            Self::Cvv => 3..=4,
            Self::Digits => 1..=20,
        }
    }
}

/// One thing to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Prompt {
    /// A clip, in the call's language or in a fixed one.
    Clip { id: String, language: Option<Language> },
    /// The authorized amount in words.
    Amount,
    /// The charge's reference, digit by digit in groups.
    Reference,
    /// The card's last four digits.
    LastFour,
    /// Silence.
    Pause(MediaTime),
    /// By the brand of the card number collected.
    IfBrand { brand: Brand, say: Box<Prompt>, otherwise: Box<Prompt> },
}
