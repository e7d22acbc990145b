//! How many samples a second each takes, on one core, decisions included.

use std::hint::black_box;

use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use tonopago::audio::wav::to_16_bits;
use tonopago::conformance::RATE;
use tonopago::dtmf::{Detector, Profile};

use crate::Plan;
use crate::peers::{for_multimon_ng, multimon_ng_lines, spandsp_with};
use crate::sounds::Sounds;
use crate::table::{Log, or_absent, row};

/// Samples of each sound: five minutes.
const LENGTH: usize = 300 * RATE as usize;
/// Samples in a block: 20 ms.
const BLOCK: usize = 160;
/// Processor time a run shall take, in seconds: much more than a tick of the clock.
const RUN_SECONDS: f64 = 0.4;
/// How often multimon-ng hears each sound in a run: its time is known to a tick only.
const MULTIMON_PASSES: usize = 4;
/// Ticks of Linux's count of processor time in a second (USER_HZ).
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds that each took for the whole sound, run by run. Runs alternate, so that whatever else the machine does strikes all.
#[derive(Default)]
struct Runs {
    ours: Vec<f64>,
    spandsp: Vec<f64>,
    multimon_ng: Vec<f64>,
}

pub(crate) fn measure(plan: &Plan, sounds: &Sounds, log: &mut Log) {
    println!("\nThroughput, one core, 8 kHz, 16 bits from memory in blocks of 20 ms: millions of samples a second");
    println!("(processor time; multimon-ng: that of its whole process, at its own 22.05 kHz)");
    row("", &["tonopago", "spandsp", "multimon-ng", "of spandsp", "spread", "of multimon-ng"].map(str::to_owned));
    let rounds = if plan.quick { 3 } else { 9 };
    for (name, samples) in sounds.for_cost(LENGTH) {
        let runs = runs(&samples, rounds);
        tell(name, samples.len(), &runs, log);
    }
}

fn runs(samples: &[f32], rounds: usize) -> Runs {
    let sixteen_bits: Vec<i16> = samples.iter().map(|sample| to_16_bits(*sample)).collect();
    let for_multimon = for_multimon_ng(samples);
    let our_passes = passes(&|n| ours(&sixteen_bits, n));
    let spandsp = |n: usize| spandsp_with(&["cost", &n.to_string()], samples).map(|text| text.trim().parse().unwrap());
    let spandsp_passes = spandsp(1).map_or(0, |_| passes(&|n| spandsp(n).unwrap_or(f64::MAX)));
    let mut runs = Runs::default();
    for _ in 0..rounds {
        runs.ours.push(ours(&sixteen_bits, our_passes) / our_passes as f64);
        if spandsp_passes > 0 {
            runs.spandsp.extend(spandsp(spandsp_passes).map(|seconds: f64| seconds / spandsp_passes as f64));
        }
        runs.multimon_ng.extend(multimon_ng(&for_multimon));
    }
    runs
}

/// How often the sound must be heard for a run to be long enough.
fn passes(run: &dyn Fn(usize) -> f64) -> usize {
    let once = run(1).max(1e-6);
    (RUN_SECONDS / once).ceil().clamp(1.0, 1e6) as usize
}

/// Processor time in seconds for hearing 16-bit samples so many times.
fn ours(samples: &[i16], passes: usize) -> f64 {
    let before = processor_time();
    hear_often(samples, passes);
    processor_time() - before
}

/// Hears 16-bit samples so many times.
pub(crate) fn hear_often(samples: &[i16], passes: usize) {
    let mut detector = Detector::new(RATE, &Profile::default()).unwrap();
    let mut events = 0_u64;
    for _ in 0..passes {
        for block in samples.chunks(BLOCK) {
            detector.process(block, &mut |_| events += 1);
        }
    }
    black_box(events);
}

fn processor_time() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + 1e-9 * now.tv_nsec as f64
}

/// Processor time of a process of multimon-ng for the whole sound.
fn multimon_ng(bytes: &[u8]) -> Option<f64> {
    let before = children_time()?;
    for _ in 0..MULTIMON_PASSES {
        black_box(multimon_ng_lines(bytes)?);
    }
    Some((children_time()? - before).max(1.0 / TICKS_PER_SECOND) / MULTIMON_PASSES as f64)
}

/// Processor time of all processes that were started and have ended, in seconds, as Linux counts it: in ticks.
fn children_time() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the program's name, which may hold blanks: fields 16 and 17 of proc(5), the 14th and 15th from there.
    let ticks = stat.rsplit_once(')')?.1.split_whitespace().skip(13).take(2);
    let ticks: f64 = ticks.map(|field| field.parse::<f64>().unwrap_or(0.0)).sum();
    Some(ticks / TICKS_PER_SECOND)
}

fn tell(name: &str, length: usize, runs: &Runs, log: &mut Log) {
    let rate = |seconds: &[f64]| median(seconds).map(|seconds| length as f64 / seconds);
    let ratios =
        |theirs: &[f64]| theirs.iter().zip(&runs.ours).map(|(theirs, ours)| theirs / ours).collect::<Vec<f64>>();
    let (to_spandsp, to_multimon) = (ratios(&runs.spandsp), ratios(&runs.multimon_ng));
    let million = |rate: Option<f64>| or_absent(rate.map(|rate| format!("{:.2}", rate / 1e6)));
    let times = |ratio: Option<f64>| or_absent(ratio.map(|ratio| format!("{ratio:.3} x")));
    let spread = bounds(&to_spandsp).map(|(least, most)| format!("{least:.3}..{most:.3}"));
    row(
        name,
        &[
            million(rate(&runs.ours)),
            million(rate(&runs.spandsp)),
            million(rate(&runs.multimon_ng)),
            times(median(&to_spandsp)),
            or_absent(spread),
            times(median(&to_multimon)),
        ],
    );
    log.write(&json!({
        "figure": "throughput", "sound": name, "samples": length, "rounds": runs.ours.len(),
        "samples_per_second": { "tonopago": rate(&runs.ours), "spandsp": rate(&runs.spandsp), "multimon-ng": rate(&runs.multimon_ng) },
        "ratio_to_spandsp": median(&to_spandsp), "ratio_to_spandsp_range": bounds(&to_spandsp),
        "ratio_to_multimon_ng": median(&to_multimon), "ratio_to_multimon_ng_range": bounds(&to_multimon),
    }));
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle)?;
    Some(if sorted.len().is_multiple_of(2) { 0.5 * (sorted[middle - 1] + upper) } else { *upper })
}

fn bounds(values: &[f64]) -> Option<(f64, f64)> {
    let least = values.iter().copied().reduce(f64::min)?;
    Some((least, values.iter().copied().fold(least, f64::max)))
}
