//! `tonopago decode`: the digits in recordings.

mod drawing;

use std::fs;
use std::io::{self, IsTerminal, StdoutLock};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, available_parallelism};
use std::time::Duration;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tonopago::audio::{MOST_CHANNELS, Opener, RawEncoding, RawFormat, SAMPLE_RATES, SampleFormat};
use tonopago::decode::{Batch, Ending, Format, Gathered, Input, Item, Options, Reporter, gather};

use super::profile::ProfileArgs;
use super::{FAILED, Failure, Outcome};

/// Time between two drawings of the progress bar.
const REDRAW: Duration = Duration::from_millis(150);

/// Find the DTMF digits in recordings
///
/// Reads WAV (PCM, floating point, mu-law, A-law, ADPCM, GSM, G.722, RF64, streaming headers), Wave64, CAF, AU, mp3, ogg and
/// opus (Opus, Vorbis, FLAC), flac, aiff, aac, m4a, mp4 and mov (AAC, ALAC, Opus), webm and mka (Opus), and samples without a
/// header: in the form that their names' ending tells (g722, gsm, sln to sln192, ulaw, alaw, ul, al) or the one that is given.
/// Each channel is decoded on its own; files are told in the order they are named.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tonopago decode call.wav
  tonopago decode --format jsonl recordings/ > digits.jsonl
  tonopago decode --format csv --every-file recordings/ > calls.csv
  tonopago decode --rejected --plot call.svg call.wav
  arecord -f S16_LE -r 8000 | tonopago decode --format jsonl -
  tonopago decode --raw-rate 8000 --raw-format mulaw call.raw

For each digit are told its start and end, when it was heard (a receiver listening live would have known it by then), the \
level of its low and high tone in dBm0, the twist (low over high), both frequencies in Hz, and the S/N: the power of both \
tones over that of everything else between 600 and 1900 Hz. White noise of 0 to 4 kHz, as `generate --snr` makes it \
at 8000 Hz and the curves of `conformance` count it, has 5 dB less in that band, so that the S/N told is some 5 dB higher.

In JSON lines and CSV a file without digits has no line, unless --every-file ends each file with one. Its status is decoded, \
warning (all there is was decoded, and something is wrong with it), partial (there is sound that could not be decoded, or it \
changed while it was read) or failed (nothing was decoded); a folder that could not be listed has such a line, too. Lines of digits have no status.

Channels are counted from 0. In names, what is not UTF-8 and control characters are told as \\xHH, byte by byte, and a \
backslash as two; `printf %b` of bash gives the name back.

Exit codes: 0 all decoded (digits or not), with a warning of what is cut short or damaged; 1 a file could not \
be decoded, or not to the end it has (what could be, and the other files, were); 2 wrong command line.")]
pub(super) struct Args {
    /// Recordings, folders of recordings, or - for standard input. Of folders, files are read whose names end as recordings'
    /// do; how many are left out is told
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How to write the digits
    #[arg(long, value_enum, default_value_t = FormatName::Text)]
    format: FormatName,
    /// Also tell what was almost a digit, with the reason it was refused
    #[arg(long)]
    rejected: bool,
    /// End every file with a line that tells how it went, in JSON lines and CSV: its status (decoded, warning, partial,
    /// failed), rate, channels, length, number of digits, and the problem. Text tells each file anyway
    #[arg(long)]
    every_file: bool,
    /// Draw the recording's spectrogram with its digits, near misses and their reasons marked (one recording only). The
    /// name ends in .svg; nothing but an SVG is written over
    #[arg(long, value_name = "SVG")]
    plot: Option<PathBuf>,
    #[command(flatten)]
    profile: ProfileArgs,
    /// Files decoded at a time [default: one for each processor]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// The recordings have no header: samples per second, in Hz
    #[arg(long, value_name = "HZ", value_parser = rate)]
    raw_rate: Option<u32>,
    /// How their samples are written: u8, s8, s16le, s24le, s32le, f32le, f64le, mulaw or alaw; or with be for le; g722 (at
    /// 16000 Hz), gsm (at 8000 Hz)
    #[arg(long, value_name = "FORMAT", default_value_t = RawEncoding::Samples(SampleFormat::S16Le), requires = "raw_rate")]
    raw_format: RawEncoding,
    /// Their interleaved channels
    #[arg(long, value_name = "N", default_value_t = 1, requires = "raw_rate", value_parser = channels)]
    raw_channels: usize,
}

/// A rate in Hz that recordings may have.
fn rate(text: &str) -> Result<u32, String> {
    let rate = text.parse().ok().filter(|rate| SAMPLE_RATES.contains(rate));
    rate.ok_or_else(|| format!("give {} to {} Hz", SAMPLE_RATES.start(), SAMPLE_RATES.end()))
}

/// A number of channels that recordings may have.
fn channels(text: &str) -> Result<usize, String> {
    let channels = text.parse().ok().filter(|channels| (1..=MOST_CHANNELS).contains(channels));
    channels.ok_or_else(|| format!("give 1 to {MOST_CHANNELS} channels"))
}

#[derive(Clone, Copy, ValueEnum)]
enum FormatName {
    /// The digits and a table for each file
    Text,
    /// One JSON object a line for each digit
    Jsonl,
    /// Comma-separated values with a line of names
    Csv,
}

