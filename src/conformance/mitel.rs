//! The procedures of the Mitel CM7291 test tape, with tones made here instead of the tape's.

use super::row::{Bench, Finding, Item};
use super::setting::{Group, send_off, tones};
use super::signal::{RATE, Signal};
use crate::dtmf::{Digit, GeneratorConfig, Profile};
use crate::simulator::line::LineBuilder;

/// Digits whose tones are swept: between them they have all eight.
const SWEPT: [char; 4] = ['1', '5', '9', 'D'];
/// Step of the frequency sweep, as a fraction.
const STEP: f64 = 0.001;
/// Steps each way.
const STEPS: i32 = 50;
/// Pulses in the tests of noise.
const NOISE_PULSES: usize = 1000;

/// The rows of this group.
pub(super) fn items<'a>() -> Vec<Item<'a>> {
    let mut items = vec![item("decode check, all 16 digits", decode_check)];
    for digit in SWEPT {
        for low in [true, false] {
            let name = format!("recognition bandwidth of {digit}, {} tone", if low { "low" } else { "high" });
            items.push(item(&name, move |bench| bandwidth(bench, digit, low)));
        }
    }
    items.push(item("acceptable twist, normal", |bench| twist(bench, 1.0)));
    items.push(item("acceptable twist, reverse", |bench| twist(bench, -1.0)));
    items.push(item("dynamic range", dynamic_range));
    items.push(item("guard time", guard_time));
    for snr in [24.0, 18.0, 12.0] {
        items.push(item(&format!("noise {snr} dB below one tone"), move |bench| noise(bench, snr)));
    }
    items
}

fn item<'a>(name: &str, measure: impl FnOnce(&mut Bench<'_>) -> Finding + 'a) -> Item<'a> {
    Item::new(Group::Mitel, name.to_owned(), measure)
}

/// Pulses at each step: the tape has one, with random phases here.
fn pulses(bench: &Bench<'_>) -> usize {
    bench.trials(400).min(16)
}

/// How many of `count` pulses of a digit are heard.
fn heard(bench: &Bench<'_>, seed: u64, digit: Digit, config: &GeneratorConfig, count: usize) -> usize {
    let mut signal = Signal::new(seed);
    (0..count).for_each(|_| signal.send(digit, config));
    signal.silence(100.0);
    count - bench.score(&signal).missed
}

fn decode_check(bench: &mut Bench<'_>) -> Finding {
    let each = bench.trials(800);
    let missed = Digit::all().map(|digit| each - heard(bench, 1301, digit, &tones(-17.0), each)).sum::<usize>();
    let trials = 16 * each;
    Finding {
        target: "none missed".to_owned(),
        measured: format!("{missed} missed"),
        pass: missed == 0,
        trials,
        failed: Some(missed),
    }
}

/// The widest deviations each way up to which every pulse is heard, and the narrowest beyond which none is.
fn bandwidth(bench: &mut Bench<'_>, key: char, low: bool) -> Finding {
    let digit = Digit::from_char(key).expect("the swept keys are digits");
    let (tone, other) = if low { (digit.row(), digit.column()) } else { (4 + digit.column(), digit.row()) };
    let count = pulses(bench);
    let edge = |sign: f64| {
        let found = |step: i32| {
            let mut signal = Signal::new(1302 + step as u64);
            for _ in 0..count {
                send_off(&mut signal, &tones(-17.0), tone, other, |_| sign * STEP * f64::from(step));
            }
            signal.silence(100.0);
            bench.hear(&signal.samples, RATE).len()
        };
        let accepted = (0..=STEPS).take_while(|step| found(*step) == count).count().saturating_sub(1);
        let refused = (0..=STEPS).rev().take_while(|step| found(*step) == 0).last().unwrap_or(STEPS);
        (accepted as f64 * STEP, f64::from(refused) * STEP)
    };
    let (up, down) = (edge(1.0), edge(-1.0));
    let Profile { accept_fraction, reject_fraction, .. } = bench.profile();
    let (width, centre) = (0.5 * (up.0 + down.0), 0.5 * (up.0 - down.0));
    Finding {
        target: format!("{:.1} % to {:.1} %", accept_fraction * 100.0, reject_fraction * 100.0),
        measured: format!(
            "{:.2} % each way, centre {:+.2} %, none beyond {:.1} %",
            width * 100.0,
            centre * 100.0,
            up.1.max(down.1) * 100.0
        ),
        pass: up.0.min(down.0) >= accept_fraction - 1e-9 && up.1.max(down.1) <= reject_fraction + 1e-9,
        trials: 4 * count * STEPS as usize,
        failed: None,
    }
}

