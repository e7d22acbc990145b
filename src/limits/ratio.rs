//! Stops what is refused far too often: a box whose cards are nearly all declined is being used to try stolen ones.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::{lasts, none_later_than};

/// When too many is too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatioLimit {
    /// Outcomes older than this do not count.
    pub window: SignedDuration,
    /// Fewer outcomes than this in the window say nothing.
    pub at_least: u32,
    /// Refused of a hundred, from which on everything stops.
    pub percent: u32,
    /// For how long.
    pub rest: SignedDuration,
}

/// Counts outcomes and says when to stop.
#[derive(Debug)]
pub struct Ratio {
    limit: RatioLimit,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    outcomes: VecDeque<(Timestamp, bool)>,
    stopped_until: Option<Timestamp>,
}

impl Ratio {
    /// Nothing counted yet.
    pub fn new(limit: RatioLimit) -> Self {
        Self { limit, state: Mutex::default() }
    }

    /// Whether work may go on.
    pub fn allows(&self, now: Timestamp) -> bool {
        !self.lock().stopped_until.is_some_and(|until| lasts(until, self.limit.rest, now))
    }

    /// Counts an outcome; `true` if it was one refusal too many.
    pub fn count(&self, refused: bool, now: Timestamp) -> bool {
        let mut state = self.lock();
        none_later_than(state.outcomes.iter_mut().map(|(at, _)| at), now);
        let oldest = now.checked_sub(self.limit.window).unwrap_or(Timestamp::MIN);
        while state.outcomes.front().is_some_and(|(at, _)| *at <= oldest) {
            state.outcomes.pop_front();
        }
        state.outcomes.push_back((now, refused));
        let all = state.outcomes.len();
        let refusals = state.outcomes.iter().filter(|(_, refused)| *refused).count();
        let too_many = all >= self.limit.at_least as usize && refusals * 100 >= all * self.limit.percent as usize;
        if too_many {
            state.stopped_until = Some(now.checked_add(self.limit.rest).unwrap_or(Timestamp::MAX));
            state.outcomes.clear(); // after the rest it starts anew
        }
        too_many
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner) // a count too few is no harm
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: RatioLimit = RatioLimit {
        window: SignedDuration::from_hours(1),
        at_least: 10,
        percent: 80,
        rest: SignedDuration::from_mins(15),
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn eight_refusals_of_ten_stop_for_the_rest_and_then_count_anew() {
        let ratio = Ratio::new(LIMIT);
        let stops: Vec<i64> = (0..10).filter(|second| ratio.count(second % 5 != 0, at(*second))).collect();
        assert_eq!(stops, [9]);
        assert!(!ratio.allows(at(9 + 899)) && ratio.allows(at(9 + 900)));
        assert!((0..9).all(|second| !ratio.count(true, at(1000 + second))));
    }

    #[test]
    fn a_clock_set_back_by_a_day_neither_prolongs_the_rest_nor_the_window() {
        let ratio = Ratio::new(LIMIT);
        let day = 86_400;
        assert!((0..10).any(|second| ratio.count(true, at(day + second))));
        assert!(!ratio.allows(at(day + 20)) && ratio.allows(at(20)));
        assert!((0..8).all(|second| !ratio.count(true, at(day + second))));
        assert!(!ratio.count(false, at(0)), "nine are too few to tell");
        assert!((3600..3609).all(|second| !ratio.count(true, at(second))), "the nine are an hour old by now");
    }

    #[test]
    fn good_business_and_old_refusals_never_stop_it() {
        let ratio = Ratio::new(LIMIT);
        assert!((0..1000).all(|second| !ratio.count(second * 7 % 10 < 7, at(second))), "seven of ten are not eight");
        assert!((0..100).all(|hour| !ratio.count(true, at(10_000 + hour * 600))), "six an hour are too few to tell");
    }
}
