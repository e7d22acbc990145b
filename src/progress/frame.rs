//! A few ms of sound, and how much of it is at given frequencies.

use std::f64::consts::TAU;

use crate::media::SAMPLE_RATE;

/// Samples in a frame: 20 ms, 50 Hz of resolution.
pub(super) const FRAME: usize = SAMPLE_RATE as usize / 50;
/// Least power of a tone, full scale 1.0: -43 dBm0, some dB under the weakest tone a subscriber gets.
const LEAST_POWER: f64 = 1.2e-5;
/// Part of a frame's power that must be at a tone's frequencies; the rest is noise or our own prompt's echo, at least 3 dB
/// below.
const PURE: f64 = 0.67;
/// Part of the power that each frequency of a pair has at least: 10 dB below the whole.
const SHARE: f64 = 0.1;
/// Frequencies are looked for at these distances in Hz: tones are within 15 Hz of their nominal frequency.
const OFFSETS_HZ: [f64; 3] = [0.0, -14.0, 14.0];

/// A frame's samples and power.
pub(super) struct Frame<'a> {
    samples: &'a [f32; FRAME],
    /// Mean square, full scale 1.0.
    pub(super) power: f64,
}

impl<'a> Frame<'a> {
    pub(super) fn new(samples: &'a [f32; FRAME]) -> Self {
        let power = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / FRAME as f64;
        Self { samples, power }
    }

    /// Whether the frame is these frequencies together and hardly anything else, and their power.
    pub(super) fn tone(&self, hz: &[f64]) -> (bool, f64) {
        if self.power <= 0.0 {
            return (false, 0.0);
        }
        let (mut whole, mut all_there) = (0.0, self.power >= LEAST_POWER);
        for hz in hz {
            let share = self.share(*hz, &OFFSETS_HZ);
            all_there &= share >= SHARE;
            whole += share;
        }
        (all_there && whole >= PURE, whole * self.power)
    }

    /// Whether the frame is one frequency, near `hz` as far as `offsets` go, and hardly anything else.
    pub(super) fn is_note(&self, hz: f64, offsets: &[f64]) -> bool {
        self.power >= LEAST_POWER && self.share(hz, offsets) >= PURE
    }

    /// The part of the power at the best of the frequencies `hz` + `offsets`, 0 to 1 for a single one.
    fn share(&self, hz: f64, offsets: &[f64]) -> f64 {
        offsets.iter().map(|offset| self.goertzel(hz + offset)).fold(0.0, f64::max) / self.power
    }

    /// The power of a sine at `hz` (Goertzel's recursion).
    fn goertzel(&self, hz: f64) -> f64 {
        let step = 2.0 * (TAU * hz / f64::from(SAMPLE_RATE)).cos();
        let (mut last, mut before) = (0.0, 0.0);
        for sample in self.samples {
            (last, before) = (step * last + f64::from(*sample) - before, last);
        }
        let square = before * before + last * last - step * last * before;
        2.0 * square / (FRAME * FRAME) as f64
    }
}
