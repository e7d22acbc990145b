use std::f64::consts::TAU;

use super::*;
use crate::dtmf::level::amplitude;
use crate::dtmf::{Digit, GeneratorConfig, generate};
use crate::simulator::line::LineBuilder;
use crate::speech::{Clips, Language};

/// A tone at `level` dBm0 a frequency, detuned by `detune_hz`, for `ms`, in its rhythm.
fn sound(tone: &Tone, level: f64, detune_hz: f64, ms: u32) -> Vec<f32> {
    let on = |n: u32| tone.cadence_ms.is_none_or(|(on, off)| n / 8 % (on + off) < on);
    let wave = |n: u32| {
        tone.hz.iter().map(|hz| (TAU * (hz + detune_hz) * f64::from(n) / 8000.0).sin()).sum::<f64>() * amplitude(level)
    };
    (0..ms * 8).map(|n| if on(n) { wave(n) as f32 } else { 0.0 }).collect()
}

fn all_tones() -> impl Iterator<Item = (&'static Country, &'static Tone)> {
    Country::names()
        .map(|name| Country::named(name).unwrap())
        .flat_map(|country| country.tones.iter().map(move |tone| (country, tone)))
}

fn first(country: &'static Country, samples: &[f32]) -> Option<Heard> {
    Progress::new(country).process(samples)
}

#[test]
fn every_hang_up_tone_is_heard_within_six_seconds_at_many_levels_and_in_noise() {
    let mut slowest = MediaTime::ZERO;
    for (country, tone) in all_tones().filter(|(_, tone)| tone.kind.means_gone()) {
        for (level, detune, noise) in
            [(-5.0, 0.0, -60.0), (-20.0, 12.0, -38.0), (-33.0, -12.0, -45.0), (-38.0, 5.0, -55.0)]
        {
            for lead_ms in [0, 130, 377] {
                let mut samples = sound(tone, level, detune, 9000)[lead_ms * 8..].to_vec();
                let mut line = LineBuilder::new(7).noise_dbm0(noise).build(8000);
                samples = line.carry(&samples);
                let heard = first(country, &samples);
                let heard = heard.unwrap_or_else(|| panic!("{} {} at {level}", country.name, tone.kind.name()));
                assert_eq!(heard.kind, tone.kind, "{} at {level} dBm0", country.name);
                slowest = slowest.max(heard.at);
            }
        }
    }
    println!("slowest: {slowest}");
    assert!(slowest < MediaTime::from_ms(6000));
}

#[test]
fn a_ringing_tone_is_no_hang_up() {
    for (country, tone) in all_tones().filter(|(_, tone)| tone.kind == Kind::Ringback) {
        let heard = first(country, &sound(tone, -15.0, 0.0, 20_000));
        assert_eq!(heard.map(|heard| heard.kind), Some(Kind::Ringback), "{}", country.name);
    }
    assert!(!Kind::Ringback.means_gone());
}

#[test]
fn special_information_is_heard_in_both_lengths() {
    for (hz, ms) in [([950.0, 1400.0, 1800.0], [330; 3]), ([913.8, 1370.6, 1776.7], [274, 274, 380])] {
        let mut samples = vec![0.0; 4000];
        for (hz, ms) in hz.into_iter().zip(ms) {
            samples.extend((0..ms * 8).map(|n| 0.1 * (TAU * hz * f64::from(n) / 8000.0).sin() as f32));
        }
        samples.extend([0.0; 4000]);
        assert_eq!(first(Country::mexico(), &samples).map(|heard| heard.kind), Some(Kind::SpecialInformation));
        samples.reverse(); // falling notes are none
        assert_eq!(first(Country::mexico(), &samples), None);
    }
}

#[test]
fn prompts_digits_silence_and_noise_are_no_tones() {
    let clips = Clips::embedded();
    let mut seconds = 0;
    let keys: Vec<Digit> = "1234567890*#ABCD".chars().filter_map(Digit::from_char).collect();
    for name in Country::names() {
        let mut progress = Progress::new(Country::named(name).unwrap());
        let mut none = |samples: &[f32], what: &str| {
            assert_eq!(progress.process(samples), None, "{what} in {name}");
            seconds += samples.len() / 8000;
        };
        for language in [Language::EsMx, Language::EnUs] {
            for id in clips.ids(language) {
                none(clips.get(language, id).unwrap().samples(), id);
            }
        }
        for timing in [(250.0, 250.0), (500.0, 500.0), (50.0, 50.0), (4000.0, 100.0)] {
            none(&generate(&keys, &GeneratorConfig::default().timing(timing.0, timing.1)).unwrap(), "digits");
        }
        none(&LineBuilder::new(3).noise_dbm0(-20.0).build(8000).carry(&vec![0.0; 800_000]), "noise");
        none(&vec![0.0; 80_000], "silence");
    }
    println!("{seconds} s of prompts, digits, noise and silence: no tone");
}

#[test]
fn tones_are_heard_the_same_in_blocks_of_any_size() {
    let tone = &Country::mexico().tones[1];
    let samples = sound(tone, -20.0, 3.0, 4000);
    let whole = first(Country::mexico(), &samples);
    for size in [1, 7, 80, 441] {
        let mut progress = Progress::new(Country::mexico());
        assert_eq!(samples.chunks(size).find_map(|block| progress.process(block)), whole);
    }
    assert!(whole.is_some());
}
