//! Wall-clock time, where wall time is meant: a card's expiry, a key's life, a ledger's dates. Calls count samples.

use std::sync::Mutex;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

use crate::card::YearMonth;

/// The one place wall-clock time comes from.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// The zone calendar dates are meant in.
    fn time_zone(&self) -> TimeZone;

    /// The time now, as clocks on the wall show it.
    fn local(&self) -> Zoned {
        self.now().to_zoned(self.time_zone())
    }

    /// This month, for judging a card's expiry.
    fn year_month(&self) -> YearMonth {
        YearMonth::of(self.local().date())
    }

    /// Date and time in the zone, ISO 8601 without offset, to the second: `2026-11-23T10:15:00`.
    fn local_date_time(&self) -> String {
        self.local().strftime("%Y-%m-%dT%H:%M:%S").to_string()
    }
}

/// Clocks that differ by more are not both right: a merchant refuses reports that are five minutes old.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// By how much a clock that shows `now` is "ahead of" or "behind" one that shows `other`, which the words are to be followed by;
/// nothing within five minutes.
pub fn disagreement(now: Timestamp, other: Timestamp) -> Option<String> {
    let ahead = now.duration_since(other);
    if ahead.abs() <= TOLERANCE {
        return None;
    }
    let by = match ahead.abs().as_mins() {
        minutes @ ..120 => format!("{minutes} minutes"),
        minutes @ 120..2880 => format!("{} hours", minutes / 60),
        minutes => format!("{} days", minutes / 1440),
    };
    Some(format!("{by} {}", if ahead.is_positive() { "ahead of" } else { "behind" }))
}

/// The machine's clock and time zone.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn time_zone(&self) -> TimeZone {
        TimeZone::system()
    }
}

/// A clock that stands still until it is told otherwise: for tests, and for a demo that gives the same every time.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock showing `now`, in UTC.
    pub const fn at(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// Lets time pass.
    pub fn advance(&self, by: SignedDuration) {
        *self.lock() += by;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Timestamp> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) // a time stamp is never half-written
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.lock()
    }

    fn time_zone(&self) -> TimeZone {
        TimeZone::UTC
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_may_differ_by_five_minutes() {
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
        let than = |minutes: i64| disagreement(now, now - SignedDuration::from_mins(minutes));
        assert_eq!((than(0), than(5), than(-5)), (None, None, None));
        let told = [6, -119, 121, -2879, 2880].map(|minutes| than(minutes).unwrap());
        assert_eq!(
            told,
            ["6 minutes ahead of", "119 minutes behind", "2 hours ahead of", "47 hours behind", "2 days ahead of"]
        );
    }

    #[test]
    fn a_manual_clock_moves_when_told() {
        let clock = ManualClock::at("2026-11-30T23:59:59Z".parse().unwrap());
        assert_eq!(clock.year_month(), YearMonth { year: 2026, month: 11 });
        assert_eq!(clock.local_date_time(), "2026-11-30T23:59:59");
        clock.advance(SignedDuration::from_secs(1));
        assert_eq!(clock.year_month(), YearMonth { year: 2026, month: 12 });
    }
}
