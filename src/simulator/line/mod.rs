//! A telephone line with its faults: a builder with a seed makes a streaming line.
//!
//! The same seed gives the same faults, however the audio is cut into blocks.
//!
//! ```
//! use tonopago::simulator::line::LineBuilder;
//!
//! let mut line = LineBuilder::new(1).noise_dbm0(-45.0).echo(30.0, 14.0).build(8000);
//! let (caller, far) = ([0.1f32; 160], [0.0f32; 160]);
//! let mut heard = [0.0f32; 160];
//! line.process(&caller, &far, &mut heard);
//! assert!(heard.iter().all(|sample| sample.is_finite()));
//! ```

mod echo;
mod noise;

use crate::dtmf::level::{amplitude, rms};
use echo::Delay;
use noise::{Hum, White};

/// Describes a line. Levels in dBm0 (a full-scale sine is +3.14), times in ms.
#[derive(Clone, Debug)]
pub struct LineBuilder {
    seed: u64,
    gain_db: f64,
    noise_dbm0: Option<f64>,
    hum: Option<(f64, f64)>,
    dc: f64,
    echoes: Vec<(f64, f64)>,
    sidetones: Vec<(f64, f64)>,
    clip: Option<f64>,
}

impl LineBuilder {
    /// A perfect line whose random faults, if any are added, follow from `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            gain_db: 0.0,
            noise_dbm0: None,
            hum: None,
            dc: 0.0,
            echoes: Vec::new(),
            sidetones: Vec::new(),
            clip: None,
        }
    }

    /// Gain from the caller to the box in dB.
    pub fn gain_db(mut self, db: f64) -> Self {
        self.gain_db = db;
        self
    }

    /// White noise over the whole band, in dBm0.
    pub fn noise_dbm0(mut self, level: f64) -> Self {
        self.noise_dbm0 = Some(level);
        self
    }

    /// Mains hum: frequency in Hz (50 or 60) and level in dBm0, with its second and third harmonic 10 dB down.
    pub fn hum(mut self, hz: f64, level: f64) -> Self {
        self.hum = Some((hz, level));
        self
    }

    /// Constant offset as a fraction of full scale.
    pub fn dc(mut self, offset: f64) -> Self {
        self.dc = offset;
        self
    }

    /// Echo of the box's own output into its input: delay in ms, attenuation in dB. May be given several times.
    pub fn echo(mut self, delay_ms: f64, attenuation_db: f64) -> Self {
        self.echoes.push((delay_ms, attenuation_db));
        self
    }

    /// Echo of the caller's own audio: delay in ms, attenuation in dB. May be given several times.
    pub fn caller_echo(mut self, delay_ms: f64, attenuation_db: f64) -> Self {
        self.sidetones.push((delay_ms, attenuation_db));
        self
    }

    /// Clips at a level in dBm0 of the sine whose peaks it just touches. Without it the line clips at full scale.
    pub fn clip_dbm0(mut self, level: f64) -> Self {
        self.clip = Some(level);
        self
    }

    /// The line for a sample rate in Hz.
    pub fn build(self, sample_rate: u32) -> Line {
        let delays = |taps: &[(f64, f64)]| {
            taps.iter().map(|(ms, db)| Delay::new(sample_rate, *ms, 10f64.powf(-db / 20.0))).collect()
        };
        Line {
            gain: 10f64.powf(self.gain_db / 20.0) as f32,
            noise: self.noise_dbm0.map(|level| White::new(self.seed, rms(level))),
            hum: self.hum.map(|(hz, level)| Hum::new(sample_rate, hz, amplitude(level))),
            dc: self.dc as f32,
            echoes: delays(&self.echoes),
            sidetones: delays(&self.sidetones),
            limit: self.clip.map_or(1.0, |level| amplitude(level).min(1.0)) as f32,
        }
    }
}

