//! What a line is doing.

/// What a line is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Waiting for a call.
    Idle,
    /// It rings.
    Ringing,
    /// The line was taken just now.
    Settling,
    /// A call is under way.
    InCall,
    /// The caller is handed over to a person.
    HandingOver,
    /// The call is over; the line is not ready for another.
    Clearing,
    /// No calls are taken.
    Closed,
}

impl Phase {
    /// All phases.
    pub const ALL: [Self; 7] =
        [Self::Idle, Self::Ringing, Self::Settling, Self::InCall, Self::HandingOver, Self::Clearing, Self::Closed];

    /// Its name in listings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Ringing => "ringing",
            Self::Settling => "answering",
            Self::InCall => "call",
            Self::HandingOver => "handing_over",
            Self::Clearing => "clearing",
            Self::Closed => "closed",
        }
    }
}
