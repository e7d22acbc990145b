//! `tonopago samples`: the recorded callers of the repository, made by its own generator.

use std::path::PathBuf;
use std::process::ExitCode;

use tonopago::demo;

use super::menu_file::MenuArgs;
use super::{Failure, Outcome};

/// Make the recorded callers in samples/, each with its expected digits and outcome beside it
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  tonopago samples --out samples")]
pub(super) struct Args {
    /// The folder to write
    #[arg(long, default_value = "samples", value_name = "FOLDER")]
    out: PathBuf,
}

pub(super) fn run(args: Args) -> Outcome {
    let (menu, _) = MenuArgs::built_in().load()?;
    for path in demo::make_samples(&args.out, &menu).map_err(Failure::Failed)? {
        tell!("{}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}
