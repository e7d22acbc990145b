//! Who may ask how often: wrong keys and wrong passwords lock whoever tries them, for longer and longer.
//!
//! A lock for wrong passwords never keeps the right one out. Behind a proxy, or a router that many share, all clients have
//! one address, and anybody there could lock every box out for a day by being wrong six times. So credentials are looked at
//! first, in constant time, and only who has none is counted, slowed down and turned away. What makes guessing hopeless is
//! the password's length, which `tonopago authorizer serve` insists on, not the lock. (To believe a header that names the
//! client would put the lock into the hands of whoever can write that header.)

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use crate::limits::{Locked, Rate, Velocity, VelocityLimit};

/// How much guessing is borne. A box is known by its address, a caller by the number the box sent, where it sent one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuessLimits {
    /// Wrong keys from one address. Several boxes behind one address share it.
    pub per_source: VelocityLimit,
    /// Wrong keys of one caller.
    pub per_caller: VelocityLimit,
    /// Wrong passwords from one address; the right one is never locked out.
    pub passwords: VelocityLimit,
    /// Requests a minute from one address: so many with credentials, and so many reports with wrong signatures.
    pub requests_per_minute: u32,
}

const QUARTER: SignedDuration = SignedDuration::from_mins(15);
const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Default for GuessLimits {
    /// From one address 20 wrong keys a minute and 60 an hour; of one caller 5 and 10; 5 and 20 wrong passwords. The
    /// first lock lasts 15 minutes, the next ones double, up to a day. 600 requests a minute.
    fn default() -> Self {
        let limit = |per_minute, per_hour| VelocityLimit { per_minute, per_hour, lock: QUARTER, max_lock: DAY };
        Self { per_source: limit(20, 60), per_caller: limit(5, 10), passwords: limit(5, 20), requests_per_minute: 600 }
    }
}

impl GuessLimits {
    /// No limits, for rehearsals that try everything.
    pub fn none() -> Self {
        let never = VelocityLimit { per_minute: u32::MAX, per_hour: u32::MAX, lock: QUARTER, max_lock: DAY };
        Self { per_source: never, per_caller: never, passwords: never, requests_per_minute: u32::MAX }
    }
}

/// Counts, and says no.
pub(super) struct Guard {
    sources: Velocity,
    callers: Velocity,
    passwords: Velocity,
    /// Requests of those who proved who they are, and of all others: a flood of these takes nothing from those.
    boxes: Rate,
    strangers: Rate,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) source: IpAddr,
    pub(super) caller: Option<&'a str>,
}

impl Guard {
    pub(super) fn new(limits: &GuessLimits) -> Self {
        Self {
            sources: Velocity::new(limits.per_source),
            callers: Velocity::new(limits.per_caller),
            passwords: Velocity::new(limits.passwords),
            boxes: Rate::new(limits.requests_per_minute),
            strangers: Rate::new(limits.requests_per_minute),
        }
    }

    /// Whether somebody with the right password or signature may ask now; counts the request.
    pub(super) fn admit(&self, source: IpAddr, now: Timestamp) -> Result<(), Locked> {
        within(&self.boxes, source, now)
    }

    /// Counts a wrong signature; says if it was one too many in this minute.
    pub(super) fn wrong_signature(&self, source: IpAddr, now: Timestamp) -> Result<(), Locked> {
        within(&self.strangers, source, now)
    }

    /// Counts a wrong password; gives the lock it caused, if it caused one.
    ///
    /// # Errors
    /// [`Locked`] if it comes during a lock; then it does not count.
    pub(super) fn wrong_password(&self, source: IpAddr, now: Timestamp) -> Result<Option<Locked>, Locked> {
        let source = source.to_string();
        self.passwords.check(source.as_bytes(), now)?;
        Ok(self.passwords.failed(source.as_bytes(), now))
    }

    /// Whether keys may be asked about now. While it says no, right keys get no answer either.
    pub(super) fn may_ask(&self, asker: Asker<'_>, now: Timestamp) -> Result<(), Locked> {
        self.sources.check(asker.source.to_string().as_bytes(), now)?;
        asker.caller.map_or(Ok(()), |caller| self.callers.check(caller.as_bytes(), now))
    }

