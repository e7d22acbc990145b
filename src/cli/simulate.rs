//! `tonopago simulate`: whoever writes a menu is the caller.

mod live;
mod scripts;
#[cfg_attr(not(feature = "sound-card"), path = "simulate/no_speaker.rs")]
mod speaker;

use std::io::{BufRead as _, IsTerminal as _, Write as _, stdin, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use tonopago::tryout::{At, AuthorizerDoes, GatewayDoes, Keying, Script, Setup, StandIn, Tryout};

use self::speaker::Speaker;
use super::call::{can_keep, keep};
use super::menu_file::MenuArgs;
use super::trace::event_json;
use super::{Failure, Outcome};

/// Try a menu out: you are the caller, prompts are shown and played, services are stand-ins
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tonopago simulate --menu menus/pago.yaml
  printf '1\\n257139#\\n1\\n' | tonopago simulate --menu menus/pago.yaml --authorizer 499.90
  tonopago simulate --menu menus/pago.yaml --script menus/tests/pago/*.txt
  tonopago simulate --menu mine.yaml --script mine.txt --bless
  tonopago simulate --menu menus/centralita.yaml --at 2026-12-24T18:30

On a terminal every key you press is a telephone key, at once; h hangs up. From a pipe each line is what the caller does \
next: keys (pressed when the prompt has been heard), `over 1` (cuts the prompt), `wait 9s`, `hang up`, \
`authorizer: unknown`, `gateway: declined`. A script is a text file with such lines, each after `> `; with --bless the \
call's transcript is written into it, without it the call is compared with it. Type test cards only, as \
4111111111111111.

Exit codes: 0 done, 1 a call differs from its script or a file cannot be used, 2 the command line is wrong.")]
pub(super) struct Args {
    #[command(flatten)]
    menu: MenuArgs,
    /// Play scripted callers and compare the calls with what the files say; a folder means all its .txt files
    #[arg(long, value_name = "FILE", num_args = 1..)]
    script: Vec<PathBuf>,
    /// Write the calls into the scripts instead of comparing
    #[arg(long, requires = "script")]
    bless: bool,
    /// Send each key as sound through the detector
    #[arg(long)]
    audio: bool,
    /// The sound card that plays the prompts, on a terminal: an id from `tonopago devices`, or a part of an id or name that
    /// only one has [default: the default card, if there is one]
    #[arg(long, value_name = "CARD", conflicts_with = "script")]
    speaker: Option<String>,
    /// Show the prompts only
    #[arg(long, conflicts_with = "speaker")]
    mute: bool,
    /// What the authorizer answers: an amount, or unknown, expired, already_paid, blocked, pending, unavailable, silent
    #[arg(long, value_name = "ANSWER", default_value = "200.00", value_parser = AuthorizerDoes::parse)]
    authorizer: AuthorizerDoes,
    /// What the gateway answers: by_card (the test cards), approved, declined, other_card, call_bank, wrong_number,
    /// wrong_expiry, wrong_cvv, already_paid, unknown, unavailable, silent
    #[arg(long, value_name = "ANSWER", default_value = "by_card", value_parser = GatewayDoes::parse)]
    gateway: GatewayDoes,
    /// When the call begins: 2026-12-24T18:30 by the clock that the menu's hours go by (the machine's where it has none), the
    /// same with an offset such as -06:00, or now; a script's own time goes before it [default: 2026-11-04T12:00, a Wednesday]
    #[arg(long, value_name = "TIME", value_parser = At::parse)]
    at: Option<At>,
    /// Add the answers the menu keeps to this file: JSON lines, or a table if its name ends in .csv; not those of scripts
    #[arg(long, value_name = "FILE", conflicts_with = "script")]
    answers: Option<PathBuf>,
    /// How a call from a pipe is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object an event, as `call` writes them; `graph --trace` reads them
    Jsonl,
}

impl Args {
    fn setup(&self) -> Setup {
        let mut services = StandIn::default();
        services.authorizer = self.authorizer.clone();
        services.gateway = self.gateway.clone();
        let keying = if self.audio { Keying::Sound } else { Keying::Direct };
        let at = self.at.clone().unwrap_or_default();
        Setup { keying, services, at, ..Setup::default() }
    }

    /// The card that was asked for, or else the default one if it can be had.
    fn open_speaker(&self) -> Result<Option<Speaker>, Failure> {
        match &self.speaker {
            Some(card) => Speaker::open(card).map(Some),
            None if self.mute => Ok(None),
            None => Ok(Speaker::open("default").ok()),
        }
    }
}

pub(super) fn run(args: Args) -> Outcome {
    let (menu, clips) = args.menu.load_for_reading()?;
    can_keep(args.answers.as_deref(), &menu)?;
    let begin = |at: Option<&At>| {
        let setup = args.setup();
        Tryout::new(menu.clone(), clips.clone(), Setup { at: at.cloned().unwrap_or(setup.at), ..setup })
    };
    if !args.script.is_empty() {
        return scripts::play(&args.script, args.bless, begin);
    }
    if args.format == Format::Text && stdin().is_terminal() && stdout().is_terminal() {
        let speaker = args.open_speaker()?;
        let mut tryout = Tryout::new(menu, clips, Setup { keeps_sound: speaker.is_some(), ..args.setup() });
        live::play(&mut tryout, speaker)?;
        keep(args.answers.as_deref(), &tryout.answers)?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.speaker.is_some() {
        return Err(Failure::usage("--speaker is for a terminal, where time runs as it does for a caller"));
    }
    let mut tryout = begin(None);
    let played = from_pipe(&mut tryout, args.format);
    keep(args.answers.as_deref(), &tryout.answers)?;
    played.map(|()| ExitCode::SUCCESS)
}

/// Steps from standard input, one a line; its end is the caller's hang-up, and so is a line that cannot be done: the call
/// is told to its end before that is.
fn from_pipe(tryout: &mut Tryout, format: Format) -> Result<(), Failure> {
    let done = do_lines(tryout, format);
    tryout.until_it_listens();
    if !tryout.is_over() {
        tryout.hang_up();
    }
    tell(tryout, format).and(done)
}

fn do_lines(tryout: &mut Tryout, format: Format) -> Result<(), Failure> {
    for (index, line) in stdin().lock().lines().enumerate() {
        let line = line.map_err(|error| Failure::failed(format!("standard input: {error}")))?;
        let step = line.trim_start_matches('>').trim();
        if step.is_empty() || step.starts_with("# ") {
            continue;
        }
        Script::step(step, tryout)
            .map_err(|message| Failure::failed(format!("line {} of standard input: {message}", index + 1)))?;
        tell(tryout, format)?;
    }
    Ok(())
}

fn tell(tryout: &mut Tryout, format: Format) -> Result<(), Failure> {
    match format {
        Format::Jsonl => {
            for event in tryout.take_events() {
                tell!("{}", event_json(&event));
            }
        }
        Format::Text => {
            for (at, line) in tryout.take_lines() {
                tell!("{at}  {line}");
            }
        }
    }
    stdout().flush()?;
    Ok(())
}
