//! A telephone line with its faults, a caller on it, and music that holds no digits.

pub mod gsm;
pub mod line;
pub mod music;

mod caller;

pub use caller::{Act, Caller, Patience, Script};
