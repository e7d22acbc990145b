//! The resolved menu: every name an index, every duration a span, every outcome routed. Built only by the resolver, so
//! the runtime cannot meet an unchecked menu.

mod field;
mod said;
mod whole;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::dtmf::Digit;
use crate::media::MediaTime;
use crate::speech::Language;
use crate::yaml::Problem;

use super::hours::{Hours, Schedule};
pub(super) use field::{CENTAVO_DIGITS, Centavos, FieldKind, FieldSpec, MOST_SHOWN};
pub(super) use said::{Prompt, Setting, Spelling, Test, Value};

/// Index of a state in [`Menu::states`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct StateId(pub(super) usize);

/// Index of a field in [`Menu::fields`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct FieldId(pub(super) usize);

/// Index of a variable in [`Menu::variables`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct VariableId(pub(super) usize);

/// A variable that states set.
#[derive(Debug)]
pub(super) struct VariableSpec {
    pub(super) name: String,
    /// Whatever is copied to it is an amount: it is said as one, and compared as one. A text it is given may be a word.
    pub(super) is_amount: bool,
    /// The authorizer tells it: what it may be is not in the menu.
    pub(super) is_told: bool,
    /// It may be the copy of a field in which a card's number is as good as any.
    pub(super) is_card_like: bool,
}

impl VariableSpec {
    /// One of which nothing else is known yet.
    pub(super) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), is_amount: false, is_told: false, is_card_like: false }
    }
}

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
    /// What is still done when the caller hangs up before the menu has said goodbye.
    pub(super) on_hang_up: Option<StateId>,
    pub(super) global_keys: GlobalKeys,
    pub(super) states: Vec<State>,
    pub(super) fields: Vec<FieldSpec>,
    /// The variables that states set.
    pub(super) variables: Vec<VariableSpec>,
    /// The menu's own prompts.
    pub(super) texts: Vec<OwnText>,
    /// When businesses are open.
    pub(super) schedules: Vec<Schedule>,
    /// The clock the schedules go by.
    pub(super) time_zone: Option<TimeZone>,
    /// What is allowed, but seldom meant.
    pub warnings: Vec<Problem>,
    /// Holidays of one year, by the last day of each: what is to be told once they are over.
    pub(super) passing: Vec<(Date, Problem)>,
}

/// A prompt whose words the menu itself has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnText {
    /// The clip's id.
    pub id: String,
    /// In which language.
    pub language: Language,
    /// What it says.
    pub text: String,
}

/// Keys that mean the same in every state that takes a single key and does not bind them otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GlobalKeys {
    pub(super) help: Option<Digit>,
    /// Speaks and waits more slowly from here on.
    pub(super) slower: Option<Digit>,
    /// Goes on in the menu's next language.
    pub(super) language: Option<Digit>,
    /// Leads to whoever helps.
    pub(super) person: Option<(Digit, StateId)>,
}

impl Menu {
    pub(super) fn state(&self, id: StateId) -> &State {
        &self.states[id.0]
    }

    pub(super) fn field(&self, id: FieldId) -> &FieldSpec {
        &self.fields[id.0]
    }

    /// Whether an authorizer is asked about this field.
    pub(super) fn is_authorized_for(&self, field: FieldId) -> bool {
        self.states.iter().any(|state| matches!(&state.kind, Kind::Authorize(authorize) if authorize.asks_about(field)))
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
    /// Whether the global keys work here.
    pub(super) global_keys: bool,
    pub(super) kind: Kind,
}

/// What a state does.
#[derive(Debug)]
pub(super) enum Kind {
    /// Speaks and goes on.
    Say { next: StateId },
    /// Goes to the first case that holds.
    Branch { cases: Vec<(Test, StateId)>, otherwise: StateId },
    /// Goes by whether a business is open.
    Hours(Hours),
    /// Gives variables their values and goes on.
    Set { values: Vec<(VariableId, Setting)>, next: StateId },
    /// Hands answers to the driver, which keeps them, and goes on.
    Save { values: Vec<(String, Value)>, next: StateId },
    /// Goes to a sub-menu, and on to `next` when it returns.
    Visit { to: StateId, next: StateId },
    /// Ends a sub-menu.
    Return,
    /// Offers months without interest, where the amount allows them.
    Months(Months),
    /// Speaks and hands the call over to this number.
    Transfer { to: String },
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

impl Authorize {
    /// Whether the authorizer is asked about this field: what it allowed was for what was keyed then.
    pub(super) fn asks_about(&self, field: FieldId) -> bool {
        self.key == Some(field) || self.with.iter().any(|(_, value)| *value == Value::Field(field))
    }
}

impl Kind {
    /// What a state that takes keys shares with the others that do.
    pub(super) const fn entry(&self) -> Option<&Entry> {
        match self {
            Self::Choose(choose) => Some(&choose.entry),
            Self::Confirm(confirm) => Some(&confirm.entry),
            Self::Collect(collect) => Some(&collect.entry),
            Self::Months(months) => Some(&months.entry),
            _ => None,
        }
    }

