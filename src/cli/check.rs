//! `tonopago check`: all problems of menus, with line, column and a cure.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;
use tonopago::clock::{Clock as _, SystemClock};
use tonopago::menu::{Menu, Problem, Problems};

use super::menu_file::{clips_of, read_text};
use super::{FAILED, Failure, Outcome};

/// Check menus: every problem at once, each with its line, column and a cure
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tonopago check menus/pago.yaml
  tonopago check --format jsonl menus/*.yaml
  tonopago check --draft mine.yaml

Exit codes: 0 all menus are good (a warning is no problem), 1 a menu has problems or cannot be read, 2 the command line is wrong.")]
pub(super) struct Args {
    /// Menu files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How problems are written: for people, or one JSON object a line for editors
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// A folder of recordings that replace clips: es-MX/ID.wav, en-US/ID.wav [default: the folder beside each menu with
    /// its name, if there is one]
    #[arg(long, value_name = "FOLDER")]
    recordings: Option<PathBuf>,
    /// Prompts whose words stand in the menu need no clips yet
    #[arg(long)]
    draft: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Jsonl,
}

pub(super) fn run(args: Args) -> Outcome {
    let mut all_good = true;
    for path in &args.files {
        let file = path.display().to_string();
        let parse = if args.draft { Menu::parse_draft } else { Menu::parse };
        let read = || Ok::<_, Failure>((read_text(path)?, clips_of(Some(path), args.recordings.as_deref())?));
        let checked = match read() {
            Ok((text, clips)) => parse(&file, &text, &*clips),
            Err(Failure::Failed(error)) => {
                say!("tonopago: {error}");
                all_good = false;
                continue;
            }
            Err(other) => return Err(other),
        };
        match checked {
            Ok(menu) => {
                warn(&file, &menu.warnings_at(&SystemClock.local()), args.format)?;
                if args.format == Format::Text {
                    tell!("{file}: good, {} states", menu.state_names().count());
                }
            }
            Err(problems) => {
                all_good = false;
                print(&problems, args.format)?;
            }
        }
    }
    Ok(if all_good { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// What is allowed, but seldom meant; the menu is good all the same.
fn warn(file: &str, warnings: &[Problem], format: Format) -> Result<(), Failure> {
    for warning in warnings {
        if format == Format::Jsonl {
            tell!("{}", object(file, warning, "warning"));
        } else {
            tell!("{}", warning.text(file, " warning:"));
        }
    }
    Ok(())
}

fn print(problems: &Problems, format: Format) -> Result<(), Failure> {
    if format == Format::Text {
        tell!("{problems}");
        return Ok(());
    }
    for problem in &problems.list {
        tell!("{}", object(&problems.file, problem, "error"));
    }
    Ok(())
}

fn object(file: &str, problem: &Problem, severity: &str) -> serde_json::Value {
    json!({
        "file": file,
        "severity": severity,
        "line": problem.place.map(|place| place.line),
        "column": problem.place.map(|place| place.column),
        "path": problem.path,
        "message": problem.message,
        "cure": problem.cure,
    })
}
