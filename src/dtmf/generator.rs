//! DTMF generator: exact tones at any rate, with the deviations tests and standards ask for.

use super::level::amplitude;
use super::{Digit, detector::RATES_HZ};
use std::f64::consts::TAU;

/// How digits are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeneratorConfig {
    /// Sample rate in Hz, 4000 to 192000.
    pub sample_rate: u32,
    /// Level of the low-group tone in dBm0.
    pub low_dbm0: f64,
    /// Level of the high-group tone in dBm0.
    pub high_dbm0: f64,
    /// Duration of each digit in ms.
    pub tone_ms: f64,
    /// Pause after each digit in ms.
    pub pause_ms: f64,
    /// Silence before the first digit in ms.
    pub lead_ms: f64,
    /// Deviation of the low-group frequency as a fraction (0.01 is 1 % high).
    pub low_offset: f64,
    /// Deviation of the high-group frequency as a fraction.
    pub high_offset: f64,
    /// Phase of both tones at the onset in radians: (low, high).
    pub phase: (f64, f64),
    /// Raised-cosine rise and fall in ms inside the duration; 0 switches hard.
    pub edge_ms: f64,
}

impl Default for GeneratorConfig {
    /// 8 kHz, both tones at -10 dBm0, 80 ms tones and pauses, hard edges.
    fn default() -> Self {
        Self {
            sample_rate: 8000,
            low_dbm0: -10.0,
            high_dbm0: -10.0,
            tone_ms: 80.0,
            pause_ms: 80.0,
            lead_ms: 0.0,
            low_offset: 0.0,
            high_offset: 0.0,
            phase: (0.0, 0.0),
            edge_ms: 0.0,
        }
    }
}

/// What is wrong with a [`GeneratorConfig`].
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum GeneratorError {
    /// The rate is outside the supported range.
    #[error("sample rate {0} Hz is not supported: use 4000 to 192000 Hz")]
    Rate(u32),
    /// A duration is negative, not a number, or longer than an hour.
    #[error("{name} is {value} ms: give 0 to 3600000 ms")]
    Duration {
        /// Field name.
        name: &'static str,
        /// Offending value in ms.
        value: f64,
    },
    /// A frequency would lie outside 0 Hz to half the rate.
    #[error("a frequency offset of {0} moves a tone out of the band: give a fraction such as 0.018 for 1.8 %")]
    Offset(f64),
    /// A level is not a number or above +20 dBm0.
    #[error("level {0} dBm0 is not usable: give a number up to +20 dBm0 (+3.14 is a full-scale sine)")]
    Level(f64),
}

impl GeneratorConfig {
    /// Both tones at one level in dBm0.
    pub fn level(self, dbm0: f64) -> Self {
        Self { low_dbm0: dbm0, high_dbm0: dbm0, ..self }
    }

    /// Weakens one tone: by `db` the high one if positive (normal twist), the low one if negative (reverse twist).
    pub fn twist(self, db: f64) -> Self {
        Self { low_dbm0: self.low_dbm0 + db.min(0.0), high_dbm0: self.high_dbm0 - db.max(0.0), ..self }
    }

    /// Tone and pause in ms.
    pub fn timing(self, tone_ms: f64, pause_ms: f64) -> Self {
        Self { tone_ms, pause_ms, ..self }
    }

    /// The sampled tones of one digit, without pause.
    ///
    /// # Errors
    /// [`GeneratorError`] if a field is out of range.
    pub fn tone(&self, digit: Digit) -> Result<ToneSamples, GeneratorError> {
        self.check()?;
        let rate = f64::from(self.sample_rate);
        let step = |hz: f64, offset: f64| TAU * hz * (1.0 + offset) / rate;
        Ok(ToneSamples {
            low: (amplitude(self.low_dbm0), step(digit.low_hz(), self.low_offset), self.phase.0),
            high: (amplitude(self.high_dbm0), step(digit.high_hz(), self.high_offset), self.phase.1),
            position: 0,
            length: self.samples(self.tone_ms),
            edge: self.edge_ms * rate / 1000.0,
        })
    }

    fn samples(&self, ms: f64) -> u64 {
        (ms * f64::from(self.sample_rate) / 1000.0).round() as u64
    }

