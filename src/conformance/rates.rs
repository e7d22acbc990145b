//! The same digits at the same times, whatever the sample rate.

use super::row::{Bench, Finding, Item};
use super::score::Times;
use super::setting::{Group, tones};
use super::signal::RATE;
use crate::dtmf::{Digit, GeneratorConfig, generate};

/// Rates compared with 8 kHz, in Hz.
const RATES: [u32; 6] = [11_025, 16_000, 44_100, 48_000, 96_000, 192_000];

pub(super) fn items<'a>() -> Vec<Item<'a>> {
    let item = |rate| {
        let name = format!("the same at {rate} Hz");
        Item::new(Group::Promise, name, move |bench: &mut Bench<'_>| compare(bench, rate))
    };
    RATES.into_iter().map(item).collect()
}

fn compare(bench: &Bench<'_>, rate: u32) -> Finding {
    let digits: Vec<Digit> = Digit::all().collect();
    let heard = |rate: u32| {
        let config = GeneratorConfig { sample_rate: rate, lead_ms: 100.0, ..tones(-10.0) };
        let audio = generate(&digits, &config).expect("the configurations of this room are in range");
        bench.hear(&audio, rate)
    };
    let ms = |sample: u64, rate: u32| sample as f64 * 1000.0 / f64::from(rate);
    let (here, there) = (heard(RATE), heard(rate));
    let pairs = || here.iter().zip(&there);
    let same = here.len() == there.len() && pairs().all(|(a, b)| a.digit == b.digit);
    let each = |times: Times| [times.start, times.end, times.reported];
    let apart = pairs()
        .filter_map(|(a, b)| a.times.zip(b.times))
        .flat_map(|(a, b)| each(a).into_iter().zip(each(b)))
        .map(|(a, b)| (ms(a, RATE) - ms(b, rate)).abs())
        .reduce(f64::max);
    let times = apart.map_or_else(|| "no times told".to_owned(), |apart| format!("times within {apart:.1} ms"));
    Finding {
        target: "same digits, times within 2 ms".to_owned(),
        measured: format!("{} of {} digits, {times}", there.len(), here.len()),
        pass: same && apart.is_none_or(|apart| apart <= 2.0) && here.len() == 16,
        trials: 16,
        failed: None,
    }
}