/// A line in use; see [`LineBuilder`].
#[derive(Clone, Debug)]
pub struct Line {
    gain: f32,
    noise: Option<White>,
    hum: Option<Hum>,
    dc: f32,
    echoes: Vec<Delay>,
    sidetones: Vec<Delay>,
    limit: f32,
}

impl Line {
    /// Carries one block: the caller's clean audio and the box's output in, what the box hears out. Allocates nothing.
    ///
    /// # Panics
    /// If the three slices differ in length.
    pub fn process(&mut self, caller: &[f32], far: &[f32], heard: &mut [f32]) {
        assert!(caller.len() == far.len() && far.len() == heard.len(), "blocks of one length");
        for ((caller, far), heard) in caller.iter().zip(far).zip(heard) {
            *heard = self.next(*caller, *far);
        }
    }

    fn next(&mut self, caller: f32, far: f32) -> f32 {
        let mut sample = caller;
        for echo in &mut self.sidetones {
            sample += echo.next(caller);
        }
        sample *= self.gain;
        for echo in &mut self.echoes {
            sample += echo.next(far);
        }
        sample += self.noise.as_mut().map_or(0.0, White::next);
        sample += self.hum.as_mut().map_or(0.0, Hum::next);
        (sample + self.dc).clamp(-self.limit, self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn power_dbm0(samples: &[f32]) -> f64 {
        let mean = samples.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / samples.len() as f64;
        crate::dtmf::level::dbm0((2.0 * mean).sqrt())
    }

    #[test]
    fn noise_has_the_level_asked_for_and_follows_the_seed() {
        let run = |seed| {
            let mut heard = vec![0.0; 80_000];
            let silence = vec![0.0; heard.len()];
            LineBuilder::new(seed).noise_dbm0(-30.0).build(8000).process(&silence, &silence, &mut heard);
            heard
        };
        assert!((power_dbm0(&run(1)) + 30.0).abs() < 0.1);
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    #[test]
    fn echo_arrives_late_and_weaker() {
        let mut far = vec![0.0; 800];
        far[0] = 0.8;
        let (caller, mut heard) = (vec![0.0; 800], vec![0.0; 800]);
        LineBuilder::new(0).echo(30.0, 14.0).build(8000).process(&caller, &far, &mut heard);
        assert!((heard[240] - 0.8 * 10f32.powf(-0.7)).abs() < 1e-6);
        assert_eq!(heard.iter().filter(|x| **x != 0.0).count(), 1);
    }

    #[test]
    fn blocks_do_not_matter() {
        let caller: Vec<f32> = (0..2000).map(|n| (n as f32 * 0.3).sin() * 0.4).collect();
        let far: Vec<f32> = (0..2000).map(|n| (n as f32 * 0.05).sin() * 0.4).collect();
        let builder =
            LineBuilder::new(9).noise_dbm0(-20.0).hum(60.0, -30.0).echo(12.0, 10.0).caller_echo(5.0, 12.0).dc(0.01);
        let run = |block: usize| {
            let (mut line, mut heard) = (builder.clone().build(8000), vec![0.0; 2000]);
            for start in (0..2000).step_by(block) {
                let end = (start + block).min(2000);
                line.process(&caller[start..end], &far[start..end], &mut heard[start..end]);
            }
            heard
        };
        assert_eq!(run(1), run(2000));
        assert_eq!(run(160), run(2000));
    }

    #[test]
    fn clipping_limits_the_peaks() {
        let caller: Vec<f32> = (0..800).map(|n| (n as f32 * 0.7).sin()).collect();
        let mut heard = vec![0.0; 800];
        LineBuilder::new(0).clip_dbm0(-9.0).build(8000).process(&caller, &vec![0.0; 800], &mut heard);
        let peak = heard.iter().fold(0f32, |peak, x| peak.max(x.abs()));
        assert!((f64::from(peak) - amplitude(-9.0)).abs() < 1e-6);
    }
}
