//! Music: chords and a melody of instruments with overtones, from a seed. It holds no digits.

use std::f64::consts::TAU;

use fastrand::Rng;

/// Steps of the scales used, in semitones.
const SCALES: [[i32; 7]; 3] = [[0, 2, 4, 5, 7, 9, 11], [0, 2, 3, 5, 7, 8, 10], [0, 2, 3, 5, 7, 9, 10]];
/// Degrees of the scale on which chords stand, in order.
const CHORDS: [usize; 8] = [0, 4, 5, 3, 0, 3, 4, 4];
/// Overtones of a note.
const OVERTONES: usize = 6;
/// Notes that sound at a time.
const VOICES: usize = 5;
/// Lowest key note in Hz: G below middle C.
const LOWEST_HZ: f64 = 196.0;

/// An endless piece: samples at its rate, full scale 1.0, peaks about 0.5.
#[derive(Clone, Debug)]
pub struct Music {
    rng: Rng,
    rate: f64,
    scale: [i32; 7],
    key_hz: f64,
    /// Samples of an eighth note.
    eighth: u64,
    position: u64,
    voices: [Voice; VOICES],
}

#[derive(Clone, Debug, Default)]
struct Voice {
    phase: f64,
    step: f64,
    loudness: f64,
    decay: f64,
    /// How fast overtones weaken.
    dullness: f64,
    /// Depth and phase of the vibrato.
    vibrato: (f64, f64),
}

impl Music {
    /// A piece that follows from `seed`, at a rate in Hz.
    pub fn new(seed: u64, sample_rate: u32) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x6d75_7369);
        let rate = f64::from(sample_rate);
        let beats_a_minute = 70.0 + 80.0 * rng.f64();
        Self {
            scale: SCALES[rng.usize(0..SCALES.len())],
            key_hz: LOWEST_HZ * 2f64.powf(rng.f64()),
            eighth: (rate * 30.0 / beats_a_minute) as u64,
            position: 0,
            voices: Default::default(),
            rng,
            rate,
        }
    }

    /// Begins the notes of an eighth: a chord every two bars' quarter, and a melody over it.
    fn eighth_begins(&mut self) {
        let eighth = self.position / self.eighth;
        let root = CHORDS[(eighth / 8) as usize % CHORDS.len()];
        if eighth.is_multiple_of(4) {
            for (voice, third) in [0, 2, 4].into_iter().enumerate() {
                self.note(voice, root + third, 0, 0.10, 1.2);
            }
            self.note(3, root, -1, 0.14, 1.5);
        }
        if self.rng.f64() < 0.7 {
            let degree = root + self.rng.usize(0..7);
            self.note(4, degree, 1, 0.16, 0.6);
        }
    }

    fn note(&mut self, voice: usize, degree: usize, octave: i32, loudness: f64, seconds: f64) {
        let semitones = self.scale[degree % 7] + 12 * (degree / 7) as i32 + 12 * octave;
        let hz = self.key_hz * 2f64.powf(f64::from(semitones) / 12.0);
        self.voices[voice] = Voice {
            phase: 0.0,
            step: TAU * hz / self.rate,
            loudness: loudness * (0.7 + 0.6 * self.rng.f64()),
            decay: (-3.0 / (seconds * self.rate)).exp(),
            dullness: 1.0 + self.rng.f64(),
            vibrato: (0.004 * self.rng.f64(), TAU * self.rng.f64()),
        };
    }
}

impl Iterator for Music {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        if self.position.is_multiple_of(self.eighth) {
            self.eighth_begins();
        }
        self.position += 1;
        let vibrato = TAU * 5.5 / self.rate;
        Some(self.voices.iter_mut().map(|voice| voice.next(vibrato)).sum::<f64>() as f32)
    }
}

impl Voice {
    fn next(&mut self, vibrato: f64) -> f64 {
        self.vibrato.1 += vibrato;
        self.phase = (self.phase + self.step * (1.0 + self.vibrato.0 * self.vibrato.1.sin())) % TAU;
        self.loudness *= self.decay;
        let mut sum = 0.0;
        for overtone in 1..=OVERTONES {
            let n = overtone as f64;
            if self.step * n < 0.9 * TAU / 2.0 {
                sum += (n * self.phase).sin() / n.powf(self.dullness);
            }
        }
        self.loudness * sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_follows_its_seed_and_goes_on_within_full_scale() {
        let piece = |seed| Music::new(seed, 8000).take(80_000).collect::<Vec<f32>>();
        assert_eq!(piece(1), piece(1));
        assert_ne!(piece(1), piece(2));
        for seed in 0..20 {
            let samples = piece(seed);
            assert!(samples.iter().all(|x| x.abs() < 1.0), "{seed}");
            for second in samples.chunks(8000) {
                let power = second.iter().map(|x| x * x).sum::<f32>() / 8000.0;
                assert!(power > 1e-5, "{seed} falls silent: {power}");
            }
        }
    }
}
