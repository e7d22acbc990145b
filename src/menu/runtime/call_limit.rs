//! A call that has lasted too long: it comes to an end, through the menu's own goodbye and after what it owes the caller.

use crate::media::MediaTime;
use crate::menu::event::Party;
use crate::menu::timer::Timer;

use super::{Phase, Runtime};

/// After the call limit the menu may still say goodbye for this long.
pub(super) const LAST_WORDS: MediaTime = MediaTime::from_ms(60_000);
/// How long a call over its limit waits before it asks again whether a charge is still outstanding.
pub(super) const LIMIT_POSTPONED: MediaTime = MediaTime::from_ms(1000);

/// How far a call is beyond its longest length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LimitReached {
    /// It is not.
    No,
    /// A service's answer is still awaited; the caller will be let hear it.
    InService,
    /// The last words are being said.
    LastWords,
}

impl Runtime {
    /// Ends a call that has lasted too long: once through the menu's own goodbye, then without one. A charge on its way
    /// is waited for, and the caller is given the time to hear what became of it; a goodbye under way is not begun again.
    /// Who has paid, or may have, is let hear the reference once more, and no goodbye of callers who got nowhere.
    /// No service is asked any more (see [`Self::enter`]), and telling goes on without keys to an end, so this comes to one.
    pub(super) fn call_limit(&mut self) {
        let in_service = matches!(self.phase, Phase::Waiting { .. } | Phase::Answered { .. });
        if in_service {
            self.limit = LimitReached::InService;
        }
        if in_service || (self.tells_outcome && self.limit == LimitReached::No) {
            self.timers.start(Timer::CallLimit, self.now + LIMIT_POSTPONED);
            return;
        }
        let reached = std::mem::replace(&mut self.limit, LimitReached::LastWords);
        if reached == LimitReached::LastWords {
            return self.end(Party::Box);
        }
        self.timers.start(Timer::CallLimit, self.now + LAST_WORDS);
        if reached == LimitReached::No && !self.session.is_settled() && !self.here().kind.is_last() {
            self.go(self.menu.give_up);
        }
    }
}
