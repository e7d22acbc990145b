//! `tonopago conformance`: this build's detector, or another receiver, measured on every property ours promises.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tonopago::audio::{Block, Recording, Resampler, Warning};
use tonopago::conformance::{
    Effort, Group, KnownRecordings, Options, OtherReceiver, RATE, Row, Told, curves, measure, names, page,
};
use tonopago::decode::{Gathered, Input, Name, gather};
use tonopago::dtmf::Digit;

use super::profile::ProfileArgs;
use super::{FAILED, Failure, Outcome, programs};

/// Edit errors allowed in recordings where nothing else is said, in percent.
const DEFAULT_ERRORS: f64 = 10.0;
/// Silence put between two recordings, in samples: they are heard as one.
const BETWEEN: usize = RATE as usize / 5;

/// Measure this build's detector, or another, against what ours promises, with enough trials for each claim
///
/// A full run takes minutes. Every row tells the number of trials and the proportion of failures that is exceeded with a
/// chance of 5 % at most.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tonopago conformance
  tonopago conformance --quick --format jsonl
  tonopago conformance --only noise --only q24
  tonopago conformance --speech /usr/share/asterisk/sounds/en_US_f_Allison \\
           --format html > report.html
  tonopago conformance --recordings acoustic=12 --recordings fast=1 --only recordings
  tonopago conformance --quick --receiver 'sh hear.sh {file}'

The program of --receiver is given WAV files, by name or on its standard input, and tells the digits it hears: as keys, or as \
lines of `decode --format jsonl`, whose times are measured, too. No shell is involved: hear.sh may be, for multimon-ng,
  sox \"$1\" -r 22050 -t raw - | multimon-ng -q -a DTMF -t raw - | sed 's/DTMF: //'

A folder of --recordings holds truth.tsv, with lines of file name, tab, digits (a line that begins with `# ` is a \
comment), or else WAV files whose names are their digits.

Exit codes: 0 every row passes, 1 a row fails or a file cannot be read, 2 the command line is wrong.")]
pub(super) struct Args {
    #[command(flatten)]
    profile: ProfileArgs,
    /// Few trials: seconds, enough to see that nothing is broken
    #[arg(long)]
    quick: bool,
    /// Recorded speech (files or folders, first channel) for the rows that need it
    #[arg(long, value_name = "PATH", num_args = 1..)]
    speech: Vec<PathBuf>,
    /// Recorded music (files or folders, first channel)
    #[arg(long, value_name = "PATH", num_args = 1..)]
    music: Vec<PathBuf>,
    /// A folder of recordings with known digits, and the edit errors allowed in percent of them [default: 10]
    #[arg(long, value_name = "FOLDER[=PERCENT]", value_parser = parse_recordings)]
    recordings: Vec<(PathBuf, f64)>,
    /// Only rows with this in their name, or of this group: promise, talk-off, q24, etsi, mitel, recordings
    #[arg(long, value_name = "WORD")]
    only: Vec<String>,
    /// Name the rows, and measure none
    #[arg(long)]
    list: bool,
    /// Measure another receiver, a program, in the place of ours; {file} stands for the sound, else it is given on its standard \
    /// input
    #[arg(long, value_name = "COMMAND", value_parser = OtherReceiver::new)]
    receiver: Option<OtherReceiver>,
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
    /// A page with curves, complete in itself
    Html,
}

