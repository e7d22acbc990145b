//! Samples and files: recordings of many formats, G.711, resampling, levels.

mod adpcm;
mod au;
mod block;
mod caf;
mod echo;
mod file;
pub mod g711;
mod g722;
mod gsm;
mod joined;
pub mod level;
mod packets;
mod pcm;
mod problem;
mod raw;
mod resample;
mod riff;
mod stream;
mod w64;
mod watch;
pub mod wav;

pub use block::{BLOCK_FRAMES, Block};
pub use echo::{EchoCanceller, MOST_SAMPLES as MOST_ECHO_SAMPLES};
pub use file::{ENDINGS, MOST_CHANNELS, Opener, Recording, SAMPLE_RATES};
pub use pcm::SampleFormat;
pub use problem::{AudioError, Problem, Warning};
pub use raw::{RawEncoding, RawFormat};
pub use resample::Resampler;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::{Detector, Profile};

    /// A program keeps these in types of its own, in threads, and derives `Debug` for them.
    #[test]
    fn what_a_program_keeps_can_be_sent_and_shown_without_its_sound() {
        fn shown<T: std::fmt::Debug + Send + 'static>(value: &T) -> String {
            format!("{value:?}")
        }
        let mut detector = Detector::new(8000, &Profile::default()).unwrap();
        detector.process(&[0.123_f32; 80], &mut |_| ());
        assert_eq!(shown(&detector), "Detector { rate: 8000, position: 80, .. }");
        assert_eq!(shown(&EchoCanceller::new()), "EchoCanceller { held: false, .. }");
        let form = wav::WavForm { sample_rate: 8000, channels: 1, encoding: wav::Encoding::Pcm16 };
        let mut file = std::io::Cursor::new(Vec::new());
        let writer = wav::WavWriter::new(&mut file, form).unwrap();
        assert!(format!("{writer:?}").starts_with("WavWriter { channels: 1, room: "), "{writer:?}");
        writer.finish().unwrap();
        let recording = Recording::from_stream("call", std::io::Cursor::new(file.into_inner())).unwrap();
        assert!(shown(&recording).starts_with(r#"Recording { name: "call", sample_rate: 8000, channels: 1"#));
    }
}