    fn check(&self) -> Result<(), GeneratorError> {
        if !RATES_HZ.contains(&self.sample_rate) {
            return Err(GeneratorError::Rate(self.sample_rate));
        }
        let durations = [
            ("tone_ms", self.tone_ms),
            ("pause_ms", self.pause_ms),
            ("lead_ms", self.lead_ms),
            ("edge_ms", self.edge_ms),
        ];
        if let Some((name, value)) = durations.into_iter().find(|(_, value)| !(0.0..=3_600_000.0).contains(value)) {
            return Err(GeneratorError::Duration { name, value });
        }
        if let Some(offset) =
            [self.low_offset, self.high_offset].into_iter().find(|offset| !(-0.2..=0.2).contains(offset))
        {
            return Err(GeneratorError::Offset(offset));
        }
        let bad = |level: &f64| level.is_nan() || *level > 20.0;
        [self.low_dbm0, self.high_dbm0].into_iter().find(bad).map_or(Ok(()), |level| Err(GeneratorError::Level(level)))
    }
}

/// Sampled tones of one digit; see [`GeneratorConfig::tone`]. Allocates nothing.
#[derive(Clone, Debug)]
pub struct ToneSamples {
    low: (f64, f64, f64),
    high: (f64, f64, f64),
    position: u64,
    length: u64,
    edge: f64,
}

impl Iterator for ToneSamples {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        if self.position == self.length {
            return None;
        }
        let n = self.position as f64;
        let wave = |(amplitude, step, phase): (f64, f64, f64)| amplitude * (step * n + phase).sin();
        let to_edge = (n + 0.5).min((self.length - self.position) as f64 - 0.5);
        let gain = if to_edge < self.edge { 0.5 - 0.5 * (TAU * 0.5 * to_edge / self.edge).cos() } else { 1.0 };
        self.position += 1;
        Some((gain * (wave(self.low) + wave(self.high))) as f32)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rest = (self.length - self.position) as usize;
        (rest, Some(rest))
    }
}

/// The samples of several digits with their pauses, full scale 1.0. High levels exceed 1.0; a line clips them.
///
/// # Errors
/// [`GeneratorError`] if a field of the configuration is out of range.
pub fn generate(digits: &[Digit], config: &GeneratorConfig) -> Result<Vec<f32>, GeneratorError> {
    config.check()?;
    let mut samples: Vec<f32> = Vec::new();
    for (index, digit) in digits.iter().enumerate() {
        // Counted from the beginning, so that rounding to whole samples does not add up.
        let start = config.lead_ms + index as f64 * (config.tone_ms + config.pause_ms);
        samples.resize(config.samples(start) as usize, 0.0);
        samples.extend(config.tone(*digit)?);
    }
    let length = config.lead_ms + digits.len() as f64 * (config.tone_ms + config.pause_ms);
    samples.resize(config.samples(length) as usize, 0.0);
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_and_duration_are_exact() {
        let config = GeneratorConfig { lead_ms: 10.0, ..GeneratorConfig::default() }.level(-4.0).timing(50.0, 30.0);
        let samples = generate(&[Digit::at(1, 1), Digit::at(3, 0)], &config).unwrap();
        assert_eq!(samples.len(), 80 + 2 * (400 + 240));
        assert!(samples[..80].iter().all(|x| *x == 0.0) && samples[480..720].iter().all(|x| *x == 0.0));
        let power: f64 = samples[80..480].iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / 400.0;
        let expected = amplitude(-4.0).powi(2);
        assert!((power / expected - 1.0).abs() < 0.02, "{power} {expected}");
    }

    #[test]
    fn twist_weakens_one_tone() {
        let config = GeneratorConfig::default().level(-3.0);
        assert_eq!((config.twist(8.0).low_dbm0, config.twist(8.0).high_dbm0), (-3.0, -11.0));
        assert_eq!((config.twist(-6.0).low_dbm0, config.twist(-6.0).high_dbm0), (-9.0, -3.0));
    }

    #[test]
    fn wrong_configurations_say_what_to_change() {
        let base = GeneratorConfig::default();
        let message = |config: GeneratorConfig| generate(&[], &config).unwrap_err().to_string();
        assert!(message(GeneratorConfig { sample_rate: 100, ..base }).contains("4000 to 192000"));
        assert!(message(GeneratorConfig { tone_ms: -1.0, ..base }).contains("tone_ms"));
        assert!(message(GeneratorConfig { low_offset: 1.8, ..base }).contains("0.018"));
        assert!(message(base.level(f64::NAN)).contains("dBm0"));
    }
}
