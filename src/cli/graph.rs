//! `tonopago graph`: a menu drawn, and a call's way through it.

use std::fs;
use std::io::{self, Read as _, Write as _, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;
use tonopago::menu::Drawing;
use tonopago::{output_file, regular_file};

use super::menu_file::MenuArgs;
use super::{Failure, Outcome};

/// Longest trace of a call that is read from a file, in bytes.
const LONGEST_TRACE: u64 = 64 << 20;

/// Draw a menu, and a call's way through it
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tonopago graph --menu menus/pago.yaml -o pago.svg
  tonopago graph --menu menus/pago.yaml --format mermaid
  tonopago call samples/paid.wav --format jsonl | tonopago graph --trace - -o way.svg
  tonopago graph --menu mine.yaml --format dot | dot -Tpdf -o mine.pdf

The call's way is drawn in colour with the number of each step. Ways to the menu's own give_up, where every error ends, \
are left out unless --all is given.")]
pub(super) struct Args {
    #[command(flatten)]
    menu: MenuArgs,
    /// How it is drawn; the ending of --output says it, too
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Draw the way of a call: the JSON lines of `call` or `simulate`, or - for standard input
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Draw the ways to the menu's give_up, too
    #[arg(long)]
    all: bool,
    /// The file to write; standard output, if not given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A picture any browser shows
    Svg,
    /// For pages that draw Mermaid's flowcharts
    Mermaid,
    /// For Graphviz
    Dot,
}

pub(super) fn run(args: Args) -> Outcome {
    let (menu, _) = args.menu.load_for_reading()?;
    let mut drawing = Drawing::of(&menu, args.all);
    if let Some(path) = &args.trace {
        let states = states_of(path)?;
        drawing.mark(states.iter().map(String::as_str));
    }
    let ending = args.output.as_deref().and_then(Path::extension).and_then(|ending| ending.to_str());
    let by_ending = match ending {
        Some("mmd" | "mermaid" | "md") => Format::Mermaid,
        Some("dot" | "gv") => Format::Dot,
        _ => Format::Svg,
    };
    let text = match args.format.unwrap_or(by_ending) {
        Format::Svg => drawing.svg(),
        Format::Mermaid => drawing.mermaid(),
        Format::Dot => drawing.dot(),
    };
    match &args.output {
        None => stdout().lock().write_all(text.as_bytes())?,
        Some(path) => output_file::check(path)
            .and_then(|()| fs::write(path, text))
            .map_err(|error| Failure::unwritable(path, &error))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The states a call entered, from its JSON lines.
fn states_of(path: &Path) -> Result<Vec<String>, Failure> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        stdin().lock().read_to_string(&mut text).map(drop)
    } else {
        let read = regular_file::read(path, LONGEST_TRACE).and_then(|read| {
            String::from_utf8(read).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
        });
        read.map(|read| text = read)
    };
    let name = path.display();
    read.map_err(|error| Failure::failed(format!("{name}: cannot read the call: {error}: check the path")))?;
    let state = |line: &str| {
        let event: Value = serde_json::from_str(line).ok()?;
        (event["event"] == "state").then(|| event["name"].as_str().map(str::to_owned))?
    };
    let states: Vec<String> = text.lines().filter_map(state).collect();
    if states.is_empty() {
        let cure = "give the output of `tonopago call FILE --format jsonl` or `tonopago simulate --format jsonl`";
        return Err(Failure::failed(format!("{name}: no call's states are in it: {cure}")));
    }
    Ok(states)
}
