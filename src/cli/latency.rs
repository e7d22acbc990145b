//! `tonopago latency`: from the onset of a key to its report.

use std::process::ExitCode;

use serde_json::json;
use tonopago::conformance::RATE;
use tonopago::latency::{Call, Distribution, Measured, by_block};

use super::profile::ProfileArgs;
use super::{FAILED, Failure, Outcome};

/// Bars of a histogram, about.
const BARS: usize = 16;

/// Measure how long a key takes from the onset of its tones to its report
///
/// Without --loop keys of synthetic calls are heard in blocks of several lengths: a receiver that gets its sound in blocks
/// knows a key only when the block has come. With --loop keys are played on a card and heard on another (or the same, by a
/// wire or a monitor), and the time is split into our own buffer, the card's, and the detector's.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tonopago latency
  tonopago latency --snr 15 --blocks 10,20 --format jsonl
  tonopago latency --loop pulseaudio:line pulseaudio:line.monitor --keys 50

Exit codes: 0 every key was reported, 1 a key was missed or a card cannot be used, 2 the command line is wrong.")]
pub(super) struct Args {
    /// Keys
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    keys: Option<u32>,
    /// Lengths of the blocks in ms, 0 for one sample at a time
    #[arg(long, value_name = "MS", value_delimiter = ',', default_values_t = [0, 5, 10, 20, 30, 60], conflicts_with = "looped",
        value_parser = clap::value_parser!(u32).range(0..=1000))]
    blocks: Vec<u32>,
    /// White noise: power of both tones over power of the noise in dB [default: a quiet line's]
    #[arg(long, value_name = "DB", conflicts_with = "looped", allow_negative_numbers = true)]
    snr: Option<f64>,
    /// Play on one card and hear on the other: ids from `tonopago devices`
    #[arg(long = "loop", num_args = 2, value_names = ["OUT", "IN"])]
    looped: Option<Vec<String>>,
    /// Samples per second of the cards, in Hz [default: the card's own]
    #[arg(long, value_name = "HZ", requires = "looped")]
    rate: Option<u32>,
    /// Length of the card's own buffer to ask for, in ms
    #[arg(long, value_name = "MS", default_value_t = 20, requires = "looped")]
    period: u32,
    #[command(flatten)]
    profile: ProfileArgs,
    /// The same seed gives the same keys
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How the figures are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Tables and histograms for people
    Text,
    /// JSON objects, one a line
    Jsonl,
}

pub(super) fn run(args: Args) -> Outcome {
    if args.snr.is_some_and(|snr| !(-20.0..=120.0).contains(&snr)) {
        return Err(Failure::usage("--snr takes -20 to 120 dB"));
    }
    match &args.looped {
        Some(cards) => through_cards(&args, cards),
        None => synthetic(&args),
    }
}

