//! Keys of which packets are lost, and keys too short that are pressed twice.

use super::*;
use std::f64::consts::TAU;

/// Sound at 8 kHz: a key from sample `lead` on, in parts in ms: of tone and of nothing in turns. The tones go on behind what is
/// lost; those of a key that is `pressed_again` begin anew.
fn in_parts(digit: Digit, lead: usize, parts_ms: &[f64], pressed_again: Option<&mut fastrand::Rng>) -> Vec<f32> {
    let mut samples = vec![0.0; lead];
    let (mut phases, mut rng) = ([0.4, 1.3], pressed_again);
    for (turn, ms) in parts_ms.iter().enumerate() {
        if let Some(rng) = &mut rng {
            phases = [0, 1].map(|_| TAU * rng.f64());
        }
        for _ in 0..(8.0 * ms) as usize {
            let step = |tone: usize| TAU * f64::from(digit.nominal_hz()[tone]) * (samples.len() - lead) as f64 / 8000.0;
            let both: f64 = [0, 1].iter().map(|tone| (step(*tone) + phases[*tone]).sin()).sum();
            samples.push(if turn % 2 == 0 { 0.2 * both as f32 } else { 0.0 });
        }
    }
    samples.resize(samples.len() + 1600, 0.0);
    samples
}

/// How many times each of the keys was heard, whenever it began, and how many of them not once.
fn count(mut sound: impl FnMut(Digit, usize) -> Vec<f32>) -> (usize, usize, usize) {
    let (mut keys, mut told, mut missed) = (0, 0, 0);
    for digit in Digit::all() {
        for lead in (0..32).map(|late| 1200 + late) {
            let heard = heard(&events(&sound(digit, lead), 8000, 160));
            assert!(heard.chars().all(|key| key == digit.as_char()), "{digit}: {heard}");
            (keys, told, missed) = (keys + 1, told + heard.len(), missed + usize::from(heard.is_empty()));
        }
    }
    (keys, told, missed)
}

#[test]
fn a_key_that_loses_two_packets_in_its_middle_is_heard_once() {
    for first_ms in [18.0, 19.5, 21.0] {
        let parts = [first_ms, 40.0, 40.0 - first_ms];
        let (keys, told, missed) = count(|digit, lead| in_parts(digit, lead, &parts, None));
        assert!(told + missed == keys, "{first_ms} ms: {told} of {keys} told, {missed} missed");
        assert!(missed < keys / 10, "{first_ms} ms: {missed} of {keys} missed");
    }
}

#[test]
fn a_key_pressed_twice_too_short_is_none() {
    let mut rng = fastrand::Rng::with_seed(17);
    for pause_ms in [26.0, 30.0, 40.0, 44.0] {
        let (keys, told, _) = count(|digit, lead| in_parts(digit, lead, &[21.0, pause_ms, 21.0], Some(&mut rng)));
        assert!(told < keys / 20, "{pause_ms} ms: {told} of {keys} told");
    }
}
