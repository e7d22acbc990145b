//! The decision machine on filtered samples: candidates become digits, digits end, near misses are told.

use super::evidence::line_amplitude;
use super::fit::{Fit, FittedTone};
use super::front_end::{CHUNK, WORKING_RATE};
use super::history::History;
use super::kernel::{HOP, MOST, Marks, SHORT, SHORT_SAMPLES};
use super::level::dbm0;
use super::limits::Limits;
use super::onset::Onset;
use super::sample::Sample;
use super::search::{Candidate, Look, Search, is_decisive};
use super::simd::Simd;
use super::{Begin, Detection, Digit, Event, Measurement, NearMiss, Profile, Reason};

/// How long after a digit the same pair may be its echo, in filtered samples: 100 ms.
const ECHO_SAMPLES: f64 = 400.0;
/// How long after a digit others are to be expected, in filtered samples: 2 s. Most callers press the next key within one.
const SERIES_SAMPLES: f64 = 8000.0;
/// A repeated digit follows its predecessor by a pause of at least this many filtered samples: 16 ms.
const PAUSE_SAMPLES: f64 = 64.0;
/// The same pair, weaker than this part of the power of the digit before it, is an echo: -7 dB right after the pause, and
/// less and less by so many dB for each filtered sample, 0.2 dB for each ms, as rooms and lines fade. A key that is pressed
/// again is not so much weaker.
const ECHO_POWER: f32 = 0.2;
const ECHO_FADES_DB: f64 = 0.05;
/// Level, as a power, below which a digit that is on has stopped: -6 dB.
const FALLEN_POWER: f32 = 0.25;
/// Power of one tone of a digit that is on, over 24 ms, below which it is gone: -10 dB; and above which it sounds on: -4 dB.
const LOST_POWER: f32 = 0.1;
const KEPT_POWER: f32 = 0.4;
/// Sub-blocks a digit must be up again before it goes on after an interruption; noise comes up for less.
const BRIDGED_HOPS: u32 = 2;
/// How long a pair that was clearly refused rests, in filtered samples: it is not looked at in the next sub-block.
const REST: u64 = 2 * HOP as u64;
/// Filtered samples from one look between sub-blocks to the next: 1 ms.
const BETWEEN: usize = 4;
/// A near miss is told once in this many filtered samples: 50 ms.
const QUIET_SAMPLES: u64 = 200;

/// Converts filtered sample positions to input samples.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    rate: u64,
    delay: u64,
}

impl Clock {
    fn new(rate: u32, history: &History) -> Self {
        Self { rate: u64::from(rate), delay: history.delay() }
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
    reference: Reference,
    /// What was left of it when it was looked at last, as in [`Reference::left`].
    left: f32,
    /// Filtered-sample position where the level last fell, while it is down.
    fell: Option<f64>,
    /// Sub-blocks since it came up again after it fell.
    up_again: u32,
}

/// How long ago a power went through a limit, as a part of the time since it was what it was before; by amplitude.
fn part_since(limit: f32, before: f32, now: f32) -> f32 {
    let [limit, before, now] = [limit, before, now].map(f32::sqrt);
    ((now - limit) / (now - before)).clamp(0.0, 1.0)
}

/// The digit that was over last: its echo may be heard, and others are to be expected.
#[derive(Clone, Copy)]
struct Previous {
    digit: Digit,
    end: f64,
    reference: Reference,
}

/// The level of a digit's tones, against which it is measured later.
#[derive(Clone, Copy)]
struct Reference {
    tones: [usize; 2],
    /// Half the inverse of the power that each had over the short window when steady.
    factors: [f32; 2],
}

impl Reference {
    /// The greater of what the short window shows now and what it showed 12 ms ago.
    fn of(digit: Digit, history: &History) -> Self {
        let (now, before) = (history.peaks(0, digit), history.peaks(SHORT, digit));
        let factor = |tone: usize| 0.5 / now[tone].max(before[tone]).max(1e-20);
        Self { tones: digit.tones(), factors: [factor(0), factor(1)] }
    }

    /// Mean power of the tones `back` sub-blocks ago, each as a part of what it was.
    fn left(&self, history: &History, back: usize) -> f32 {
        let (powers, [low, high]) = (history.powers(back), self.tones);
        powers[low] * self.factors[0] + powers[high] * self.factors[1]
    }

