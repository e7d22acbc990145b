//! What the engine costs: one 10 ms block of a call, the detector on silence and on digits, and a whole payment.
//!
//! `make bench`. Figures are for comparing builds on one machine; nothing in the tests depends on them.
#![expect(missing_docs, reason = "criterion's macro makes an undocumented function")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tonopago::call::{Call, CallConfig};
use tonopago::demo::{self, Scenario, Stage};
use tonopago::dtmf::{Detector, Digit, GeneratorConfig, Profile, generate};
use tonopago::menu::Menu;
use tonopago::speech::Clips;

const BLOCK: usize = 80;

fn pago() -> Arc<Menu> {
    let text = include_str!("../menus/pago.yaml");
    Menu::parse("menus/pago.yaml", text, &*Clips::embedded()).expect("the shipped menu is good")
}

fn ten_seconds_of_digits() -> Vec<f32> {
    let digits: Vec<Digit> = "1234567890*#ABCD".repeat(4).chars().filter_map(Digit::from_char).collect();
    generate(&digits, &GeneratorConfig::default()).expect("the default is in range")
}

fn call_block(criterion: &mut Criterion) {
    let menu = pago();
    let mut group = criterion.benchmark_group("call");
    group.throughput(Throughput::Elements(BLOCK as u64));
    group.bench_function("block of 10 ms", |bencher| {
        let mut call = Call::new(Arc::clone(&menu), Clips::embedded(), &CallConfig::default());
        let mut line_out = [0.0; BLOCK];
        bencher.iter(|| {
            call.step(black_box(&[0.0; BLOCK]), &mut line_out);
            while call.poll_effect().is_some() {}
        });
    });
    group.finish();
}

fn detector(criterion: &mut Criterion) {
    let digits = ten_seconds_of_digits();
    let mut group = criterion.benchmark_group("detector");
    group.throughput(Throughput::Elements(digits.len() as u64));
    for (name, samples) in [("silence", vec![0.0; digits.len()]), ("continuous digits", digits)] {
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || Detector::new(8000, &Profile::default()).expect("8 kHz is supported"),
                |detector| {
                    let mut events = 0_u32;
                    detector.process(black_box(&samples), &mut |_| events += 1);
                    events
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
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

criterion_group!(benches, call_block, detector, whole_payment);
criterion_main!(benches);
