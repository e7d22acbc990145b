//! Digits under the box's own prompt. The line sends it back; the echo canceller, which knows it, takes it out before the
//! detector hears it.

use std::sync::Arc;

use super::promise::turned;
use super::setting::{Claim, Group, Setting, tones};
use super::signal::{RATE, Signal};
use super::talk_off::Speech;
use crate::audio::{EchoCanceller, MOST_ECHO_SAMPLES};
use crate::dtmf::{Detector, Event, Profile};
use crate::simulator::line::LineBuilder;

/// Level of each tone, and of the prompt's echo, in dBm0.
const LEVEL_DBM0: f64 = -15.0;
/// How late the echo is, in ms.
const ECHO_MS: f64 = 30.0;
/// The line's own noise in dBm0.
const NOISE_DBM0: f64 = -55.0;
/// How long the prompt has been heard before the first key, in ms.
const LEARNED_MS: f64 = 2000.0;

/// The prompt's echo at one tone's level.
pub(super) fn setting(speech: &Speech, profile: Profile) -> Setting {
    let (active, gain) = (Arc::clone(&speech.active), 10f64.powf((LEVEL_DBM0 - speech.level_dbm0) / 20.0) as f32);
    let make = move |batch: u64, count: usize| {
        let seed = 82_000 + batch;
        let mut signal = Signal::new(seed);
        signal.silence(LEARNED_MS);
        for _ in 0..count {
            let digit = signal.any_digit();
            signal.send(digit, &tones(LEVEL_DBM0));
        }
        signal.silence(200.0);
        let mut said = turned(&active, seed as usize * 7919, signal.samples.len());
        said.iter_mut().for_each(|sample| *sample *= gain);
        let mut line = LineBuilder::new(seed).echo(ECHO_MS, 0.0).noise_dbm0(NOISE_DBM0).build(RATE);
        let mut heard = vec![0.0; said.len()];
        line.process(&signal.samples, &said, &mut heard);
        signal.samples = cancelled(&said, heard, &profile);
        Ok(signal)
    };
    let name = "own prompt, one tone's level, cancelled";
    Setting::new(Group::Promise, name, Claim::Missed(0.01), 3000, make)
}

/// What the canceller leaves of the line. It stops learning while a key is down, as in a call.
fn cancelled(said: &[f32], mut line: Vec<f32>, profile: &Profile) -> Vec<f32> {
    let mut canceller = EchoCanceller::new();
    let mut detector = Detector::new(RATE, profile).expect("the detector hears this rate");
    for (said, line) in said.chunks(MOST_ECHO_SAMPLES).zip(line.chunks_mut(MOST_ECHO_SAMPLES)) {
        canceller.process(said, line);
        detector.process(line, &mut |event| match event {
            Event::Begin(_) => canceller.hold(true),
            Event::End(_) => canceller.hold(false),
            Event::Rejected(_) => {}
        });
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_is_gone_and_the_keys_are_not() {
        // Noise of a voice's colour, with pauses.
        let mut rng = fastrand::Rng::with_seed(7);
        let mut last = 0.0;
        let voice: Vec<f32> = (0..30 * RATE)
            .map(|n| {
                last = 0.9 * last + 0.02 * (rng.f32() - 0.5);
                if n % 4000 < 3000 { last } else { 0.0 }
            })
            .collect();
        let speech = Speech::of(&[&voice[..], &voice, &voice].concat()).expect("a minute and a half");
        let signal = setting(&speech, Profile::default()).signals(20).next().expect("a batch").expect("a signal");
        let power = |samples: &[f32]| samples.iter().map(|x| x * x).sum::<f32>() / samples.len() as f32;
        let key = signal.sent[10];
        let (tone, pause) = (power(&signal.samples[key.start..key.end]), power(&signal.samples[key.end + 80..][..240]));
        assert!(pause < 0.01 * tone, "{pause} {tone}");
    }
}
