//! Playing a scenario and judging how it ended.

use std::sync::Arc;

use crate::audio::AudioError;
use crate::call::{Call, CallConfig};
use crate::line::{SimulatedCaller, Transcript, run};
use crate::media::{MediaTime, SAMPLE_RATE};
use crate::menu::{Event, EventKind, Menu};
use crate::money::Money;
use crate::simulator::line::{Line, LineBuilder};
use crate::simulator::{Caller, Script};
use crate::speech::Clips;

use super::scenario::{Ending, Scenario};
use super::stage::Stage;

/// White noise on the demo's line, per band 0-4 kHz.
const NOISE_DBM0: f64 = -46.0;
/// The hybrid's echo of the box's own voice.
const ECHO: (f64, f64) = (28.0, 14.0);
/// The caller speaks before the first key, over the greeting.
const SPEAKS_AT: MediaTime = MediaTime::from_ms(700);

/// A scenario played.
pub struct Played {
    /// The call.
    pub transcript: Transcript,
    /// The state it ended in.
    pub last_state: String,
    /// Charges completed at the gateway for the demo's order, read back over HTTP.
    pub completed: Vec<Money>,
}

/// Whether a scenario ended as it must; the list says what did not.
pub type Verdict = Result<(), Vec<String>>;

/// The demo's telephone line.
pub fn line(seed: u64) -> Line {
    LineBuilder::new(seed).noise_dbm0(NOISE_DBM0).echo(ECHO.0, ECHO.1).build(SAMPLE_RATE)
}

/// Plays a call of `script` against the stage's services.
///
/// # Errors
/// If the stage's gateway can't be asked what it charged.
pub fn play(
    scenario: &Scenario,
    script: Script,
    seed: u64,
    menu: Arc<Menu>,
    stage: &Stage,
    watch: &mut dyn FnMut(&Event),
) -> Result<Played, Box<dyn std::error::Error>> {
    let clips = Clips::embedded();
    let mut caller = Caller::new(script, seed);
    if let Some(speech) = clips.caller_speech().first() {
        caller = caller.saying(SPEAKS_AT, speech.samples());
    }
    let mut party = SimulatedCaller::new(caller, line(seed));
    let config = CallConfig { record: true, began: stage.now(), ..CallConfig::default() };
    let mut call = Call::new(menu, clips, &config);
    let mut transcript = Transcript { heard: Some(Vec::new()), ..Transcript::default() };
    let mut services = |request| stage.perform(request);
    run(&mut call, &mut party, &mut services, scenario.fault.latencies(), &mut transcript, watch)
        .map_err(|error: AudioError| error.to_string())?;
    let last_state = last_state(&transcript).to_owned();
    Ok(Played { last_state, completed: stage.completed_charges()?, transcript })
}

fn last_state(transcript: &Transcript) -> &str {
    let mut names = transcript.events.iter().rev().filter_map(|event| match &event.kind {
        EventKind::State { name } => Some(name.as_str()),
        _ => None,
    });
    names.next().unwrap_or_default()
}

/// Judges a played scenario: the gateway's charges, the state the call ended in, and that it ended.
pub fn verdict(scenario: &Scenario, played: &Played, amount: Money) -> Verdict {
    judge(played, scenario.ending, scenario.last_state, amount)
}

pub(super) fn judge(played: &Played, ending: Ending, last_state: &str, amount: Money) -> Verdict {
    let mut wrong = Vec::new();
    let expected: &[Money] = match ending {
        Ending::Paid => &[amount],
        Ending::NotPaid => &[],
    };
    if played.completed != expected {
        wrong.push(format!("completed charges at the gateway: {:?}, not {expected:?}", played.completed));
    }
    if played.last_state != last_state {
        wrong.push(format!("the call ended in state {:?}, not {last_state:?}", played.last_state));
    }
    if !matches!(played.transcript.events.last(), Some(Event { kind: EventKind::HangUp { .. }, .. })) {
        wrong.push("nobody hung up".to_owned());
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}
