//! Limits on what callers and services may do to us: how often somebody may be wrong, how many may be refused, and when
//! a service that fails is left alone. Pure: time comes in with each question, so that a day passes in a test in no time.

mod breaker;
mod rate;
mod ratio;
mod velocity;

pub use breaker::{Breaker, BreakerConfig};
pub use rate::Rate;
pub use ratio::{Ratio, RatioLimit};
pub use velocity::{Locked, Velocity, VelocityLimit};
