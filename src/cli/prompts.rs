//! `tonopago prompts`: list the spoken prompts, write one to a file, check recordings that replace them.

mod render_menu;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use serde_json::json;
use tonopago::audio::wav::{Encoding, WavForm, WavWriter};
use tonopago::money::{Currency, Money};
use tonopago::output_file;
use tonopago::speech::{self, Clip, Language, SAMPLE_RATE, Spoken};

use super::menu_file::load_clips;
use super::{FAILED, Failure, Outcome};

/// List, render or check the spoken prompts
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  tonopago prompts list --language es-MX
  tonopago prompts render bienvenida -o bienvenida.wav
  tonopago prompts render el_importe_es --amount 21000.50 -o importe.wav
  tonopago prompts render --menu mine.yaml --command 'espeak-ng -v {voice} -w {out} {text}'
  tonopago prompts check recordings/")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    List(List),
    Render(Box<Render>),
    Check(Check),
}

/// List the clips: id, duration, level, text, and the recording in its place
#[derive(ClapArgs)]
#[command(after_help = "Example:
  tonopago prompts list --language es-MX")]
struct List {
    /// Only this language: es-MX or en-US
    #[arg(long, value_parser = language)]
    language: Option<Language>,
    /// A folder of recordings in the clips' places: es-MX/ID.wav, en-US/ID.wav
    #[arg(long, value_name = "FOLDER")]
    recordings: Option<PathBuf>,
    /// How to write the list
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A table for people
    Text,
    /// One JSON object a line, for programs
    Jsonl,
}

/// Write what the box would say to a WAV file: clips, then an amount, digits, a reference; or render a menu's own prompts
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  tonopago prompts render el_importe_es --amount 200 -o importe.wav
  tonopago prompts render --menu mine.yaml --command 'espeak-ng -v {voice} -w {out} {text}' \\
           --voice es-MX=es-419")]
struct Render {
    /// Clips to say, in this order
    #[arg(value_name = "ID", required_unless_present_any = ["amount", "digits", "reference", "menu"])]
    ids: Vec<String>,
    /// An amount such as 200 or 21000.50
    #[arg(long)]
    amount: Option<String>,
    /// The amount's currency: MXN or USD
    #[arg(long, default_value = "MXN", value_parser = currency)]
    currency: Currency,
    /// Digits, read in groups of three
    #[arg(long)]
    digits: Option<String>,
    /// A reference, spelled in groups
    #[arg(long)]
    reference: Option<String>,
    /// The language to speak: es-MX or en-US
    #[arg(long, default_value = "es-MX", value_parser = language)]
    language: Language,
    /// A folder of recordings in the clips' places
    #[arg(long, value_name = "FOLDER")]
    recordings: Option<PathBuf>,
    /// The WAV file to write: 8 kHz, 16-bit, mono
    #[arg(short, long, value_name = "FILE", required_unless_present = "menu")]
    output: Option<PathBuf>,
    #[command(flatten)]
    menu: render_menu::RenderMenu,
}

/// Check a folder of recordings before a box uses it; exit code 1 if the box would refuse it
#[derive(ClapArgs)]
#[command(after_help = "Example:
  tonopago prompts check recordings/")]
struct Check {
    /// The folder, with es-MX/ and en-US/ in it
    folder: PathBuf,
}

pub(super) fn run(args: Args) -> Outcome {
    match args.action {
        Action::List(args) => list(&args),
        Action::Render(args) => render(&args),
        Action::Check(args) => check(&args.folder),
    }
}

fn list(args: &List) -> Outcome {
    let clips = load_clips(args.recordings.as_deref())?;
    let mut out = BufWriter::new(io::stdout().lock());
    for language in Language::ALL.into_iter().filter(|language| args.language.is_none_or(|only| only == *language)) {
        for id in clips.ids(language) {
            let Some(clip) = clips.get(language, id) else { continue };
            match args.format {
                Format::Text => writeln!(out, "{}", row(language, id, clip))?,
                Format::Jsonl => writeln!(out, "{}", object(language, id, clip))?,
            }
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn row(language: Language, id: &str, clip: &Clip) -> String {
    let level = level(clip).map_or_else(|| "silent".into(), |level| format!("{level:.1} dBm0"));
    let source = clip.recording().map_or_else(String::new, |path| format!("  [{}]", path.display()));
    format!("{language}  {id:<24} {:>5} ms  {level:>10}  {}{source}", clip.duration_ms(), clip.text())
}

fn object(language: Language, id: &str, clip: &Clip) -> serde_json::Value {
    json!({
        "language": language.code(),
        "id": id,
        "text": clip.text(),
        "duration_ms": clip.duration_ms(),
        "level_dbm0": level(clip).map(|level| (level * 10.0).round() / 10.0),
        "recording": clip.recording(),
    })
}

fn level(clip: &Clip) -> Option<f64> {
    speech::active_speech_level_dbm0(clip.samples(), SAMPLE_RATE)
}

fn render(args: &Render) -> Outcome {
    if let Some(menu) = args.menu.menu() {
        return args.menu.run(menu);
    }
    let output = args.output.as_deref().ok_or_else(|| Failure::usage("--output is missing"))?;
    let clips = load_clips(args.recordings.as_deref())?;
    let mut spoken: Vec<Spoken> = args.ids.iter().map(Spoken::clip).collect();
    if let Some(amount) = &args.amount {
        let money = Money::parse(amount, args.currency).map_err(|error| Failure::usage(error.to_string()))?;
        spoken.extend(speech::amount(args.language, money));
    }
    if let Some(digits) = &args.digits {
        spoken.extend(speech::digits(args.language, digits, &[3]));
    }
    if let Some(reference) = &args.reference {
        spoken.extend(speech::reference(args.language, reference));
    }
    let samples = speech::render(&spoken, &clips, args.language).map_err(Failure::failed)?;
    write_wav(output, &samples).map_err(|error| Failure::unwritable(output, &error))?;
    tell!("{}", speech::text_of(args.language, &spoken));
    Ok(ExitCode::SUCCESS)
}

fn write_wav(path: &Path, samples: &[f32]) -> io::Result<()> {
    let form = WavForm { sample_rate: SAMPLE_RATE, channels: 1, encoding: Encoding::Pcm16 };
    let mut writer = WavWriter::new(BufWriter::new(output_file::create(path)?), form)?;
    writer.write(&[samples])?;
    writer.finish()
}

fn check(folder: &Path) -> Outcome {
    let findings = speech::check_recordings(folder).map_err(Failure::failed)?;
    let mut out = io::stdout().lock();
    for finding in &findings {
        let kind = if finding.concern.is_error() { "error" } else { "note" };
        writeln!(out, "{}: {kind}: {}", finding.path.display(), finding.concern)?;
    }
    let refused = findings.iter().any(|finding| finding.concern.is_error());
    writeln!(
        out,
        "{}",
        if refused { "the box would refuse these recordings" } else { "the box can use these recordings" }
    )?;
    Ok(if refused { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

fn language(code: &str) -> Result<Language, String> {
    Language::parse(code).ok_or_else(|| "the languages are es-MX and en-US".into())
}

fn currency(code: &str) -> Result<Currency, String> {
    Currency::parse(code).ok_or_else(|| "the currencies are MXN and USD".into())
}
