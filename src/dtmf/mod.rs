//! DTMF: digits, detector, generator and the standards' limits. Knows no other room.

mod digit;

pub use digit::{COLUMN_HZ, Digit, ROW_HZ};