pub(super) fn run(args: Args) -> Outcome {
    if args.files.iter().filter(|file| file.as_os_str() == "-").count() > 1 {
        return Err(Failure::usage("standard input (-) can be read only once"));
    }
    if let (Some(own), Some(told)) = (args.raw_format.sample_rate(), args.raw_rate)
        && own != told
    {
        return Err(Failure::usage(format!("{} has {own} samples a second: give --raw-rate {own}", args.raw_format)));
    }
    let Gathered { inputs, errors: refused, left_out } = gather(&args.files, args.raw_rate.is_some());
    if !left_out.is_empty() {
        say!("tonopago: {left_out}");
    }
    refused.iter().for_each(|error| say!("tonopago: {error}"));
    if let Some(plot) = &args.plot {
        drawing::check_target(plot, &inputs)?;
        return match (&inputs[..], &refused[..]) {
            ([input], []) => drawing::plotted(&args, input, plot),
            ([], _) => Ok(ExitCode::from(FAILED)),
            _ => Err(Failure::usage("--plot draws one recording: name one file")),
        };
    }
    let mut failed = !refused.is_empty();
    let bytes_read = Arc::new(AtomicU64::new(0));
    let batch = args.batch(&bytes_read);
    let mut reporter = args.reporter();
    reporter.begin()?;
    refused.iter().try_for_each(|error| reporter.folder(error))?;
    let on_terminal = io::stdout().is_terminal();
    while_showing(&progress(&inputs), &bytes_read, |bar| {
        batch.run(&inputs, |input, item| {
            failed |= is_failure(&item);
            let complaint = complaint(input, &item);
            out_of_the_way(bar, on_terminal || complaint.is_some(), || {
                let told = reporter.item(input, &item);
                tell(complaint);
                told
            })
        })
    })?;
    Ok(ExitCode::from(if failed { FAILED } else { 0 }))
}

impl Args {
    fn reporter(&self) -> Reporter<StdoutLock<'static>> {
        Reporter::new(io::stdout().lock(), self.format.into(), self.rejected).every_file(self.every_file)
    }

    fn batch(&self, bytes_read: &Arc<AtomicU64>) -> Batch {
        let options = Options { profile: self.profile.profile(), rejected: self.rejected };
        let mut opener = Opener::new().counting_into(Arc::clone(bytes_read));
        if let Some(sample_rate) = self.raw_rate {
            opener = opener.raw(RawFormat { sample_rate, channels: self.raw_channels, format: self.raw_format });
        }
        let processors = || available_parallelism().map_or(1, usize::from);
        Batch { options, opener, jobs: self.jobs.map_or_else(processors, usize::from) }
    }
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Text => Self::Text,
            FormatName::Jsonl => Self::Jsonl,
            FormatName::Csv => Self::Csv,
        }
    }
}

/// Whether a file holds sound that could not be decoded.
fn is_failure(item: &Item) -> bool {
    item.ending().is_some_and(Ending::is_failure)
}

/// The error or warning of an item for standard error, with its file's name.
fn complaint(input: &Input, item: &Item) -> Option<String> {
    let kind = if is_failure(item) { "" } else { "warning: " };
    item.problem().map(|problem| format!("{kind}{input}: {problem}"))
}

fn tell(complaint: Option<String>) {
    complaint.iter().for_each(|complaint| say!("tonopago: {complaint}"));
}

/// Tells an item with the bar taken away if it is told on the bar's terminal, and only then: it is drawn anew each time, which
/// would cost more than finding the digits.
fn out_of_the_way<T>(bar: &ProgressBar, on_terminal: bool, tell: impl FnOnce() -> T) -> T {
    if on_terminal { bar.suspend(tell) } else { tell() }
}

/// Does `work` while the bar follows `bytes_read`, and takes the bar away.
fn while_showing<T>(bar: &ProgressBar, bytes_read: &AtomicU64, work: impl FnOnce(&ProgressBar) -> T) -> T {
    bar.tick();
    let done = AtomicBool::new(bar.is_hidden());
    let result = thread::scope(|scope| {
        let shower = scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                bar.set_position(bytes_read.load(Ordering::Relaxed));
                thread::park_timeout(REDRAW);
            }
        });
        let result = work(bar);
        done.store(true, Ordering::Release);
        shower.thread().unpark();
        result
    });
    bar.finish_and_clear();
    result
}

/// A bar over the bytes of all files; hidden where nobody looks, or where the length of a stream is unknown.
fn progress(inputs: &[Input]) -> ProgressBar {
    // Looking at many files takes its time.
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let length = |input: &Input| match input {
        Input::File(path) => fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|data| data.len()),
        Input::Standard => None,
    };
    let total: Option<u64> = inputs.iter().map(length).sum();
    let Some(total) = total else { return ProgressBar::hidden() };
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{wide_bar} {binary_bytes} of {binary_total_bytes}, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

#[cfg(test)]
mod tests {
    use tonopago::audio::Warning;
    use tonopago::decode::Summary;

    use super::*;

    /// The bar was taken away and drawn anew for every recording: a megabyte of it for 6000 of a folder.
    #[test]
    fn the_bar_stays_where_nothing_is_told() {
        let input = Input::File(PathBuf::from("a.wav"));
        let done = |warning| Item::Done(Summary { sample_rate: 8000, channels: 1, seconds: 1.0, warning });
        assert_eq!(complaint(&input, &done(None)), None);
        let told = |warning| complaint(&input, &done(Some(warning))).unwrap();
        let torn = told(Warning::Torn { at_s: 1.0 });
        assert!(torn.starts_with("warning: a.wav: cut short: ends at 1.000 s"), "{torn}");
        let more = told(Warning::More { at_s: 1.0 });
        assert!(more.starts_with("a.wav: decoded up to 1.000 s only"), "it is a failure: {more}");
    }
}
