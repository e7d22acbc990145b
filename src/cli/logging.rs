//! What the program says of itself while it works, on standard error. Nobody waits for that, see [`queue`].
//!
//! Only what speaks through `tracing` is heard. Libraries that speak through `log` are not, on purpose (tracing-subscriber
//! is built without its bridge): at its most verbose the HTTP client dumps headers, and with them the gateway's key.

mod queue;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use queue::Queue;

use super::Failure;

/// How much is logged, and how.
#[derive(clap::Args)]
#[command(next_help_heading = "Logging")]
pub(super) struct Args {
    /// How much to log on standard error: off, error, warn, info, debug, trace, or a filter such as
    /// warn,tonopago::payment=debug
    #[arg(long, global = true, default_value = "warn", value_name = "LEVEL")]
    log: String,
    /// How log lines are written
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    log_format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

impl Args {
    /// Starts logging, until the value is dropped. Card data is in no log line, whatever the level: its types cannot be
    /// printed.
    pub(super) fn start(&self) -> Result<Log, Failure> {
        let wrong = |why: &str| Failure::usage(format!("--log {:?}: {why}", self.log));
        // A word that is no level would be taken for the name of a part of the program, and nothing be logged.
        let is_level = |part: &str| !part.is_empty() && part.parse::<LevelFilter>().is_ok();
        if !self.log.split(',').map(str::trim).all(|part| part.contains(['=', '[']) || is_level(part)) {
            return Err(wrong("write off, error, warn, info, debug, trace, or such as warn,tonopago::payment=debug"));
        }
        let filter = EnvFilter::try_new(&self.log).map_err(|error| wrong(&error.to_string()))?;
        let queue = Queue::start(std::io::stderr()).map_err(Failure::failed)?;
        let into = queue.clone();
        let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || into.clone());
        match self.log_format {
            Format::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init(),
            Format::Json => lines.json().init(),
        }
        Ok(Log(queue))
    }
}

/// The log of a program that runs. Dropping it waits a moment for what is still to be written.
pub(super) struct Log(Queue);

impl Drop for Log {
    fn drop(&mut self) {
        self.0.settle();
    }
}
