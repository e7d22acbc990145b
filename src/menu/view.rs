//! A call as it may be shown to who watches it: a status page, or the author who tries a menu out.

use crate::media::MediaTime;
use crate::speech::Language;

use super::timer::Timer;

/// What the call does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doing {
    /// Says something; a key may cut it.
    Speaking,
    /// Waits for a key.
    Listening,
    /// Waits for a service, or says something meanwhile.
    Waiting,
    /// Nothing: the call has ended.
    Over,
}

impl Doing {
    /// In one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Speaking => "speaking",
            Self::Listening => "listening",
            Self::Waiting => "waiting",
            Self::Over => "over",
        }
    }
}

/// A moment of a call. No secret is in it: masked fields show as many dots as they have digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The present state's name.
    pub state: String,
    /// What the call does.
    pub doing: Doing,
    /// Whether the state takes keys, now or once its prompt has been heard.
    pub takes_keys: bool,
    /// The language spoken.
    pub language: Language,
    /// The running timers with the time left.
    pub timers: Vec<(Timer, MediaTime)>,
    /// The field being keyed, masked as its type demands.
    pub entry: String,
    /// Fields and variables with their values, masked likewise.
    pub fields: Vec<(String, String)>,
    /// Keys pressed ahead that wait for the next field.
    pub keys_ahead: usize,
}
