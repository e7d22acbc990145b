use super::*;
use crate::audio::level::dbm0_of_power;
use crate::dtmf::{Detector, Digit, Event, GeneratorConfig, Profile, generate};
use crate::simulator::line::LineBuilder;
use crate::speech::{Clips, Language};

/// The box's prompts, one after another, all of the same level.
fn prompts() -> Vec<f32> {
    let clips = Clips::embedded();
    let mut all = Vec::new();
    for id in clips.ids(Language::EsMx).filter(|id| id.len() > 5) {
        all.extend_from_slice(clips.get(Language::EsMx, id).unwrap().samples());
    }
    all
}

fn power(samples: &[f32]) -> f64 {
    samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len() as f64
}

/// What the detector hears behind the canceller, put together as in a call: keys with their onsets.
fn keys_heard(said: &[f32], line: &[f32]) -> Vec<(u64, char)> {
    let mut canceller = EchoCanceller::new();
    let mut detector = Detector::new(8000, &Profile::default()).unwrap();
    let mut keys = Vec::new();
    for (said, line) in said.chunks(80).zip(line.chunks(80)) {
        let mut line = line.to_vec();
        canceller.process(said, &mut line);
        detector.process(&line, &mut |event| match event {
            Event::Begin(begin) => {
                canceller.hold(true);
                keys.push((begin.start, begin.digit.as_char()));
            }
            Event::End(_) => canceller.hold(false),
            Event::Rejected(_) => {}
        });
    }
    keys
}

/// Runs the canceller over a line; what is left.
fn cancelled(said: &[f32], line: &[f32]) -> (Vec<f32>, EchoCanceller) {
    let mut canceller = EchoCanceller::new();
    let mut left = line.to_vec();
    for (said, line) in said.chunks(80).zip(left.chunks_mut(80)) {
        canceller.process(said, line);
    }
    (left, canceller)
}

fn echo_of(said: &[f32], delay_ms: f64, attenuation_db: f64, caller: &[f32], noise: f64) -> Vec<f32> {
    let mut line = LineBuilder::new(11).echo(delay_ms, attenuation_db).noise_dbm0(noise).build(8000);
    let mut heard = vec![0.0; said.len()];
    line.process(caller, said, &mut heard);
    heard
}

#[test]
fn an_echo_is_taken_out_wherever_it_is() {
    let said = &prompts()[..30 * 8000];
    for (delay_ms, attenuation) in [(5.0, 12.0), (30.0, 0.0), (55.0, 6.0), (180.0, 10.0), (400.0, 6.0)] {
        let heard = echo_of(said, delay_ms, attenuation, &vec![0.0; said.len()], -60.0);
        let (left, canceller) = cancelled(said, &heard);
        let db = |range: std::ops::Range<usize>| 10.0 * (power(&heard[range.clone()]) / power(&left[range])).log10();
        let (early, late) = (db(3 * 8000..6 * 8000), db(20 * 8000..30 * 8000));
        println!("{delay_ms} ms, {attenuation} dB: {early:.1} dB after 3 s, {late:.1} dB after 20 s");
        assert!(late > 18.0 && canceller.used.delay <= (delay_ms * 8.0) as usize, "{delay_ms}: {late} dB");
    }
}

#[test]
fn without_an_echo_every_sample_passes_unchanged() {
    let said = prompts();
    let keys: Vec<Digit> = "1234567890*#".chars().cycle().take(150).filter_map(Digit::from_char).collect();
    let mut caller = generate(&keys, &GeneratorConfig::default().timing(80.0, 90.0)).unwrap();
    caller.resize(said.len().min(caller.len()), 0.0);
    let line = LineBuilder::new(5).noise_dbm0(-45.0).build(8000).carry(&caller);
    let (left, _) = cancelled(&said[..line.len()], &line);
    assert!(left == line, "nothing was learned, nothing is changed");
}

#[test]
fn where_the_box_is_silent_nothing_is_changed() {
    let said = prompts()[..10 * 8000].to_vec();
    let heard = echo_of(&said, 20.0, 6.0, &vec![0.0; said.len()], -50.0);
    let (_, mut canceller) = cancelled(&said, &heard);
    let noise = LineBuilder::new(1).noise_dbm0(-30.0).build(8000).carry(&[0.0; 16_000]);
    let mut left = noise.clone();
    left.chunks_mut(80).for_each(|line| canceller.process(&[0.0; 80], line));
    assert_eq!(left[8000..], noise[8000..]);
}

/// Keys under our own prompt, the echo at the keys' level, 30 ms late; the prompt does not stop.
#[test]
fn keys_under_our_own_prompt_at_equal_level_are_heard() {
    let (keys, missed, false_ones) = keys_under_prompt(4);
    println!("{keys} keys, {missed} missed, {false_ones} false");
    assert!(keys > 1000);
    assert_eq!((missed, false_ones), (0, 0));
}

/// Rounds of all prompts with a key of 60 ms about every 700 ms; keys, missed, false.
fn keys_under_prompt(rounds: u64) -> (usize, usize, usize) {
    let said = prompts();
    let speech = dbm0_of_power(power(&said));
    let (mut count, mut missed, mut wrong) = (0, 0, 0);
    for seed in 0..rounds {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut caller = vec![0.0; said.len()];
        let mut keys = Vec::new();
        // The canceller hears two seconds of prompt before the first key.
        let mut at = 16_000 + rng.usize(..4000);
        while at + 8000 < caller.len() {
            let key = Digit::from_char(char::from(b"1234567890*#ABCD"[rng.usize(..16)])).unwrap();
            // Each tone 3 dB below the whole key, which is as loud as the echo of the prompt.
            let level = speech - 3.0;
            let config = GeneratorConfig { low_dbm0: level, high_dbm0: level, ..GeneratorConfig::default() };
            let sound = generate(&[key], &config.timing(60.0, 60.0)).unwrap();
            caller[at..at + sound.len()].copy_from_slice(&sound);
            keys.push((at as u64, key.as_char()));
            at += 5600 + rng.usize(..1600);
        }
        let found = keys_heard(&said, &echo_of(&said, 30.0, 0.0, &caller, -55.0));
        let same = |(at, key): &(u64, char), (other, heard): &(u64, char)| key == heard && at.abs_diff(*other) < 400;
        let lost: Vec<_> = keys.iter().filter(|key| !found.iter().any(|heard| same(key, heard))).collect();
        let more: Vec<_> = found.iter().filter(|heard| !keys.iter().any(|key| same(key, heard))).collect();
        println!("seed {seed}: lost {lost:?}, more {more:?}");
        (count, missed, wrong) = (count + keys.len(), missed + lost.len(), wrong + more.len());
    }
    (count, missed, wrong)
}

#[test]
fn a_path_that_changes_is_learned_again() {
    let said = &prompts()[..40 * 8000];
    let half = said.len() / 2;
    let silent = vec![0.0; half];
    let mut heard = echo_of(&said[..half], 12.0, 6.0, &silent, -60.0);
    heard.extend(echo_of(&said[half..], 41.0, 3.0, &silent, -60.0));
    let (left, _) = cancelled(said, &heard);
    let worst_change = power(&left[half..half + 8000]) / power(&heard[half..half + 8000]);
    let end = heard.len() - 5 * 8000;
    let late = 10.0 * (power(&heard[end..]) / power(&left[end..])).log10();
    println!("first second after the change {:.1} dB, at the end {late:.1} dB", -10.0 * worst_change.log10());
    assert!(worst_change < 1.5 && late > 15.0);
}
