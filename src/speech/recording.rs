//! Reading a recorded clip of any form and rate as mono samples at the telephone's rate.

use std::io::Cursor;
use std::path::Path;

use super::SAMPLE_RATE;
use crate::audio::{AudioError, Block, Problem, Recording, Resampler, Warning};

/// Longest clip, in seconds: callers do not listen that long, and a file this much longer is the wrong file.
const LONGEST_S: u32 = 60;
/// A recording begins and ends with a fade of this many samples (4 ms), so that it joins its neighbours without a click.
const FADE: usize = SAMPLE_RATE as usize / 250;

/// Why a file is not a usable recording, with the cure.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// It can't be read.
    #[error("{}", .0.problem())]
    Unreadable(#[source] AudioError),
    /// Part of it is missing or damaged.
    #[error("{0}: record or copy it again")]
    Damaged(Warning),
    /// Longer than a prompt can be.
    #[error("is longer than {LONGEST_S} s: cut it to the words of this one prompt")]
    TooLong,
    /// No samples at all.
    #[error("has no samples: record it again, or remove it to hear the built-in clip")]
    Empty,
}

/// Reads a recording of any form, rate and number of channels. Channels are averaged.
pub(super) fn read(path: &Path) -> Result<Vec<f32>, RecordingError> {
    let recording = Recording::open(path).map_err(unreadable)?;
    let mut samples = decode(recording)?;
    fade_ends(&mut samples);
    Ok(samples)
}

/// Decodes a recording held in memory, as it is.
pub(super) fn decode_bytes(name: &str, bytes: &'static [u8]) -> Result<Vec<f32>, RecordingError> {
    decode(Recording::from_stream(name, Cursor::new(bytes)).map_err(unreadable)?)
}

fn unreadable(error: AudioError) -> RecordingError {
    match error.problem() {
        Problem::Empty => RecordingError::Empty,
        _ => RecordingError::Unreadable(error),
    }
}

fn decode(mut recording: Recording) -> Result<Vec<f32>, RecordingError> {
    let rate = recording.sample_rate();
    let mut resampler = (rate != SAMPLE_RATE).then(|| Resampler::new(rate, SAMPLE_RATE));
    let (mut block, mut mono, mut samples) = (Block::new(), Vec::new(), Vec::new());
    while recording.next_block(&mut block).map_err(unreadable)? {
        if recording.frames() > u64::from(LONGEST_S) * u64::from(rate) {
            return Err(RecordingError::TooLong);
        }
        mix(&block, &mut mono);
        match &mut resampler {
            Some(resampler) => resampler.process(&mono, &mut samples),
            None => samples.extend_from_slice(&mono),
        }
    }
    if let Some(mut resampler) = resampler {
        resampler.finish(&mut samples);
    }
    match recording.warning() {
        Some(warning) => Err(RecordingError::Damaged(warning.clone())),
        None if samples.is_empty() => Err(RecordingError::Empty),
        None => Ok(samples),
    }
}

fn mix(block: &Block, mono: &mut Vec<f32>) {
    mono.clear();
    mono.extend_from_slice(block.channel(0));
    for channel in 1..block.channels() {
        mono.iter_mut().zip(block.channel(channel)).for_each(|(sum, sample)| *sum += sample);
    }
    let share = 1.0 / block.channels() as f32;
    mono.iter_mut().for_each(|sample| *sample *= share);
}

fn fade_ends(samples: &mut [f32]) {
    let length = FADE.min(samples.len() / 2);
    for index in 0..length {
        let gain = index as f32 / length as f32;
        samples[index] *= gain;
        let end = samples.len() - 1 - index;
        samples[end] *= gain;
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::PathBuf;

    use super::*;
    use crate::audio::g711::Law;
    use crate::audio::wav::{Encoding, WavForm, WavWriter};

    fn record(folder: &tempfile::TempDir, form: WavForm, seconds: f32) -> PathBuf {
        let path = folder.path().join(format!("{}.wav", form.sample_rate));
        let mut writer = WavWriter::new(File::create(&path).unwrap(), form).unwrap();
        let step = std::f32::consts::TAU * 440.0 / form.sample_rate as f32;
        let count = (seconds * form.sample_rate as f32) as usize;
        let tone: Vec<f32> = (0..count).map(|n| 0.25 * (n as f32 * step).sin()).collect();
        writer.write(&vec![&tone[..]; usize::from(form.channels)]).unwrap();
        writer.finish().unwrap();
        path
    }

    #[test]
    fn any_rate_form_and_channel_count_becomes_mono_at_8_khz() {
        let folder = tempfile::tempdir().unwrap();
        let step = std::f32::consts::TAU * 440.0 / 8000.0;
        for (sample_rate, channels, encoding) in [
            (8_000, 1, Encoding::G711(Law::Mu)),
            (8_000, 2, Encoding::G711(Law::A)),
            (44_100, 2, Encoding::Pcm16),
            (48_000, 1, Encoding::Float32),
            (16_000, 1, Encoding::Pcm16),
        ] {
            let samples = read(&record(&folder, WavForm { sample_rate, channels, encoding }, 1.0)).unwrap();
            assert_eq!(samples.len(), 8000, "{sample_rate} Hz");
            for (n, sample) in samples.iter().enumerate().take(7900).skip(100) {
                let expected = 0.25 * (n as f32 * step).sin();
                assert!((sample - expected).abs() < 0.01, "{sample_rate} Hz {encoding:?}: sample {n} is {sample}");
            }
        }
    }

    #[test]
    fn the_ends_are_faded() {
        let mut samples = [1.0; 200];
        fade_ends(&mut samples);
        assert_eq!((samples[0], samples[16], samples[100], samples[199]), (0.0, 0.5, 1.0, 0.0));
        let mut short = [1.0; 3];
        fade_ends(&mut short);
        assert_eq!(short, [0.0, 1.0, 0.0]);
        fade_ends(&mut []);
    }

    #[test]
    fn what_cannot_be_spoken_is_refused_with_the_cure() {
        let folder = tempfile::tempdir().unwrap();
        let pcm = WavForm { sample_rate: 8000, channels: 1, encoding: Encoding::Pcm16 };
        let refusal = |path: &Path| read(path).unwrap_err().to_string();
        assert!(refusal(&record(&folder, pcm, 0.0)).contains("no samples"));
        assert!(refusal(&record(&folder, pcm, 60.5)).contains("longer than 60 s"));
        assert!(refusal(&folder.path().join("absent.wav")).contains("check the path"));
        let path = record(&folder, pcm, 1.0);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..9000]).unwrap();
        assert!(refusal(&path).contains("cut short"), "{}", refusal(&path));
        std::fs::write(&path, []).unwrap();
        assert!(refusal(&path).contains("no samples"));
        std::fs::write(&path, "this is a text").unwrap();
        assert!(refusal(&path).contains("is text, not a recording"), "{}", refusal(&path));
    }
}
