//! The command line: one file per command, argument text and exit codes only.
//!
//! A new command is a module with an `Args` (clap derive, with an example in its help) and a `run(Args) -> Outcome`, a
//! variant of [`Command`] and a line in [`Command::run`].
//!
//! Exit codes, for scripts: 0 done, 1 something failed (the rest was done), 2 the command line is wrong.

/// Writes a line to standard output; ends the command quietly where nobody reads it any more.
macro_rules! tell {
    ($($part:tt)*) => {{
        use std::io::Write as _;
        writeln!(std::io::stdout(), $($part)*)?
    }};
}

/// Writes a line to standard error, where it can be written: that it can't is no reason to end, as `eprintln!` does then.
macro_rules! say {
    ($($part:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($part)*);
    }};
}

mod authorizer;
mod call;
mod check;
mod conformance;
mod decode;
mod demo;
mod devices;
mod doctor;
mod generate;
mod graph;
mod keys;
mod latency;
mod listen;
mod logging;
mod menu_file;
mod merchant;
mod payments;
mod profile;
mod programs;
mod prompts;
mod run;
mod samples;
mod sandbox;
mod schema;
mod simulate;
mod trace;

use std::error::Error;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use tonopago::text_file::TextError;

/// Exit code when something failed.
const FAILED: u8 = 1;

/// Takes payments by telephone keypad: hears DTMF, runs a voice menu, charges through Openpay.
#[derive(Parser)]
#[command(name = "tonopago", version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    logging: logging::Args,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Args),
    Decode(decode::Args),
    Listen(listen::Args),
    Devices(devices::Args),
    Generate(generate::Args),
    Conformance(conformance::Args),
    Latency(latency::Args),
    Simulate(simulate::Args),
    Call(call::Args),
    Run(run::Args),
    Doctor(doctor::Args),
    Check(check::Args),
    Graph(graph::Args),
    Schema(schema::Args),
    Prompts(prompts::Args),
    Authorizer(authorizer::Args),
    Keys(keys::Args),
    Payments(payments::Args),
    Sandbox(sandbox::Args),
    Samples(samples::Args),
}

impl Command {
    /// Whether card data passes through the process. It may then not be looked into, nor its memory be written anywhere;
    /// others keep what that costs (a user's `/dev/stdout` as a file name, a debugger).
    const fn handles_cards(&self) -> bool {
        matches!(self, Self::Demo(_) | Self::Call(_) | Self::Simulate(_) | Self::Run(_) | Self::Sandbox(_))
    }

    fn run(self) -> Outcome {
        tonopago::process::quiet_panics();
        if self.handles_cards() {
            tonopago::process::protect();
        }
        match self {
            Self::Demo(args) => demo::run(args),
            Self::Decode(args) => decode::run(args),
            Self::Listen(args) => listen::run(args),
            Self::Devices(args) => devices::run(args),
            Self::Generate(args) => generate::run(args),
            Self::Conformance(args) => conformance::run(args),
            Self::Latency(args) => latency::run(args),
            Self::Simulate(args) => simulate::run(args),
            Self::Call(args) => call::run(args),
            Self::Run(args) => run::run(args),
            Self::Doctor(args) => doctor::run(args),
            Self::Check(args) => check::run(args),
            Self::Graph(args) => graph::run(args),
            Self::Schema(args) => schema::run(args),
            Self::Prompts(args) => prompts::run(args),
            Self::Authorizer(args) => authorizer::run(args),
            Self::Keys(args) => keys::run(args),
            Self::Payments(args) => payments::run(args),
            Self::Sandbox(args) => sandbox::run(args),
            Self::Samples(args) => samples::run(args),
        }
    }
}

/// How a command that could be started ended.
type Outcome = Result<ExitCode, Failure>;

/// Why a command could not do its work.
#[derive(Debug)]
enum Failure {
    /// Whoever read the output has gone: nothing to say, and nobody to say it to.
    OutputClosed,
    /// The command line asks for what can't be; told like clap's own errors.
    Usage(String),
    /// Anything else.
    Failed(Box<dyn Error>),
}

impl Failure {
    fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    fn failed(error: impl Into<Box<dyn Error>>) -> Self {
        Self::Failed(error.into())
    }

    fn unreadable(file: &Path, error: &TextError) -> Self {
        Self::Failed(format!("{}: {error}: {}", file.display(), error.cure()).into())
    }

    /// A file or folder that a command is to make.
    fn unwritable(path: &Path, error: &io::Error) -> Self {
        let cure = match error.kind() {
            io::ErrorKind::AlreadyExists => "name another file, or move this one away",
            // That there is a database tells what to do by itself.
            io::ErrorKind::InvalidInput => return Self::Failed(format!("{}: {error}", path.display()).into()),
            _ => "check the path, its rights and the free space",
        };
        Self::Failed(format!("{}: cannot be written ({error}): {cure}", path.display()).into())
    }
}

/// For writing to standard output; errors of named files carry their name and come as [`Failure::failed`].
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::Failed(format!("cannot write the output: {error}").into()),
        }
    }
}

/// The commands stay in a program built without their feature, and say how to get them.
#[cfg(not(feature = "sound-card"))]
fn without_sound_cards() -> Failure {
    Failure::failed(
        "this program was built without sound cards: build it with `--features sound-card` (needs libasound2-dev)",
    )
}

/// The command that was named, for the usage that a mistake in it is told with.
fn meant() -> clap::Command {
    let mut command = Cli::command();
    command.build();
    for word in std::env::args().skip(1) {
        if let Some(named) = command.find_subcommand(&word) {
            command = named.clone();
        }
    }
    command
}

/// Reads the command line and does what it says.
pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome = cli.logging.start().and_then(|_log| cli.command.run());
    match outcome {
        Ok(code) => code,
        Err(Failure::OutputClosed) => ExitCode::SUCCESS,
        Err(Failure::Usage(message)) => meant().error(ErrorKind::ValueValidation, message).exit(),
        Err(Failure::Failed(error)) => {
            say!("tonopago: {error}");
            ExitCode::from(FAILED)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        let mut cli = Cli::command();
        cli.build();
        for command in cli.get_subcommands_mut().filter(|command| command.get_name() != "help") {
            let each = command.get_subcommands().filter(|part| part.get_name() != "help").cloned();
            for mut command in each.collect::<Vec<_>>().into_iter().chain([command.clone()]) {
                let name = command.get_bin_name().unwrap_or_default().to_owned();
                let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(examples.contains(&name), "{name}: {}", command.render_long_help());
            }
        }
    }
}
