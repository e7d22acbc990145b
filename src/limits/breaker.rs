//! Leaves a service alone for a while after it has failed again and again, so that callers are not kept waiting for it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::lasts;

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerConfig {
    /// Failures in a row that open it.
    pub failures: u32,
    /// How long it stays open; then one request is let through to see.
    pub rest: SignedDuration,
}

/// A breaker: closed as long as its service answers.
#[derive(Debug)]
pub struct Breaker {
    config: BreakerConfig,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    open_until: Option<Timestamp>,
}

impl Breaker {
    /// A closed breaker.
    pub fn new(config: BreakerConfig) -> Self {
        Self { config, state: Mutex::default() }
    }

    /// Whether a request may be made now. After a rest one may, and whoever asks while it is under way may not.
    pub fn allows(&self, now: Timestamp) -> bool {
        let mut state = self.lock();
        match state.open_until {
            None => true,
            Some(until) if lasts(until, self.config.rest, now) => false,
            Some(_) => {
                state.open_until = Some(self.rest_from(now)); // the one that is let through
                true
            }
        }
    }

    /// The service answered.
    pub fn succeeded(&self) {
        *self.lock() = State::default();
    }

    /// The service failed; `true` if that opened the breaker.
    pub fn failed(&self, now: Timestamp) -> bool {
        let mut state = self.lock();
        state.failures = state.failures.saturating_add(1);
        let opens = state.failures >= self.config.failures;
        if opens {
            state.open_until = Some(self.rest_from(now));
        }
        opens && state.failures == self.config.failures
    }

    /// Whether requests are held back at the moment.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.lock().open_until.is_some_and(|until| lasts(until, self.config.rest, now))
    }

    fn rest_from(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.config.rest).unwrap_or(Timestamp::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner) // two numbers, whole after every step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: BreakerConfig = BreakerConfig { failures: 3, rest: SignedDuration::from_secs(30) };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_lets_one_through_after_its_rest() {
        let breaker = Breaker::new(CONFIG);
        assert_eq!([0, 1].map(|second| breaker.failed(at(second))), [false, false]);
        breaker.succeeded();
        assert_eq!([2, 3, 4].map(|second| breaker.failed(at(second))), [false, false, true]);
        assert!(!breaker.allows(at(33)) && breaker.is_open(at(33)));
        assert_eq!([34, 34, 63].map(|second| breaker.allows(at(second))), [true, false, false]);
        assert!(!breaker.failed(at(40)), "it was open already");
        assert!(!breaker.allows(at(69)));
        assert!(breaker.allows(at(70)));
        breaker.succeeded();
        assert!(breaker.allows(at(70)) && breaker.allows(at(70)));
    }

    #[test]
    fn a_clock_set_back_by_an_hour_does_not_keep_it_open_for_one() {
        let breaker = Breaker::new(CONFIG);
        assert!([7200; 3].map(|second| breaker.failed(at(second)))[2]);
        assert!(
            !breaker.allows(at(7199)) && breaker.is_open(at(7199)),
            "another thread's reading, not a clock set back"
        );
        assert!(!breaker.is_open(at(3600)) && breaker.allows(at(3600)));
        assert_eq!([3601, 3629, 3630].map(|second| breaker.allows(at(second))), [false, false, true], "its rest again");
    }
}
