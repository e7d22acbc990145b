//! `tonopago demo`: whole paid calls with no hardware and no network beyond loopback.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use tonopago::demo::{self, SCENARIOS, Scenario, Stage};
use tonopago::menu::Menu;

use super::menu_file::MenuArgs;
use super::{FAILED, Failure, Outcome};

/// Make a whole paid call with no hardware: a simulated caller's sound, the real engine, real HTTP on loopback
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tonopago demo
  tonopago demo --scenario late-answer --out demo-out
  tonopago demo --scenario all

An embedded authorizer with its ledger and an embedded stand-in for Openpay are served over HTTP on loopback; a payment \
key is issued; a simulated caller's sound goes through the detector into the menu. The timeline is printed; the call is \
written as a stereo WAV file (caller left, box right; card data silent). The charge is read back from the gateway.

Exit codes: 0 every scenario ended as it must, 1 one did not, 2 the command line is wrong.")]
pub(super) struct Args {
    /// Which call: paid, english, impatient, declined-then-paid, wrong-key, corrected, hang-up, authorizer-down,
    /// late-answer, or all
    #[arg(long, default_value = "paid", value_name = "NAME")]
    scenario: String,
    /// List the scenarios and stop
    #[arg(long)]
    list: bool,
    /// Where recordings, timelines and ledgers are written, one folder a scenario
    #[arg(long, default_value = "demo-out", value_name = "FOLDER")]
    out: PathBuf,
    /// Fixes the caller's timing and the line's noise
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(super) fn run(args: Args) -> Outcome {
    if args.list {
        for scenario in &SCENARIOS {
            tell!("{:20} {}", scenario.name, scenario.about);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let scenarios: Vec<&Scenario> = match args.scenario.as_str() {
        "all" => SCENARIOS.iter().collect(),
        name => vec![Scenario::named(name).ok_or_else(|| unknown(name))?],
    };
    let (menu, _) = MenuArgs::built_in().load()?;
    let mut failed = 0;
    for scenario in &scenarios {
        match play(scenario, &args, &menu) {
            Ok(true) => {}
            Ok(false) => failed += 1,
            Err(Failure::Failed(error)) => {
                say!("tonopago: {}: {error}", scenario.name);
                failed += 1;
            }
            Err(other) => return Err(other),
        }
    }
    if scenarios.len() > 1 {
        tell!("{} scenarios, {failed} failed", scenarios.len());
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn unknown(name: &str) -> Failure {
    let names: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
    Failure::usage(format!("no scenario {name:?}; there are: all, {}", names.join(", ")))
}

/// Plays one scenario; true if it ended as it must.
fn play(scenario: &Scenario, args: &Args, menu: &Arc<Menu>) -> Result<bool, Failure> {
    let folder = args.out.join(scenario.name);
    let in_folder = |error: std::io::Error| Failure::unwritable(&folder, &error);
    fs::create_dir_all(&folder).map_err(in_folder)?;
    demo::remove_last_run(&folder).map_err(in_folder)?;
    tell!("== {}: {}", scenario.name, scenario.about);
    let stage = Stage::start(scenario.fault, Some(&folder)).map_err(Failure::failed)?;
    tell!("{}", stage.describe());
    let mut timeline = String::new();
    let mut watch = |event: &tonopago::menu::Event| {
        // Nobody may be reading any more; the call goes on, and its end says so.
        let _ = std::io::Write::write_fmt(&mut std::io::stdout(), format_args!("{event}\n"));
        let _ = writeln!(timeline, "{event}");
    };
    let played = demo::play(scenario, scenario.script(), args.seed, Arc::clone(menu), &stage, &mut watch)
        .map_err(Failure::Failed)?;
    let wav = folder.join(demo::RECORDING);
    demo::write_recording(&wav, &played.transcript.recording).map_err(in_folder)?;
    fs::write(folder.join(demo::TIMELINE), &timeline).map_err(in_folder)?;
    let verdict = demo::verdict(scenario, &played, stage.amount());
    drop(stage);
    tell_charges(&played.completed)?;
    tell!("recording: {} (caller left, box right; card data silent)", wav.display());
    let clean = no_card_data(scenario, &folder)?;
    match &verdict {
        Ok(()) if clean => tell!("ended as it must\n"),
        Ok(()) => {}
        Err(wrong) => tell!("FAILED: {}\n", wrong.join("; ")),
    }
    Ok(clean && verdict.is_ok())
}

fn tell_charges(completed: &[tonopago::money::Money]) -> Result<(), Failure> {
    if completed.is_empty() {
        tell!("gateway: no completed charge (asked over HTTP)");
    }
    for amount in completed {
        tell!("gateway: {amount} completed (read back over HTTP)");
    }
    Ok(())
}

fn no_card_data(scenario: &Scenario, folder: &Path) -> Result<bool, Failure> {
    let (searched, leaks) = demo::search_for_card_data(folder, scenario.cards)
        .map_err(|error| Failure::failed(format!("{}: {error}", folder.display())))?;
    tell!("searched {searched} files written for card numbers and CVVs: {} found", leaks.len());
    for leak in &leaks {
        tell!("FAILED: a {} stands in {}", leak.what, leak.file.display());
    }
    Ok(leaks.is_empty())
}
