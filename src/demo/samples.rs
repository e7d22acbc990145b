//! The recorded callers in `samples/`: the sound of simulated callers as the box hears it, with what must come of it.
//!
//! They contain the tones of card numbers, which are Openpay's published test cards and pay for nothing. No recording of
//! a real caller is made this way.

use std::error::Error;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::audio::Resampler;
use crate::audio::g711::Law;
use crate::audio::wav::{Encoding, WavForm, WavWriter};
use crate::media::{MediaTime, SAMPLE_RATE};
use crate::menu::Menu;
use crate::simulator::{Act, Patience, Script};

use super::play::{Played, judge, play};
use super::scenario::{Ending, Fault, SCENARIOS, Scenario};
use super::stage::Stage;

/// Callers in samples cut in this long after a state is entered, so that the files stay small.
const CUTS_IN: MediaTime = MediaTime::from_ms(1300);
/// In the sample that takes eleven times the room of the others for each second.
const CUTS_IN_44: MediaTime = MediaTime::from_ms(400);
/// Fixes the callers' timing and the line's noise.
const SEED: u64 = 20_261_123;

/// What must come of a sample, as kept beside it (`NAME.expected.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The sound file beside it.
    pub file: String,
    /// The channel the caller is on, from 0.
    pub channel: usize,
    /// What the file shows.
    pub about: String,
    /// The digits to be decoded from the caller's channel, in order.
    pub digits: String,
    /// The state the call ends in under `menus/pago.yaml`.
    pub last_state: String,
    /// Whether the call makes a completed charge.
    pub paid: bool,
    /// What goes wrong at the services meanwhile: `tonopago call --fault`.
    pub fault: Fault,
}

/// Why samples could not be made.
pub type SampleError = Box<dyn Error>;

#[derive(Clone, Copy)]
enum Form {
    Telephone,
    MuLaw,
    /// Caller left, a quiet noise right, as from a sound card.
    Stereo44,
}

/// Makes all samples in `folder`; the same bytes each time. Returns the files made.
///
/// # Errors
/// If a file can't be written or a scenario does not end as it must.
pub fn make_samples(folder: &Path, menu: &Arc<Menu>) -> Result<Vec<PathBuf>, SampleError> {
    fs::create_dir_all(folder)?;
    let mut made = Vec::new();
    for scenario in &SCENARIOS {
        let form = if scenario.name == "english" { Form::MuLaw } else { Form::Telephone };
        made.extend(make_sample(folder, scenario.name, scenario, form, menu)?);
    }
    let hang_up = Scenario::named("hang-up").ok_or("no scenario hang-up")?;
    made.extend(make_sample(folder, "hang-up-44100-stereo", hang_up, Form::Stereo44, menu)?);
    Ok(made)
}

fn make_sample(
    folder: &Path,
    name: &str,
    scenario: &Scenario,
    form: Form,
    menu: &Arc<Menu>,
) -> Result<[PathBuf; 2], SampleError> {
    let script = hurried(scenario, form);
    let digits = script.all_keys();
    let stage = Stage::start(scenario.fault, None)?;
    let played = play(scenario, script, SEED, Arc::clone(menu), &stage, &mut |_| {})?;
    check(scenario, &played, &stage)?;
    let sound = folder.join(format!("{name}.wav"));
    write_sound(&sound, played.transcript.heard.as_deref().unwrap_or_default(), form)?;
    let sample = Sample {
        file: format!("{name}.wav"),
        channel: 0,
        about: scenario.about.to_owned(),
        digits,
        last_state: played.last_state,
        paid: !played.completed.is_empty(),
        fault: scenario.fault,
    };
    let expected = folder.join(format!("{name}.expected.json"));
    fs::write(&expected, serde_json::to_string_pretty(&sample)? + "\n")?;
    Ok([sound, expected])
}

/// The scenario's caller in a hurry, who hangs up once the reference has been read.
fn hurried(scenario: &Scenario, form: Form) -> Script {
    let cuts_in = match form {
        Form::Telephone | Form::MuLaw => CUTS_IN,
        Form::Stereo44 => CUTS_IN_44,
    };
    let script = scenario.script().hurried(cuts_in);
    match scenario.ending {
        Ending::Paid => script.act("otra_vez", Patience::HearsOut, Act::KeysThenHangUp(String::new())),
        Ending::NotPaid => script,
    }
}

fn check(scenario: &Scenario, played: &Played, stage: &Stage) -> Result<(), SampleError> {
    judge(played, scenario.ending, last_state_when_hurried(scenario), stage.amount())
        .map_err(|wrong| format!("{}: {}", scenario.name, wrong.join("; ")).into())
}

const fn last_state_when_hurried(scenario: &Scenario) -> &'static str {
    match scenario.ending {
        Ending::Paid => "otra_vez",
        Ending::NotPaid => scenario.last_state,
    }
}

fn write_sound(path: &Path, samples: &[f32], form: Form) -> Result<(), SampleError> {
    let (sample_rate, channels, encoding) = match form {
        Form::Telephone => (SAMPLE_RATE, 1, Encoding::Pcm16),
        Form::MuLaw => (SAMPLE_RATE, 1, Encoding::G711(Law::Mu)),
        Form::Stereo44 => (44_100, 2, Encoding::Pcm16),
    };
    let form = WavForm { sample_rate, channels, encoding };
    let mut writer = WavWriter::new(BufWriter::new(File::create(path)?), form)?;
    if sample_rate == SAMPLE_RATE {
        writer.write(&[samples])?;
    } else {
        let mut resampled = Vec::new();
        let mut resampler = Resampler::new(SAMPLE_RATE, sample_rate);
        resampler.process(samples, &mut resampled);
        resampler.finish(&mut resampled);
        writer.write(&[&resampled, &vec![0.0; resampled.len()]])?;
    }
    writer.finish()?;
    Ok(())
}