    /// Counts a wrong key; says what it locked.
    pub(super) fn wrong_key(&self, asker: Asker<'_>, now: Timestamp) -> Option<(&'static str, Locked)> {
        let caller = asker.caller.and_then(|caller| self.callers.failed(caller.as_bytes(), now));
        let source = self.sources.failed(asker.source.to_string().as_bytes(), now);
        source.map(|locked| ("address", locked)).or(caller.map(|locked| ("caller", locked)))
    }
}

/// Counts a request; one too many is told of the minute's end.
fn within(rate: &Rate, source: IpAddr, now: Timestamp) -> Result<(), Locked> {
    if rate.allows(source, now) {
        return Ok(());
    }
    let next_minute = 60 - now.as_second().rem_euclid(60);
    Err(Locked { until: now.checked_add(SignedDuration::from_secs(next_minute)).unwrap_or(now) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOX: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    /// A guesser who asks once a second, night and day, and waits out every lock. Returns keys asked about by the hour.
    fn guess(guard: &Guard, caller: Option<&str>, hours: usize) -> Vec<u32> {
        let asker = Asker { source: BOX, caller };
        let mut asked = vec![0; hours];
        let mut now = Timestamp::from_second(1_700_000_000).unwrap();
        for hour in &mut asked {
            for _ in 0..3600 {
                if guard.may_ask(asker, now).is_ok() {
                    *hour += 1;
                    guard.wrong_key(asker, now);
                }
                now = now.checked_add(SignedDuration::from_secs(1)).unwrap();
            }
        }
        asked
    }

    /// The campaign in virtual time: three days of guessing at one a second, from one address and as one caller.
    #[test]
    fn a_guesser_gets_fewer_and_fewer_keys() {
        for (who, caller, first_hour, three_days) in
            [("address", None, 42, 200), ("caller", Some("5512345678"), 12, 60)]
        {
            let guard = Guard::new(&GuessLimits::default());
            let asked = guess(&guard, caller, 72);
            let total: u32 = asked.iter().sum();
            println!("one {who}: keys asked about in hour 1: {}, hour 2: {}, three days: {total}", asked[0], asked[1]);
            assert!((1..=first_hour * 2).contains(&asked[0]), "{asked:?}");
            assert!(total <= three_days, "{total} in three days: {asked:?}");
        }
    }

    #[test]
    fn a_customer_who_errs_twice_a_call_is_never_locked() {
        let guard = Guard::new(&GuessLimits::default());
        let asker = Asker { source: BOX, caller: Some("5512345678") };
        let mut now = Timestamp::from_second(1_700_000_000).unwrap();
        for _ in 0..200 {
            assert!(guard.may_ask(asker, now).is_ok());
            guard.wrong_key(asker, now);
            now = now.checked_add(SignedDuration::from_mins(7)).unwrap();
        }
    }

    #[test]
    fn a_locked_caller_locks_no_other_and_a_locked_address_locks_all_of_it() {
        let guard = Guard::new(&GuessLimits::default());
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        fn of(caller: &str) -> Asker<'_> {
            Asker { source: BOX, caller: Some(caller) }
        }
        let locks: Vec<_> = (0..6).filter_map(|_| guard.wrong_key(of("1"), now)).map(|(what, _)| what).collect();
        assert_eq!(locks, ["caller"]);
        assert!(guard.may_ask(of("1"), now).is_err() && guard.may_ask(of("2"), now).is_ok());
        let locks: Vec<_> =
            (0..15).filter_map(|n| guard.wrong_key(of(&format!("x{n}")), now)).map(|(what, _)| what).collect();
        assert_eq!(locks, ["address"]);
        assert!(guard.may_ask(of("2"), now).is_err());
        assert!(guard.admit(BOX, now).is_ok(), "a locked address may still ask, and hear so");
    }

    #[test]
    fn requests_and_passwords_have_limits() {
        let guard = Guard::new(&GuessLimits { requests_per_minute: 10, ..GuessLimits::default() });
        let now = Timestamp::from_second(1_700_000_020).unwrap();
        assert_eq!((0..12).filter(|_| guard.wrong_signature(BOX, now).is_ok()).count(), 10);
        assert_eq!((0..12).filter(|_| guard.admit(BOX, now).is_ok()).count(), 10, "not what strangers left of it");
        let later = now.checked_add(SignedDuration::from_secs(60)).unwrap();
        let locks: Vec<bool> = (0..8).map(|_| guard.wrong_password(BOX, later).is_err()).collect();
        assert_eq!(locks, [false, false, false, false, false, false, true, true]);
        assert!(guard.admit(BOX, later).is_ok(), "the right password is not locked out");
    }
}
