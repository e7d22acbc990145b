//! AudioSocket: an Asterisk sends its calls over TCP, and the box needs no sound card.
//!
//! Asterisk connects, names the call with a UUID, and sends frames of sound; we send frames of sound back at the same pace.
//! Either closes. There is no encryption, no password and no version.
//!
//! [`frame`] is the wire and [`Session`] one call on it, both without socket and clock. A [`Listener`] takes connections and
//! hands each to a line that is free; a [`Connection`] is a call's socket and its pace.

mod connection;
mod farewell;
pub mod frame;
mod listener;
mod session;
#[cfg(test)]
mod tests;

pub use connection::Connection;
pub use listener::{Calls, Incident, Listener, ListenerConfig, NobodyListens, Tell};
pub use session::{ENOUGH, Ending, HOLD, MOST, Session, Tally};
