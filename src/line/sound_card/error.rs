//! What can go wrong with a sound card, with the cure.

use thiserror::Error;

/// A sound card that can't be used (any longer).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CardError {
    /// No sound system at all.
    #[error(
        "no sound system is available ({why}): is ALSA or PulseAudio installed, and may this user use it (group `audio`)?"
    )]
    NoSystem {
        /// The system's reason.
        why: String,
    },
    /// No card by that name.
    #[error("there is no sound card `{wanted}` that can {direction}: `tonopago devices` lists {known}")]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// `record` or `play`.
        direction: &'static str,
        /// The ids there are.
        known: String,
    },
    /// Several cards by that name.
    #[error("`{wanted}` fits several sound cards ({found}): give the whole id")]
    Ambiguous {
        /// What was asked for.
        wanted: String,
        /// The ids it fits.
        found: String,
    },
    /// The card can't work as asked.
    #[error("{card}: {what}")]
    Form {
        /// Its id.
        card: String,
        /// What it can't do, and what it can.
        what: String,
    },
    /// The card is used by somebody else.
    #[error("{card}: in use by another program: stop that one, or choose another card")]
    Busy {
        /// Its id.
        card: String,
    },
    /// The user may not use it.
    #[error("{card}: this user may not use it: add the user to the group `audio`")]
    Permission {
        /// Its id.
        card: String,
    },
    /// The card has gone, or its system has.
    #[error("{card}: lost ({why}): plug it in again, and open it again")]
    Lost {
        /// Its id.
        card: String,
        /// The system's reason.
        why: String,
    },
    /// The card is there and delivers nothing.
    #[error("{card}: delivered no sound for {seconds} s: check that it is not suspended or muted, and open it again")]
    Silent {
        /// Its id.
        card: String,
        /// How long it was waited for.
        seconds: u64,
    },
}

impl CardError {
    /// Sorts cpal's error for a card.
    pub(super) fn of(card: &str, error: &cpal::Error) -> Self {
        let (card, why) = (card.to_owned(), error.to_string());
        match error.kind() {
            cpal::ErrorKind::HostUnavailable => Self::NoSystem { why },
            cpal::ErrorKind::DeviceBusy => Self::Busy { card },
            cpal::ErrorKind::PermissionDenied => Self::Permission { card },
            cpal::ErrorKind::UnsupportedConfig
            | cpal::ErrorKind::UnsupportedOperation
            | cpal::ErrorKind::InvalidInput => Self::Form { card, what: why },
            _ => Self::Lost { card, why },
        }
    }
}
