//! How often passwords are tried: whoever was wrong waits, and nobody else.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// After a wrong password from an address the next is looked at only after so long, twice as long after each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Addresses remembered; beyond them the one whose pause ends first is forgotten.
const MOST: usize = 1000;
/// From many addresses together so many tries are looked at in so long: each costs the slow check of a password. Those
/// who have not failed have as many again.
const TRIES: u32 = 60;
const SPAN: Duration = Duration::from_secs(60);

/// The tries of late.
#[derive(Default)]
pub(super) struct Guesses {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    wrong: HashMap<IpAddr, Wrong>,
    /// When the span under way began, and its tries by those who had failed before and by those who had not.
    span: Option<Instant>,
    tries: [u32; 2],
}

/// Wrong passwords of an address since its last right one, and when the next is looked at.
#[derive(Clone, Copy)]
struct Wrong {
    count: u32,
    until: Instant,
}

impl Guesses {
    /// Whether a password from an address is looked at now.
    pub(super) fn may_try(&self, from: IpAddr, now: Instant) -> bool {
        let mut state = self.lock();
        let from = subject(from);
        let before = state.wrong.get(&from).copied();
        if before.is_some_and(|wrong| now < wrong.until) || !state.has_room(before.is_none(), now) {
            return false;
        }
        // Counted as wrong until it was right: guesses sent at once don't all get in.
        let count = before.map_or(0, |wrong| wrong.count).saturating_add(1);
        let pause = FIRST_PAUSE.saturating_mul(1 << count.min(16).saturating_sub(1)).min(LONGEST_PAUSE);
        state.remember(from, Wrong { count, until: now + pause });
        true
    }

    /// The password from an address was right.
    pub(super) fn forgive(&self, from: IpAddr) {
        self.lock().wrong.remove(&subject(from));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner) // whole after every step
    }
}

impl State {
    /// Counts a try of all addresses' together.
    fn has_room(&mut self, is_first: bool, now: Instant) -> bool {
        if self.span.is_none_or(|began| now.duration_since(began) >= SPAN) {
            (self.span, self.tries) = (Some(now), [0; 2]);
        }
        let tries = &mut self.tries[usize::from(is_first)];
        *tries = tries.saturating_add(1);
        *tries <= TRIES
    }

    fn remember(&mut self, from: IpAddr, wrong: Wrong) {
        if self.wrong.len() >= MOST
            && !self.wrong.contains_key(&from)
            && let Some(oldest) = self.wrong.iter().min_by_key(|(_, wrong)| wrong.until).map(|(from, _)| *from)
        {
            self.wrong.remove(&oldest);
        }
        self.wrong.insert(from, wrong);
    }
}

/// Whoever has an IPv6 address has 2^64 of them: they count as one. An IPv4 address is itself, however it is written.
fn subject(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_guesser_waits_longer_each_time_and_a_right_password_forgives() {
        let (guesses, from, start) = (Guesses::default(), address("192.0.2.1"), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        let tries = [0, 499, 500, 1499, 1500].map(|ms| guesses.may_try(from, at(ms)));
        assert_eq!(tries, [true, false, true, false, true]);
        guesses.forgive(from);
        assert!(guesses.may_try(from, at(1501)));
    }

    /// One counter was for all: whoever guessed every 250 ms kept the operator out.
    #[test]
    fn who_guesses_keeps_nobody_else_out() {
        let (guesses, start) = (Guesses::default(), Instant::now());
        for n in 0..100_000 {
            let now = start + Duration::from_millis(250 * n);
            guesses.may_try(address("192.0.2.66"), now);
            if n % 1000 == 0 {
                assert!(guesses.may_try(address("192.0.2.1"), now), "after {n} guesses");
                guesses.forgive(address("192.0.2.1"));
            }
        }
    }

    #[test]
    fn a_network_of_guessers_is_slowed_down_and_takes_bounded_room() {
        let (guesses, start) = (Guesses::default(), Instant::now());
        let far = |n: u32| IpAddr::from(std::net::Ipv4Addr::from_bits(0x0a00_0000 + n));
        let minutes = 50;
        let looked_at: u32 = (0..minutes * 600)
            .map(|n| u32::from(guesses.may_try(far(n), start + Duration::from_millis(100 * u64::from(n)))))
            .sum();
        assert_eq!(looked_at, minutes * TRIES, "of 600 a minute");
        assert!(guesses.lock().wrong.len() <= MOST);
        assert_eq!(subject(address("2001:db8::1")), subject(address("2001:db8::ffff:0:1")));
        assert_ne!(subject(address("::ffff:192.0.2.1")), subject(address("::ffff:192.0.2.2")));
    }
}
