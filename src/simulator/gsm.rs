//! GSM full rate (ETSI EN 300 961, GSM 06.10), by SoX: an outside program, so that whoever measures with it installs it.

use std::io::{self, Write as _};
use std::process::{Command, Stdio};
use std::thread;

use thiserror::Error;

/// Samples in a frame of the codec: 20 ms.
const FRAME: usize = 160;
/// How SoX is told of 16-bit samples at 8 kHz.
const LINEAR: [&str; 9] = ["-t", "raw", "-r", "8000", "-c", "1", "-e", "signed", "-b"];

/// Why sound can't be sent through the codec.
#[derive(Debug, Error)]
pub enum GsmError {
    /// SoX is not there.
    #[error("SoX, which does the coding, is not installed (Debian: sox)")]
    NotInstalled,
    /// SoX failed.
    #[error("SoX did not code the sound: {0}")]
    Failed(String),
}

/// Codes and decodes samples at 8 kHz (full scale 1.0). What comes back has the same length.
///
/// # Errors
/// If SoX is not installed, or fails.
pub fn round_trip(samples: &[f32]) -> Result<Vec<f32>, GsmError> {
    let whole_frames = samples.len().next_multiple_of(FRAME);
    let linear = samples.iter().map(|sample| (sample.clamp(-1.0, 1.0) * 32767.0).round() as i16);
    let bytes: Vec<u8> = linear.chain(std::iter::repeat(0)).take(whole_frames).flat_map(i16::to_le_bytes).collect();
    let coded = sox(&[&LINEAR[..], &["16", "-L", "-", "-t", "gsm", "-"]].concat(), bytes)?;
    let from = ["-t", "gsm", "-r", "8000", "-c", "1", "-"];
    let decoded = sox(&[&from[..], &LINEAR, &["16", "-L", "-"]].concat(), coded)?;
    let mut heard: Vec<f32> =
        decoded.chunks_exact(2).map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32768.0).collect();
    heard.resize(samples.len(), 0.0);
    Ok(heard)
}

fn sox(arguments: &[&str], input: Vec<u8>) -> Result<Vec<u8>, GsmError> {
    let mut command = Command::new("sox");
    command.args(["-D", "-V1"]).args(arguments);
    let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = started.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => GsmError::NotInstalled,
        _ => GsmError::Failed(error.to_string()),
    })?;
    let stdin = child.stdin.take();
    // Both ends at once: a pipe holds less than the sound.
    let writer = thread::spawn(move || stdin.map_or(Ok(()), |mut stdin| stdin.write_all(&input)));
    let output = child.wait_with_output().map_err(|error| GsmError::Failed(error.to_string()))?;
    // If it did not read everything, its own words below say why.
    let _ = writer.join();
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(GsmError::Failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_survives_with_the_codec_s_distortion() {
        let tone: Vec<f32> = (0..8000).map(|n| 0.3 * (n as f32 * 0.6).sin()).collect();
        let heard = match round_trip(&tone) {
            Err(GsmError::NotInstalled) => return eprintln!("skipped: sox is not installed"),
            heard => heard.unwrap(),
        };
        assert_eq!(heard.len(), tone.len());
        let power = |samples: &[f32]| samples.iter().map(|x| x * x).sum::<f32>();
        assert!((0.5..2.0).contains(&(power(&heard[1000..]) / power(&tone[1000..]))));
        assert_ne!(heard, tone);
        assert!(round_trip(&[]).unwrap().is_empty());
    }
}
