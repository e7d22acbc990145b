//! What a line tells besides its sound.

use crate::dtmf::Digit;

/// How a call begins on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begins {
    /// With sound or a key: the line has no signals.
    WithSound,
    /// After so many rings; the line is then taken.
    AfterRings(u32),
    /// As soon as the line tells of a caller, who is connected already.
    WithCaller,
}

/// What the line tells besides sound, as seen since the last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Signals {
    /// The ring detector's signal.
    pub ringing: bool,
    /// Somebody is connected, on lines that tell so.
    pub caller: bool,
    /// The caller has gone.
    pub gone: bool,
    /// A key was pressed; its sound may be heard as well.
    pub key: Option<Digit>,
}
