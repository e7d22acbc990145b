//! The decision machine on filtered samples.

use super::evidence::{Evidence, Onset};
use super::fit::{Fit, FittedTone};
use super::front_end::{Filtered, FrontEnd, WORKING_RATE};
use super::history::{History, SHORT, SHORT_SAMPLES};
use super::level::dbm0;
use super::verdict::{ACCEPT, score};
use super::{Begin, Detection, Digit, Event, Measurement, NearMiss, Profile, Reason, pieces};

/// Converts filtered sample positions to input samples.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    rate: u64,
    delay: u64,
}

impl Clock {
    pub(crate) fn new(rate: u32, front: &FrontEnd) -> Self {
        Self { rate: u64::from(rate), delay: front.needed(0) }
    }

    fn input(self, position: f64) -> u64 {
        (position * self.rate as f64 / f64::from(WORKING_RATE)).round().max(0.0) as u64
    }

    /// Input samples heard when the filtered sample `n` appeared.
    fn heard(self, n: u64) -> u64 {
        n * self.rate / u64::from(WORKING_RATE) + self.delay
    }
}

/// How long after a digit the same pair may be its echo, in filtered samples: 100 ms.
const ECHO_SAMPLES: f64 = 400.0;
/// A repeated digit follows its predecessor by a pause of at least this many filtered samples: 16 ms.
const PAUSE_SAMPLES: f64 = 64.0;
/// The same pair, weaker than this part of the power of the digit before it, is an echo: -7 dB.
const ECHO_POWER: f32 = 0.2;

/// A digit that is on.
#[derive(Clone, Copy)]
struct Active {
    digit: Digit,
    begin: Begin,
    measured: Measurement,
    /// Power of the short window of both tones when steady.
    reference: [f32; 2],
    /// Filtered-sample position where the level last fell, while it is down.
    fell: Option<u64>,
}

/// A digit that is over, as long as its echo may be heard.
#[derive(Clone, Copy)]
struct Previous {
    digit: Digit,
    end: u64,
    reference: [f32; 2],
}

/// Finds the digits in filtered samples.
pub(crate) struct Core {
    history: History,
    active: Option<Active>,
    previous: Option<Previous>,
    refused_until: u64,
}

impl Core {
    pub(crate) fn new() -> Self {
        Self { history: History::new(), active: None, previous: None, refused_until: 0 }
    }

    pub(crate) fn hear(&mut self, sample: Filtered, profile: &Profile, clock: Clock, on_event: &mut dyn FnMut(Event)) {
        if !self.history.push(sample) {
            return;
        }
        if let Some(active) = self.active {
            self.follow(active, profile, clock, on_event);
        }
        if let Some((digit, begin, measured)) = self.candidate(profile, clock, on_event) {
            if let Some(active) = self.active {
                self.close(&active, active.fell.unwrap_or(self.history.count()), clock, on_event);
            }
            let lanes = [digit.row(), 4 + digit.column()];
            let strongest = |lane: usize| (0..SHORT).map(|age| self.history.powers(age)[lane]).fold(0f32, f32::max);
            self.active = Some(Active { digit, begin, measured, reference: lanes.map(strongest), fell: None });
            on_event(Event::Begin(begin));
        }
    }

    fn follow(&mut self, mut active: Active, profile: &Profile, clock: Clock, on_event: &mut dyn FnMut(Event)) {
        let power = self.history.powers(0);
        let now = [power[active.digit.row()], power[4 + active.digit.column()]];
        let middle = self.history.count().saturating_sub((SHORT_SAMPLES / 2) as u64);
        let level = 0.5 * (now[0] / active.reference[0].max(1e-20) + now[1] / active.reference[1].max(1e-20));
        if level > 0.25 {
            active.fell = None;
        } else if active.fell.is_none() {
            active.fell = Some(middle);
        }
        self.active = Some(active);
        let split = (0.5 * (profile.bridge_gap_ms + profile.split_gap_ms) * f64::from(WORKING_RATE) / 1000.0) as u64;
        if let Some(fell) = active.fell
            && middle - fell >= split
        {
            self.close(&active, fell, clock, on_event);
        }
    }

    fn close(&mut self, active: &Active, end: u64, clock: Clock, on_event: &mut dyn FnMut(Event)) {
        self.active = None;
        self.previous = Some(Previous { digit: active.digit, end, reference: active.reference });
        on_event(Event::End(Detection {
            digit: active.digit,
            start: active.begin.start,
            end: clock.input(end as f64),
            begin_reported: active.begin.reported,
            end_reported: clock.heard(self.history.count() - 1),
            measured: active.measured,
        }));
    }

