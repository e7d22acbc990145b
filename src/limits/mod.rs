//! Limits on what callers and services may do to us: how often somebody may be wrong, how many may be refused, and when
//! a service that fails is left alone. Pure: time comes in with each question, so that a day passes in a test in no time.
//!
//! It is the wall clock's time, which can be set. What lasts for a while is over as soon as the clock shows that it was set
//! back; set forward, it ends early.

mod breaker;
mod rate;
mod ratio;
mod velocity;

pub use breaker::{Breaker, BreakerConfig};
pub use rate::Rate;
pub use ratio::{Ratio, RatioLimit};
pub use velocity::{Locked, Velocity, VelocityLimit};

use jiff::{SignedDuration, Timestamp};

/// How far apart the times may be that threads read at once: one may be held up between its reading and its question.
const SPREAD: SignedDuration = SignedDuration::from_secs(10);

/// After the clock was set back, what happened before is as old as can be said: as old as now. The oldest come first.
fn none_later_than<'a>(times: impl DoubleEndedIterator<Item = &'a mut Timestamp>, now: Timestamp) {
    times.rev().take_while(|at| **at > now).for_each(|at| *at = now);
}

/// Whether what lasts for `span` until `until` still does. If more than all of it seems to be left, the clock was set
/// back since it began, nobody knows how long ago that was, and it is over.
fn lasts(until: Timestamp, span: SignedDuration, now: Timestamp) -> bool {
    now < until && until.duration_since(now) <= span.saturating_add(SPREAD)
}
