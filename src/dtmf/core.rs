//! The decision machine on filtered samples: candidates become digits, digits end, near misses are told.

use super::evidence::{Evidence, Fall, Onset, is_near};
use super::fit::{Fit, FittedTone};
use super::front_end::{Filtered, FrontEnd, WORKING_RATE};
use super::history::{History, SHORT, SHORT_SAMPLES};
use super::kernel::HOP;
use super::level::dbm0;
use super::verdict::{ACCEPT_ENDED, accept_at, ended, sounding};
use super::{Begin, Detection, Digit, Event, Measurement, NearMiss, Profile, Reason, pieces};

/// Windows a sounding pair is judged over, in filtered samples: 24, 36 and 48 ms.
const WINDOWS: [usize; 3] = [96, 144, 192];
/// Youngest pair worth fitting, in filtered samples.
const YOUNGEST: f32 = 94.0;
/// Age in filtered samples from which a pair is judged less often: 28 ms.
const OLDER: f32 = 112.0;
/// How far an onset may be misjudged, in filtered samples, before a window is too long for it.
const ONSET_SLACK: f32 = 8.0;
/// Part of the band's energy the strongest pair must have to be looked at.
const PAIR_SHARE: f32 = 0.4;
/// Energy of the last 24 ms below which nothing is looked for; far below -60 dBm0.
const SILENCE: f32 = 1e-9;
/// How long after a digit the same pair may be its echo, in filtered samples: 100 ms.
const ECHO_SAMPLES: f64 = 400.0;
/// A repeated digit follows its predecessor by a pause of at least this many filtered samples: 16 ms.
const PAUSE_SAMPLES: f64 = 64.0;
/// The same pair, weaker than this part of the power of the digit before it, is an echo: -7 dB.
const ECHO_POWER: f32 = 0.2;
/// Level, as a power, below which a digit that is on has stopped: -6 dB.
const FALLEN_POWER: f32 = 0.25;
/// Sub-blocks a digit must be up again before it goes on after an interruption; noise comes up for less.
const BRIDGED_HOPS: u32 = 8;
/// A pair that falls by 4 dB within the short window ended this many filtered samples ago.
const FALL_SAMPLES: u64 = 18;
/// Tolerance of levels and twist beyond the profile's limits, in dB, for ripple and noise.
const LEVEL_MARGIN_DB: f64 = 1.0;
/// A near miss is told once in this many filtered samples: 50 ms.
const QUIET_SAMPLES: u64 = 200;

/// Longest window for a pair that ended, in filtered samples: 58 ms.
const LONGEST_FALLEN: usize = 232;
/// Youngest pair that may be accepted after its end, in filtered samples: 34 ms, so that noise on the onset cannot
/// make a digit of a tone that is too short.
const SHORTEST_FALLEN: f32 = 136.0;
/// S/N and rise in dB from which a refused pair is worth telling.
const CLEAR_DB: f32 = 6.0;
const CLEAR_RISE_DB: f32 = 10.0;
/// Rise in dB without which a pair that ended is no digit.
const LEAST_RISE_DB: f32 = 4.0;

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
    /// Sub-blocks since it came up again after it fell.
    up_again: u32,
}

/// A digit that is over, as long as its echo may be heard.
#[derive(Clone, Copy)]
struct Previous {
    digit: Digit,
    end: u64,
    reference: [f32; 2],
}

/// A pair that was accepted.
struct Found {
    digit: Digit,
    fit: Fit,
    /// Onset as a filtered-sample position.
    start: f64,
    /// Filtered-sample position of its end, if it has ended.
    end: Option<u64>,
}

/// Finds the digits in filtered samples.
pub(crate) struct Core {
    history: History,
    active: Option<Active>,
    previous: Option<Previous>,
    quiet_until: u64,
}

impl Core {
    pub(crate) fn new() -> Self {
        Self { history: History::new(), active: None, previous: None, quiet_until: 0 }
    }

    pub(crate) fn hear(&mut self, sample: Filtered, profile: &Profile, clock: Clock, on_event: &mut dyn FnMut(Event)) {
        if !self.history.push(sample) {
            return;
        }
        if let Some(active) = self.active {
            self.follow(active, profile, clock, on_event);
        }
        let found = self.sounding(profile);
        let found = match found {
            None => self.fallen(profile, clock, on_event),
            found => found,
        };
        if let Some(found) = found {
            self.begin(&found, clock, on_event);
        }
    }

    fn begin(&mut self, found: &Found, clock: Clock, on_event: &mut dyn FnMut(Event)) {
        if let Some(active) = self.active {
            self.close(&active, active.fell.unwrap_or(found.start.max(0.0) as u64), clock, on_event);
        }
        let digit = found.digit;
        let strongest = |lane: usize| (0..2 * SHORT).map(|age| self.history.powers(age)[lane]).fold(0f32, f32::max);
        let reference = [digit.row(), 4 + digit.column()].map(strongest);
        let begin = Begin { digit, start: clock.input(found.start), reported: self.heard(clock) };
        self.active =
            Some(Active { digit, begin, measured: measure(&found.fit), reference, fell: found.end, up_again: 0 });
        on_event(Event::Begin(begin));
    }

