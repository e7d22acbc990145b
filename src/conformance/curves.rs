//! Curves: what happens on both sides of each limit.

use super::chart::{Chart, Form, Line};
use super::promise::point;
use super::receiver::{OtherReceiver, Receiver, ReceiverError};
use super::score::Score;
use super::setting::{send_off, tones};
use super::signal::Signal;
use super::{Effort, Options, Told};
use crate::dtmf::GeneratorConfig;

/// Charts that [`curves`] draws at most.
pub const CURVES: usize = 6;
/// Width of the latency histogram's bars in ms.
const BAR_MS: f64 = 0.5;

/// Measures the curves; `tell` hears of them as of rows.
///
/// # Errors
/// If another receiver than ours fails: what it has not heard would be drawn as what it misses.
///
/// # Panics
/// If the profile asks for what the detector can't keep.
pub fn curves(options: &Options, tell: &mut dyn FnMut(Told<'_>)) -> Result<Vec<Chart>, ReceiverError> {
    let sweep = Sweep { receiver: options.receiver(), digits: options.effort.curve_digits() };
    let draw: [(&str, Draw<'_>); CURVES] = [
        ("curve: noise", Sweep::noise),
        ("curve: twist", Sweep::twist),
        ("curve: frequency", Sweep::frequency),
        ("curve: duration", Sweep::duration),
        ("curve: level", Sweep::level),
        ("curve: latency", Sweep::latency),
    ];
    let mut charts = Vec::with_capacity(CURVES);
    for (index, (name, draw)) in draw.into_iter().enumerate() {
        tell(Told::Begin { name, index, of: CURVES });
        let chart = draw(&sweep);
        if let Some(trouble) = options.other.as_ref().and_then(OtherReceiver::take_trouble) {
            return Err(trouble);
        }
        // A receiver that tells no times has no latency to draw.
        if chart.lines.iter().any(|line| !line.points.is_empty()) {
            charts.push(chart);
        }
    }
    Ok(charts)
}

impl Effort {
    /// Digits at each point of a curve.
    const fn curve_digits(self) -> usize {
        match self {
            Self::Quick => 50,
            Self::Full => 1000,
        }
    }
}

type Draw<'a> = fn(&Sweep<'a>) -> Chart;

struct Sweep<'a> {
    receiver: Receiver<'a>,
    digits: usize,
}

impl Sweep<'_> {
    fn score(&self, seed: u64, config: GeneratorConfig, snr_db: Option<f64>) -> Score {
        let mut score = Score::default();
        for signal in point(seed, config, snr_db, self.digits) {
            score.add(self.receiver.score(&signal));
        }
        score
    }

    fn accepted(&self, seed: u64, config: GeneratorConfig) -> f64 {
        let score = self.score(seed, config, None);
        100.0 * (score.sent - score.missed) as f64 / score.sent.max(1) as f64
    }

    fn noise(&self) -> Chart {
        let missed = |snr: i32| {
            let score = self.score(2001, tones(-10.0), Some(f64::from(snr)));
            (f64::from(snr), 100.0 * score.missed as f64 / score.sent.max(1) as f64)
        };
        Chart {
            title: "Digits missed in white noise".to_owned(),
            x_label: "S/N against the power of both tones, noise over 0-4 kHz, dB".to_owned(),
            y_label: "missed, % (none at the bottom)".to_owned(),
            form: Form::Logarithmic(0.01, 100.0),
            lines: vec![line("missed", (-9..=9).map(missed))],
            limits: vec![],
        }
    }

    fn twist(&self) -> Chart {
        let at = |db: i32| (f64::from(db), self.accepted(2002, tones(-3.0).twist(f64::from(db))));
        acceptance(
            "Acceptance against twist",
            "low tone stronger by, dB (negative: reverse twist)",
            vec![line("accepted", (-16..=16).map(at))],
            vec![(-self.receiver.profile.reverse_twist_db, "limit"), (self.receiver.profile.normal_twist_db, "limit")],
        )
    }

    /// One line for each group, over all its tones.
    fn frequency(&self) -> Chart {
        let group = |name: &str, first: usize| {
            let at = |step: i32| {
                let offset = 0.002 * f64::from(step);
                let mut signal = Signal::new(2003);
                for index in 0..self.digits {
                    let other = signal.rng.usize(0..4);
                    send_off(&mut signal, &tones(-17.0), first + index % 4, other, |_| offset);
                }
                signal.silence(200.0);
                let score = self.receiver.score(&signal);
                (100.0 * offset, 100.0 * (score.sent - score.missed) as f64 / score.sent.max(1) as f64)
            };
            line(name, (-20..=20).map(at))
        };
        let (accept, reject) =
            (100.0 * self.receiver.profile.accept_fraction, 100.0 * self.receiver.profile.reject_fraction);
        acceptance(
            "Acceptance against frequency offset",
            "offset of one tone, % of its nominal frequency",
            vec![group("low group", 0), group("high group", 4)],
            vec![(-reject, "refuse"), (-accept, "accept"), (accept, "accept"), (reject, "refuse")],
        )
    }

    fn duration(&self) -> Chart {
        let at = |ms: i32| (f64::from(ms), self.accepted(2004, tones(-10.0).timing(f64::from(ms), 60.0)));
        acceptance(
            "Acceptance against tone duration",
            "duration, ms",
            vec![line("accepted", (10..=50).map(at))],
            vec![(self.receiver.profile.reject_tone_ms, "refuse"), (self.receiver.profile.accept_tone_ms, "accept")],
        )
    }

    fn level(&self) -> Chart {
        let at = |step: i32| (f64::from(step), self.accepted(2005, tones(f64::from(step))));
        acceptance(
            "Acceptance against level",
            "level of each tone, dBm0",
            vec![line("accepted", (-30..=1).map(|step| 2 * step + 2).map(at))],
            vec![(self.receiver.profile.floor_dbm0, "floor")],
        )
    }

    fn latency(&self) -> Chart {
        let score = self.score(2006, tones(-10.0), Some(15.0));
        Chart {
            title: "Onset to report at 15 dB S/N".to_owned(),
            x_label: "from the onset of the tones to the report, ms".to_owned(),
            y_label: "digits".to_owned(),
            form: Form::Bars,
            lines: vec![Line { name: "digits".to_owned(), points: histogram(&score.latencies, BAR_MS) }],
            limits: vec![],
        }
    }
}

