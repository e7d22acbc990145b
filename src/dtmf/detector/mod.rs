//! The streaming detector: samples in, events out. No clock, no allocation per block.

use super::core::Core;
use super::sample::Sample;
use super::simd::Simd;
use super::{Event, Profile, ProfileError};
use std::fmt;
use std::ops::RangeInclusive;

/// Sample rates the detector and the generator accept, in Hz.
pub const RATES_HZ: RangeInclusive<u32> = 4000..=192_000;

/// Why a detector could not be made.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum DetectorError {
    /// The rate is outside [`RATES_HZ`].
    #[error("sample rate {0} Hz is not supported: use 4000 to 192000 Hz")]
    Rate(u32),
    /// The profile asks for what the detector can't keep.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

/// Finds DTMF digits in a stream of samples. A recording's last digit may still be open when its samples are over:
/// [`finish`](Self::finish) tells it.
///
/// ```
/// use tonopago::dtmf::{Detector, Digit, Event, GeneratorConfig, Profile, generate};
///
/// let keys: Vec<Digit> = "17#".chars().filter_map(Digit::from_char).collect();
/// let audio = generate(&keys, &GeneratorConfig::default())?;
/// let mut detector = Detector::new(8000, &Profile::default())?;
/// let mut heard = String::new();
/// let mut on_event = |event| {
///     if let Event::Begin(begin) = event {
///         heard.push(begin.digit.as_char());
///     }
/// };
/// for block in audio.chunks(160) {
///     detector.process(block, &mut on_event);
/// }
/// detector.finish(&mut on_event);
/// assert_eq!(heard, "17#");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Detector {
    rate: u32,
    core: Core,
    position: u64,
}

impl Detector {
    /// A detector for a sample rate in Hz within [`RATES_HZ`], and limits within those that [`Profile`] tells. Allocates; nothing
    /// after it does.
    ///
    /// # Errors
    /// [`DetectorError`] for a rate or a limit outside its range.
    pub fn new(sample_rate: u32, profile: &Profile) -> Result<Self, DetectorError> {
        if !RATES_HZ.contains(&sample_rate) {
            return Err(DetectorError::Rate(sample_rate));
        }
        profile.check()?;
        Ok(Self::with(sample_rate, profile, Simd::detect()))
    }

    fn with(rate: u32, profile: &Profile, simd: Simd) -> Self {
        Self { rate, core: Core::new(rate, profile, simd), position: 0 }
    }

    /// Hears samples: floating point with full scale 1.0, or 16 bits. The events do not depend on how the stream is cut
    /// into blocks.
    pub fn process<S: Sample>(&mut self, samples: &[S], on_event: &mut dyn FnMut(Event)) {
        self.core.hear(samples, on_event);
        self.position += samples.len() as u64;
    }

    /// Ends the stream: closes an open digit, with no time behind the end. Another stream needs another detector.
    ///
    /// ```compile_fail,E0382
    /// # use tonopago::dtmf::{Detector, Profile};
    /// let mut detector = Detector::new(8000, &Profile::default()).unwrap();
    /// detector.finish(&mut |_| ());
    /// detector.process(&[0.0_f32; 80], &mut |_| ());
    /// ```
    pub fn finish(mut self, on_event: &mut dyn FnMut(Event)) {
        // Enough silence to push the last samples through the filter and close any digit.
        let end = self.position;
        let silence = [0f32; 256];
        for _ in 0..(u64::from(self.rate) / 10).div_ceil(256) {
            self.process(&silence, &mut |event: Event| on_event(event.not_after(end)));
        }
    }

    /// Samples heard so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The sample rate in Hz.
    pub fn sample_rate(&self) -> u32 {
        self.rate
    }
}

/// Without what was heard: who logs it learns where it is, not what was keyed.
impl fmt::Debug for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detector").field("rate", &self.rate).field("position", &self.position).finish_non_exhaustive()
    }
}

impl Event {
    /// The same event with no time beyond the end of the stream.
    fn not_after(mut self, end: u64) -> Self {
        match &mut self {
            Self::Begin(begin) => begin.reported = begin.reported.min(end),
            Self::End(digit) => {
                digit.end = digit.end.min(end);
                digit.begin_reported = digit.begin_reported.min(end);
                digit.end_reported = digit.end_reported.min(end);
            }
            Self::Rejected(miss) => {
                miss.end = miss.end.min(end);
                miss.reported = miss.reported.min(end);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests;
