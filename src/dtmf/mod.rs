//! DTMF: digits, detector, generator and the standards' limits. Knows no other room.

mod detector;
mod digit;
mod event;
mod fit;
mod front_end;
mod generator;
mod kernel;
pub mod level;
mod profile;

pub use detector::{Detector, DetectorError, RATES_HZ};
pub use digit::{COLUMN_HZ, Digit, ROW_HZ};
pub use event::{Begin, Detection, Event, Measurement, NearMiss, Reason};
pub use generator::{GeneratorConfig, GeneratorError, ToneSamples, generate};
pub use profile::Profile;