    /// Mean power over the last 24 ms of the tone of which less is left, as a part of what it was.
    fn least_left(&self, history: &History) -> f32 {
        let (now, before) = (history.powers(0), history.powers(SHORT));
        let left = |(tone, factor): (usize, f32)| factor * (now[tone] + before[tone]);
        self.tones.into_iter().zip(self.factors).map(left).fold(f32::MAX, f32::min)
    }
}

/// A pair that was refused a moment ago and is not looked at again before a filtered-sample position: that would be the
/// same evidence again.
#[derive(Clone, Copy)]
struct Refused {
    digit: Digit,
    until: u64,
}

impl Refused {
    fn covers(self, digit: Digit, now: u64) -> bool {
        self.digit == digit && now < self.until
    }
}

/// The onset last seen of a pair.
#[derive(Clone, Copy)]
struct Watched {
    digit: Digit,
    onset: Onset,
    /// Filtered-sample position from which it was seen.
    at: u64,
    /// Filtered samples of the next sub-block it was looked at with, too.
    ahead: usize,
}

/// Finds the digits in filtered samples.
pub(crate) struct Core {
    limits: Limits,
    clock: Clock,
    history: History,
    active: Option<Active>,
    previous: Option<Previous>,
    watched: Option<Watched>,
    refused: Refused,
    quiet_until: u64,
}

impl Core {
    pub(crate) fn new(rate: u32, profile: &Profile, simd: Simd) -> Self {
        let limits = Limits::new(profile);
        let history = History::new(rate, limits.silence(2 * SHORT_SAMPLES), simd);
        let clock = Clock::new(rate, &history);
        Self {
            limits,
            clock,
            history,
            active: None,
            previous: None,
            watched: None,
            refused: Refused { digit: Digit::at(0, 0), until: 0 },
            quiet_until: 0,
        }
    }

    /// Hears input samples.
    pub(crate) fn hear<S: Sample>(&mut self, samples: &[S], on_event: &mut dyn FnMut(Event)) {
        for chunk in samples.chunks(CHUNK) {
            self.history.push(chunk);
            loop {
                let (new, marks) = self.history.look(self.active.is_none());
                self.hear_marked(new, marks, on_event);
                if new < MOST {
                    break;
                }
            }
            self.look_between(on_event);
        }
    }

    /// Goes on by `new` sub-blocks. While no digit is on, only the marked ones are looked at.
    fn hear_marked(&mut self, new: usize, marks: Marks, on_event: &mut dyn FnMut(Event)) {
        let mut passed = 0;
        while passed < new {
            self.look_between(on_event);
            if self.active.is_none() {
                let unmarked = (marks.pair | marks.down).unbounded_shr(passed as u32).trailing_zeros() as usize;
                let unmarked = unmarked.min(new - passed);
                self.history.go_on(unmarked);
                passed += unmarked;
            }
            if passed < new {
                self.history.go_on(1);
                self.hear_hop(marks.pair >> passed & 1 == 1, marks.down >> passed & 1 == 1, on_event);
                passed += 1;
            }
        }
    }

    /// Hears the sub-block the history stands at.
    fn hear_hop(&mut self, has_pair: bool, is_down: bool, on_event: &mut dyn FnMut(Event)) {
        self.follow(on_event);
        let mut found = None;
        if has_pair {
            found = self.sounding();
        }
        if found.is_none() && is_down {
            found = self.fallen(on_event);
        }
        if let Some(found) = found {
            self.begin(&found, on_event);
        }
    }

    /// Looks between two sub-blocks at a pair that was just seen at the age at which most digits are found: each ms counts then.
    fn look_between(&mut self, on_event: &mut dyn FnMut(Event)) {
        let now = self.history.count();
        while let Some(watched) = self.watched.filter(|watched| watched.at == now && watched.ahead + BETWEEN < HOP) {
            let (digit, ahead) = (watched.digit, watched.ahead + BETWEEN);
            let onset = watched.onset.older(ahead);
            if self.is_on(digit) || (is_decisive(onset.age) && !self.history.look_ahead(ahead)) {
                return;
            }
            self.watched = Some(Watched { ahead, ..watched });
            if is_decisive(onset.age)
                && let Look::Found(found) = self.search().steady(digit, onset, |start| self.is_echo(digit, start, 0))
            {
                self.begin(&found, on_event);
            }
            self.history.look_back();
        }
    }

    fn begin(&mut self, found: &Candidate, on_event: &mut dyn FnMut(Event)) {
        let fell = self.active.and_then(|active| active.fell);
        self.close(fell.unwrap_or(found.start.max(0.0)), on_event);
        let digit = found.digit;
        let reference = Reference::of(digit, &self.history);
        let begin = Begin { digit, start: self.clock.input(found.start), reported: self.reported() };
        self.active = Some(Active {
            digit,
            begin,
            measured: measure(&found.fit),
            reference,
            left: 1.0,
            fell: found.end,
            up_again: 0,
        });
        on_event(Event::Begin(begin));
    }

    /// Follows the level of the digit that is on, if one is, and closes it when it was down long enough.
    fn follow(&mut self, on_event: &mut dyn FnMut(Event)) {
        let Some(active) = &mut self.active else { return };
        let left = active.reference.left(&self.history, 0);
        let before = std::mem::replace(&mut active.left, left);
        let middle = self.history.count().saturating_sub((SHORT_SAMPLES / 2) as u64) as f64;
        let crossed = || middle - HOP as f64 * f64::from(part_since(FALLEN_POWER, before, left));
        if left > FALLEN_POWER {
            active.up_again += 1;
            let Some(fell) = active.fell else { return };
            if active.up_again == 1 && crossed() >= fell + self.limits.split {
                self.close(fell, on_event);
            } else if active.up_again >= BRIDGED_HOPS {
                active.fell = None;
            }
            return;
        }
        active.up_again = 0;
        let fell = *active.fell.get_or_insert_with(crossed);
        if middle >= fell + self.limits.split {
            self.close(fell, on_event);
        }
    }

