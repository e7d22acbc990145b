//! `tonopago call`: a menu over a recorded caller.

use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::Timestamp;
use serde_json::json;
use tonopago::audio::Recording;
use tonopago::call::{Call, CallConfig};
use tonopago::demo::{self, Fault, Stage};
use tonopago::line::{AnswersFile, RecordedCaller, Transcript, is_table, run as drive};
use tonopago::menu::{Answers, Event, Menu};
use tonopago::tryout::At;

use super::menu_file::MenuArgs;
use super::trace::event_json;
use super::{Failure, Outcome};

/// Run a menu over a recorded caller, whose keys come when they come
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tonopago call samples/paid.wav --menu menus/pago.yaml
  tonopago call caller.flac --channel 1 --record call.wav

The services are the demo's: an authorizer that knows the key 257139 (200.00 MXN) and a stand-in for Openpay, both on \
loopback. The end of the file is the caller's hang-up. The call runs as fast as the machine goes.

Exit codes: 0 the call ran to its end, 1 the file or the menu could not be used, 2 the command line is wrong.")]
pub(super) struct Args {
    /// The recorded caller: any format and rate that `decode` reads
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The channel the caller is on, from 0 as `decode` counts them
    #[arg(long, default_value_t = 0, value_name = "N")]
    channel: usize,
    #[command(flatten)]
    menu: MenuArgs,
    /// Write the call as a stereo WAV file, caller left and box right, card data silent
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// When the call began: 2026-12-24T18:30 by the clock that the menu's hours go by (the machine's where it has none), the
    /// same with an offset such as -06:00, or now
    #[arg(long, value_name = "TIME", default_value = "now", value_parser = At::parse)]
    at: At,
    /// Add the answers the menu keeps to this file: JSON lines, or a table if its name ends in .csv
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// What goes wrong at the services
    #[arg(long, default_value = "none", value_parser = fault())]
    fault: Fault,
    /// How the timeline is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object an event, then one for the outcome
    Jsonl,
}

pub(super) fn run(args: Args) -> Outcome {
    let (menu, clips) = args.menu.load()?;
    can_keep(args.answers.as_deref(), &menu)?;
    let recording = Recording::open(&args.file).map_err(Failure::failed)?;
    let channels = recording.channels();
    let mut party = RecordedCaller::new(recording, args.channel).ok_or_else(|| {
        let last = channels - 1;
        Failure::usage(format!(
            "--channel {}: {} has {channels}, counted from 0: give 0 to {last}",
            args.channel,
            args.file.display()
        ))
    })?;
    let fault = args.fault;
    if args.record.as_deref().is_some_and(|record| same_file(record, &args.file)) {
        return Err(Failure::usage("--record would overwrite the caller's recording: give another file"));
    }
    let stage = Stage::start(fault, None).map_err(Failure::failed)?;
    let began = args.at.by_the_clock_of(&menu);
    let config = CallConfig { record: args.record.is_some(), began, ..CallConfig::default() };
    let mut call = Call::new(menu, clips, &config);
    let mut transcript = Transcript::default();
    let mut watch = |event: &Event| print_event(event, args.format);
    let mut services = |request| stage.perform(request);
    let ran = drive(&mut call, &mut party, &mut services, fault.latencies(), &mut transcript, &mut watch);
    if let Some(path) = &args.record {
        demo::write_recording(path, &transcript.recording).map_err(|error| Failure::unwritable(path, &error))?;
    }
    ran.map_err(Failure::failed)?;
    keep(args.answers.as_deref(), &transcript.answers)?;
    if let Some(warning) = party.warning() {
        say!("tonopago: {}: {warning}", args.file.display());
    }
    let completed = stage.completed_charges().map_err(Failure::failed)?;
    match args.format {
        Format::Text => match completed.first() {
            Some(amount) => tell!("paid: {amount} completed at the gateway"),
            None => tell!("not paid: no completed charge at the gateway"),
        },
        Format::Jsonl => {
            let amounts: Vec<String> = completed.iter().map(ToString::to_string).collect();
            tell!("{}", json!({ "paid": !completed.is_empty(), "completed": amounts }));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn fault() -> impl TypedValueParser<Value = Fault> {
    let named = |text: String| Fault::NAMED.into_iter().find(|(name, _)| *name == text).map(|(_, fault)| fault);
    PossibleValuesParser::new(Fault::NAMED.map(|(name, _)| name))
        .try_map(move |text| named(text).ok_or("no such fault"))
}

/// Refuses a table for answers of which only one list could stand in it, before there are any.
pub(super) fn can_keep(path: Option<&Path>, menu: &Menu) -> Result<(), Failure> {
    let Some(path) = path.filter(|path| is_table(path)).filter(|_| !menu.answers_fit_a_table()) else {
        return Ok(());
    };
    Err(Failure::usage(format!(
        "--answers {}: the states of {} save different lists, and a table has one list of columns: give a file \
         whose name ends in .jsonl, or save the same list in all (`tonopago check` names them)",
        path.display(),
        menu.name
    )))
}

/// Adds answers to their file, if there is one.
pub(super) fn keep(path: Option<&Path>, answers: &[Answers]) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    let file = AnswersFile::open(path).map_err(Failure::failed)?;
    let now = Timestamp::now();
    answers.iter().try_for_each(|answers| file.add(answers, now)).map_err(Failure::failed)
}

fn same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

fn print_event(event: &Event, format: Format) {
    // Nobody may be reading any more; the call goes on, and its end says so.
    let _ = match format {
        Format::Text => writeln!(stdout(), "{event}"),
        Format::Jsonl => writeln!(stdout(), "{}", event_json(event)),
    };
}
