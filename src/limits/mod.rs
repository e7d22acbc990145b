//! Limits on what callers and services may do to us: how often somebody may be wrong, and when a service that fails is
//! left alone. Pure: time comes in with each question, so that a day passes in a test in no time.

mod breaker;
mod velocity;

pub use breaker::{Breaker, BreakerConfig};
pub use velocity::{Locked, Velocity, VelocityLimit};