    /// Ends the digit that is on, if one is.
    fn close(&mut self, end: f64, on_event: &mut dyn FnMut(Event)) {
        let Some(active) = self.active.take() else { return };
        self.previous = Some(Previous { digit: active.digit, end, reference: active.reference });
        on_event(Event::End(Detection {
            digit: active.digit,
            start: active.begin.start,
            end: self.clock.input(end).max(active.begin.start),
            begin_reported: active.begin.reported,
            end_reported: self.reported(),
            measured: active.measured,
        }));
    }

    fn reported(&self) -> u64 {
        self.clock.heard(self.history.count() - 1)
    }

    /// Whether a pair that began at `start` and sounded `back` sub-blocks ago is the tail or the echo of the digit before.
    fn is_echo(&self, digit: Digit, start: f64, back: usize) -> bool {
        let Some(previous) = self.previous.filter(|previous| previous.digit == digit) else { return false };
        let after = start - previous.end;
        if after < PAUSE_SAMPLES {
            return true;
        }
        let faded = || 10f64.powf(-0.1 * ECHO_FADES_DB * (after - PAUSE_SAMPLES)) as f32;
        after < ECHO_SAMPLES && previous.reference.left(&self.history, back) < ECHO_POWER * faded()
    }

    /// Looks for a pair that sounds now.
    fn sounding(&mut self) -> Option<Candidate> {
        let digit = self.history.strongest_pair();
        if self.is_on(digit) || self.is_beside(digit) {
            return None;
        }
        let now = self.history.count();
        if self.refused.covers(digit, now) {
            return None;
        }
        let onset = self.search().onset(digit);
        self.watched = onset.map(|onset| Watched { digit, onset, at: now, ahead: 0 });
        match self.search().sounding(digit, onset, |start| self.is_echo(digit, start, 0)) {
            Look::Found(found) => return Some(found),
            Look::Refused => self.refused = Refused { digit, until: now + REST },
            Look::Nothing | Look::NearMiss(..) => {}
        }
        None
    }

    /// Looks at a pair that just went down: with both ends known, weak evidence may suffice, and a near miss is told.
    fn fallen(&mut self, on_event: &mut dyn FnMut(Event)) -> Option<Candidate> {
        // A digit that is on, or has just ended, leaves no room for another that is over by now.
        if self.active.is_some() {
            return None;
        }
        let digit = self.history.pair_gone_down()?;
        match self.search().fallen(digit, |start| self.is_echo(digit, start, SHORT)) {
            Look::Found(found) => return Some(found),
            Look::NearMiss(reason, candidate) => self.tell_near_miss(&candidate, reason, on_event),
            Look::Nothing | Look::Refused => {}
        }
        None
    }

    fn is_on(&self, digit: Digit) -> bool {
        self.active.as_ref().is_some_and(|active| active.digit == digit)
    }

    /// Whether a pair is a tone of the digit that is on, both of which sound on, and another beside them.
    fn is_beside(&self, digit: Digit) -> bool {
        self.active.is_some_and(|Active { digit: active, reference, .. }| {
            (active.row() == digit.row() || active.column() == digit.column())
                && reference.least_left(&self.history) > KEPT_POWER
        })
    }

    /// Whether a digit is on, or has just been.
    fn is_soon_after_a_digit(&self) -> bool {
        let is_recent = |previous: Previous| (self.history.count() as f64) < previous.end + SERIES_SAMPLES;
        self.active.is_some() || self.previous.is_some_and(is_recent)
    }

    fn search(&self) -> Search<'_> {
        Search {
            history: &self.history,
            limits: &self.limits,
            before: self
                .active
                .filter(|active| active.reference.least_left(&self.history) < LOST_POWER)
                .map(|active| active.digit),
            tells: self.history.count() >= self.quiet_until,
            is_soon_after_a_digit: self.is_soon_after_a_digit(),
        }
    }

    fn tell_near_miss(&mut self, found: &Candidate, reason: Reason, on_event: &mut dyn FnMut(Event)) {
        self.quiet_until = self.history.count() + QUIET_SAMPLES;
        on_event(Event::Rejected(NearMiss {
            digit: found.digit,
            start: self.clock.input(found.start),
            end: self.clock.input(found.end.unwrap_or(self.history.count() as f64)),
            reported: self.reported(),
            reason,
            measured: measure(&found.fit),
        }));
    }
}

fn measure(fit: &Fit) -> Measurement {
    let level = |tone: &FittedTone| dbm0(f64::from(line_amplitude(tone))) as f32;
    Measurement {
        low_dbm0: level(&fit.low),
        high_dbm0: level(&fit.high),
        low_hz: fit.low.hz,
        high_hz: fit.high.hz,
        snr_db: fit.snr_db(),
    }
}
