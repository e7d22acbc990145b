//! The decision machine on filtered samples: candidates become digits, digits end, near misses are told.

use super::evidence::line_amplitude;
use super::fit::{Fit, FittedTone};
use super::front_end::{CHUNK, WORKING_RATE};
use super::history::History;
use super::kernel::{MOST, Marks, SHORT, SHORT_SAMPLES};
use super::level::dbm0;
use super::limits::Limits;
use super::sample::Sample;
use super::search::{Candidate, FALLEN_SLACK, Look, Search, is_decisive, is_slow_turn};
use super::simd::Simd;
use super::{Begin, Detection, Digit, Event, Measurement, NearMiss, Profile, Reason};

/// How long after a digit the same pair may be its echo, in filtered samples: 100 ms.
const ECHO_SAMPLES: f64 = 400.0;
/// How long after a digit others are to be expected, in filtered samples: 2 s. Most callers press the next key within one.
const SERIES_SAMPLES: u64 = 8000;
/// A repeated digit follows its predecessor by a pause of at least this many filtered samples: 16 ms.
const PAUSE_SAMPLES: f64 = 64.0;
/// The same pair, weaker than this part of the power of the digit before it, is an echo: -7 dB right after the pause, and
/// less and less by so many dB for each filtered sample, 0.2 dB for each ms, as rooms and lines fade. A key that is pressed
/// again is not so much weaker.
const ECHO_POWER: f32 = 0.2;
const ECHO_FADES_DB: f64 = 0.05;
/// Level, as a power, below which a digit that is on has stopped: -6 dB.
const FALLEN_POWER: f32 = 0.25;
/// Power of one tone of a digit that is on, over 24 ms, below which it is gone: -10 dB.
const LOST_POWER: f32 = 0.1;
/// Sub-blocks a digit must be up again before it goes on after an interruption; noise comes up for less.
const BRIDGED_HOPS: u32 = 8;
/// How long a refused pair rests, in filtered samples: 4 ms while it sounds, 3 ms once it went down.
const SOUNDING_REST: u64 = 16;
const FALLEN_REST: u64 = 12;
const _: () = assert!(FALLEN_SLACK > FALLEN_REST as f32);
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
    /// Filtered-sample position where the level last fell, while it is down.
    fell: Option<u64>,
    /// Sub-blocks since it came up again after it fell.
    up_again: u32,
}

/// The digit that was over last: its echo may be heard, and others are to be expected.
#[derive(Clone, Copy)]
struct Previous {
    digit: Digit,
    end: u64,
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

