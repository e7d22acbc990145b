//! `tonopago decode`: the digits in recordings.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{Failure, Outcome};
use tonopago::audio::{Block, Recording};

/// Find the DTMF digits in recordings
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  tonopago decode call.wav")]
pub(super) struct Args {
    /// Recordings to read
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(super) fn run(args: Args) -> Outcome {
    for file in args.files {
        let mut recording = Recording::open(&file).map_err(Failure::failed)?;
        let mut block = Block::new();
        while recording.next_block(&mut block).map_err(Failure::failed)? {}
        if recording.seconds() > 1e9 {
            return Err(Failure::usage("too long"));
        }
    }
    Ok(ExitCode::SUCCESS)
}
