//! Where callers are to go who were let go of by an AudioSocket: an Asterisk's dial plan asks for it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a number may be asked for. A dial plan goes on within milliseconds.
pub(super) const KEPT_FOR: Duration = Duration::from_secs(60);
/// Numbers kept at most, the newest: more callers than a box has lines can't be handed over in [`KEPT_FOR`] for long.
const MOST: usize = 1024;

/// The callers of the last minute who were to be handed over.
#[derive(Default)]
pub(super) struct Handovers(Mutex<VecDeque<Handover>>);

struct Handover {
    /// What the far side calls the call.
    reference: String,
    number: String,
    since: Instant,
    asked: bool,
}

impl Handovers {
    /// A call begins: what was kept for one that had its reference is not for its caller. A dial plan need not make a new UUID
    /// for each.
    pub(super) fn begin(&self, reference: &str) {
        self.lock().retain(|handover| handover.reference != reference);
    }

    /// A caller is to go to a number.
    pub(super) fn keep(&self, reference: &str, number: &str, now: Instant) {
        self.begin(reference);
        let mut kept = self.lock();
        kept.truncate(MOST - 1);
        let (reference, number) = (reference.to_owned(), number.to_owned());
        kept.push_front(Handover { reference, number, since: now, asked: false });
    }

    /// Where the caller of a call is to go, if to a person, and if it was let go of in the last minute. May be asked again.
    pub(super) fn number_for(&self, reference: &str, now: Instant) -> Option<String> {
        let mut kept = self.lock();
        let handover = kept.iter_mut().find(|handover| handover.reference == reference && !handover.is_old(now))?;
        handover.asked = true;
        Some(handover.number.clone())
    }

    /// Forgets those of more than a minute ago; the numbers nobody has asked for: their callers heard that they would be
    /// connected, and were not.
    pub(super) fn forget_old(&self, now: Instant) -> Vec<String> {
        let mut kept = self.lock();
        let old = kept.iter().position(|handover| handover.is_old(now)).unwrap_or(kept.len());
        kept.split_off(old).into_iter().filter(|handover| !handover.asked).map(|handover| handover.number).collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Handover>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handover {
    fn is_old(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) > KEPT_FOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_there_for_a_minute_however_often_it_is_asked_for() {
        let (handovers, now) = (Handovers::default(), Instant::now());
        handovers.keep("a", "101", now);
        handovers.keep("b", "102", now);
        for _ in 0..2 {
            assert_eq!(handovers.number_for("a", now + KEPT_FOR).as_deref(), Some("101"));
        }
        assert_eq!(handovers.number_for("c", now), None);
        assert_eq!(handovers.number_for("a", now + 2 * KEPT_FOR), None);
        assert_eq!(handovers.forget_old(now + KEPT_FOR), [""; 0]);
        assert_eq!(handovers.forget_old(now + 2 * KEPT_FOR), ["102"], "nobody asked for it");
        assert_eq!(handovers.forget_old(now + 2 * KEPT_FOR), [""; 0]);
    }

    #[test]
    fn the_last_call_of_a_reference_counts_and_the_newest_are_kept() {
        let (handovers, now) = (Handovers::default(), Instant::now());
        handovers.keep("a", "101", now);
        handovers.keep("a", "102", now);
        assert_eq!(handovers.number_for("a", now).as_deref(), Some("102"));
        handovers.begin("a");
        assert_eq!(handovers.number_for("a", now), None, "that caller was another");
        for call in 0..2 * MOST {
            handovers.keep(&call.to_string(), "103", now);
        }
        assert_eq!(handovers.number_for("a", now), None);
        assert!(handovers.number_for(&(2 * MOST - 1).to_string(), now).is_some());
        assert_eq!(handovers.forget_old(now + 2 * KEPT_FOR).len(), MOST - 1);
    }
}
