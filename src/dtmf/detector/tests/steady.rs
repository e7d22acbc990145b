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
    let tones: [&[f64]; 7] = [&[480.0, 620.0], &[640.0], &[1000.0], &[1100.0], &[1400.0], &[1800.0], &[2100.0]];
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
        assert_eq!(events(&sound, 8000, block), whole, "blocks of {block}");
    }
    for simd in Simd::available() {
        let (mut found, mut detector) = (Vec::new(), Detector::with(8000, &Profile::default(), simd));
        detector.process(&sound, &mut |event| found.push(event));
        detector.finish(&mut |event| found.push(event));
        assert_eq!(found, whole, "{simd:?}");
    }
}
