//! Reading a recorded clip: the embedded G.711 files and an operator's WAV files.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use super::SAMPLE_RATE;
use crate::audio::g711::Law;

/// Longest clip, in seconds: callers do not listen that long, and a file this much longer is the wrong file.
pub(super) const LONGEST_S: u64 = 60;
/// Largest file read: a minute of stereo 32-bit samples at 192 kHz, and room for its headers.
const LARGEST_FILE: u64 = LONGEST_S * 192_000 * 8 + (1 << 20);

/// Why a file is not a usable recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file could not be read.
    #[error("cannot read the recording: {0}")]
    Unreadable(#[from] std::io::Error),
    /// Longer than a prompt can be.
    #[error("longer than {LONGEST_S} s: cut it to the words of this one prompt")]
    TooLong,
    /// No samples at all.
    #[error("has no samples: record it again, or remove the file to use the built-in clip")]
    Empty,
    /// Not a WAV file, or one whose coding is not known.
    #[error("not a usable WAV file ({0}): save it as WAV, PCM 16 bit or G.711, mono")]
    Format(String),
    /// The sampling rate cannot be converted.
    #[error("sampled at {0} Hz: convert it to {SAMPLE_RATE} Hz")]
    Rate(u32),
}

/// Reads a WAV file as mono samples at [`SAMPLE_RATE`].
pub(super) fn read(path: &Path) -> Result<Vec<f32>, RecordingError> {
    if fs::metadata(path)?.len() > LARGEST_FILE {
        return Err(RecordingError::TooLong);
    }
    let bytes = fs::read(path)?;
    let samples = match find_chunk(&bytes, b"fmt ") {
        Some([7 | 6, 0, ..]) => decode_g711(&bytes)?,
        _ => decode_pcm(&bytes)?,
    };
    match samples.len() as u64 / u64::from(SAMPLE_RATE) {
        _ if samples.is_empty() => Err(RecordingError::Empty),
        LONGEST_S.. => Err(RecordingError::TooLong),
        _ => Ok(samples),
    }
}

/// Decodes a mono 8 kHz mu-law or A-law WAV file.
pub(super) fn decode_g711(bytes: &[u8]) -> Result<Vec<f32>, RecordingError> {
    let broken = |what: &str| RecordingError::Format(what.to_owned());
    let format = find_chunk(bytes, b"fmt ").and_then(|chunk| chunk.first_chunk::<16>());
    let format = format.ok_or_else(|| broken("no format chunk"))?;
    let law = if format[0] == 7 { Law::Mu } else { Law::A };
    if format[2..4] != [1, 0] {
        return Err(broken("G.711 with several channels"));
    }
    let rate = u32::from_le_bytes([format[4], format[5], format[6], format[7]]);
    if rate != SAMPLE_RATE {
        return Err(RecordingError::Rate(rate));
    }
    let data = find_chunk(bytes, b"data").ok_or_else(|| broken("no data chunk"))?;
    Ok(data.iter().map(|&octet| law.decode_f32(octet)).collect())
}

fn decode_pcm(bytes: &[u8]) -> Result<Vec<f32>, RecordingError> {
    let broken = |error: hound::Error| RecordingError::Format(error.to_string());
    let mut reader = hound::WavReader::new(Cursor::new(bytes)).map_err(broken)?;
    let spec = reader.spec();
    if spec.sample_rate != SAMPLE_RATE {
        return Err(RecordingError::Rate(spec.sample_rate));
    }
    let interleaved: Vec<f32> = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().collect::<Result<_, _>>().map_err(broken)?,
        hound::SampleFormat::Int => {
            let scale = 1.0 / (1_i64 << (spec.bits_per_sample - 1)) as f32;
            let scaled = reader.samples::<i32>().map(|sample| sample.map(|value| value as f32 * scale));
            scaled.collect::<Result<_, _>>().map_err(broken)?
        }
    };
    let channels = usize::from(spec.channels.max(1));
    Ok(interleaved.chunks(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32).collect())
}

/// The body of a RIFF/WAVE file's first chunk of this name; a chunk cut short by the end of the file as far as it goes.
fn find_chunk<'a>(bytes: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    let mut rest = bytes.strip_prefix(b"RIFF")?.get(4..)?.strip_prefix(b"WAVE")?;
    while let Some((head, body)) = rest.split_first_chunk::<8>() {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let body_end = length.min(body.len());
        if head[..4] == *name {
            return Some(&body[..body_end]);
        }
        rest = body.get(body_end + length % 2..).unwrap_or_default();
    }
    None
}
