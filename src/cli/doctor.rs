//! `tonopago doctor`: whether a box can be left alone.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::json;
use tonopago::station::{Config, Health, examine};

use super::{FAILED, Failure, Outcome};

/// Look a box over: configuration, cards and levels, hooks, clock, services, ledger, disk; and say what to do
///
/// Nothing is made or changed. Of a box that runs, cards, levels and hooks are left alone (where the system is Linux; elsewhere
/// stop it first). Lines should be hung up, so that levels mean something.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tonopago doctor --config box.yaml
  tonopago doctor --config /etc/tonopago/box.yaml --format jsonl

Exit codes: 0 nothing is bad, 1 something is, 2 the command line is wrong.")]
pub(super) struct Args {
    /// The configuration
    #[arg(long, short, value_name = "FILE", default_value = "box.yaml")]
    config: PathBuf,
    /// How findings are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object a finding
    Jsonl,
}

pub(super) fn run(args: Args) -> Outcome {
    let config = Config::read(&args.config).map_err(Failure::failed)?;
    let (mut bad, mut written) = (0, Ok(()));
    examine(&config, &mut |finding| {
        bad += usize::from(finding.health == Health::Bad);
        let mark = match finding.health {
            Health::Good => "good",
            Health::Doubtful => "look",
            Health::Bad => "BAD",
        };
        let tell = || -> Result<(), Failure> {
            if args.format == Format::Jsonl {
                let health = mark.to_ascii_lowercase();
                let (what, seen, cure) = (&finding.what, &finding.seen, &finding.cure);
                tell!("{}", json!({ "what": what, "health": health, "seen": seen, "cure": cure }));
                return Ok(());
            }
            tell!("{mark:4}  {}: {}", finding.what, finding.seen);
            if !finding.cure.is_empty() {
                tell!("      -> {}", finding.cure);
            }
            Ok(())
        };
        if written.is_ok() {
            written = tell();
        }
    });
    written?;
    Ok(if bad == 0 { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}
