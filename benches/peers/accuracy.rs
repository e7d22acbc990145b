//! What each misses and adds, on the very settings that `tonopago conformance` promises, and on sound without digits.

use serde_json::json;
use tonopago::audio::Resampler;
use tonopago::conformance::{Claim, Edits, Known, RATE, SPEEDS, Setting, hear, promised};
use tonopago::dtmf::Profile;
use tonopago::simulator::music::Music;

use crate::Plan;
use crate::peers::PEERS;
use crate::sounds::{Sounds, rounded};
use crate::table::{Log, or_absent, row};

/// Digits of a setting that everybody hears, at most.
const DIGITS: usize = 2000;
const QUICK_DIGITS: usize = 100;

pub(crate) fn measure(plan: &Plan, sounds: &Sounds, log: &mut Log) {
    println!(
        "\nAccuracy: missed + extra digits, by the order of what was sent (accepted, where all are to be refused)"
    );
    row("", &["digits", "tonopago", "spandsp", "multimon-ng"].map(str::to_owned));
    for setting in promised(&Profile::default(), &sounds.speech) {
        let digits = setting.trials.min(if plan.quick { QUICK_DIGITS } else { DIGITS });
        compare(&setting, digits, log);
    }
    recordings(plan, log);
    false_digits(plan, sounds, log);
}

fn compare(setting: &Setting, digits: usize, log: &mut Log) {
    let (mut samples, mut sent) = (Vec::new(), String::new());
    for signal in setting.signals(digits) {
        match signal {
            Ok(signal) => {
                samples.extend(rounded(&signal.samples));
                sent.push_str(&signal.digits());
            }
            Err(skipped) => return println!("{:38}  left out: {}", setting.name, skipped.0),
        }
    }
    let figures = everybody(&samples).map(|heard| {
        heard.map(|heard| match setting.claim {
            Claim::Accepted(_) | Claim::NotItself => Edits { missed: 0, extra: heard.len() },
            Claim::Missed(_) | Claim::Latency { .. } => Edits::between(&sent, &heard),
        })
    });
    let text = |edits: Option<Edits>| {
        or_absent(edits.map(|edits| match setting.claim {
            Claim::Accepted(_) | Claim::NotItself => format!("{}", edits.extra),
            Claim::Missed(_) | Claim::Latency { .. } => format!("{} + {}", edits.missed, edits.extra),
        }))
    };
    let columns: Vec<String> = std::iter::once(sent.len().to_string()).chain(figures.map(text)).collect();
    row(&setting.name, &columns);
    let refused = matches!(setting.claim, Claim::Accepted(_) | Claim::NotItself);
    log.write(&figures_json("accuracy", &setting.name, sent.len(), refused, figures));
}

fn figures_json(
    figure: &str,
    name: &str,
    of: usize,
    to_be_refused: bool,
    figures: [Option<Edits>; 3],
) -> serde_json::Value {
    let [ours, spandsp, multimon_ng] =
        figures.map(|edits| edits.map(|edits| json!({ "missed": edits.missed, "extra": edits.extra })));
    json!({ "figure": figure, "setting": name, "of": of, "to_be_refused": to_be_refused,
        "tonopago": ours, "spandsp": spandsp, "multimon-ng": multimon_ng })
}

/// What we, spandsp and multimon-ng hear.
fn everybody(samples: &[f32]) -> [Option<String>; 3] {
    let ours = hear(samples, RATE, &Profile::default()).iter().map(|digit| digit.digit.as_char()).collect();
    let [(_, spandsp), (_, multimon_ng)] = PEERS;
    [Some(ours), spandsp(samples), multimon_ng(samples)]
}

fn recordings(plan: &Plan, log: &mut Log) {
    for folder in &plan.recordings {
        let (mut total, mut digits) = ([Some(Edits::default()); 3], 0);
        for known in &folder.files {
            digits += known.digits.len();
            let heard = everybody(&rounded(&at_8_khz(known)));
            for (total, heard) in total.iter_mut().zip(heard) {
                *total = total.zip(heard).map(|(total, heard)| {
                    let edits = Edits::between(&known.digits, &heard);
                    Edits { missed: total.missed + edits.missed, extra: total.extra + edits.extra }
                });
            }
        }
        let text = |edits: Option<Edits>| or_absent(edits.map(|edits| format!("{} + {}", edits.missed, edits.extra)));
        let columns: Vec<String> = std::iter::once(digits.to_string()).chain(total.map(text)).collect();
        let name = format!("recordings: {}", folder.name);
        row(&name, &columns);
        log.write(&figures_json("accuracy", &name, digits, false, total));
    }
}

/// A recording as the peers want it.
fn at_8_khz(known: &Known) -> Vec<f32> {
    let mut samples = Vec::new();
    let mut resampler = Resampler::new(known.sample_rate, RATE);
    resampler.process(&known.samples, &mut samples);
    resampler.finish(&mut samples);
    samples
}

fn false_digits(plan: &Plan, sounds: &Sounds, log: &mut Log) {
    println!("\nFalse digits in sound that holds none");
    row("", &["minutes", "tonopago", "spandsp", "multimon-ng"].map(str::to_owned));
    let minutes = if plan.quick { 1 } else { 60 };
    let music: Vec<f32> = (0..minutes).flat_map(|seed| Music::new(seed, RATE).take(60 * RATE as usize)).collect();
    tell_false_digits("music made by the simulator", &music, log);
    if sounds.speech.is_empty() {
        return;
    }
    let speeds: Vec<f64> = if plan.quick { vec![1.0] } else { std::iter::once(1.0).chain(SPEEDS).collect() };
    for speed in speeds {
        tell_false_digits(&format!("speech at speed {speed:.2}"), &at_speed(&sounds.speech, speed), log);
    }
}

fn tell_false_digits(name: &str, samples: &[f32], log: &mut Log) {
    let figures = everybody(&rounded(samples)).map(|heard| heard.map(|heard| heard.len()));
    let minutes = samples.len() / (60 * RATE as usize);
    let columns = figures.map(|figure| or_absent(figure.map(|figure| figure.to_string())));
    let columns: Vec<String> = std::iter::once(minutes.to_string()).chain(columns).collect();
    row(name, &columns);
    let [ours, spandsp, multimon_ng] = figures;
    log.write(&json!({ "figure": "false_digits", "sound": name, "minutes": minutes,
        "tonopago": ours, "spandsp": spandsp, "multimon-ng": multimon_ng }));
}

fn at_speed(samples: &[f32], speed: f64) -> Vec<f32> {
    let mut out = Vec::new();
    let mut resampler = Resampler::new((f64::from(RATE) * speed).round() as u32, RATE);
    resampler.process(samples, &mut out);
    resampler.finish(&mut out);
    out
}
