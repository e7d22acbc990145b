//! Keys under tones that go on.

use super::*;
use crate::dtmf::level::amplitude;
use std::f64::consts::TAU;

const ALL: &str = "123A456B789C*0#D";

/// 16 digits at -25 dBm0, 60 ms after 400 ms and then every 110 ms, in faint noise, under tones of (Hz, dB above a tone of the digits)
/// that sound where `sounds` says so of a time in s.
fn under(rate: u32, tones: &[(f64, f64)], sounds: impl Fn(f64) -> bool) -> Vec<f32> {
    let mut rng = fastrand::Rng::with_seed(41);
    let config =
        GeneratorConfig { lead_ms: 400.0, sample_rate: rate, ..Default::default() }.timing(60.0, 50.0).level(-25.0);
    let mut audio = generate(&Digit::all().collect::<Vec<_>>(), &config).unwrap();
    for (n, sample) in audio.iter_mut().enumerate() {
        let time = n as f64 / f64::from(rate);
        let wave = |(hz, db): &(f64, f64)| amplitude(db - 25.0) * (TAU * hz * time).sin();
        let sum: f64 = if sounds(time) { tones.iter().map(wave).sum() } else { 0.0 };
        *sample += sum as f32 + 2e-3 * (rng.f32() - 0.5);
    }
    audio
}

#[test]
fn a_steady_tone_in_the_band_hides_no_digit_at_any_level() {
    let tones: [&[f64]; 8] =
        [&[440.0, 480.0], &[480.0, 620.0], &[640.0], &[1000.0], &[1100.0], &[1400.0], &[1800.0], &[2100.0]];
    for hz in tones {
        for db in [-10.0, -4.0, 0.0, 3.0, 6.0, 10.0, 16.0, 22.0] {
            let tones: Vec<_> = hz.iter().map(|hz| (*hz, db)).collect();
            assert_eq!(heard(&events(&under(8000, &tones, |_| true), 8000, 160)), ALL, "{tones:?}");
        }
    }
}

#[test]
fn measurements_under_a_steady_tone_are_those_of_the_digit() {
    let found = events(&under(48_000, &[(1000.0, 15.0)], |_| true), 48_000, 480);
    assert_eq!(heard(&found), ALL);
    for (at, end) in found.iter().filter_map(|e| if let Event::End(end) = e { Some(end) } else { None }).enumerate() {
        let start = 48.0 * (400.0 + 110.0 * at as f64);
        assert!((end.start as f64 - start).abs() < 48.0 * 2.0 && end.start < end.end, "{end:?}");
        let measured = end.measured;
        assert!((measured.low_dbm0 + 25.0).abs() < 0.5 && (measured.high_dbm0 + 25.0).abs() < 0.5, "{measured:?}");
    }
}

#[test]
fn neither_blocks_nor_registers_matter_where_tones_come_and_go_between_silences() {
    let mut sound = vec![0.0; 20_000];
    for (hz, on) in [(1000.0, 0.7), (620.0, 1.1), (1400.0, 0.35)] {
        sound.extend(under(8000, &[(hz, 8.0)], |time| time < on || time > 1.5));
        sound.extend(vec![0.0; 1_777]);
        sound.extend(under(8000, &[(hz, 8.0)], |time| time > 0.05));
        sound.extend(vec![0.0; 12_345]);
    }
    let whole = events(&sound, 8000, sound.len());
    assert!(heard(&whole).len() > 60, "{}", heard(&whole));
    for block in [1, 32, 160, 1000] {
        assert!(events(&sound, 8000, block) == whole, "blocks of {block}");
    }
    for simd in Simd::available() {
        let (mut found, mut detector) = (Vec::new(), Detector::with(8000, &Profile::default(), simd));
        detector.process(&sound, &mut |event| found.push(event));
        detector.finish(&mut |event| found.push(event));
        assert!(found == whole, "{simd:?}");
    }
}

/// Tones of so many Hz that begin and end together, 20 times.
fn chords(hz: &[f64], length_s: f64) -> Vec<f32> {
    let mut rng = fastrand::Rng::with_seed(42);
    let sample = |n: usize| {
        let time = n as f64 / 8000.0;
        let wave = |(at, hz): (usize, &f64)| amplitude(-18.0) * (TAU * hz * time + at as f64).sin();
        let sounds = time % (length_s + 0.5) > 0.5;
        let sum: f64 = if sounds { hz.iter().enumerate().map(wave).sum() } else { 0.0 };
        sum as f32 + 1e-4 * (rng.f32() - 0.5)
    };
    (0..(8000.0 * 20.0 * (length_s + 0.5)) as usize).map(sample).collect()
}

/// Two tones of each are a key's, and would be told as one if the others were taken out.
#[test]
fn a_chord_is_no_key_however_long_it_sounds() {
    let chords_hz: [&[f64]; 4] = [
        &[785.0, 1000.0, 1225.0],
        &[932.3, 1108.7, 1480.0],
        &[698.5, 1046.5, 1396.9, 1661.2],
        &[700.0, 1100.0, 1500.0],
    ];
    for hz in chords_hz {
        for length_s in [0.3, 0.5, 1.0] {
            assert_eq!(heard(&events(&chords(hz, length_s), 8000, 160)), "", "{hz:?}, {length_s} s");
        }
    }
}

/// A long key and 16 short ones under a tone near one of its tones, of which some samples from 50 ms after the long one's onset on
/// are silence, or are missing.
fn broken(key: char, hz: f64, lost: usize, is_cut: bool) -> String {
    let digit = |length_ms: f64, digits: &[Digit], lead_ms: f64| {
        let config = GeneratorConfig { lead_ms, ..Default::default() }.timing(length_ms, 80.0).level(-20.0);
        generate(digits, &config).unwrap()
    };
    let all: Vec<Digit> = Digit::all().collect();
    let mut audio = digit(300.0, &[Digit::from_char(key).unwrap()], 600.0);
    audio.extend(digit(80.0, &all, 0.0));
    for (n, sample) in audio.iter_mut().enumerate() {
        *sample += (amplitude(-17.0) * (TAU * hz * n as f64 / 8000.0).sin()) as f32;
    }
    let from = 8 * 650;
    if is_cut {
        audio.drain(from..from + lost);
    } else {
        audio[from..from + lost].fill(0.0);
    }
    heard(&events(&audio, 8000, 160))
}

#[test]
fn a_tone_that_breaks_off_or_jumps_in_a_key_keeps_no_key_on() {
    for (key, hz) in [('4', 1258.0), ('0', 903.0), ('1', 1160.0)] {
        for lost in [3, 5, 160] {
            for is_cut in [false, true] {
                let found = broken(key, hz, lost, is_cut);
                assert_eq!(found, format!("{key}{ALL}"), "{key} with {hz} Hz, {lost} samples, {is_cut}");
            }
        }
    }
}

#[test]
fn keys_after_the_end_of_a_tone_begin_where_they_begin() {
    for after_ms in 0..30 {
        let stops = 0.4 - f64::from(after_ms) / 1000.0;
        let found = events(&under(8000, &[(1000.0, 12.0)], |time| time < stops), 8000, 160);
        assert_eq!(heard(&found), ALL, "{after_ms} ms after the tone");
        let Some(Event::Begin(begin)) = found.first() else { panic!("{found:?}") };
        let early_ms = 400.0 - begin.start as f64 / 8.0;
        assert!(early_ms.abs() < 16.0, "{after_ms} ms after the tone: {early_ms} ms early");
    }
}
