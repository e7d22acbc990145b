//! A telephone line with its faults, and a caller on it.

pub mod line;

mod caller;

pub use caller::{Act, Caller, Patience, Script};
