//! `tonopago devices`: the sound cards.

use clap::ValueEnum;

use super::Outcome;

/// List the sound cards
///
/// The id in the first column is what `listen --device` and the box's configuration take.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tonopago devices
  tonopago devices --format jsonl")]
pub(super) struct Args {
    /// How to write the list
    #[arg(long, value_enum, default_value_t = FormatName::Text)]
    format: FormatName,
    /// Also list ALSA's plug-ins, which are no cards but can be used by id
    #[arg(long)]
    all: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum FormatName {
    /// For people
    Text,
    /// One JSON object a line for each card
    Jsonl,
}

#[cfg(feature = "sound-card")]
pub(super) fn run(args: Args) -> Outcome {
    use std::io::{self, Write};
    use std::process::ExitCode;

    use super::Failure;
    use tonopago::line::sound_card::cards;

    let cards = cards(args.all).map_err(Failure::failed)?;
    if cards.is_empty() {
        return Err(Failure::failed("there is no sound card: plug one in, or start PulseAudio"));
    }
    let mut out = io::stdout().lock();
    for card in &cards {
        match args.format {
            FormatName::Text => write_card(&mut out, card)?,
            FormatName::Jsonl => {
                serde_json::to_writer(&mut out, card).map_err(io::Error::from)?;
                writeln!(out)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(feature = "sound-card")]
fn write_card(out: &mut impl std::io::Write, card: &tonopago::line::sound_card::Card) -> std::io::Result<()> {
    writeln!(out, "{}", card.id)?;
    writeln!(out, "  {}", card.name)?;
    for (verb, form, default) in
        [("records", &card.input, card.default_input), ("plays  ", &card.output, card.default_output)]
    {
        let Some(form) = form else { continue };
        let rates: Vec<String> = form.rates.iter().map(u32::to_string).collect();
        let default = if default { " (default)" } else { "" };
        let (rate, channels, format) = (form.rate, form.channels, &form.format);
        writeln!(out, "  {verb} {rate} Hz, {channels} channels, {format}{default}; can do {} Hz", rates.join(", "))?;
    }
    Ok(())
}

#[cfg(not(feature = "sound-card"))]
pub(super) fn run(_: Args) -> Outcome {
    Err(super::without_sound_cards())
}
