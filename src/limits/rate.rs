//! Requests a minute from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// Counts requests by address, minute by minute of the clock.
#[derive(Debug)]
pub struct Rate {
    per_minute: u32,
    counted: Mutex<(i64, HashMap<IpAddr, u32>)>,
}

impl Rate {
    /// Allows this many in each minute.
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute, counted: Mutex::default() }
    }

    /// Counts a request; `false` if it is one too many in this minute.
    pub fn allows(&self, from: IpAddr, now: Timestamp) -> bool {
        let minute = now.as_second().div_euclid(60);
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner); // a count too few is no harm
        if counted.0 != minute {
            *counted = (minute, HashMap::new());
        }
        let count = counted.1.entry(from).or_default();
        *count = count.saturating_add(1);
        *count <= self.per_minute
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_count_in_each_minute() {
        let rate = Rate::new(2);
        let [one, other] = ["10.0.0.1", "10.0.0.2"].map(|text| text.parse().unwrap());
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!([0, 30, 59].map(|second| rate.allows(one, at(second))), [true, true, false]);
        assert!(rate.allows(other, at(59)));
        assert!(rate.allows(one, at(60)));
    }
}
