//! DTMF: digits, detector, generator and the standards' limits. Knows no other room.
//!
//! The way of a sample through the detector, a stage a line, from what knows nothing of digits to what tells them:
//!
//! | stage | what it does | files |
//! |---|---|---|
//! | input | keeps the samples of any rate and format as they came | `sample`, `input` |
//! | front end | band-pass filter to 4 kHz; a silence is passed over | `front_end`, `filter`, `halving`, `silence`, `filtered` |
//! | steady tones | those that have sounded for 192 ms are taken out | `steady` |
//! | kernel | Goertzel correlations of sub-blocks of 4 ms with eight tones, and which sub-blocks are worth a look | `kernel`, `sub_blocks`, `past`, `marks`, `strongest` |
//! | history | what the stages above keep, asked by age | `history` |
//! | search | a pair that sounds, has just gone down, or sounds in pieces; when it came up | `search`, `onset`, `pieces`, `piece` |
//! | fit | two sinusoids by least squares, and what goes with them | `fit`, `two_tones`, `comparison`, `partials`, `outside`, `evidence` |
//! | verdict | one sum of weighted evidence, and the standards' limits | `verdict`, `limits`, `profile` |
//! | core | digits begin, sound on and end; echoes of the one before; near misses | `core`, `active`, `previous` |
//! | detector | the public face | `detector`, `event`, `digit`, `level` |
//!
//! `simd` compiles what is computed often for several kinds of registers, `waves` and `logarithm` are its mathematics;
//! `generator` makes digits.

mod active;
mod comparison;
mod core;
mod detector;
mod digit;
mod event;
mod evidence;
mod filter;
mod filtered;
mod fit;
mod front_end;
mod generator;
mod halving;
mod history;
mod input;
mod kernel;
pub mod level;
mod limits;
mod logarithm;
mod marks;
mod onset;
mod outside;
mod partials;
mod past;
mod piece;
mod pieces;
mod previous;
mod profile;
mod sample;
mod search;
mod silence;
mod simd;
mod steady;
mod strongest;
mod sub_blocks;
mod two_tones;
mod verdict;
mod waves;

pub use detector::{Detector, DetectorError, RATES_HZ};
pub use digit::{COLUMN_HZ, Digit, ROW_HZ};
pub use event::{Begin, Detection, Event, Measurement, NearMiss, Reason};
pub use generator::{GeneratorConfig, GeneratorError, ToneSamples, generate};
pub use profile::{Profile, ProfileError};
pub use sample::Sample;
