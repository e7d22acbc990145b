//! What a menu says and asks: prompts, values, and questions about values.

use std::ops::RangeInclusive;

use super::{FieldId, StateId, VariableId};
use crate::media::MediaTime;
use crate::money::Money;
use crate::speech::Language;

/// Something a call knows, by the name a menu's author writes after `$`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::menu) enum Value {
    /// The authorized amount.
    Amount,
    /// The charge's reference.
    Reference,
    /// The card's last four digits.
    LastFour,
    /// The card's brand.
    Brand,
    /// The language spoken.
    Language,
    /// Months without interest, 1 where none were chosen.
    Months,
    /// The merchant's order number.
    Order,
    /// What has just been keyed, while it is read back.
    Entry,
    /// A field's value.
    Field(FieldId),
    /// A variable's value.
    Variable(VariableId),
}

impl Value {
    /// The values every menu has, by name.
    pub(in crate::menu) const NAMED: [(&'static str, Self); 8] = [
        ("amount", Self::Amount),
        ("reference", Self::Reference),
        ("last_four", Self::LastFour),
        ("brand", Self::Brand),
        ("language", Self::Language),
        ("months", Self::Months),
        ("order", Self::Order),
        ("entry", Self::Entry),
    ];
}

/// What a variable is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::menu) enum Setting {
    /// A text of the author's.
    Text(String),
    /// What another value is now.
    Value(Value),
}

/// A question about what a call knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::menu) enum Test {
    /// The value is this text; case does not matter.
    Is { value: Value, text: String },
    /// The value is a number within these bounds; an amount in centavos.
    Within { value: Value, bounds: RangeInclusive<u64> },
    /// The state has been entered this often in this call.
    Tries { state: StateId, bounds: RangeInclusive<u64> },
    /// The state says its prompt for at least this time in this visit.
    Attempt(u64),
}

impl Test {
    /// The value asked about.
    pub(in crate::menu) const fn value(&self) -> Option<Value> {
        match self {
            Self::Is { value, .. } | Self::Within { value, .. } => Some(*value),
            Self::Tries { .. } | Self::Attempt(_) => None,
        }
    }
}

/// How a value is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::menu) enum Spelling {
    /// As its type is best understood: amounts as amounts, everything else digit by digit.
    Natural,
    /// As a number: "veintiuno".
    Number,
    /// Digit by digit.
    Digits,
}

/// One thing to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::menu) enum Prompt {
    /// A clip, in the call's language or in a fixed one.
    Clip { id: String, language: Option<Language> },
    /// Something the call knows.
    Value { value: Value, spelling: Spelling },
    /// The author's own digits, such as a telephone number.
    Digits(String),
    /// The author's own number.
    Number(u64),
    /// The author's own amount.
    Money(Money),
    /// Silence.
    Pause(MediaTime),
    /// One thing or another.
    If { test: Test, say: Vec<Prompt>, otherwise: Vec<Prompt> },
}

impl Prompt {
    /// Whether this may say the value.
    pub(in crate::menu) fn says(&self, wanted: Value) -> bool {
        match self {
            Self::Value { value, .. } => *value == wanted,
            Self::If { say, otherwise, .. } => say.iter().chain(otherwise).any(|prompt| prompt.says(wanted)),
            _ => false,
        }
    }
}
