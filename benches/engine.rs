//! What the engine costs: one block of a call, blocks of the detector, many channels, a whole file, a whole payment; and
//! the distribution of the detector's latency.
//!
//! `make bench`. Figures are for comparing builds on one machine; nothing in the tests depends on them.
#![expect(missing_docs, reason = "criterion's macro makes an undocumented function")]

use std::hint::black_box;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tonopago::audio::{RawEncoding, RawFormat, Recording, SampleFormat};
use tonopago::call::{Call, CallConfig};
use tonopago::conformance::{Score, Signal};
use tonopago::decode::{Options, decode};
use tonopago::demo::{self, Scenario, Stage};
use tonopago::dtmf::{Detector, GeneratorConfig, Profile};
use tonopago::menu::Menu;
use tonopago::simulator::line::LineBuilder;
use tonopago::speech::{Clips, Language};

/// Samples of a call's block: 10 ms.
const CALL_BLOCK: usize = 80;
/// Samples of a detector's block: 20 ms.
const BLOCK: usize = 160;
/// Detectors that take turns: more state than the nearest cache holds.
const CHANNELS: usize = 64;
/// Blocks each of them hears in one run.
const TURNS: usize = 50;
/// Rate of all sound here, in Hz.
const RATE: u32 = 8000;

fn pago() -> Arc<Menu> {
    let text = include_str!("../menus/pago.yaml");
    Menu::parse("menus/pago.yaml", text, &*Clips::embedded()).expect("the shipped menu is good")
}

fn digits(count: usize) -> Signal {
    Signal::random(1, count, &GeneratorConfig::default().timing(50.0, 50.0))
}

/// Ten seconds of each sound; the speech is the program's own prompts.
fn sounds() -> [(&'static str, Vec<f32>); 4] {
    let length = 10 * RATE as usize;
    let clips = Clips::embedded();
    let prompts = clips.ids(Language::EsMx).filter_map(|id| clips.get(Language::EsMx, id));
    let speech: Vec<f32> = prompts.flat_map(|clip| clip.samples().iter().copied()).take(length).collect();
    [
        ("silence", vec![0.0; length]),
        ("noise", LineBuilder::new(2).noise_dbm0(-30.0).build(RATE).carry(&vec![0.0; length])),
        ("speech", speech),
        ("digits", digits(100).samples),
    ]
}

fn detector() -> Detector {
    Detector::new(RATE, &Profile::default()).expect("8 kHz is supported")
}

fn call_block(criterion: &mut Criterion) {
    let menu = pago();
    let mut group = criterion.benchmark_group("call");
    group.throughput(Throughput::Elements(CALL_BLOCK as u64));
    group.bench_function("block of 10 ms", |bencher| {
        let mut call = Call::new(Arc::clone(&menu), Clips::embedded(), &CallConfig::default());
        let mut line_out = [0.0; CALL_BLOCK];
        bencher.iter(|| {
            call.step(black_box(&[0.0; CALL_BLOCK]), &mut line_out);
            while call.poll_effect().is_some() {}
        });
    });
    group.finish();
}

/// Ten seconds in blocks, since a block's cost depends on what is in it.
fn detector_blocks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("detector, 500 blocks of 20 ms");
    for (name, samples) in sounds() {
        group.throughput(Throughput::Elements(samples.len() as u64));
        group.bench_function(name, |bencher| {
            let (mut detector, mut events) = (detector(), 0_u32);
            bencher.iter(|| {
                for block in samples.chunks_exact(BLOCK) {
                    detector.process(black_box(block), &mut |_| events += 1);
                }
            });
            black_box(events);
        });
    }
    group.finish();
}

fn many_channels(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("64 detectors in turn, 50 blocks of 20 ms each");
    group.sample_size(20).throughput(Throughput::Elements((CHANNELS * TURNS * BLOCK) as u64));
    for (name, samples) in sounds() {
        group.bench_function(name, |bencher| {
            let mut detectors: Vec<Detector> = (0..CHANNELS).map(|_| detector()).collect();
            let blocks: Vec<&[f32]> = samples.chunks_exact(BLOCK).collect();
            let (mut turn, mut events) = (0, 0_u32);
            bencher.iter(|| {
                for _ in 0..TURNS {
                    turn += 1;
                    for (channel, detector) in detectors.iter_mut().enumerate() {
                        // Each channel is somewhere else in the sound.
                        let block = blocks[(turn + 7 * channel) % blocks.len()];
                        detector.process(black_box(block), &mut |_| events += 1);
                    }
                }
            });
            black_box(events);
        });
    }
    group.finish();
}

fn whole_file(criterion: &mut Criterion) {
    let samples = digits(600).samples;
    let bytes: Vec<u8> = samples.iter().flat_map(|x| ((x * 32767.0) as i16).to_le_bytes()).collect();
    let raw = RawFormat { sample_rate: RATE, channels: 1, format: RawEncoding::Samples(SampleFormat::S16Le) };
    let mut group = criterion.benchmark_group("decode");
    group.sample_size(20).throughput(Throughput::Elements(samples.len() as u64));
    group.bench_function("a minute of digits, 16 bit", |bencher| {
        bencher.iter_batched(
            || Recording::from_raw("bench", Cursor::new(bytes.clone()), raw).expect("the form is right"),
            |recording| decode(recording, &Options::default(), &mut |_| ControlFlow::Continue(())),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

/// Not a time of this machine but of the sound: from the onset to the report, in samples that had to be heard.
fn latency_distribution(_: &mut Criterion) {
    for (name, noise) in [("clean", None), ("15 dB S/N", Some(-22.0)), ("6 dB S/N", Some(-13.0))] {
        let mut signal = digits(2000);
        if let Some(level) = noise {
            signal.samples = LineBuilder::new(3).noise_dbm0(level).build(RATE).carry(&signal.samples);
        }
        let mut latencies = Score::of(&signal, &Profile::default()).latencies;
        latencies.sort_by(f64::total_cmp);
        let part = |part: f64| latencies[((latencies.len() - 1) as f64 * part).round() as usize];
        let parts = [0.0, 0.05, 0.5, 0.95, 0.99, 1.0].map(|at| format!("{:.2}", part(at))).join(" / ");
        println!("onset to report, {name}: min / p5 / p50 / p95 / p99 / max {parts} ms of {}", latencies.len());
    }
}

fn whole_payment(criterion: &mut Criterion) {
    let scenario = Scenario::named("paid").expect("the demo has it");
    let menu = pago();
    let mut group = criterion.benchmark_group("demo");
    group.sample_size(10);
    group.bench_function("paid call with its services", |bencher| {
        bencher.iter(|| {
            let stage = Stage::start(scenario.fault, None).expect("loopback is there");
            demo::play(scenario, scenario.script(), 1, Arc::clone(&menu), &stage, &mut |_| {}).map(drop)
        });
    });
    group.finish();
}

criterion_group!(benches, call_block, detector_blocks, many_channels, whole_file, latency_distribution, whole_payment);
criterion_main!(benches);
