//! How loud speech is: the active speech level of ITU-T P.56, method B.

use crate::audio::level::FULL_SCALE_DBM0;

/// Time constant of each of the envelope's two smoothings, in seconds.
const SMOOTHING_S: f64 = 0.03;
/// Speech goes on for this long below a threshold, in seconds.
const HANGOVER_S: f64 = 0.2;
/// How far the active level stands above the threshold that defines activity, in dB.
const MARGIN_DB: f64 = 15.9;
/// Thresholds are powers of two of full scale: 2^-15 up to 2^-1.
const THRESHOLDS: usize = 15;

/// The level of the speech in `samples`, pauses left out, in dBm0 (a full-scale sine has +3.14 dBm0); `None` where
/// there is no speech at all. Full scale is 1.0.
pub fn active_speech_level_dbm0(samples: &[f32], sample_rate: u32) -> Option<f64> {
    let energy: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    let counts = activity(samples, f64::from(sample_rate));
    let levels = counts.iter().enumerate().filter(|(_, count)| **count > 0).map(|(index, count)| {
        let active_db = 10.0 * (energy / *count as f64).log10();
        (active_db, active_db - 20.0 * threshold(index).log10())
    });
    let mut previous: Option<(f64, f64)> = None;
    for (active_db, margin) in levels {
        if margin <= MARGIN_DB {
            return Some(between(previous, (active_db, margin)) + 10.0 * 2_f64.log10() + FULL_SCALE_DBM0);
        }
        previous = Some((active_db, margin));
    }
    previous.map(|(active_db, _)| active_db + 10.0 * 2_f64.log10() + FULL_SCALE_DBM0)
}

/// For each threshold, how many samples the envelope was above it, hangover included.
fn activity(samples: &[f32], sample_rate: f64) -> [u64; THRESHOLDS] {
    let keep = (-1.0 / (SMOOTHING_S * sample_rate)).exp();
    let hangover = (HANGOVER_S * sample_rate) as u64;
    let (mut counts, mut hung) = ([0; THRESHOLDS], [hangover; THRESHOLDS]);
    let (mut first, mut envelope) = (0.0, 0.0);
    for sample in samples {
        first = keep * first + (1.0 - keep) * f64::from(sample.abs());
        envelope = keep * envelope + (1.0 - keep) * first;
        for (index, (count, hung)) in counts.iter_mut().zip(&mut hung).enumerate() {
            *hung = if envelope >= threshold(index) { 0 } else { *hung + 1 };
            *count += u64::from(*hung <= hangover);
        }
    }
    counts
}

fn threshold(index: usize) -> f64 {
    2_f64.powi(index as i32 - THRESHOLDS as i32)
}

/// The active level where the margin is exactly [`MARGIN_DB`], between the two thresholds around it.
fn between(previous: Option<(f64, f64)>, (active_db, margin): (f64, f64)) -> f64 {
    match previous {
        Some((previous_db, previous_margin)) => {
            let share = (previous_margin - MARGIN_DB) / (previous_margin - margin);
            previous_db + share * (active_db - previous_db)
        }
        None => active_db,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seconds: f64, amplitude: f32) -> Vec<f32> {
        let mut random = fastrand::Rng::with_seed(7);
        (0..(seconds * 8000.0) as usize).map(|_| (random.f32() - 0.5) * 2.0 * amplitude).collect()
    }

    #[test]
    fn continuous_sound_has_its_own_level() {
        let sine: Vec<f32> = (0..16_000).map(|n| (n as f32 * 0.8).sin() * 0.1).collect();
        let level = active_speech_level_dbm0(&sine, 8000).unwrap();
        assert!((level - (3.14 - 20.0)).abs() < 0.1, "{level}");
    }

    #[test]
    fn pauses_do_not_lower_it() {
        let loud = noise(2.0, 0.2);
        let paused = [&loud[..8000], &noise(3.0, 0.0001), &loud[8000..]].concat();
        let levels = [&loud, &paused].map(|samples| active_speech_level_dbm0(samples, 8000).unwrap());
        assert!((levels[0] - levels[1]).abs() < 1.0, "{levels:?}");
    }

    #[test]
    fn silence_has_no_level() {
        assert_eq!(active_speech_level_dbm0(&[0.0; 8000], 8000), None);
        assert_eq!(active_speech_level_dbm0(&[], 8000), None);
    }
}
