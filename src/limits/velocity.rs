//! How often somebody may be wrong: failures counted by a keyed hash of who it was.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use zeroize::Zeroizing;

use super::lasts;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// How long after its last lock somebody's next one is longer.
const MEMORY: SignedDuration = SignedDuration::from_hours(24);
/// Bytes of key and pad.
const PAD_BYTES: usize = 32;
/// Most subjects remembered; above this the ones heard of least lately are forgotten.
const MAX_SUBJECTS: usize = 10_000;

/// How many failures are too many, and what they cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VelocityLimit {
    /// Failures allowed in any minute.
    pub per_minute: u32,
    /// Failures allowed in any hour.
    pub per_hour: u32,
    /// How long the first lock lasts; each further one within a day of the last lasts twice as long as the one before.
    pub lock: SignedDuration,
    /// The longest lock.
    pub max_lock: SignedDuration,
}

/// Somebody has failed too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many failures: locked until {until:.0}")]
pub struct Locked {
    /// When the lock ends.
    pub until: Timestamp,
}

/// Counts failures by subject. A subject (a card, a telephone number, an address) is kept only as a hash under a key
/// that was drawn at random when this value was made: a look into memory finds nobody. A restart forgets all.
pub struct Velocity {
    limit: VelocityLimit,
    key: hmac::Key,
    /// Combined with a subject before it is hashed: the hash function leaves what it has hashed on the stack, and that
    /// must not be a card number.
    pad: Zeroizing<[u8; PAD_BYTES]>,
    records: Mutex<HashMap<[u8; 32], Record>>,
}

#[derive(Default)]
struct Record {
    failures: VecDeque<Timestamp>,
    locked: Option<Lock>,
    locks: u32,
}

/// The last lock: its end, and how long all of it is.
#[derive(Clone, Copy)]
struct Lock {
    until: Timestamp,
    span: SignedDuration,
}

impl Velocity {
    /// Counters under a fresh key.
    ///
    /// # Panics
    /// If the operating system has no random numbers, without which nothing here would be safe.
    pub fn new(limit: VelocityLimit) -> Self {
        let random = || {
            let mut bytes = Zeroizing::new([0; PAD_BYTES]);
            getrandom::fill(&mut *bytes).expect("the operating system has random numbers");
            bytes
        };
        Self { limit, key: hmac::Key::new(hmac::HMAC_SHA256, &*random()), pad: random(), records: Mutex::default() }
    }

    /// Whether a subject may try now.
    ///
    /// # Errors
    /// [`Locked`] says until when it may not.
    pub fn check(&self, subject: &[u8], now: Timestamp) -> Result<(), Locked> {
        match self.lock().get(&self.hash(subject)).and_then(|record| record.locked) {
            Some(Lock { until, span }) if lasts(until, span, now) => Err(Locked { until }),
            _ => Ok(()),
        }
    }

    /// Counts a failure; gives the lock it caused, if it caused one.
    pub fn failed(&self, subject: &[u8], now: Timestamp) -> Option<Locked> {
        let mut records = self.lock();
        if records.len() >= MAX_SUBJECTS {
            forget_the_oldest(&mut records);
        }
        records.entry(self.hash(subject)).or_default().fail(self.limit, now)
    }

    fn hash(&self, subject: &[u8]) -> [u8; 32] {
        let padded = subject.iter().zip(self.pad.iter().cycle()).map(|(byte, pad)| byte ^ pad);
        let padded = Zeroizing::new(padded.collect::<Vec<u8>>()); // allocated once: the length is known
        hmac::sign(&self.key, &padded).as_ref().try_into().expect("an HMAC-SHA256 has 32 bytes")
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner) // a count too few is no harm
    }
}

impl Record {
    fn fail(&mut self, limit: VelocityLimit, now: Timestamp) -> Option<Locked> {
        self.none_later_than(now);
        let ago = |span: SignedDuration| now.checked_sub(span).unwrap_or(Timestamp::MIN);
        while self.failures.front().is_some_and(|first| *first <= ago(HOUR)) {
            self.failures.pop_front();
        }
        self.failures.push_back(now);
        let in_last = |span| self.failures.iter().rev().take_while(|at| **at > ago(span)).count();
        if in_last(MINUTE) <= limit.per_minute as usize && in_last(HOUR) <= limit.per_hour as usize {
            return None;
        }
        if self.locked.is_none_or(|last| last.until <= ago(MEMORY)) {
            self.locks = 0;
        }
        let span = limit.duration(self.locks);
        let until = now.checked_add(span).unwrap_or(Timestamp::MAX);
        self.locks = self.locks.saturating_add(1);
        self.locked = Some(Lock { until, span });
        self.failures.clear(); // after the lock the subject starts anew, towards a longer one
        Some(Locked { until })
    }

