//! Call-progress tones: what the network plays to a line whose caller has gone.
//!
//! A line without any other signal learns of a hang-up only by its sound. [`Progress`] takes samples at 8 kHz and tells
//! when a tone of the country's table was heard long enough to be sure: three or four bursts of a busy tone, three seconds
//! of dial tone, the three notes of special information. Bursts must be nearly all tone and what lies between them must be
//! quiet, so that speech, prompts and keys are none. Pure: no clock, no allocation after [`Progress::new`].
//!
//! ```
//! use tonopago::progress::{Country, Kind, Progress};
//!
//! let mut progress = Progress::new(Country::named("mx").expect("it is in the table"));
//! let busy = |n: u32| if n / 2000 % 2 == 0 { 0.2 * (f64::from(n) * 425.0 * std::f64::consts::TAU / 8000.0).sin() } else { 0.0 };
//! let samples: Vec<f32> = (0..24_000).map(|n| busy(n) as f32).collect(); // 3 s
//! let heard = progress.process(&samples).expect("a busy tone");
//! assert_eq!(heard.kind, Kind::Busy);
//! assert!(heard.at.as_ms() < 2200);
//! ```

mod cadence;
mod country;
mod frame;
mod notes;
#[cfg(test)]
mod tests;

pub use country::{Country, Kind, Tone};

use crate::media::MediaTime;
use cadence::Bursts;
use frame::{FRAME, Frame};
use notes::Notes;

/// A tone that was heard long enough to be sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// Which.
    pub kind: Kind,
    /// When it became sure, in samples since the start.
    pub at: MediaTime,
}

/// Listens for one country's tones.
pub struct Progress {
    country: &'static Country,
    samples: [f32; FRAME],
    filled: usize,
    now: MediaTime,
    /// The frequencies of the table, each set once, and the tones that have them.
    sets: Vec<(&'static [f64], Vec<Bursts>)>,
    notes: Notes,
}

impl Progress {
    /// Prepares for a country's tones. Allocates; [`process`](Self::process) does not.
    pub fn new(country: &'static Country) -> Self {
        let mut sets: Vec<(&'static [f64], Vec<Bursts>)> = Vec::new();
        for tone in country.tones {
            match sets.iter_mut().find(|(hz, _)| *hz == tone.hz) {
                Some((_, bursts)) => bursts.push(Bursts::new(tone)),
                None => sets.push((tone.hz, vec![Bursts::new(tone)])),
            }
        }
        Self { country, samples: [0.0; FRAME], filled: 0, now: MediaTime::ZERO, sets, notes: Notes::new() }
    }

    /// Takes the next samples (8 kHz, full scale 1.0); the first tone that became sure in them. A tone that goes on is told
    /// again after as long as it took the first time.
    pub fn process(&mut self, samples: &[f32]) -> Option<Heard> {
        let mut heard = None;
        for &sample in samples {
            self.samples[self.filled] = sample;
            self.filled += 1;
            self.now.0 += 1;
            if self.filled == FRAME {
                self.filled = 0;
                heard = heard.or(self.frame());
            }
        }
        heard
    }

    /// Whether a tone of the table seems to sound at present.
    pub fn hears_tone(&self) -> bool {
        self.sets.iter().any(|(_, tones)| tones.iter().any(Bursts::sounds))
    }

    /// The table it listens by.
    pub const fn country(&self) -> &'static Country {
        self.country
    }

    fn frame(&mut self) -> Option<Heard> {
        let frame = Frame::new(&self.samples);
        let at = self.now;
        let mut heard = None;
        for (hz, tones) in &mut self.sets {
            let (is_tone, tone_power) = frame.tone(hz);
            for bursts in tones {
                if let Some(kind) = bursts.take(is_tone, tone_power, frame.power) {
                    heard = heard.or(Some(Heard { kind, at }));
                }
            }
        }
        let special = self.notes.take(&frame).then_some(Heard { kind: Kind::SpecialInformation, at });
        heard.or(special)
    }
}
