//! The same sound through this detector, spandsp and multimon-ng, in one run: throughput, latency, accuracy, false digits.
//!
//! `make bench-peers`; `ARGS=--quick` for fewer trials and rounds, `ARGS='--recordings FOLDER'` for recordings with known
//! digits. Everybody gets the same 16-bit samples from memory. A peer that is not installed is left out, and said so. Beside
//! the tables, every figure is written as a JSON object to `target/peers.jsonl`. `--instructions` (`make instructions`) counts
//! instructions for each sample instead, with valgrind.
#![expect(clippy::unwrap_used, reason = "a measurement that can not go on is to stop and say where")]

mod accuracy;
mod instructions;
mod latency;
#[path = "../../tests/peers/mod.rs"]
mod peers;
mod sounds;
mod table;
mod throughput;

use std::path::PathBuf;

use tonopago::conformance::KnownRecordings;

use sounds::Sounds;
use table::Log;

/// What to measure.
struct Plan {
    quick: bool,
    instructions: bool,
    recordings: Vec<KnownRecordings>,
}

fn main() {
    // Valgrind runs this program again, to count what one sound costs.
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, sound, passes] = &arguments[..]
        && word == instructions::HEAR
    {
        return instructions::hear(sound, passes.parse().unwrap());
    }
    let plan = match plan(std::env::args().skip(1)) {
        Ok(plan) => plan,
        Err(message) => {
            eprintln!("peers: {message}");
            std::process::exit(2);
        }
    };
    let file = if plan.instructions { "instructions.jsonl" } else { "peers.jsonl" };
    let mut log = Log::create(&PathBuf::from(env!("CARGO_TARGET_TMPDIR")).with_file_name(file));
    if plan.instructions {
        return instructions::measure(&mut log);
    }
    let sounds = Sounds::collect(usize::MAX);
    throughput::measure(&plan, &sounds, &mut log);
    latency::measure(&plan, &mut log);
    accuracy::measure(&plan, &sounds, &mut log);
    println!("\nEvery figure: {}", log.path().display());
}

fn plan(arguments: impl Iterator<Item = String>) -> Result<Plan, String> {
    let mut plan = Plan { quick: false, instructions: false, recordings: Vec::new() };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // Cargo's own.
            "--bench" => {}
            "--quick" => plan.quick = true,
            "--instructions" => plan.instructions = true,
            "--recordings" => {
                let folder = arguments.next().ok_or("--recordings takes a folder")?;
                let read = KnownRecordings::read(&PathBuf::from(folder), 1.0).map_err(|error| error.to_string())?;
                plan.recordings.push(read);
            }
            other => return Err(format!("`{other}` is not known here: --quick, --recordings FOLDER, --instructions")),
        }
    }
    Ok(plan)
}
