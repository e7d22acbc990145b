//! The trace of a call: what happened when, with everything secret masked where it is made.

use std::fmt;

use jiff::Zoned;

use crate::media::MediaTime;
use crate::service::{AuthorizeReply, CardField, ChargeReply, Decline, Reply, RequestId};

use super::runtime::Utterance;
use super::timer::Timer;

/// One entry of a call's trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, in media time.
    pub at: MediaTime,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// A state was entered.
    State {
        /// Its name in the menu.
        name: String,
    },
    /// A prompt began; clips by their ids, amounts and references in words.
    Prompt {
        /// What is said.
        says: String,
        /// The same piece by piece, for who shows the words; digits that are masked in traces are masked here.
        parts: Vec<Utterance>,
    },
    /// The prompt was heard to its end.
    PromptEnded,
    /// A key cut the prompt.
    BargeIn,
    /// A key was pressed.
    Key {
        /// The key, unless it is part of something secret.
        shown: Option<char>,
        /// Kept for the next field, because the present state takes no keys now.
        queued: bool,
    },
    /// Keys were pressed that no state will take. Every key of a call is taken once or dropped once.
    Dropped {
        /// How many.
        keys: usize,
        /// Why.
        why: Dropped,
    },
    /// A timer fired.
    Timer(Timer),
    /// An entry came to an end, or a service's answer was classified.
    Outcome(Outcome),
    /// A service was asked.
    Request {
        /// Which request.
        id: RequestId,
        /// `authorize` or `charge`.
        service: &'static str,
        /// What the authorizer is told beside a key, by name; with dots for digits that traces do not show.
        told: Vec<(String, String)>,
    },
    /// A service answered. Late answers, to calls that no longer wait, are marked.
    Reply {
        /// Which request.
        id: RequestId,
        /// Its result in a few words.
        result: String,
        /// Nobody waited for it any more.
        late: bool,
    },
    /// It was asked whether a business is open.
    Hours {
        /// The name of its hours in the menu.
        name: String,
        /// `open`, `closed` or `holiday`.
        is: &'static str,
        /// The time that was taken: that of the call's beginning, as the menu's clock shows it.
        at: Zoned,
        /// The line of the menu that says so, where one does.
        line: Option<String>,
    },
    /// The caller's answers were handed over to be kept; here with dots for digits that traces do not show.
    Saved(Answers),
    /// The call was handed over to another number.
    Transfer {
        /// The number.
        to: String,
    },
    /// The call ended.
    HangUp {
        /// Who ended it.
        by: Party,
    },
}

/// What a call was told, to be kept: no secret is among it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// The menu's name.
    pub menu: String,
    /// Names and values in the menu's order; nothing where the caller gave no answer.
    pub values: Vec<(String, Option<String>)>,
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.values.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{name} = {}", value.as_deref().unwrap_or("-"))?;
        }
        Ok(())
    }
}

/// Why a key was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dropped {
    /// Pressed ahead of a state, or during one, whose `keys` are to be flushed; or right after such keys.
    Flushed,
    /// Pressed ahead of an error, or right after it: it was meant for a dialogue that is not happening.
    AfterError,
    /// An end key with nothing to end: the entry before it had ended, or this one is empty.
    StrayEndKey,
    /// More keys were pressed ahead than anyone means.
    TooMany,
    /// Held back behind a full entry that the caller then cleared.
    Cleared,
    /// The call is ending.
    CallEnding,
}

impl Dropped {
    /// The reason in words, for traces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flushed => "not wanted here",
            Self::AfterError => "after an error",
            Self::StrayEndKey => "end key after the end",
            Self::TooMany => "too many ahead",
            Self::Cleared => "cleared with the entry",
            Self::CallEnding => "the call is ending",
        }
    }
}

/// A party of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// The caller.
    Caller,
    /// The box.
    Box,
}

/// How an entry ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A valid entry, or a bound key.
    Match,
    /// Nothing was keyed.
    NoInput,
    /// Incomplete, or a key that means nothing here.
    NoMatch,
    /// More digits than the field takes.
    TooMany,
    /// Complete, but against a rule.
    Invalid(Rule),
    /// The second entry was another than the first.
    Mismatch,
    /// The caller cleared the entry.
    Cleared,
    /// The caller went back.
    Back,
    /// The caller asked for help.
    Help,
    /// The caller asked to hear it again.
    Repeat,
    /// The caller asked to have everything slower, or as fast as before.
    OtherPace,
    /// The caller asked for the next language.
    OtherLanguage,
    /// The caller asked for a person.
    Person,
    /// A valid entry, which is asked for once more.
    AgainToBeSure,
    /// Too many errors of one kind.
    GiveUp,
}

