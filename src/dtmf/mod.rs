//! DTMF: digits, detector, generator and the standards' limits. Knows no other room.

mod comparison;
mod core;
mod detector;
mod digit;
mod event;
mod evidence;
mod filter;
mod fit;
mod front_end;
mod generator;
mod halving;
mod history;
mod kernel;
pub mod level;
mod limits;
mod marks;
mod onset;
mod outside;
mod partials;
mod piece;
mod pieces;
mod profile;
mod rings;
mod sample;
mod search;
mod simd;
mod sub_blocks;
mod two_tones;
mod verdict;
mod waves;

pub use detector::{Detector, DetectorError, RATES_HZ};
pub use digit::{COLUMN_HZ, Digit, ROW_HZ};
pub use event::{Begin, Detection, Event, Measurement, NearMiss, Reason};
pub use generator::{GeneratorConfig, GeneratorError, ToneSamples, generate};
pub use profile::Profile;
pub use sample::Sample;
