//! Synthetic calls: keys with a person's timing over a telephone line, heard in blocks.

use super::Distribution;
use crate::conformance::{RATE, Signal};
use crate::dtmf::{Detector, Event, GeneratorConfig, Profile};
use crate::simulator::line::{Companding, LineBuilder};

/// A person's tones and pauses, in ms.
const TONE_MS: (f64, f64) = (70.0, 160.0);
const PAUSE_MS: (f64, f64) = (90.0, 280.0);
/// Level of each tone in dBm0, and twist in dB, of a handset behind a line.
const LEVEL_DBM0: f64 = -11.0;
const TWIST_DB: f64 = -2.0;
/// Noise of a quiet line in dBm0.
const NOISE_DBM0: f64 = -50.0;

/// The sound of a call, with its truth.
#[derive(Clone, Debug)]
pub struct Call {
    signal: Signal,
}

impl Call {
    /// So many random keys over an A-law line; `snr_db` is the power of both tones over that of white noise, a quiet line's
    /// without it. The same seed gives the same call.
    pub fn new(seed: u64, keys: usize, snr_db: Option<f64>) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed ^ 0x6b65_7973);
        let mut signal = Signal::new(seed);
        let mut between = |(least, most): (f64, f64)| least + (most - least) * rng.f64();
        for _ in 0..keys {
            let config = GeneratorConfig::default().level(LEVEL_DBM0).twist(TWIST_DB);
            let config = config.timing(between(TONE_MS), between(PAUSE_MS));
            let digit = signal.any_digit();
            signal.send(digit, &config);
        }
        signal.silence(200.0);
        let power = 10f64.powf(LEVEL_DBM0 / 10.0) * (1.0 + 10f64.powf(-TWIST_DB.abs() / 10.0));
        let noise = snr_db.map_or(NOISE_DBM0, |snr| 10.0 * power.log10() - snr);
        let line = LineBuilder::new(seed).noise_dbm0(noise).codec(Companding::ALaw);
        signal.samples = line.build(RATE).carry(&signal.samples);
        Self { signal }
    }
}

/// What became of a call's keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// From the onset to the end of the block in which the key was reported, in ms.
    pub latency: Distribution,
    /// Keys that were not reported.
    pub missed: usize,
}

/// Hears a call in blocks of so many samples, 1 or more.
///
/// # Panics
/// If the profile asks for what the detector can't keep.
pub fn by_block(call: &Call, profile: &Profile, block: usize) -> Measured {
    let mut detector = Detector::new(RATE, profile).expect("8 kHz is in range");
    let (mut heard, mut reports) = (0, Vec::new());
    for samples in call.signal.samples.chunks(block.max(1)) {
        heard += samples.len();
        detector.process(samples, &mut |event| {
            if let Event::Begin(begin) = event {
                reports.push((begin.digit, begin.start as usize, heard));
            }
        });
    }
    let mut latencies = Vec::new();
    for sent in &call.signal.sent {
        let fits = |(digit, start, _): &&(_, usize, usize)| {
            *digit == sent.digit && (sent.start.saturating_sub(sent.end - sent.start)..sent.end).contains(start)
        };
        let samples = reports.iter().find(fits).map(|(_, _, heard)| *heard as f64 - sent.start as f64);
        latencies.extend(samples.map(|samples| samples * 1000.0 / f64::from(RATE)));
    }
    Measured { missed: call.signal.sent.len() - latencies.len(), latency: Distribution::new(latencies) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_adds_up_to_its_length_and_no_key_is_missed() {
        let call = Call::new(7, 200, Some(20.0));
        let at_once = by_block(&call, &Profile::default(), 1);
        assert_eq!((at_once.missed, at_once.latency.len()), (0, 200));
        assert!(at_once.latency.part(0.0) > 15.0 && at_once.latency.part(1.0) < 40.0, "{:?}", at_once.latency.json());
        for block in [40, 160, 480] {
            let measured = by_block(&call, &Profile::default(), block);
            let later = measured.latency.mean() - at_once.latency.mean();
            let length = block as f64 / 8.0;
            assert!((0.3 * length..0.7 * length).contains(&later), "blocks of {length} ms: {later} ms later");
            assert!(measured.latency.part(1.0) <= at_once.latency.part(1.0) + length);
        }
    }
}