/// The rule an entry broke. Never says what was keyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Not a card number (length, check digit).
    CardNumber,
    /// A card that was refused for good earlier in this call.
    RefusedCard,
    /// Not a month and year.
    Expiry,
    /// The card has expired.
    Expired,
    /// Not a verification value for this brand.
    Cvv,
    /// A number outside the field's bounds.
    OutOfBounds,
    /// A card number where none was asked for.
    LooksLikeCard,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Match => "match",
            Self::NoInput => "no input",
            Self::NoMatch => "no match",
            Self::TooMany => "too many digits",
            Self::Invalid(Rule::CardNumber) => "invalid: card number",
            Self::Invalid(Rule::RefusedCard) => "invalid: card refused before",
            Self::Invalid(Rule::Expiry) => "invalid: expiry",
            Self::Invalid(Rule::Expired) => "invalid: card expired",
            Self::Invalid(Rule::Cvv) => "invalid: CVV",
            Self::Invalid(Rule::OutOfBounds) => "invalid: out of bounds",
            Self::Invalid(Rule::LooksLikeCard) => "invalid: looks like a card number",
            Self::Mismatch => "mismatch",
            Self::OtherPace => "other pace",
            Self::OtherLanguage => "other language",
            Self::Person => "person",
            Self::AgainToBeSure => "once more to be sure",
            Self::Cleared => "cleared",
            Self::Back => "back",
            Self::Help => "help",
            Self::Repeat => "repeat",
            Self::GiveUp => "give up",
        })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}", self.at, self.kind)
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State { name } => write!(f, "state    {name}"),
            Self::Prompt { says, .. } => write!(f, "says     {says}"),
            Self::PromptEnded => write!(f, "         (prompt heard to the end)"),
            Self::BargeIn => write!(f, "         (prompt cut by a key)"),
            Self::Key { shown, queued } => {
                let note = if *queued { " (kept for the next field)" } else { "" };
                write!(f, "key      {}{note}", shown.unwrap_or('•'))
            }
            Self::Dropped { keys, why } => write!(f, "dropped  {keys} key(s): {}", why.name()),
            Self::Timer(timer) => write!(f, "timer    {}", timer.name()),
            Self::Outcome(outcome) => write!(f, "outcome  {outcome}"),
            Self::Request { id, service, told } => {
                write!(f, "asks     {service}{} (request {})", with_values(told), id.0)
            }
            Self::Reply { id, result, late } => {
                let note = if *late { ", too late" } else { "" };
                write!(f, "answer   {result} (request {}{note})", id.0)
            }
            Self::Hours { name, is, at, line } => {
                write!(f, "hours    {name}: {is} on {}", at.strftime("%A %F %H:%M %Q"))?;
                line.as_ref().map_or(Ok(()), |line| write!(f, " ({line})"))
            }
            Self::Saved(answers) => write!(f, "saves    {answers}"),
            Self::Transfer { to } => write!(f, "transfer to {to}"),
            Self::HangUp { by: Party::Caller } => write!(f, "hang-up  by the caller"),
            Self::HangUp { by: Party::Box } => write!(f, "hang-up  by the box"),
        }
    }
}

/// ` with parte = 500.00`, or nothing.
pub(crate) fn with_values(values: &[(String, String)]) -> String {
    let values: Vec<String> = values.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    if values.is_empty() { String::new() } else { format!(" with {}", values.join(", ")) }
}

/// A service's answer in a few words; amounts and references are not secret, keys and cards are not in it.
pub(super) fn describe(reply: &Reply) -> String {
    match reply {
        Reply::Authorize(AuthorizeReply::Authorized(allowed)) => {
            format!("authorized: {} for order {}", allowed.amount, allowed.order_id)
        }
        Reply::Authorize(AuthorizeReply::Refused(refusal)) => format!("refused: {}", refusal.words()),
        Reply::Authorize(AuthorizeReply::Pending { reference }) => format!("still open, reference {reference}"),
        Reply::Authorize(AuthorizeReply::Unavailable) => "unavailable".to_owned(),
        Reply::Charge(ChargeReply::Approved { reference }) => format!("approved, reference {reference}"),
        Reply::Charge(ChargeReply::Declined(decline)) => match decline {
            Decline::OtherCard => "declined: another card may do",
            Decline::CallYourBank => "declined: the bank must be asked",
            Decline::Generic => "declined",
        }
        .to_owned(),
        Reply::Charge(ChargeReply::Correct(field)) => match field {
            CardField::Pan => "card number to be asked again",
            CardField::Expiry => "expiry to be asked again",
            CardField::Cvv => "CVV to be asked again",
        }
        .to_owned(),
        Reply::Charge(ChargeReply::AlreadyPaid { reference }) => format!("already paid, reference {reference}"),
        Reply::Charge(ChargeReply::Unknown { reference }) => format!("outcome unknown, reference {reference}"),
        Reply::Charge(ChargeReply::Unavailable) => "unavailable".to_owned(),
    }
}
