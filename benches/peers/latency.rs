//! From the onset of the tones to the report, in sound that had been heard by then.

use serde_json::json;
use tonopago::conformance::{RATE, Score, Sent, Signal};
use tonopago::dtmf::{GeneratorConfig, Profile};
use tonopago::simulator::line::LineBuilder;

use crate::Plan;
use crate::peers::{for_multimon_ng, multimon_ng_lines, spandsp_with};
use crate::sounds::rounded;
use crate::table::{Log, or_absent, row};

/// Level of noise 15 dB below two tones of -10 dBm0.
const NOISE_DBM0: f64 = -22.0;
/// Digits whose report is searched for in multimon-ng, which tells no times.
const SEARCHED: usize = 32;
/// Bytes of a sample at multimon-ng's rate, and that rate for each of ours.
const MULTIMON_BYTES: f64 = 2.0 * 22_050.0 / RATE as f64;

pub(crate) fn measure(plan: &Plan, log: &mut Log) {
    println!("\nOnset to report, ms (p50 / p95 / max)");
    println!(
        "(multimon-ng tells no times: the shortest beginning of the sound from which it tells a digit, of {SEARCHED})"
    );
    row("", &["tonopago", "spandsp", "multimon-ng"].map(str::to_owned));
    let digits = if plan.quick { 200 } else { 2000 };
    for (name, noise) in [("clean, 50/50 ms", None), ("15 dB S/N, 50/50 ms", Some(NOISE_DBM0))] {
        let signal = signal(digits, noise);
        let figures = [ours(&signal), spandsp(&signal), multimon_ng(noise)].map(Distribution::of);
        row(name, &figures.clone().map(|figure| or_absent(figure.map(|figure| figure.text()))));
        let [ours, spandsp, multimon_ng] = figures.map(|figure| figure.map(|figure| figure.json()));
        log.write(&json!({ "figure": "latency_ms", "sound": name, "digits": digits,
            "tonopago": ours, "spandsp": spandsp, "multimon-ng": multimon_ng }));
    }
}

fn signal(digits: usize, noise: Option<f64>) -> Signal {
    let mut signal = Signal::random(3101, digits, &GeneratorConfig::default().timing(50.0, 50.0));
    if let Some(level) = noise {
        signal.samples = LineBuilder::new(3101).noise_dbm0(level).build(RATE).carry(&signal.samples);
    }
    signal.samples = rounded(&signal.samples);
    signal
}

fn ours(signal: &Signal) -> Option<Vec<f64>> {
    Some(Score::of(signal, &Profile::default()).latencies)
}

fn spandsp(signal: &Signal) -> Option<Vec<f64>> {
    let lines = spandsp_with(&["times"], &signal.samples)?;
    let told: Vec<(char, usize)> =
        lines.lines().map(|line| (line.chars().next().unwrap(), line[1..].trim().parse().unwrap())).collect();
    let of = |sent: &Sent| {
        let late = sent.end + RATE as usize / 20;
        let fits = |(digit, at): &&(char, usize)| *digit == sent.digit.as_char() && (sent.start..late).contains(at);
        told.iter().find(fits).map(|(_, at)| ms(at - sent.start))
    };
    Some(signal.sent.iter().filter_map(of).collect())
}

/// Bisection over the length of the sound, digit by digit.
fn multimon_ng(noise: Option<f64>) -> Option<Vec<f64>> {
    let signal = signal(SEARCHED, noise);
    let bytes = for_multimon_ng(&signal.samples);
    let heard = |samples: usize| {
        let end = (((samples as f64 * MULTIMON_BYTES) as usize) & !1).min(bytes.len());
        Some(multimon_ng_lines(&bytes[..end])?.lines().filter(|line| line.starts_with("DTMF: ")).count())
    };
    let mut latencies = Vec::new();
    for (index, sent) in signal.sent.iter().enumerate() {
        let (mut silent, mut telling) = (sent.start, sent.end + RATE as usize / 20);
        if heard(silent)? != index || heard(telling)? <= index {
            // Missed or doubled here: there is nothing to search for.
            continue;
        }
        while telling - silent > 4 {
            let middle = usize::midpoint(silent, telling);
            if heard(middle)? > index { telling = middle } else { silent = middle }
        }
        latencies.push(ms(telling - sent.start));
    }
    Some(latencies)
}

fn ms(samples: usize) -> f64 {
    samples as f64 * 1000.0 / f64::from(RATE)
}

#[derive(Clone)]
struct Distribution(Vec<f64>);

impl Distribution {
    fn of(values: Option<Vec<f64>>) -> Option<Self> {
        let mut values = values.filter(|values| !values.is_empty())?;
        values.sort_by(f64::total_cmp);
        Some(Self(values))
    }

    fn part(&self, part: f64) -> f64 {
        self.0[((self.0.len() - 1) as f64 * part).round() as usize]
    }

    fn text(&self) -> String {
        format!("{:.1} / {:.1} / {:.1}", self.part(0.5), self.part(0.95), self.part(1.0))
    }

    fn json(&self) -> serde_json::Value {
        let mean = self.0.iter().sum::<f64>() / self.0.len() as f64;
        json!({ "digits": self.0.len(), "min": self.part(0.0), "mean": mean, "p50": self.part(0.5), "p95": self.part(0.95),
            "max": self.part(1.0) })
    }
}