fn synthetic(args: &Args) -> Outcome {
    let profile = args.profile.profile();
    let keys = args.keys.unwrap_or(1000);
    let call = Call::new(args.seed, keys as usize, args.snr);
    let measure = |ms: &u32| (*ms, by_block(&call, &profile, (ms * RATE / 1000).max(1) as usize));
    let measured: Vec<(u32, Measured)> = args.blocks.iter().map(measure).collect();
    for (ms, Measured { latency, missed }) in &measured {
        if args.format == Format::Jsonl {
            let bars = latency.histogram(1.0);
            tell!(
                "{}",
                json!({ "profile": profile.name(), "snr_db": args.snr, "seed": args.seed, "block_ms": ms, "missed": missed,
                    "latency_ms": latency.json(), "bars_of_1_ms": bars })
            );
        }
    }
    if args.format == Format::Text {
        tell!("Onset to report, {keys} keys, ms");
        heading("block")?;
        for (ms, Measured { latency, missed }) in &measured {
            let name = if *ms == 0 { "one sample".to_owned() } else { format!("{ms} ms") };
            line(&name, latency, if *missed > 0 { format!("  {missed} missed") } else { String::new() })?;
        }
        for (ms, Measured { latency, .. }) in &measured {
            let name = if *ms == 0 { "one sample at a time".to_owned() } else { format!("in blocks of {ms} ms") };
            draw(&name, latency)?;
        }
    }
    let missed = measured.iter().any(|(_, measured)| measured.missed > 0);
    Ok(if missed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

#[cfg(not(feature = "sound-card"))]
fn through_cards(_: &Args, _: &[String]) -> Outcome {
    Err(super::without_sound_cards())
}

#[cfg(feature = "sound-card")]
fn through_cards(args: &Args, cards: &[String]) -> Outcome {
    use tonopago::latency::card_loop;
    use tonopago::line::sound_card::Request;

    let [output, input] = cards else { return Err(Failure::usage("--loop takes two cards")) };
    let request = Request {
        device: input.clone(),
        output: Some(output.clone()),
        rate: args.rate,
        period_ms: args.period,
        ..Request::default()
    };
    let profile = args.profile.profile();
    let keys = args.keys.unwrap_or(30) as usize;
    let measured = card_loop::measure(&request, &profile, keys, args.seed).map_err(Failure::failed)?;
    match args.format {
        Format::Text => tell_loop(&measured, output)?,
        Format::Jsonl => tell_loop_as_json(&measured)?,
    }
    let (starved, lost) = measured.starved_and_lost;
    if starved + lost > 0 {
        say!("tonopago: warning: {starved} samples played late, {lost} lost: the machine was too busy");
    }
    Ok(if measured.missed == 0 { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

#[cfg(feature = "sound-card")]
fn tell_loop(measured: &tonopago::latency::card_loop::Measured, output: &str) -> Result<(), Failure> {
    let (card, rate, heard, missed) = (&measured.card, measured.rate, measured.keys.len(), measured.missed);
    tell!("From {output} to {card} at {rate} Hz: {heard} keys heard, {missed} missed; ms");
    heading("part")?;
    line("our buffer", &measured.of(|key| key.buffer_ms), String::new())?;
    line("device", &measured.of(|key| key.device_ms), String::new())?;
    line("detector", &measured.of(|key| key.detector_ms), String::new())?;
    line("  what it hears", &measured.of(|key| key.evidence_ms), String::new())?;
    let total = measured.of(tonopago::latency::card_loop::Parts::total_ms);
    line("all together", &total, String::new())?;
    draw("all together", &total)
}

#[cfg(feature = "sound-card")]
fn tell_loop_as_json(measured: &tonopago::latency::card_loop::Measured) -> Result<(), Failure> {
    let ms = |value: f64| (value * 100.0).round() / 100.0;
    for key in &measured.keys {
        tell!(
            "{}",
            json!({ "digit": key.digit.as_char(), "buffer_ms": ms(key.buffer_ms), "device_ms": ms(key.device_ms),
                "detector_ms": ms(key.detector_ms), "evidence_ms": ms(key.evidence_ms), "total_ms": ms(key.total_ms()) })
        );
    }
    Ok(())
}

fn heading(first: &str) -> Result<(), Failure> {
    tell!("  {first:16} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7}", "min", "mean", "p50", "p95", "p99", "max");
    Ok(())
}

fn line(name: &str, of: &Distribution, note: String) -> Result<(), Failure> {
    let [min, p50, p95, p99, max] = [0.0, 0.5, 0.95, 0.99, 1.0].map(|part| of.part(part));
    tell!("  {name:16} {min:7.1} {:7.1} {p50:7.1} {p95:7.1} {p99:7.1} {max:7.1}{note}", of.mean());
    Ok(())
}

fn draw(name: &str, of: &Distribution) -> Result<(), Failure> {
    tell!("\n{name}");
    for bar in of.drawn(BARS) {
        tell!("{bar}");
    }
    Ok(())
}