    /// Whether one of the tones, or both, has been gone for the last 24 ms.
    fn has_lost_a_tone(&self, history: &History) -> bool {
        let (now, before) = (history.powers(0), history.powers(SHORT));
        self.tones.into_iter().zip(self.factors).any(|(tone, factor)| factor * (now[tone] + before[tone]) < LOST_POWER)
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

/// The onset last seen of a pair, as a filtered-sample position.
#[derive(Clone, Copy)]
struct Watched {
    digit: Digit,
    onset: f64,
}

impl Watched {
    /// Whether a pair is this one, of about the age at which most digits are found.
    fn is_decisive(self, digit: Digit, now: u64) -> bool {
        self.digit == digit && is_decisive((now as f64 - self.onset) as f32)
    }
}

/// Finds the digits in filtered samples.
pub(crate) struct Core {
    limits: Limits,
    clock: Clock,
    history: History,
    active: Option<Active>,
    previous: Option<Previous>,
    watched: Option<Watched>,
    refused_sounding: Refused,
    refused_fallen: Refused,
    quiet_until: u64,
}

impl Core {
    pub(crate) fn new(rate: u32, profile: &Profile, simd: Simd) -> Self {
        let limits = Limits::new(profile);
        let history = History::new(rate, limits.silence(2 * SHORT_SAMPLES), simd);
        let clock = Clock::new(rate, &history);
        let nothing = Refused { digit: Digit::at(0, 0), until: 0 };
        Self {
            limits,
            clock,
            history,
            active: None,
            previous: None,
            watched: None,
            refused_sounding: nothing,
            refused_fallen: nothing,
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
        }
    }

    /// Goes on by `new` sub-blocks. While no digit is on, only the marked ones are looked at.
    fn hear_marked(&mut self, new: usize, marks: Marks, on_event: &mut dyn FnMut(Event)) {
        let mut passed = 0;
        while passed < new {
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

    fn begin(&mut self, found: &Candidate, on_event: &mut dyn FnMut(Event)) {
        let fell = self.active.and_then(|active| active.fell);
        self.close(fell.unwrap_or(found.start.max(0.0) as u64), on_event);
        let digit = found.digit;
        let reference = Reference::of(digit, &self.history);
        let begin = Begin { digit, start: self.clock.input(found.start), reported: self.reported() };
        self.active =
            Some(Active { digit, begin, measured: measure(&found.fit), reference, fell: found.end, up_again: 0 });
        on_event(Event::Begin(begin));
    }

    /// Follows the level of the digit that is on, if one is, and closes it when it was down long enough.
    fn follow(&mut self, on_event: &mut dyn FnMut(Event)) {
        let Some(active) = &mut self.active else { return };
        if active.reference.left(&self.history, 0) > FALLEN_POWER {
            active.up_again += 1;
            if active.up_again >= BRIDGED_HOPS {
                active.fell = None;
            }
            return;
        }
        active.up_again = 0;
        let middle = self.history.count().saturating_sub((SHORT_SAMPLES / 2) as u64);
        let fell = *active.fell.get_or_insert(middle);
        if middle >= fell + self.limits.split {
            self.close(fell, on_event);
        }
    }

    /// Ends the digit that is on, if one is.
    fn close(&mut self, end: u64, on_event: &mut dyn FnMut(Event)) {
        let Some(active) = self.active.take() else { return };
        self.previous = Some(Previous { digit: active.digit, end, reference: active.reference });
        on_event(Event::End(Detection {
            digit: active.digit,
            start: active.begin.start,
            end: self.clock.input(end as f64).max(active.begin.start),
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
        let after = start - previous.end as f64;
        if after < PAUSE_SAMPLES {
            return true;
        }
        let faded = || 10f64.powf(-0.1 * ECHO_FADES_DB * (after - PAUSE_SAMPLES)) as f32;
        after < ECHO_SAMPLES && previous.reference.left(&self.history, back) < ECHO_POWER * faded()
    }

    /// Looks for a pair that sounds now.
    fn sounding(&mut self) -> Option<Candidate> {
        let digit = self.history.strongest_pair();
        if self.is_on(digit) {
            return None;
        }
        let now = self.history.count();
        // All but the decisive moments of a pair have their turns.
        let can_wait = !is_slow_turn(now) && !self.watched.is_some_and(|watched| watched.is_decisive(digit, now));
        if can_wait || self.refused_sounding.covers(digit, now) {
            return None;
        }
        let onset = self.search().onset(digit);
        match onset {
            Some(onset) => self.watched = Some(Watched { digit, onset: now as f64 - f64::from(onset.age) }),
            // Only a pair in pieces may have another twist now, and those have their turns.
            None if !is_slow_turn(now) => return None,
            None => {}
        }
        match self.search().sounding(digit, onset, |start| self.is_echo(digit, start, 0)) {
            Look::Found(found) => return Some(found),
            Look::Refused { clearly: true, .. } => {
                self.refused_sounding = Refused { digit, until: self.history.count() + SOUNDING_REST };
            }
            Look::Nothing | Look::Refused { .. } => {}
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
        if self.refused_fallen.covers(digit, self.history.count()) {
            return None;
        }
        match self.search().fallen(digit, |start| self.is_echo(digit, start, SHORT)) {
            Look::Found(found) => return Some(found),
            Look::Nothing => {}
            Look::Refused { clearly, near_miss } => {
                if clearly {
                    self.refused_fallen = Refused { digit, until: self.history.count() + FALLEN_REST };
                }
                if let Some((reason, candidate)) = near_miss {
                    self.tell_near_miss(&candidate, reason, on_event);
                }
            }
        }
        None
    }

    fn is_on(&self, digit: Digit) -> bool {
        self.active.as_ref().is_some_and(|active| active.digit == digit)
    }

    /// Whether a digit is on, or has just been.
    fn is_soon_after_a_digit(&self) -> bool {
        let is_recent = |previous: Previous| self.history.count() < previous.end + SERIES_SAMPLES;
        self.active.is_some() || self.previous.is_some_and(is_recent)
    }

    fn search(&self) -> Search<'_> {
        Search {
            history: &self.history,
            limits: &self.limits,
            before: self
                .active
                .filter(|active| active.reference.has_lost_a_tone(&self.history))
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
            end: self.clock.input(found.end.unwrap_or(self.history.count()) as f64),
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
