//! `decode --plot`: one recording drawn, and where its drawing may go.

use std::fs::{self, File, Metadata};
use std::io::{self, IsTerminal, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::slice;
use std::sync::Arc;

use tonopago::decode::plot::Plot;
use tonopago::decode::{Input, Item, Name, Options, decode_and, file_identity};

use super::{Args, FAILED, Failure, Outcome, complaint, is_failure, out_of_the_way, progress, tell, while_showing};

/// Bytes of a file that are looked at to see whether it is an SVG; what stands before the first element is shorter.
const BEGINNING: u64 = 4096;

/// Refuses a target that is neither new nor a drawing. `--plot *.wav` names a recording as the target, and a recording that is
/// written over is gone.
pub(super) fn check_target(path: &Path, inputs: &[Input]) -> Result<(), Failure> {
    let refused = |why: &str| Err(Failure::usage(format!("--plot {}: {why}", Name(path))));
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
///
/// That the drawing can be written is tried before hours of sound are decoded; where it fails all the same, or nobody reads what
/// is told, the other one is still done.
pub(super) fn plotted(args: &Args, input: &Input, path: &Path) -> Outcome {
    let unwritable = |error| {
        Failure::failed(format!("{}: cannot be written ({error}): check the folder and its free space", Name(path)))
    };
    let (bytes_read, mut entries) = (Arc::default(), Vec::new());
    let batch = args.batch(&bytes_read);
    let recording = match batch.open(input) {
        Ok(recording) => recording,
        Err(error) => return unopened(args, input, &Item::Failed(error.into())),
    };
    let draft = Draft::new(path);
    draft.try_out().map_err(unwritable)?;
    let mut plot = Plot::new(recording.sample_rate(), recording.channels());
    let options = Options { rejected: true, ..batch.options };
    let mut reporter = args.reporter();
    let mut told = reporter.begin();
    let on_terminal = io::stdout().is_terminal();
    let decoded = while_showing(&progress(slice::from_ref(input)), &bytes_read, |bar| {
        decode_and(recording, &options, &mut |block| plot.hear(block), &mut |entry| {
            entries.push(entry);
            if told.is_ok() && (args.rejected || entry.rejected.is_none()) {
                told = out_of_the_way(bar, on_terminal, || reporter.item(input, &Item::Entry(entry)));
            }
            ControlFlow::Continue(())
        })
    });
    let last = decoded.map_or_else(Item::Failed, Item::Done);
    let told = told.and_then(|()| reporter.item(input, &last));
    tell(complaint(input, &last));
    draft.save(plot.svg(&input.to_string(), &entries).as_bytes()).map_err(unwritable)?;
    told?;
    Ok(ExitCode::from(if is_failure(&last) { FAILED } else { 0 }))
}

/// A recording of which there is nothing to draw, told as ever.
fn unopened(args: &Args, input: &Input, failed: &Item) -> Outcome {
    tell(complaint(input, failed));
    let mut reporter = args.reporter();
    reporter.begin()?;
    reporter.item(input, failed)?;
    Ok(ExitCode::from(FAILED))
}

/// A file written beside its place and put there whole: an earlier drawing stays until the new one is there.
struct Draft {
    place: PathBuf,
    beside: PathBuf,
}

impl Draft {
    fn new(path: &Path) -> Self {
        // A link keeps pointing to the drawing.
        let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let beside = place.with_file_name(format!(".tonopago-{}.part", process::id()));
        Self { place, beside }
    }

    /// Whether it could be saved: a file is made and taken away again, so that nothing is left if the work is broken off.
    fn try_out(&self) -> io::Result<()> {
        if self.place.exists() {
            // Somebody may have protected it.
            File::options().write(true).open(&self.place)?;
        }
        File::create_new(&self.beside)?;
        fs::remove_file(&self.beside)
    }

    fn save(&self, bytes: &[u8]) -> io::Result<()> {
        let written = self.write(bytes).and_then(|()| fs::rename(&self.beside, &self.place));
        if written.is_err() {
            // Half a drawing is of no use; the error that is told is the first one.
            let _ = fs::remove_file(&self.beside);
        }
        written
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create_new(&self.beside)?;
        if let Ok(earlier) = fs::metadata(&self.place) {
            file.set_permissions(earlier.permissions())?;
        }
        file.write_all(bytes)
    }
}
