//! DTMF: digits, detector, generator and the standards' limits. Knows no other room.

mod core;
mod detector;
mod digit;
mod event;
mod evidence;
mod fit;
mod front_end;
mod generator;
mod history;
mod kernel;
pub mod level;
mod pieces;
mod profile;
mod verdict;

pub use detector::{Detector, DetectorError, RATES_HZ};
pub use digit::{COLUMN_HZ, Digit, ROW_HZ};
pub use event::{Begin, Detection, Event, Measurement, NearMiss, Reason};
pub use generator::{GeneratorConfig, GeneratorError, ToneSamples, generate};
pub use profile::Profile;