/// The strong tone at -3 dBm0, the weak one lowered in steps of 0.5 dB.
fn twist(bench: &mut Bench<'_>, sign: f64) -> Finding {
    let count = pulses(bench);
    let every = |db: f64| {
        let of = |(index, digit): (usize, Digit)| {
            heard(bench, 1303 + index as u64, digit, &tones(-3.0).twist(sign * db), count) == count
        };
        Digit::all().enumerate().all(of)
    };
    let accepted = (0..=40).map(|step| 0.5 * f64::from(step)).take_while(|db| every(*db)).last().unwrap_or(0.0);
    let profile = bench.profile();
    let wanted = if sign > 0.0 { profile.normal_twist_db } else { profile.reverse_twist_db };
    value(format!(">= {wanted} dB"), format!("{accepted:.1} dB"), accepted >= wanted, 16 * count)
}

/// From +3 dBm0 down in steps of 1 dB.
fn dynamic_range(bench: &mut Bench<'_>) -> Finding {
    let count = pulses(bench);
    let one = Digit::at(0, 0);
    let every = |step: &i32| heard(bench, 1304, one, &tones(3.0 - f64::from(*step)), count) == count;
    let range = (0..=53).take_while(every).last().unwrap_or(0);
    let wanted = 3.0 - bench.profile().floor_dbm0;
    value(format!(">= {wanted} dB"), format!("{range} dB, from +3 dBm0"), f64::from(range) >= wanted, count)
}

/// Pulses from 49 ms down to 10 ms: the shortest length up to which all are heard, the longest at which none is.
fn guard_time(bench: &mut Bench<'_>) -> Finding {
    let count = bench.trials(1000);
    let found = |ms: u32| heard(bench, 1305, Digit::at(0, 0), &tones(-10.0).timing(f64::from(ms), 50.0), count);
    let all = (10..=49).rev().take_while(|ms| found(*ms) == count).last().unwrap_or(50);
    let none = (10..=49).take_while(|ms| found(*ms) == 0).last().unwrap_or(9);
    let Profile { accept_tone_ms: accept, reject_tone_ms: reject, .. } = bench.profile();
    let pass = f64::from(all) <= accept && f64::from(none) >= reject;
    value(
        format!("all at {accept} ms, none at {reject} ms"),
        format!("all from {all} ms, none to {none} ms"),
        pass,
        count,
    )
}

/// Tones of -4 dBm0 in noise.
fn noise(bench: &mut Bench<'_>, snr_db: f64) -> Finding {
    let count = bench.trials(NOISE_PULSES);
    let mut signal = Signal::new(1306);
    (0..count).for_each(|_| signal.send(Digit::at(0, 0), &tones(-4.0)));
    signal.silence(100.0);
    signal.samples = LineBuilder::new(1306).noise_dbm0(-4.0 - snr_db).build(RATE).carry(&signal.samples);
    let missed = bench.score(&signal).missed;
    let target = "none missed".to_owned();
    Finding { target, measured: format!("{missed} missed"), pass: missed == 0, trials: count, failed: Some(missed) }
}

fn value(target: String, measured: String, pass: bool, trials: usize) -> Finding {
    Finding { target, measured, pass, trials, failed: None }
}
