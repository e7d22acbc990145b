//! `decode --plot`: one recording drawn, and where its drawing may go.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use tonopago::decode::plot::Plot;
use tonopago::decode::{Input, Item, Options, Reporter, decode_and, file_identity};

use super::{Args, FAILED, Failure, Outcome, complain};

/// Bytes of a file that are looked at to see whether it is an SVG; what stands before the first element is shorter.
const BEGINNING: u64 = 4096;

/// Refuses a target that is neither new nor a drawing. `--plot *.wav` names a recording as the target, and a recording that is
/// written over is gone.
pub(super) fn check_target(path: &Path, inputs: &[Input]) -> Result<(), Failure> {
    let refused = |why: &str| Err(Failure::usage(format!("--plot {}: {why}", path.display())));
    if path.as_os_str() == "-" {
        return refused("standard output is for the digits: name a file ending in .svg");
    }
    if !path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("svg")) {
        return refused("a drawing's name ends in .svg: name the drawing behind --plot, and then the recording");
    }
    // What can't be looked at, or isn't there, is for whoever writes the drawing to tell.
    let Ok(existing) = fs::metadata(path) else { return Ok(()) };
    let identity = file_identity(&existing);
    if identity.is_some() && inputs.iter().any(|input| input.identity() == identity) {
        return refused("that is the recording itself: name another file for the drawing");
    }
    if !is_svg(path, &existing) {
        return refused("there is something else than an SVG: move it away, or name another file");
    }
    Ok(())
}

/// Whether a file may be written over by a drawing: it is one, or holds nothing.
fn is_svg(path: &Path, metadata: &Metadata) -> bool {
    // A pipe would wait for its writer.
    if !metadata.is_file() {
        return false;
    }
    let mut beginning = Vec::new();
    let read = File::open(path).and_then(|file| file.take(BEGINNING).read_to_end(&mut beginning));
    let text = String::from_utf8_lossy(&beginning);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    read.is_ok() && (beginning.is_empty() || (text.starts_with('<') && text.contains("<svg")))
}

/// One recording, drawn, and told as ever. What could be read of a damaged one is drawn and told, too.
pub(super) fn plotted(args: &Args, input: &Input, path: &Path) -> Outcome {
    let (batch, mut entries) = (args.batch(&Arc::default()), Vec::new());
    let recording = batch.open(input).map_err(Failure::failed)?;
    let mut plot = Plot::new(recording.sample_rate(), recording.channels());
    let options = Options { rejected: true, ..batch.options };
    let decoded = decode_and(recording, &options, &mut |block| plot.hear(block), &mut |entry| {
        entries.push(entry);
        ControlFlow::Continue(())
    });
    fs::write(path, plot.svg(&input.to_string(), &entries)).map_err(|error| {
        Failure::failed(format!("{}: cannot be written ({error}): check the folder and its free space", path.display()))
    })?;
    let mut reporter = Reporter::new(io::stdout().lock(), args.format.into(), args.rejected);
    reporter.begin()?;
    for entry in entries.into_iter().filter(|entry| args.rejected || entry.rejected.is_none()) {
        reporter.item(input, &Item::Entry(entry))?;
    }
    let last = decoded.map_or_else(Item::Failed, Item::Done);
    reporter.item(input, &last)?;
    complain(input, &last);
    Ok(ExitCode::from(if matches!(last, Item::Failed(_)) { FAILED } else { 0 }))
}
