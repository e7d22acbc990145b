//! A part of a line that fails and comes back, its sound or its hook: when it is tried again, and what is told of it.

use std::time::{Duration, Instant};

/// What can't be opened is tried again so soon: a card that was pulled out is back as soon as it is plugged in.
const RETRY: Duration = Duration::from_secs(1);
/// What opens and fails again is left alone for twice as long each time, up to this; and is as good as new once it has
/// worked for as long.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Its trouble is over once it has worked for so long: many a broken device opens, and many a broken program starts.
const STEADY: Duration = Duration::from_secs(5);

/// How a part is.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    trouble: Option<String>,
    /// Failures after an opening, since it last worked for long.
    failures: u32,
    not_before: Option<Instant>,
    works_since: Option<Instant>,
}

impl Upkeep {
    /// Whether it is to be opened now, if it is not open.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.not_before.is_none_or(|not_before| now >= not_before)
    }

    /// What is wrong, if something is.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Whether it has done anything since it was opened.
    pub(super) const fn has_worked(&self) -> bool {
        self.works_since.is_some()
    }

    /// It does what it is for, as it is to say again and again; true if its trouble is over with that.
    pub(super) fn works(&mut self, now: Instant) -> bool {
        let worked = now.saturating_duration_since(*self.works_since.get_or_insert(now));
        if worked >= LONGEST_PAUSE {
            self.failures = 0;
        }
        worked >= STEADY && self.trouble.take().is_some()
    }

    /// It can't be opened; true if this is to be told.
    pub(super) fn is_absent(&mut self, now: Instant, why: &str) -> bool {
        self.not_before = Some(now + RETRY);
        self.is_news(why)
    }

    /// It was open and failed; true if this is to be told.
    pub(super) fn failed(&mut self, now: Instant, why: &str) -> bool {
        let pause = RETRY.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        (self.works_since, self.not_before) = (None, Some(now + pause));
        self.is_news(why)
    }

    /// The same is told once, until the trouble is over.
    fn is_news(&mut self, why: &str) -> bool {
        let known = self.trouble.as_deref() == Some(why);
        self.trouble = Some(why.to_owned());
        !known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lives through a day in steps of 10 ms, as a line does; an opened part works for so long, then fails. Gives how
    /// often it was opened, how often something was told, and for how long there was no trouble.
    fn day(works_for: Duration) -> (u32, u32, Duration) {
        let (mut part, start, step) = (Upkeep::default(), Instant::now(), Duration::from_millis(10));
        let (mut opened_at, mut opened, mut told, mut well) = (None, 0, 0, Duration::ZERO);
        for steps in 0..24 * 3600 * 100 {
            let now = start + step * steps;
            match opened_at {
                None if part.is_due(now) => (opened_at, opened) = (Some(now), opened + 1),
                None => {}
                Some(since) if now - since >= works_for => {
                    told += u32::from(part.failed(now, "silent"));
                    opened_at = None;
                }
                Some(_) => drop(part.works(now)),
            }
            well += if part.trouble().is_none() { step } else { Duration::ZERO };
        }
        (opened, told, well)
    }

    #[test]
    fn what_opens_and_fails_is_told_of_once_and_left_alone_for_a_minute() {
        let (opened, told, well) = day(Duration::ZERO);
        assert_eq!((told, well), (1, Duration::from_millis(10)), "in trouble from the first failure on");
        assert!((1400..1460).contains(&opened), "opened {opened} times");
    }

    #[test]
    fn what_works_for_some_seconds_each_time_is_told_of_once_a_minute_at_most() {
        let (opened, told, _) = day(STEADY * 2);
        assert!(told == opened - 1 || told == opened, "each time it worked, and its trouble was over");
        assert!(opened < 1300, "opened {opened} times");
    }

    #[test]
    fn what_was_pulled_out_is_opened_within_a_second_of_its_return() {
        let (mut part, start) = (Upkeep::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(part.is_due(at(0)) && !part.works(at(0)) && part.has_worked());
        assert!(part.failed(at(3600), "gone") && !part.has_worked());
        assert!(!part.is_due(at(3600)) && part.is_due(at(3601)));
        assert!(part.is_absent(at(3601), "no such card"), "something new");
        assert!(!part.is_absent(at(3602), "no such card"));
        assert!(!part.is_due(at(3602)) && part.is_due(at(3603)), "however long it was away");
        // Back, for good.
        assert!(!part.works(at(3603)) && part.trouble().is_some());
        assert!(part.works(at(3608)) && part.trouble().is_none() && !part.works(at(3609)));
    }
}