    /// Whether a candidate is the tail or the echo of the digit before it.
    fn is_echo(&self, digit: Digit, onset: &Onset) -> bool {
        let Some(previous) = self.previous.filter(|previous| previous.digit == digit) else { return false };
        let start = self.history.count() as f64 - f64::from(onset.age);
        if start > previous.end as f64 + ECHO_SAMPLES {
            return false;
        }
        let power = self.history.powers(0);
        let now = [power[digit.row()], power[4 + digit.column()]];
        let level = 0.5 * (now[0] / previous.reference[0].max(1e-20) + now[1] / previous.reference[1].max(1e-20));
        start < previous.end as f64 + PAUSE_SAMPLES || level < ECHO_POWER
    }

    fn candidate(
        &mut self,
        profile: &Profile,
        clock: Clock,
        on_event: &mut dyn FnMut(Event),
    ) -> Option<(Digit, Begin, Measurement)> {
        let history = &self.history;
        let (now, before) = (history.powers(0), history.powers(SHORT));
        let strength = |lane: usize| now[lane] + before[lane];
        let row = (0..4).max_by(|a, b| strength(*a).total_cmp(&strength(*b)))?;
        let column = (0..4).max_by(|a, b| strength(4 + *a).total_cmp(&strength(4 + *b)))?;
        let digit = Digit::at(row, column);
        if self.active.is_some_and(|active| active.digit == digit) {
            return None;
        }
        let energy = history.band_energy(0, 2 * SHORT);
        if (strength(row) + strength(4 + column)) / 24.0 < 0.4 * energy || energy < 1e-9 {
            return None;
        }
        let onset = Onset::find(history, digit, 0);
        let found = self.steady(digit, onset, profile).or_else(|| self.pieced(digit, profile));
        let (fit, age) = found?;
        let start = self.history.count() as f64 - f64::from(age);
        let reported = clock.heard(self.history.count() - 1);
        Some((digit, Begin { digit, start: clock.input(start), reported }, measure(&fit)))
    }

    /// A pair that was steady over one of the windows: its fit and its age in filtered samples.
    fn steady(&self, digit: Digit, onset: Onset, profile: &Profile) -> Option<(Fit, f32)> {
        let history = &self.history;
        if onset.age < 92.0 || self.is_echo(digit, &onset) {
            return None;
        }
        for window in [96, 144, 192] {
            if onset.age + 8.0 < window as f32 {
                break;
            }
            let fit = Evidence::fit(history, digit, window, 0);
            let snr = fit.snr_db();
            if snr < 1.0 || judge(&measure(&fit), digit, profile).is_some() {
                continue;
            }
            let evidence = Evidence::gather(history, onset, fit, window, 0);
            if evidence.sounded < 96.7
                || evidence.at_end < 0.75
                || evidence.variation[0].max(evidence.variation[1]) > 0.45
                || (snr > 13.0 && evidence.end_residual > 0.04)
                || score(&evidence, digit, window) < ACCEPT
            {
                continue;
            }
            return Some((fit, onset.age));
        }
        None
    }

    /// A pure pair in pieces: its fit and its age in filtered samples.
    fn pieced(&self, digit: Digit, profile: &Profile) -> Option<(Fit, f32)> {
        let found = pieces::find(&self.history, digit)?;
        let start = self.history.count() as f64 - found.age as f64;
        if self.previous.is_some_and(|previous| previous.digit == digit && start < previous.end as f64 + PAUSE_SAMPLES)
        {
            return None;
        }
        judge(&measure(&found.fit), digit, profile).is_none().then_some((found.fit, found.age as f32))
    }
}

fn measure(fit: &Fit) -> Measurement {
    let level = |tone: &FittedTone| dbm0(Evidence::line_amplitude(tone)) as f32;
    Measurement {
        low_dbm0: level(&fit.low),
        high_dbm0: level(&fit.high),
        low_hz: fit.low.hz,
        high_hz: fit.high.hz,
        snr_db: fit.snr_db(),
    }
}

fn judge(measured: &Measurement, digit: Digit, profile: &Profile) -> Option<Reason> {
    let off = |hz: f32, nominal: f64| (f64::from(hz) - nominal).abs() > profile.frequency_limit_hz(nominal);
    let twist = f64::from(measured.twist_db());
    if off(measured.low_hz, digit.low_hz()) || off(measured.high_hz, digit.high_hz()) {
        Some(Reason::Frequency)
    } else if twist > profile.normal_twist_db + 1.0 || -twist > profile.reverse_twist_db + 1.0 {
        Some(Reason::Twist)
    } else if f64::from(measured.low_dbm0.min(measured.high_dbm0)) < profile.floor_dbm0 - 1.0 {
        Some(Reason::Level)
    } else {
        None
    }
}