fn line(name: &str, points: impl Iterator<Item = (f64, f64)>) -> Line {
    Line { name: name.to_owned(), points: points.collect() }
}

fn acceptance(title: &str, x_label: &str, lines: Vec<Line>, limits: Vec<(f64, &str)>) -> Chart {
    Chart {
        title: title.to_owned(),
        x_label: x_label.to_owned(),
        y_label: "accepted, %".to_owned(),
        form: Form::Linear(100.0),
        lines,
        limits: limits.into_iter().map(|(place, word)| (place, word.to_owned())).collect(),
    }
}

/// How many values lie in each bar of a width, from the lowest to the highest; a last bar of none closes it.
pub(super) fn histogram(values: &[f64], width: f64) -> Vec<(f64, f64)> {
    let bar = |value: f64| (value / width).floor() as i64;
    let (Some(first), Some(last)) = (values.iter().map(|v| bar(*v)).min(), values.iter().map(|v| bar(*v)).max()) else {
        return Vec::new();
    };
    let mut counts = vec![0_u32; (last - first + 2) as usize];
    values.iter().for_each(|value| counts[(bar(*value) - first) as usize] += 1);
    let place = |index: usize| (first + index as i64) as f64 * width;
    counts.into_iter().enumerate().map(|(index, count)| (place(index), f64::from(count))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::Profile;

    #[test]
    fn a_histogram_counts_every_value() {
        assert_eq!(histogram(&[1.0, 1.4, 2.6], 0.5), [(1.0, 2.0), (1.5, 0.0), (2.0, 0.0), (2.5, 1.0), (3.0, 0.0)]);
        assert!(histogram(&[], 1.0).is_empty());
    }

    /// The page had an empty chart of it.
    #[cfg(unix)]
    #[test]
    fn nothing_is_drawn_of_times_that_nobody_tells() {
        let other = Some(OtherReceiver::new("echo 1").unwrap());
        let charts = curves(&Options { other, ..Options::default() }, &mut |_| {}).unwrap();
        assert_eq!(charts.len(), CURVES - 1);
        assert!(charts.iter().all(|chart| !chart.title.contains("report")), "{charts:?}");
    }

    #[test]
    fn acceptance_falls_off_beyond_the_limits() {
        let receiver = Receiver { profile: Profile::default(), other: None };
        let sweep = Sweep { receiver, digits: 50 };
        let ends = |chart: &Chart| {
            let points = &chart.lines[0].points;
            (points[0].1, points[points.len() / 2].1, points[points.len() - 1].1)
        };
        assert_eq!(ends(&sweep.twist()), (0.0, 100.0, 0.0));
        assert_eq!(ends(&sweep.frequency()), (0.0, 100.0, 0.0));
        assert_eq!((ends(&sweep.duration()).0, ends(&sweep.duration()).2), (0.0, 100.0));
    }
}
