//! What a runtime wants done, and what it says piece by piece.

use crate::media::MediaTime;
use crate::menu::collector::dots_after;
use crate::menu::event::{Answers, Event};
use crate::menu::model::MOST_SHOWN;
use crate::money::Money;
use crate::service::{Request, RequestId};
use crate::speech::Language;

#[expect(unused_imports, reason = "the documentation names it")]
use super::Runtime;

/// Something for the engine or the driver to do.
pub enum Action {
    /// Play this after what is playing.
    Play(Vec<Utterance>),
    /// Fall silent at once.
    StopPlaying,
    /// Ask a service; answer with [`Runtime::reply`].
    Request {
        /// To be given back with the answer.
        id: RequestId,
        /// What to ask.
        request: Box<Request>,
    },
    /// Note what happened.
    Event(Event),
    /// Keep the caller's answers.
    Save(Answers),
    /// Hand the call over to this number, or put the receiver down where the line can't.
    Transfer {
        /// Digits, `*` and `#`, perhaps after a `+`.
        to: String,
    },
    /// What was keyed in this field turned out to be a card number: its sound must not be kept.
    ForgetDoubtful,
    /// Put the receiver down.
    HangUp,
}

/// A piece of a prompt, ready to be turned into clips.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Utterance {
    /// A clip by its id.
    Clip {
        /// Its id.
        id: String,
        /// In which language.
        language: Language,
    },
    /// An amount in words.
    Amount {
        /// The amount.
        amount: Money,
        /// In which language.
        language: Language,
    },
    /// Digits, one by one in groups.
    Digits {
        /// The digits.
        text: String,
        /// In which language.
        language: Language,
        /// With long pauses.
        slow: bool,
        /// How many of them traces show, all if nothing: what was keyed may be a card number.
        shown: Option<usize>,
    },
    /// A cardinal number in words.
    Number {
        /// The number.
        number: u64,
        /// In which language.
        language: Language,
    },
    /// Silence.
    Pause(MediaTime),
}

/// What a key was, as far as a recording is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    /// Taken at once by a state that asks for nothing secret; may stay in a recording.
    Open,
    /// May turn out to be part of a card number: must not leave the recorder while [`Runtime::is_doubtful`].
    Doubtful,
    /// Part of card data, kept for a later field, or not asked for: must not be heard in a recording.
    Secret,
}

impl Utterance {
    /// The same for a trace.
    pub(super) fn masked(&self) -> Self {
        match self {
            Self::Digits { text, language, slow, shown } => {
                let text = dots_after(*shown, text);
                Self::Digits { text, language: *language, slow: *slow, shown: *shown }
            }
            Self::Number { number, language } if number.to_string().len() > MOST_SHOWN => {
                let text = dots_after(Some(MOST_SHOWN), &number.to_string());
                Self::Digits { text, language: *language, slow: false, shown: Some(MOST_SHOWN) }
            }
            other => other.clone(),
        }
    }
}

/// Masked utterances as a trace shows them.
pub(super) fn describe(utterances: &[Utterance]) -> String {
    let words = utterances.iter().map(|utterance| match utterance {
        Utterance::Clip { id, .. } => id.clone(),
        Utterance::Amount { amount, .. } => format!("[{amount}]"),
        Utterance::Digits { text, .. } => format!("[{text}]"),
        Utterance::Number { number, .. } => format!("[{number}]"),
        Utterance::Pause(span) => format!("[{} ms]", span.as_ms()),
    });
    words.collect::<Vec<_>>().join(" ")
}