pub(super) fn run(args: Args) -> Outcome {
    let options = args.options()?;
    let wanted = names(&options).into_iter().filter(|(group, name)| is_wanted(*group, name, &args.only));
    let wanted: Vec<(Group, String)> = wanted.collect();
    if wanted.is_empty() {
        return Err(Failure::usage(format!("no row fits --only {}: --list names them", args.only.join(" --only "))));
    }
    if args.list {
        for (group, name) in wanted {
            tell!("{:10}  {name}", group.word());
        }
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(other) = &options.other {
        programs::end_with_this_one();
        try_out(other)?;
    }
    let mut report = Report::new(args.format, &options);
    let rows = measure(&options, &mut |told| report.hear(told));
    if args.format != Format::Html {
        report.end()?;
        return summary(&rows, args.format);
    }
    let charts = curves(&options, &mut |told| report.hear(told));
    report.end()?;
    tell!("{}", page(&options, &rows, charts.as_deref().unwrap_or_default()));
    let judged = summary(&rows, args.format);
    charts.map_err(|trouble| Failure::failed(format!("there are no curves, for the receiver failed: {trouble}")))?;
    judged
}

/// A receiver that can't be run is told of before anything is measured; one that hears other digits may be meant to.
fn try_out(other: &OtherReceiver) -> Result<(), Failure> {
    let heard = other.try_out().map_err(|error| Failure::failed(format!("--receiver: {error}")))?;
    let sent: String = Digit::all().map(Digit::as_char).collect();
    if heard != sent {
        say!("tonopago: warning: sent {sent}, loud and clear, the receiver hears {heard:?}");
    }
    Ok(())
}

fn summary(rows: &[Row], format: Format) -> Outcome {
    let failed = rows.iter().filter(|row| !row.pass).count();
    let skipped = rows.iter().filter(|row| row.skipped.is_some()).count();
    let told = format!("{} rows, {failed} failed, {skipped} skipped", rows.len());
    match format {
        Format::Table => tell!("{told}"),
        Format::Jsonl | Format::Html => say!("tonopago: {told}"),
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

impl Args {
    fn options(&self) -> Result<Options, Failure> {
        let known = |(folder, percent): &(PathBuf, f64)| {
            let known = KnownRecordings::read(folder, percent / 100.0).map_err(Failure::failed)?;
            known.files.iter().for_each(|known| warn(&Name(&folder.join(&known.file)), known.warning.as_ref()));
            Ok(known)
        };
        Ok(Options {
            profile: self.profile.profile(),
            other: self.receiver.clone(),
            effort: if self.quick { Effort::Quick } else { Effort::Full },
            speech: read_all(&self.speech)?,
            music: read_all(&self.music)?,
            recordings: self.recordings.iter().map(known).collect::<Result<_, Failure>>()?,
            only: self.only.clone(),
        })
    }
}

fn is_wanted(group: Group, name: &str, words: &[String]) -> bool {
    let (name, words) = (name.to_lowercase(), words.iter().map(|word| word.to_lowercase()));
    words.len() == 0 || words.into_iter().any(|word| group.word() == word || name.contains(&word))
}

fn parse_recordings(text: &str) -> Result<(PathBuf, f64), String> {
    let Some((folder, percent)) = text.rsplit_once('=') else { return Ok((PathBuf::from(text), DEFAULT_ERRORS)) };
    match percent.parse() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok((PathBuf::from(folder), percent)),
        _ => Err(format!("`{percent}` is no percentage from 0 to 100")),
    }
}

/// The first channels of all recordings that are named, one behind the other at [`RATE`].
fn read_all(paths: &[PathBuf]) -> Result<Vec<f32>, Failure> {
    let Gathered { inputs, errors, left_out } = gather(paths, false);
    if !left_out.is_empty() {
        say!("tonopago: {left_out}");
    }
    if let Some(error) = errors.into_iter().next() {
        return Err(Failure::failed(error));
    }
    let mut samples = Vec::new();
    for input in inputs {
        match input {
            Input::File(path) => read(&path, &mut samples)?,
            Input::Standard => return Err(Failure::usage("sound comes from files here, not from standard input")),
        }
    }
    Ok(samples)
}

fn read(path: &Path, samples: &mut Vec<f32>) -> Result<(), Failure> {
    let mut recording = Recording::open(path).map_err(Failure::failed)?;
    let mut resampler = Resampler::new(recording.sample_rate(), RATE);
    let mut block = Block::new();
    while recording.next_block(&mut block).map_err(Failure::failed)? {
        resampler.process(block.channel(0), samples);
    }
    let name = Name(path);
    match recording.warning() {
        Some(warning) if warning.is_failure() => return Err(Failure::failed(format!("{name}: {warning}"))),
        warning => warn(&name, warning),
    }
    resampler.finish(samples);
    samples.resize(samples.len() + BETWEEN, 0.0);
    Ok(())
}

/// Says what is wrong with a recording that is measured with all the same: less of it may be there than its owner knows.
fn warn(recording: &Name<'_>, warning: Option<&Warning>) {
    warning.iter().for_each(|warning| say!("tonopago: warning: {recording}: {warning}"));
}

/// Writes rows as they come, with a bar for the present one below them.
struct Report {
    format: Format,
    effort: Effort,
    /// The command line of another receiver than ours.
    receiver: Option<String>,
    bar: ProgressBar,
    group: Option<Group>,
    outcome: Result<(), Failure>,
}

impl Report {
    fn new(format: Format, options: &Options) -> Self {
        let bar = if io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{prefix} {msg:44!} {wide_bar} {pos}/{len} {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let receiver = options.other.as_ref().map(OtherReceiver::to_string);
        Self { format, effort: options.effort, receiver, bar, group: None, outcome: Ok(()) }
    }

    fn hear(&mut self, told: Told<'_>) {
        match told {
            Told::Begin { name, index, of } => {
                self.bar.set_prefix(format!("[{}/{of}]", index + 1));
                self.bar.set_message(name.to_owned());
                self.bar.set_length(0);
                self.bar.set_position(0);
            }
            Told::Trials { done, of } => {
                self.bar.set_length(of as u64);
                self.bar.set_position(done as u64);
            }
            Told::Row(row) if self.outcome.is_ok() => {
                let group = self.group.replace(row.group);
                let heading = (group != Some(row.group)).then_some(row.group);
                self.outcome = self.bar.suspend(|| self.write(row, heading));
            }
            Told::Row(_) => {}
        }
    }

    fn write(&self, row: &Row, heading: Option<Group>) -> Result<(), Failure> {
        match self.format {
            Format::Table => write_for_people(row, heading),
            Format::Jsonl => {
                let Row { name, target, measured, pass, skipped, profile, trials, failures, upper_bound, group } = row;
                // All that a row means, so that it can be kept without the others and the command line.
                tell!(
                    "{}",
                    json!({ "version": env!("CARGO_PKG_VERSION"), "quick": self.effort == Effort::Quick,
                        "receiver": self.receiver, "profile": profile.name(), "group": group.word(), "name": name,
                        "target": target, "measured": measured, "pass": pass, "skipped": skipped, "trials": trials,
                        "failures": failures, "upper_bound": upper_bound })
                );
                Ok(())
            }
            Format::Html => Ok(()),
        }
    }

    fn end(self) -> Result<(), Failure> {
        self.bar.finish_and_clear();
        self.outcome
    }
}

fn write_for_people(row: &Row, heading: Option<Group>) -> Result<(), Failure> {
    if let Some(group) = heading {
        tell!("\n{}", group.title());
    }
    let (verdict, name) = (row.verdict(), &row.name);
    match &row.skipped {
        Some(why) => tell!("{verdict:7}  {name:43}  {why}"),
        None => {
            let (target, measured, bound) = (&row.target, &row.measured, row.bound());
            tell!("{verdict:7}  {name:43}  {target:35}  {measured} (of {}{})", row.trials, {
                if bound.is_empty() { String::new() } else { format!(", {bound}") }
            });
        }
    }
    Ok(())
}