    /// After the clock was set back.
    fn none_later_than(&mut self, now: Timestamp) {
        super::none_later_than(self.failures.iter_mut(), now);
        if let Some(lock) = &mut self.locked
            && now < lock.until
            && !lasts(lock.until, lock.span, now)
        {
            lock.until = now;
        }
    }

    /// When it was last heard of.
    fn latest(&self) -> Timestamp {
        self.failures.back().copied().max(self.locked.map(|lock| lock.until)).unwrap_or(Timestamp::MIN)
    }
}

impl VelocityLimit {
    /// How long the lock after `locks` earlier ones lasts.
    fn duration(self, locks: u32) -> SignedDuration {
        let doubled = 1_i32.checked_shl(locks.min(30)).and_then(|times| self.lock.checked_mul(times));
        doubled.unwrap_or(self.max_lock).min(self.max_lock)
    }
}

/// Makes room: forgets the tenth of the subjects that was heard of least lately.
fn forget_the_oldest(records: &mut HashMap<[u8; 32], Record>) {
    let mut latest: Vec<Timestamp> = records.values().map(Record::latest).collect();
    let (_, limit, _) = latest.select_nth_unstable(MAX_SUBJECTS / 10);
    let limit = *limit;
    records.retain(|_, record| record.latest() > limit);
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: VelocityLimit = VelocityLimit {
        per_minute: 3,
        per_hour: 5,
        lock: SignedDuration::from_mins(15),
        max_lock: SignedDuration::from_hours(1),
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    #[test]
    fn the_fourth_failure_in_a_minute_locks() {
        let velocity = Velocity::new(LIMIT);
        for second in [0, 1, 2] {
            assert_eq!(velocity.failed(b"a", at(second)), None);
        }
        assert_eq!(velocity.failed(b"a", at(3)), Some(Locked { until: at(903) }));
        assert_eq!(velocity.check(b"a", at(902)), Err(Locked { until: at(903) }));
        assert_eq!(velocity.check(b"a", at(903)), Ok(()));
        assert_eq!(velocity.check(b"b", at(4)), Ok(()), "nobody else is locked");
    }

    #[test]
    fn the_sixth_failure_in_an_hour_locks_and_older_ones_are_forgotten() {
        let velocity = Velocity::new(LIMIT);
        for failure in 0..5 {
            assert_eq!(velocity.failed(b"a", at(failure * 600)), None);
        }
        assert!(velocity.failed(b"a", at(3_000)).is_some());
        for failure in 0..100 {
            assert_eq!(velocity.failed(b"slow", at(failure * 720)), None, "five an hour are allowed for ever");
        }
    }

    #[test]
    fn locks_double_up_to_the_longest_and_are_forgotten_after_a_quiet_day() {
        let velocity = Velocity::new(LIMIT);
        let mut now = at(0);
        let mut lock = || loop {
            if let Some(locked) = velocity.failed(b"a", now) {
                let minutes = locked.until.duration_since(now).as_mins();
                now = locked.until;
                return minutes;
            }
        };
        assert_eq!([lock(), lock(), lock(), lock()], [15, 30, 60, 60]);
        now = now.checked_add(SignedDuration::from_hours(25)).unwrap();
        let again = || loop {
            if let Some(locked) = velocity.failed(b"a", now) {
                return locked.until.duration_since(now).as_mins();
            }
        };
        assert_eq!(again(), 15);
    }

    #[test]
    fn a_clock_set_back_by_a_day_ends_a_lock_and_forgets_no_failure() {
        let velocity = Velocity::new(LIMIT);
        let day = 86_400;
        assert!((0..4).any(|second| velocity.failed(b"a", at(day + second)).is_some()));
        assert!(velocity.check(b"a", at(day - 1)).is_err(), "another thread's reading, not a clock set back");
        assert_eq!(velocity.check(b"a", at(0)), Ok(()));
        assert!((0..3).all(|second| velocity.failed(b"b", at(day + second)).is_none()));
        assert_eq!(velocity.failed(b"b", at(0)).map(|lock| lock.until), Some(at(900)), "they are not forgotten");
    }

    #[test]
    fn memory_is_bounded_and_whoever_was_locked_last_is_remembered_longest() {
        let velocity = Velocity::new(LIMIT);
        for _ in 0..4 {
            velocity.failed(b"guesser", at(0));
        }
        for subject in 0..3 * MAX_SUBJECTS as u64 {
            velocity.failed(&subject.to_le_bytes(), at(1));
        }
        assert!(velocity.lock().len() <= MAX_SUBJECTS);
        assert!(velocity.check(b"guesser", at(2)).is_err());
    }
}
