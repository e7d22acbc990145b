//! Keys whose level changes while they are held, as behind a line that adjusts it, and keys whose pause is not quiet, as in a room.

use super::*;
use std::f64::consts::TAU;

/// Sound at 8 kHz: 300 ms of faint noise, then a key of `length_s` whose level in dB is told for each time in s since its onset,
/// and 300 ms of noise again.
fn one_key(digit: Digit, length_s: f64, level_db: impl Fn(f64) -> f64) -> Vec<f32> {
    let mut rng = fastrand::Rng::with_seed(31);
    let (lead, length) = (2400, (8000.0 * length_s) as usize);
    (0..lead + length + 2400)
        .map(|n| {
            let noise = 2e-4 * (rng.f32() - 0.5);
            let Some(since) = n.checked_sub(lead).filter(|since| *since < length) else { return noise };
            let amplitude = 0.2 * 10f64.powf(level_db(since as f64 / 8000.0) / 20.0);
            let tones: f64 = digit.nominal_hz().iter().map(|hz| (TAU * f64::from(*hz) * n as f64 / 8000.0).sin()).sum();
            noise + (amplitude * tones) as f32
        })
        .collect()
}

/// The one digit of such a sound, and by how many ms its end is told late.
fn only(digit: Digit, length_s: f64, level_db: impl Fn(f64) -> f64, what: &str) -> f64 {
    let found = events(&one_key(digit, length_s, level_db), 8000, 160);
    let ends: Vec<_> = found.iter().filter_map(|e| if let Event::End(end) = e { Some(end) } else { None }).collect();
    let [end] = ends[..] else { panic!("{digit:?}, {what}: {ends:?}") };
    assert_eq!(end.digit, digit, "{what}");
    end.end as f64 / 8.0 - 300.0 - 1000.0 * length_s
}

#[test]
fn a_key_that_is_held_while_its_level_falls_is_one_key_to_its_end() {
    for digit in [Digit::at(0, 0), Digit::at(1, 1), Digit::at(3, 2), Digit::at(2, 3)] {
        for fall_db in [5.0, 7.0, 9.0, 12.0] {
            for at in [0.03, 0.06, 0.15] {
                let step = |time| if time < at { 0.0 } else { -fall_db };
                let late = only(digit, 0.4, step, &format!("-{fall_db} dB at {at} s"));
                assert!(late.abs() < 8.0, "{digit:?}, {fall_db} dB at {at} s: {late} ms late");
            }
            let ramp = |time: f64| -fall_db * (time / 0.2).min(1.0);
            let late = only(digit, 0.4, ramp, &format!("-{fall_db} dB in 200 ms"));
            assert!(late.abs() < 8.0, "{digit:?}, {fall_db} dB in 200 ms: {late} ms late");
            let swell = |time: f64| fall_db * 0.5 * ((TAU * 4.0 * time).cos() - 1.0);
            only(digit, 0.6, swell, &format!("{fall_db} dB four times a second"));
        }
    }
}

/// What has fallen by more is over, but what sounds on is no second key.
#[test]
fn a_key_that_sounds_on_far_weaker_is_not_told_again() {
    for fall_db in [16.0, 20.0, 25.0, 30.0] {
        only(Digit::at(1, 2), 0.8, |time| if time < 0.1 { 0.0 } else { -fall_db }, &format!("-{fall_db} dB"));
    }
}

/// A key pressed five times, with pauses that hold what is left of it `db` down: for all of the pause, or fading.
fn pressed_again(pause_s: f64, left_db: f64, fades_db: f64) -> String {
    let digit = Digit::at(2, 0);
    let level = |time: f64| {
        let since = time.rem_euclid(0.1 + pause_s) - 0.1;
        if since < 0.0 { 0.0 } else { left_db - fades_db * since / pause_s }
    };
    heard(&events(&one_key(digit, 5.0 * (0.1 + pause_s), level), 8000, 160))
}

#[test]
fn a_key_pressed_again_into_its_own_echo_is_told_again() {
    for pause_s in [0.035, 0.05, 0.1, 0.2] {
        for (left_db, fades_db) in [(-10.0, 0.0), (-10.0, 10.0), (-15.0, 20.0), (-20.0, 0.0)] {
            let told = pressed_again(pause_s, left_db, fades_db);
            assert_eq!(told, "77777", "{pause_s} s, {left_db} dB, {fades_db} dB more");
        }
    }
}

