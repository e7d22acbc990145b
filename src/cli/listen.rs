//! `tonopago listen`: live digits from a sound card, with a level meter.

use std::path::PathBuf;

use clap::ValueEnum;

use super::profile::ProfileArgs;

/// Hear DTMF digits on a sound card, with a level meter
///
/// Digits go to standard output as they end. On a terminal a line below them shows the level: the bar is the average of 50
/// ms, the mark the recent peak. Ends with Ctrl-C, after --seconds, or when --play has been played.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tonopago listen
  tonopago listen --device alsa:hw:CARD=Device,DEV=0 --format jsonl
  tonopago listen --device pulseaudio:line.monitor --output pulseaudio:line --play keys.wav")]
pub(super) struct Args {
    /// The card: an id from `tonopago devices`, or a part of an id or name that only one has
    #[arg(long, short, value_name = "CARD", default_value = "default")]
    device: String,
    /// Samples per second, in Hz [default: the card's own]
    #[arg(long, value_name = "HZ")]
    rate: Option<u32>,
    /// The card's channel, from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    channel: u16,
    /// How to write the digits
    #[arg(long, value_enum, default_value_t = FormatName::Text)]
    format: FormatName,
    /// Also tell what was almost a digit, with the reason it was refused
    #[arg(long)]
    rejected: bool,
    #[command(flatten)]
    profile: ProfileArgs,
    /// End after this much sound, in seconds
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// Play a recording meanwhile, and end one second after it: shows whether a card hears itself
    #[arg(long, value_name = "FILE")]
    play: Option<PathBuf>,
    /// The card that plays, where it is not the one that listens
    #[arg(long, value_name = "CARD", requires = "play")]
    output: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum FormatName {
    /// For people
    Text,
    /// One JSON object a line for each digit
    Jsonl,
}

#[cfg(feature = "sound-card")]
mod display;
#[cfg(feature = "sound-card")]
mod live;

#[cfg(feature = "sound-card")]
pub(super) use live::run;

#[cfg(not(feature = "sound-card"))]
pub(super) fn run(_: Args) -> super::Outcome {
    Err(super::without_sound_cards())
}
