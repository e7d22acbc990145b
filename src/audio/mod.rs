//! Samples and files: recordings of many formats, G.711, resampling, levels.

mod adpcm;
mod au;
mod block;
mod echo;
mod file;
pub mod g711;
mod gsm;
pub mod level;
mod packets;
mod pcm;
mod problem;
mod resample;
mod riff;
mod stream;
pub mod wav;

pub use block::{BLOCK_FRAMES, Block};
pub use echo::{EchoCanceller, MOST_SAMPLES as MOST_ECHO_SAMPLES};
pub use file::{ENDINGS, MOST_CHANNELS, Opener, RawFormat, Recording, SAMPLE_RATES};
pub use pcm::SampleFormat;
pub use problem::{AudioError, Problem, Warning};
pub use resample::Resampler;
