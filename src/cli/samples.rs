//! `tonopago samples`: the recorded callers and the hard cases of the repository, made by its own generator.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tonopago::audio::wav::{Encoding, WavForm, WavWriter};
use tonopago::conformance::{HardCase, RATE, TRUTH, hard_cases};
use tonopago::demo;
use tonopago::speech::Clips;

use super::menu_file::MenuArgs;
use super::{Failure, Outcome};

/// Folder of the hard cases among the samples.
const HARD: &str = "hard";

/// Make the recorded callers in samples/, each with its expected digits and outcome, and the hard cases with their truth
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tonopago samples --out samples
  tonopago samples --only-hard --out samples

The hard cases go to the folder `hard` in it, with truth.tsv: file, tab, digits. `tonopago conformance --recordings` reads it.")]
pub(super) struct Args {
    /// The folder to write
    #[arg(long, default_value = "samples", value_name = "FOLDER")]
    out: PathBuf,
    /// Only the hard cases
    #[arg(long)]
    only_hard: bool,
}

pub(super) fn run(args: Args) -> Outcome {
    if !args.only_hard {
        let (menu, _) = MenuArgs::built_in().load()?;
        for path in demo::make_samples(&args.out, &menu).map_err(Failure::Failed)? {
            tell!("{}", path.display());
        }
    }
    make_hard_cases(&args.out.join(HARD))?;
    Ok(ExitCode::SUCCESS)
}

fn make_hard_cases(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| Failure::unwritable(folder, &error))?;
    let mut truth = String::from("# file, tab, digits: made by `tonopago samples`\n");
    for HardCase { name, about, signal } in hard_cases(&Clips::embedded()) {
        let path = folder.join(format!("{name}.wav"));
        let signal = match signal {
            Ok(signal) => signal,
            Err(skipped) => {
                say!("tonopago: warning: {} is not made: {}", path.display(), skipped.0);
                continue;
            }
        };
        write(&path, &signal.samples).map_err(|error| Failure::unwritable(&path, &error))?;
        let _ = writeln!(truth, "# {about}\n{name}.wav\t{}", signal.digits());
        tell!("{}", path.display());
    }
    let path = folder.join(TRUTH);
    fs::write(&path, truth).map_err(|error| Failure::unwritable(&path, &error))?;
    tell!("{}", path.display());
    Ok(())
}

fn write(path: &Path, samples: &[f32]) -> io::Result<()> {
    let form = WavForm { sample_rate: RATE, channels: 1, encoding: Encoding::Pcm16 };
    let mut writer = WavWriter::new(BufWriter::new(File::create(path)?), form)?;
    writer.write(&[samples])?;
    writer.finish()
}
