//! The runtime's timers. All run in media time; none needs a clock.

use crate::media::MediaTime;

/// A timer; what its firing means stands with each variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timer {
    /// No key after the prompt: *no-input*.
    FirstDigit,
    /// The caller stopped keying: the entry is complete (match) or not (no-match).
    InterDigit,
    /// A full entry waited for its end key long enough: match.
    Grace,
    /// The state has gone on for too long, whatever the caller keys: counts as no-match.
    FieldLimit,
    /// Time to say again that the service is still working.
    StillWorking,
    /// The service took longer than the call may wait: unavailable, or an unknown outcome.
    ServiceLimit,
    /// The call reached its longest allowed length: it ends politely.
    CallLimit,
}

impl Timer {
    const ALL: [Self; 7] = [
        Self::FirstDigit,
        Self::InterDigit,
        Self::Grace,
        Self::FieldLimit,
        Self::StillWorking,
        Self::ServiceLimit,
        Self::CallLimit,
    ];

    /// The name traces show.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FirstDigit => "first digit",
            Self::InterDigit => "inter-digit",
            Self::Grace => "terminator grace",
            Self::FieldLimit => "field limit",
            Self::StillWorking => "still working",
            Self::ServiceLimit => "service limit",
            Self::CallLimit => "call limit",
        }
    }
}

/// The running timers with their deadlines.
#[derive(Debug, Default)]
pub(super) struct Timers {
    deadlines: [Option<MediaTime>; Timer::ALL.len()],
}

impl Timers {
    /// Starts a timer, or restarts it.
    pub(super) const fn start(&mut self, timer: Timer, deadline: MediaTime) {
        self.deadlines[timer as usize] = Some(deadline);
    }

    /// Stops a timer if it runs.
    pub(super) const fn stop(&mut self, timer: Timer) {
        self.deadlines[timer as usize] = None;
    }

    /// Stops all but the call's own limit; done whenever a state is left.
    pub(super) fn stop_state_timers(&mut self) {
        for timer in Timer::ALL {
            if timer != Timer::CallLimit {
                self.stop(timer);
            }
        }
    }

    /// Stops every timer.
    pub(super) fn stop_all(&mut self) {
        self.deadlines = Default::default();
    }

    /// Takes the due timer with the earliest deadline; of equal ones the first in the enum's order.
    pub(super) fn take_due(&mut self, now: MediaTime) -> Option<Timer> {
        let due = |timer: &Timer| self.deadlines[*timer as usize].filter(|deadline| *deadline <= now);
        let first = Timer::ALL.into_iter().filter(|timer| due(timer).is_some()).min_by_key(due)?;
        self.stop(first);
        Some(first)
    }

    /// Whether this timer runs.
    pub(super) const fn runs(&self, timer: Timer) -> bool {
        self.deadlines[timer as usize].is_some()
    }

    /// The running timers with what is left of each, in the enum's order.
    pub(super) fn running(&self, now: MediaTime) -> Vec<(Timer, MediaTime)> {
        let left = |timer: Timer| Some((timer, self.deadlines[timer as usize]?.since(now)));
        Timer::ALL.into_iter().filter_map(left).collect()
    }

    /// Whether any timer but the call's own limit runs.
    #[cfg(test)]
    pub(super) fn any_state_timer(&self) -> bool {
        Timer::ALL.into_iter().any(|timer| timer != Timer::CallLimit && self.deadlines[timer as usize].is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_timers_fire_once_in_order_of_their_deadlines() {
        let mut timers = Timers::default();
        timers.start(Timer::InterDigit, MediaTime(30));
        timers.start(Timer::FirstDigit, MediaTime(20));
        timers.start(Timer::CallLimit, MediaTime(99));
        assert_eq!(timers.take_due(MediaTime(19)), None);
        assert_eq!(timers.take_due(MediaTime(40)), Some(Timer::FirstDigit));
        assert_eq!(timers.take_due(MediaTime(40)), Some(Timer::InterDigit));
        assert_eq!(timers.take_due(MediaTime(40)), None);
        timers.start(Timer::Grace, MediaTime(50));
        timers.stop_state_timers();
        assert_eq!(timers.take_due(MediaTime(98)), None);
        assert!(!timers.any_state_timer());
        assert_eq!(timers.take_due(MediaTime(99)), Some(Timer::CallLimit));
    }
}