    /// Follows the level of the digit that is on and closes it when it was down long enough.
    fn follow(&mut self, mut active: Active, profile: &Profile, clock: Clock, on_event: &mut dyn FnMut(Event)) {
        let middle = self.history.count().saturating_sub((SHORT_SAMPLES / 2) as u64);
        if self.power_against(active.digit, active.reference, 0) > FALLEN_POWER {
            active.up_again += 1;
            if active.up_again >= BRIDGED_HOPS {
                active.fell = None;
            }
        } else {
            active.up_again = 0;
            active.fell = active.fell.or(Some(middle));
        }
        self.active = Some(active);
        let split = (0.5 * (profile.bridge_gap_ms + profile.split_gap_ms) * f64::from(WORKING_RATE) / 1000.0) as u64;
        if let Some(fell) = active.fell
            && active.up_again == 0
            && middle >= fell + split
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
            end: clock.input(end as f64).max(active.begin.start),
            begin_reported: active.begin.reported,
            end_reported: self.heard(clock),
            measured: active.measured,
        }));
    }

    fn heard(&self, clock: Clock) -> u64 {
        clock.heard(self.history.count() - 1)
    }

    /// Mean power of a digit's tones `back` sub-blocks ago, each against its reference.
    fn power_against(&self, digit: Digit, reference: [f32; 2], back: usize) -> f32 {
        let power = self.history.powers(back);
        0.5 * (power[digit.row()] / reference[0].max(1e-20) + power[4 + digit.column()] / reference[1].max(1e-20))
    }

    /// Whether a pair that began at `start` and sounded `back` sub-blocks ago is the tail or the echo of the digit before.
    fn is_echo(&self, digit: Digit, start: f64, back: usize) -> bool {
        let Some(previous) = self.previous.filter(|previous| previous.digit == digit) else { return false };
        let after = start - previous.end as f64;
        after < PAUSE_SAMPLES
            || (after < ECHO_SAMPLES && self.power_against(digit, previous.reference, back) < ECHO_POWER)
    }

    /// Looks for a pair that sounds now.
    fn sounding(&self, profile: &Profile) -> Option<Found> {
        let digit = self.strongest_pair()?;
        if self.active.is_some_and(|active| active.digit == digit) {
            return None;
        }
        let (fit, age) = self.steady(digit, profile).or_else(|| self.pieced(digit, profile))?;
        Some(Found { digit, fit, start: self.history.count() as f64 - f64::from(age), end: None })
    }

    /// The strongest row and column of the last 24 ms, if they have a fair share of the band.
    fn strongest_pair(&self) -> Option<Digit> {
        let history = &self.history;
        let energy = history.band_energy(0, 2 * SHORT);
        if energy < SILENCE {
            return None;
        }
        let (now, before) = (history.powers(0), history.powers(SHORT));
        let power = |lane: usize| now[lane] + before[lane];
        let (row, column) = strongest_lanes(power);
        // A tone's correlation power over two short windows is its energy times half a short window.
        let share = (power(row) + power(4 + column)) / (0.5 * SHORT_SAMPLES as f32 * energy);
        (share > PAIR_SHARE).then(|| Digit::at(row, column))
    }

    /// Whether a pair of this age is due: young ones each time, older ones, which were refused before, every third time.
    fn is_due(&self, age: f32) -> bool {
        age >= YOUNGEST && (age < OLDER || (self.history.count() / HOP as u64).is_multiple_of(3))
    }

    /// A pair that was steady over one of the windows: its fit and its age in filtered samples.
    fn steady(&self, digit: Digit, profile: &Profile) -> Option<(Fit, f32)> {
        let history = &self.history;
        let onset = Onset::find(history, digit, 0);
        if !self.is_due(onset.age) || self.is_echo(digit, history.count() as f64 - f64::from(onset.age), 0) {
            return None;
        }
        if !is_near(history, digit, profile) {
            return None;
        }
        let windows = WINDOWS.into_iter().take_while(|window| onset.age + ONSET_SLACK >= *window as f32);
        windows.filter_map(|window| self.judged(digit, onset, window, profile)).next().map(|fit| (fit, onset.age))
    }

    fn judged(&self, digit: Digit, onset: Onset, window: usize, profile: &Profile) -> Option<Fit> {
        let fit = Evidence::fit(&self.history, digit, window, 0);
        if fit.snr_db() < 1.0 || outside(&measure(&fit), digit, profile).is_some() {
            return None;
        }
        let evidence = Evidence::gather(&self.history, onset, fit, window, 0);
        (evidence.is_long_enough(profile)
            && evidence.is_steady()
            && sounding(&evidence, digit, window) > accept_at(onset.age))
        .then_some(fit)
    }

    /// A pure pair in pieces: its fit and its age in filtered samples.
    fn pieced(&self, digit: Digit, profile: &Profile) -> Option<(Fit, f32)> {
        let found = pieces::find(&self.history, digit)?;
        let start = self.history.count() as f64 - found.age as f64;
        let refused = self.is_echo(digit, start, 0) || outside(&measure(&found.fit), digit, profile).is_some();
        (!refused).then_some((found.fit, found.age as f32))
    }

    /// Looks at a pair that just went down: with both ends known, weak evidence may suffice, and a near miss is told.
    fn fallen(&mut self, profile: &Profile, clock: Clock, on_event: &mut dyn FnMut(Event)) -> Option<Found> {
        let history = &self.history;
        let (row, column) = strongest_lanes(|lane| history.powers(SHORT)[lane]);
        let down = |lane: usize| history.powers(0)[lane] < 0.4 * history.powers(SHORT)[lane];
        if !down(row) || !down(4 + column) || history.band_energy(SHORT, SHORT) < SILENCE {
            return None;
        }
        let digit = Digit::at(row, column);
        let onset = Onset::find(history, digit, SHORT);
        let start = history.count() as f64 - (SHORT * HOP) as f64 - f64::from(onset.age);
        let is_active = self.active.is_some_and(|active| active.digit == digit);
        if is_active || self.is_echo(digit, start, SHORT) || onset.age < SHORT_SAMPLES as f32 {
            return None;
        }
        let end = history.count() - FALL_SAMPLES;
        match self.verdict_on_fallen(digit, onset, profile) {
            Ok(fit) => Some(Found { digit, fit, start, end: Some(end) }),
            Err(refusal) => {
                if let Some((reason, fit)) = refusal {
                    self.tell_near_miss(&Found { digit, fit, start, end: Some(end) }, reason, clock, on_event);
                }
                None
            }
        }
    }

    /// The fit of a pair that was a digit, or why it was not one if it came near.
    fn verdict_on_fallen(&self, digit: Digit, onset: Onset, profile: &Profile) -> Result<Fit, Option<(Reason, Fit)>> {
        let history = &self.history;
        let rise_db = onset.rise_db[0].min(onset.rise_db[1]);
        if rise_db < LEAST_RISE_DB {
            return Err(None);
        }
        let window = ((onset.age as usize) & !7).min(LONGEST_FALLEN);
        let fit = Evidence::fit(history, digit, window, SHORT);
        let clear = fit.snr_db() > CLEAR_DB && rise_db > CLEAR_RISE_DB;
        let near = |reason: Reason| Err(clear.then_some((reason, fit)));
        if fit.snr_db() < -2.0 {
            return Err(None);
        }
        if let Some(reason) = outside(&measure(&fit), digit, profile) {
            return near(reason);
        }
        if onset.age < SHORTEST_FALLEN {
            return near(Reason::TooShort);
        }
        let evidence = Evidence::gather(history, onset, fit, window, SHORT);
        if !evidence.reaches_its_end() {
            return near(Reason::TooShort);
        }
        if ended(&evidence, digit, window, &Fall::find(history, digit)) > ACCEPT_ENDED {
            return Ok(fit);
        }
        near(if evidence.is_steady() { Reason::Noise } else { Reason::Unsteady })
    }

    fn tell_near_miss(&mut self, found: &Found, reason: Reason, clock: Clock, on_event: &mut dyn FnMut(Event)) {
        if self.history.count() < self.quiet_until {
            return;
        }
        self.quiet_until = self.history.count() + QUIET_SAMPLES;
        on_event(Event::Rejected(NearMiss {
            digit: found.digit,
            start: clock.input(found.start),
            end: clock.input(found.end.unwrap_or(self.history.count()) as f64),
            reported: self.heard(clock),
            reason,
            measured: measure(&found.fit),
        }));
    }
}

fn strongest_lanes(power: impl Fn(usize) -> f32) -> (usize, usize) {
    let strongest =
        |from: usize| (1..4).fold(0, |best, lane| if power(from + lane) > power(from + best) { lane } else { best });
    (strongest(0), strongest(4))
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

/// Which of the profile's limits a pair breaks.
fn outside(measured: &Measurement, digit: Digit, profile: &Profile) -> Option<Reason> {
    let off = |hz: f32, nominal: f64| (f64::from(hz) - nominal).abs() > profile.frequency_limit_hz(nominal);
    let twist = f64::from(measured.twist_db());
    if off(measured.low_hz, digit.low_hz()) || off(measured.high_hz, digit.high_hz()) {
        Some(Reason::Frequency)
    } else if twist > profile.normal_twist_db + LEVEL_MARGIN_DB || -twist > profile.reverse_twist_db + LEVEL_MARGIN_DB {
        Some(Reason::Twist)
    } else if f64::from(measured.low_dbm0.min(measured.high_dbm0)) < profile.floor_dbm0 - LEVEL_MARGIN_DB {
        Some(Reason::Level)
    } else {
        None
    }
}
