//! Hard cases with their truth: one recording for each condition that makes receivers fail, made from fixed seeds.

use std::sync::Arc;

use super::setting::{Skipped, noise_at, tones};
use super::signal::{RATE, Signal};
use crate::dtmf::{Digit, GeneratorConfig};
use crate::simulator::gsm;
use crate::simulator::line::{Companding, LineBuilder};
use crate::speech::{Clips, Language};

/// The keys of every recording, so that each digit is there once.
const KEYS: &str = "1234567890*#ABCD";
/// Fixes phases, noise and faults.
const SEED: u64 = 20_261_124;

/// A recording with its truth.
#[derive(Debug)]
pub struct HardCase {
    /// Its file, without the ending.
    pub name: &'static str,
    /// What makes it hard.
    pub about: &'static str,
    /// Its sound at [`RATE`], and the digits in it.
    pub signal: Result<Signal, Skipped>,
}

/// All hard cases; the same samples each time. Those that need a program which is not installed say so.
pub fn hard_cases(clips: &Clips) -> Vec<HardCase> {
    let prompts = prompts(clips);
    let mut cases = lines();
    cases.push(case("speech-under", "a prompt 4 dB below each tone", tones(-15.0), |line| {
        line.mix(Arc::clone(&prompts), -15.0 - 4.0 - level(&prompts))
    }));
    cases.push(gsm_full_rate());
    cases.push(sample_slips());
    cases.push(gaps());
    let mut speech = Signal::new(SEED);
    speech.samples.extend(prompts.iter());
    cases.push(HardCase { name: "speech-only", about: "prompts, and no digit at all", signal: Ok(speech) });
    cases
}

/// Those a line makes.
fn lines() -> Vec<HardCase> {
    let ten = tones(-10.0).timing(60.0, 60.0);
    let off = GeneratorConfig { low_offset: 0.018, high_offset: -0.018, ..ten };
    vec![
        case("noise-3-db", "white noise, 3 dB S/N", ten, |line| line.noise_dbm0(noise_at(3.0))),
        case("normal-twist-8-db", "high tones 8 dB weaker", tones(-3.0).twist(8.0), |line| line),
        case(
            "reverse-twist-8-db",
            "low tones 8 dB weaker, as through a loudspeaker",
            tones(-3.0).twist(-8.0),
            |line| line,
        ),
        case("off-frequency", "rows 1.8 % high, columns 1.8 % low", off, |line| line),
        case("echo-30-ms", "echo after 30 ms, 10 dB down", ten, |line| line.caller_echo(30.0, 10.0)),
        case("room", "a room that rings for 200 ms", ten, |line| line.room(200.0, -8.0)),
        case(
            "lost-packets",
            "one packet of 20 ms in twenty is lost, 80 ms tones",
            tones(-10.0).timing(80.0, 80.0),
            |line| line.packet_loss(0.05, 20.0),
        ),
        case("dial-tone-under", "350 + 440 Hz, 20 dB above the digits", tones(-25.0).timing(60.0, 60.0), |line| {
            line.tones(&[350.0, 440.0], -5.0, None)
        }),
        case("clipped", "clipped by 12 dB", tones(9.0).timing(60.0, 60.0), |line| line),
        case("weak", "-38 dBm0 through G.711 A-law", tones(-38.0).timing(60.0, 60.0), |line| {
            line.codec(Companding::ALaw)
        }),
        case("hum-and-clicks", "60 Hz hum at the tones' level, DC, ten clicks a second", ten, |line| {
            line.hum(60.0, -10.0).dc(0.05).impulses(10.0, -10.0)
        }),
        case("carrier-and-clock", "carrier 4 Hz off, clock 200 ppm fast", ten, |line| {
            line.carrier_offset_hz(4.0).clock_offset_ppm(200.0)
        }),
    ]
}

fn case(
    name: &'static str,
    about: &'static str,
    config: GeneratorConfig,
    line: impl Fn(LineBuilder) -> LineBuilder,
) -> HardCase {
    let mut signal = keys(&config);
    signal.samples = line(LineBuilder::new(SEED)).build(RATE).carry(&signal.samples);
    HardCase { name, about, signal: Ok(signal) }
}

fn keys(config: &GeneratorConfig) -> Signal {
    let mut signal = Signal::new(SEED);
    KEYS.chars().filter_map(Digit::from_char).for_each(|digit| signal.send(digit, config));
    signal.silence(200.0);
    signal
}

fn gsm_full_rate() -> HardCase {
    let mut signal = keys(&tones(-10.0));
    let heard = gsm::round_trip(&signal.samples).map_err(|error| Skipped(error.to_string()));
    let signal = heard.map(|samples| {
        signal.samples = samples;
        signal
    });
    HardCase { name: "gsm", about: "GSM full rate", signal }
}

fn sample_slips() -> HardCase {
    let mut signal = keys(&tones(-10.0).timing(46.0, 30.0));
    signal.slip();
    HardCase { name: "sample-slips", about: "46 ms tones, 30 ms pauses, phase jumps in most tones", signal: Ok(signal) }
}

/// Each digit with an interruption it must bridge, then twice with a pause it must not.
fn gaps() -> HardCase {
    let mut signal = Signal::new(SEED);
    for _ in 0..8 {
        signal.twice(&tones(-10.0), 18.0, 1);
        signal.twice(&tones(-10.0), 32.0, 2);
    }
    signal.silence(200.0);
    HardCase { name: "gaps", about: "digits interrupted for 18 ms, and repeated after 32 ms", signal: Ok(signal) }
}

/// Some seconds of the program's own prompts.
fn prompts(clips: &Clips) -> Arc<[f32]> {
    let ids = ["pide_clave", "pide_tarjeta"];
    let spoken = ids.iter().filter_map(|id| clips.get(Language::EsMx, id));
    spoken.flat_map(|clip| clip.samples().iter().copied()).take(5 * RATE as usize).collect()
}

/// Level of a recording as that of a sine of the same power, in dBm0.
fn level(samples: &[f32]) -> f64 {
    let power = samples.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / samples.len().max(1) as f64;
    crate::dtmf::level::dbm0((2.0 * power).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::Score;
    use crate::dtmf::Profile;

    #[test]
    fn every_case_is_heard_and_nothing_is_added() {
        for HardCase { name, signal, .. } in hard_cases(&Clips::embedded()) {
            let signal = match signal {
                Ok(signal) => signal,
                Err(skipped) => {
                    eprintln!("skipped: {name}: {}", skipped.0);
                    continue;
                }
            };
            let score = Score::of(&signal, &Profile::default());
            assert_eq!((score.missed, score.doubled, score.extra), (0, 0, 0), "{name}: {}", signal.digits());
        }
    }

    #[test]
    fn the_set_is_small_and_the_same_each_time() {
        let once = hard_cases(&Clips::embedded());
        let again = hard_cases(&Clips::embedded());
        let samples = |cases: &[HardCase]| -> Vec<Vec<f32>> {
            cases.iter().filter_map(|case| Some(case.signal.as_ref().ok()?.samples.clone())).collect()
        };
        assert_eq!(samples(&once), samples(&again));
        let bytes: usize = samples(&once).iter().map(|samples| 44 + 2 * samples.len()).sum();
        assert!(bytes < 1_000_000, "{bytes} bytes");
    }
}