    /// The names of the answers the state saves, in their order.
    pub(super) fn saved_names(&self) -> Option<Vec<&str>> {
        match self {
            Self::Save { values, .. } => Some(values.iter().map(|(name, _)| name.as_str()).collect()),
            _ => None,
        }
    }

    /// Whether the state goes on by itself once it has spoken.
    pub(super) const fn passes(&self) -> bool {
        matches!(
            self,
            Self::Say { .. }
                | Self::Branch { .. }
                | Self::Hours(_)
                | Self::Set { .. }
                | Self::Save { .. }
                | Self::Visit { .. }
                | Self::Return
        )
    }

    /// Whether the state does its work without the caller, and may so do it after the hang-up.
    pub(super) const fn needs_no_caller(&self) -> bool {
        matches!(self, Self::Set { .. } | Self::Save { .. } | Self::Branch { .. } | Self::Hours(_))
    }

    /// Whether the state is the call's last.
    pub(super) const fn is_last(&self) -> bool {
        matches!(self, Self::HangUp | Self::Transfer { .. })
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
    /// Asks for the same digits a second time with this; empty: once will do.
    pub(super) twice: Vec<Prompt>,
    /// Reads the entry back with this and waits for a yes; empty: does not.
    pub(super) read_back: Vec<Prompt>,
    pub(super) entry: Entry,
}

/// Offers of months without interest.
#[derive(Debug)]
pub(super) struct Months {
    /// Months and the least amount they are offered for, in centavos; ascending.
    pub(super) plans: Vec<(u8, u64)>,
    pub(super) on_done: StateId,
    pub(super) entry: Entry,
}

/// The key that says yes to what is read back, and the one that says no.
pub(super) const YES_NO: (char, char) = ('1', '2');

/// What all states that take keys share.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) timers: TimerSettings,
    pub(super) attempts: Attempts,
    pub(super) on_give_up: StateId,
    pub(super) on_back: Option<StateId>,
    /// Said on key `0` where that is not an option; only states that take one key.
    pub(super) help: Vec<Prompt>,
    /// What is said after each kind of error.
    pub(super) errors: ErrorPrompts,
}

/// Errors of each kind in one visit to a state; the last one is not forgiven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempts {
    pub(super) no_input: u8,
    pub(super) no_match: u8,
    pub(super) invalid: u8,
    pub(super) mismatch: u8,
}

/// Prompts by kind of error.
#[derive(Debug)]
pub(super) struct ErrorPrompts {
    pub(super) no_input: Vec<Prompt>,
    pub(super) no_match: Vec<Prompt>,
    /// The same for a key that is neither yes nor no to what was read back: there, no digits are too few.
    pub(super) no_answer: Vec<Prompt>,
    pub(super) invalid: Vec<Prompt>,
    pub(super) expired: Vec<Prompt>,
    pub(super) refused_card: Vec<Prompt>,
    /// A card number where none was asked for.
    pub(super) looks_like_card: Vec<Prompt>,
    /// The second entry was another than the first.
    pub(super) mismatch: Vec<Prompt>,
    /// More digits than the entry can have.
    pub(super) too_many: Vec<Prompt>,
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
    /// The payment key, or the number of an account; nothing where there is none.
    pub(super) key: Option<FieldId>,
    /// What else the authorizer is told, by name.
    pub(super) with: Vec<(String, Value)>,
    /// What it may tell besides.
    pub(super) tells: Vec<VariableId>,
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
