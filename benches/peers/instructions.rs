//! Instructions for each sample, counted by valgrind's callgrind: they do not depend on what else the machine does.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;
use tonopago::audio::wav::to_16_bits;
use tonopago::conformance::RATE;

use crate::peers::spandsp_program;
use crate::sounds::Sounds;
use crate::table::{Log, or_absent, row};
use crate::throughput::hear_often;

/// The argument that makes this program hear a sound and end.
pub(crate) const HEAR: &str = "--hear";
/// Samples of each sound: twenty seconds.
const LENGTH: usize = 20 * RATE as usize;
/// How often each sound is heard, few times and more: the difference is free of what making it costs.
const PASSES: (u64, u64) = (1, 3);

/// What runs under valgrind: hears a sound so many times.
pub(crate) fn hear(sound: &str, passes: usize) {
    let sounds = Sounds::collect(LENGTH).for_cost(LENGTH);
    let (_, samples) = sounds.iter().find(|(name, _)| *name == sound).unwrap();
    hear_often(&sixteen_bits(samples), passes);
}

pub(crate) fn measure(log: &mut Log) {
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("valgrind is not installed: no instructions are counted");
        return;
    }
    println!("\nInstructions for each sample, 8 kHz, blocks of 20 ms (valgrind --tool=callgrind)");
    row("", &["tonopago", "spandsp", "spandsp of tonopago"].map(str::to_owned));
    let this = std::env::current_exe().unwrap();
    for (name, samples) in Sounds::collect(LENGTH).for_cost(LENGTH) {
        let bytes: Vec<u8> = sixteen_bits(&samples).into_iter().flat_map(i16::to_ne_bytes).collect();
        let each = |count: &dyn Fn(&str) -> u64| {
            let (few, more) = (count(&PASSES.0.to_string()), count(&PASSES.1.to_string()));
            (more - few) as f64 / ((PASSES.1 - PASSES.0) * samples.len() as u64) as f64
        };
        let ours = each(&|passes| counted(&this, &[HEAR, name, passes], &[]));
        let spandsp = spandsp_program().map(|program| each(&|passes| counted(program, &["cost", passes], &bytes)));
        let ratio = spandsp.map(|spandsp| format!("{:.3} x", spandsp / ours));
        row(name, &[format!("{ours:.1}"), or_absent(spandsp.map(|n| format!("{n:.1}"))), or_absent(ratio)]);
        log.write(&json!({ "figure": "instructions_per_sample", "sound": name, "tonopago": ours, "spandsp": spandsp }));
    }
}

/// Instructions of a whole run of a program.
fn counted(program: &Path, arguments: &[&str], input: &[u8]) -> u64 {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program).args(arguments);
    let mut child = valgrind.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that reads nothing may have ended by now.
    let _ = child.stdin.take().unwrap().write_all(input);
    let told = String::from_utf8_lossy(&child.wait_with_output().unwrap().stderr).into_owned();
    let count = told.lines().find_map(|line| line.split_once("Collected :"));
    let Some((_, count)) = count else {
        eprintln!("valgrind counted nothing:\n{told}");
        std::process::exit(1);
    };
    count.trim().parse().unwrap()
}

fn sixteen_bits(samples: &[f32]) -> Vec<i16> {
    samples.iter().map(|sample| to_16_bits(*sample)).collect()
}