/// A key in a room that reverberates: noise that decays by 60 dB in `rt60_s` is the room.
fn in_a_room(digits: &[Digit], pause_ms: f64, rt60_s: f64, direct_db: f64, seed: u64) -> String {
    let config = GeneratorConfig { lead_ms: 100.0, ..Default::default() }.timing(100.0, pause_ms);
    let mut dry = generate(digits, &config).unwrap();
    dry.resize(dry.len() + 4000, 0.0);
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut room: Vec<f32> =
        (0..3200).map(|n| (rng.f32() - 0.5) * 10f32.powf(-3.0 * n as f32 / (8000.0 * rt60_s as f32))).collect();
    let energy: f32 = room.iter().map(|x| x * x).sum();
    let factor = (10f32.powf(-0.1 * direct_db as f32) / energy).sqrt();
    room.iter_mut().for_each(|x| *x *= factor);
    room[0] = 1.0;
    let wet: Vec<f32> = (0..dry.len())
        .map(|n| room.iter().take(n + 1).enumerate().map(|(back, part)| part * dry[n - back]).sum())
        .collect();
    heard(&events(&wet, 8000, 160))
}

#[test]
fn what_a_room_makes_of_a_key_is_no_second_key() {
    let digits: Vec<Digit> = Digit::all().collect();
    for (seed, (rt60_s, direct_db)) in [(0.3, 6.0), (0.4, 8.0), (0.5, 10.0)].into_iter().enumerate() {
        let told = in_a_room(&digits, 300.0, rt60_s, direct_db, seed as u64);
        assert_eq!(told, "123A456B789C*0#D", "{rt60_s} s, {direct_db} dB");
        let again = in_a_room(&[Digit::at(1, 0); 12], 150.0, rt60_s, direct_db, seed as u64);
        assert_eq!(again, "444444444444", "{rt60_s} s, {direct_db} dB");
    }
}

/// A tone goes on beneath a key, 10 dB weaker, and is one of the key's own.
#[test]
fn a_key_ends_though_one_of_its_tones_goes_on_weaker() {
    for (digit, hz) in [(Digit::at(0, 3), 1630.0), (Digit::at(1, 1), 771.0), (Digit::at(3, 2), 1478.0)] {
        let mut sound = one_key(digit, 0.6, |_| 0.0);
        sound.extend(vec![0.0; 8000]);
        for (n, sample) in sound.iter_mut().enumerate() {
            *sample += 0.063 * (TAU * hz * n as f64 / 8000.0).sin() as f32;
        }
        let found = events(&sound, 8000, 160);
        let ends = found.iter().filter_map(|event| if let Event::End(end) = event { Some(end) } else { None });
        let late: Vec<f64> = ends.map(|end| end.end as f64 / 8.0 - 900.0).collect();
        assert!(matches!(late[..], [late] if late.abs() < 20.0), "{digit:?} with {hz} Hz: {late:?} ms late");
    }
}

/// A key in a room whose echoes fade within 150 ms: what is left of it goes down after it, and is no other.
#[test]
fn the_rest_of_a_key_in_a_room_is_told_as_no_near_miss() {
    let mut rng = fastrand::Rng::with_seed(33);
    let room: Vec<f32> = (0..1200)
        .map(|n| if n == 0 { 1.0 } else { 0.24 * 10f32.powf(-(n as f32) / 400.0) * (rng.f32() - 0.5) })
        .collect();
    let config = GeneratorConfig { lead_ms: 300.0, ..GeneratorConfig::default() }.timing(50.0, 50.0);
    let keys: Vec<Digit> = Digit::all().collect();
    let dry = generate(&keys, &config).unwrap();
    let wet: Vec<f32> = (0..dry.len())
        .map(|at| room.iter().take(at + 1).enumerate().map(|(n, echo)| echo * dry[at - n]).sum())
        .collect();
    let events = events(&wet, 8000, 160);
    assert_eq!(heard(&events), keys.iter().map(|key| key.as_char()).collect::<String>());
    let rejected: Vec<_> = events.iter().filter(|event| matches!(event, Event::Rejected(_))).collect();
    assert!(rejected.is_empty(), "{rejected:?}");
}

/// As behind a coder of speech, or a decoder that makes up for lost packets: it sounds all the time, and is below half of what it was.
#[test]
fn a_short_key_whose_level_sinks_steadily_is_heard() {
    for digit in (0..4).flat_map(|row| (0..4).map(move |column| Digit::at(row, column))) {
        for falls_db in [12.0, 16.0, 20.0, 24.0] {
            only(digit, 0.05, |time| -falls_db * time / 0.05, &format!("-{falls_db} dB in 50 ms"));
        }
    }
}
