//! An absolute clock for 10 ms steps, of lines without a card that gives one: what one step is late the next one is early, so
//! that no time is lost.

use std::time::{Duration, Instant};

use crate::line::attendant::STEP;
use crate::media::SAMPLE_RATE;

const STEP_SPAN: Duration = Duration::from_nanos(1_000_000_000 * STEP as u64 / SAMPLE_RATE as u64);
/// Steps are made up for when this much late. Later, the clock is taken to have jumped, and time goes on from now.
const LATE: Duration = Duration::from_secs(1);

/// When the next step is due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    due: Instant,
}

impl Pace {
    /// The first step is due now.
    pub(crate) const fn new(now: Instant) -> Self {
        Self { due: now }
    }

    /// How long to wait from now on for the next step.
    pub(crate) fn next(&mut self, now: Instant) -> Duration {
        if now.saturating_duration_since(self.due) > LATE {
            self.due = now;
        }
        let wait = self.due.saturating_duration_since(now);
        self.due += STEP_SPAN;
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_steps_are_a_second_whoever_is_late() {
        let start = Instant::now();
        let (mut pace, mut now) = (Pace::new(start), start);
        for step in 0..100 {
            now += pace.next(now);
            // Now and then the machine does something else for 150 ms.
            now += Duration::from_millis(if step % 20 == 19 { 150 } else { 3 });
        }
        while pace.due < now {
            assert_eq!(pace.next(now), Duration::ZERO, "made up for");
        }
        let steps = (pace.due - start).as_millis() / 10;
        assert_eq!(pace.due, start + STEP_SPAN * u32::try_from(steps).unwrap());
        assert!(pace.due - now <= STEP_SPAN);
    }

    #[test]
    fn a_clock_that_jumped_is_followed_without_a_burst() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let later = start + Duration::from_secs(3600);
        assert_eq!(pace.next(later), Duration::ZERO);
        assert_eq!(pace.next(later), STEP_SPAN);
    }
}
