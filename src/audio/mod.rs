//! Samples and files: WAV and other formats, resampling, levels.

pub mod g711;
