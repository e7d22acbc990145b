//! `tonopago conformance`: this build's detector, measured on every property it promises.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tonopago::audio::{Block, Recording, Resampler};
use tonopago::conformance::{Effort, Row, measure};
use tonopago::dtmf::Profile;

use super::{FAILED, Failure, Outcome};

/// Rate the detector is measured at, in Hz.
const RATE: u32 = 8000;

/// Measure this build's detector against what it promises, with enough trials for each claim
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tonopago conformance
  tonopago conformance --quick --format jsonl
  tonopago conformance --speech /usr/share/asterisk/sounds/en/vm-intro.wav

Exit codes: 0 every row passes, 1 a row fails or a file cannot be read, 2 the command line is wrong.")]
pub(super) struct Args {
    /// The receiver's limits
    #[arg(long, default_value = "default", value_parser = PossibleValuesParser::new(Profile::NAMES))]
    profile: String,
    /// Few trials: seconds, enough to see that nothing is broken
    #[arg(long)]
    quick: bool,
    /// Recorded speech for the rows that need it (first channel); without any they are left out
    #[arg(long, value_name = "FILE", num_args = 1..)]
    speech: Vec<PathBuf>,
    /// How the rows are written
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Table,
    /// One JSON object a row
    Jsonl,
}

pub(super) fn run(args: Args) -> Outcome {
    let profile = Profile::named(&args.profile).ok_or_else(|| Failure::usage("no such profile"))?;
    let mut speech = Vec::new();
    for path in &args.speech {
        read(path, &mut speech)?;
    }
    let speech = (!speech.is_empty()).then_some(&speech[..]);
    let effort = if args.quick { Effort::Quick } else { Effort::Full };
    let bar = progress_bar();
    let rows = measure(&profile, effort, speech, &mut |name| {
        bar.set_message(name.to_owned());
        bar.tick();
    });
    bar.finish_and_clear();
    for row in &rows {
        print(row, args.format)?;
    }
    let failed = rows.iter().filter(|row| !row.pass).count();
    if args.format == Format::Table {
        tell!("{} rows, {failed} failed", rows.len());
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// Appends a recording's first channel at 8 kHz.
fn read(path: &std::path::Path, samples: &mut Vec<f32>) -> Result<(), Failure> {
    let mut recording = Recording::open(path).map_err(Failure::failed)?;
    let mut resampler = Resampler::new(recording.sample_rate(), RATE);
    let mut block = Block::new();
    while recording.next_block(&mut block).map_err(Failure::failed)? {
        resampler.process(block.channel(0), samples);
    }
    resampler.finish(samples);
    Ok(())
}

fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {elapsed} {msg}").expect("the template is right");
    ProgressBar::new_spinner().with_style(style)
}

fn print(row: &Row, format: Format) -> Result<(), Failure> {
    let Row { name, target, measured, pass, trials, upper_bound } = row;
    match format {
        Format::Table => {
            let verdict = if *pass { "pass" } else { "FAIL" };
            tell!("{verdict}  {name:48} {target:34} {measured} (of {trials})");
        }
        Format::Jsonl => tell!(
            "{}",
            json!({ "name": name, "target": target, "measured": measured, "pass": pass, "trials": trials, "upper_bound": upper_bound })
        ),
    }
    Ok(())
}
