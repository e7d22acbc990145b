//! The decision machine on filtered samples: candidates become digits, digits end, near misses are told.

use super::active::Active;
use super::evidence::line_amplitude;
use super::fit::{Fit, FittedTone};
use super::front_end::{CHUNK, WORKING_RATE};
use super::history::History;
use super::kernel::{HOP, MOST, Marks, SHORT, SHORT_SAMPLES};
use super::level::dbm0;
use super::limits::Limits;
use super::onset::Came;
use super::previous::Previous;
use super::sample::Sample;
use super::search::{Candidate, Look, OLDER, Search, Seen, YOUNGEST};
use super::simd::Simd;
use super::{Begin, Detection, Digit, Event, Measurement, NearMiss, Profile, Reason};

/// How long a pair that was clearly refused rests, in filtered samples: it is not looked at in the next sub-block.
const REST: u64 = 2 * HOP as u64;
/// Filtered samples from one look between sub-blocks to the next, if nothing else says when: 1 ms.
const BETWEEN: f64 = 4.0;
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

/// The pair that sounded when it was looked for last.
#[derive(Clone, Copy)]
struct Watched {
    seen: Seen,
    /// Filtered-sample position from which it was seen.
    at: u64,
    /// Filtered-sample position at which it is to be looked at, before the next sub-block is whole.
    due: f64,
}

impl Watched {
    /// The same after it was looked at.
    fn after(self, look: &Look, now: u64) -> Self {
        let more = if let Look::TooYoung(missing) = look { f64::from(*missing).max(1.0) } else { BETWEEN };
        Self { due: now as f64 + more, ..self }
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
    refused: Refused,
    quiet_until: u64,
}

impl Core {
    pub(crate) fn new(rate: u32, profile: &Profile, simd: Simd) -> Self {
        let limits = Limits::new(profile);
        let history = History::new(rate, limits.silence(2 * SHORT_SAMPLES), limits.power_ratio(), simd);
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
            passed += self.pass(new - passed, marks.after(passed));
            if passed < new {
                self.history.go_on(1);
                self.hear_hop(marks.pair >> passed & 1 == 1, marks.fallen >> passed & 1 == 1, on_event);
                passed += 1;
            }
        }
    }

    /// Goes on by up to `most` sub-blocks, the next of which have these marks, as long as there is nothing to look at in them: how
    /// many those were.
    fn pass(&mut self, most: usize, marks: Marks) -> usize {
        let passed = match &mut self.active {
            Some(active) => active.stays(&self.history, self.limits.split, most, marks.pair),
            None => (marks.first() as usize).min(most),
        };
        self.history.go_on(passed);
        passed
    }

    /// Hears the sub-block the history stands at.
    fn hear_hop(&mut self, has_pair: bool, has_fallen: bool, on_event: &mut dyn FnMut(Event)) {
        self.follow(on_event);
        let mut found = None;
        if has_pair {
            found = self.sounding();
        }
        if found.is_none() && has_fallen {
            found = self.fallen(on_event);
        }
        if let Some(found) = found {
            self.begin(&found, on_event);
        }
    }

    /// Looks between two sub-blocks at a pair that was just seen at the age at which most digits are found.
    #[inline]
    fn look_between(&mut self, on_event: &mut dyn FnMut(Event)) {
        if self.watched.as_ref().is_some_and(|watched| watched.at == self.history.count()) {
            self.look_at_watched(on_event);
        }
    }

    fn look_at_watched(&mut self, on_event: &mut dyn FnMut(Event)) {
        let now = self.history.count();
        while let Some(watched) = self.watched {
            let ahead = (watched.due - now as f64).ceil().max(1.0) as usize;
            let seen = watched.seen.older(ahead);
            let is_too_old = ahead >= HOP || seen.onset.age >= OLDER;
            if is_too_old || self.is_on(seen.digit) || !self.history.look_ahead(ahead) {
                return;
            }
            let look = self.search().steady(&seen, |came| self.is_echo(seen.digit, came, 0));
            self.watched = Some(watched.after(&look, self.history.count()));
            if let Look::Found(found) = look {
                self.begin(&found, on_event);
            }
            self.history.look_back();
        }
    }

    fn begin(&mut self, found: &Candidate, on_event: &mut dyn FnMut(Event)) {
        let fell = self.active.as_ref().and_then(Active::fell);
        self.close(fell.unwrap_or(found.start.max(0.0)), on_event);
        let digit = found.digit;
        // One begins once the one before it is over.
        let start = found.start.max(self.previous.map_or(0.0, |previous| previous.end));
        let begin = Begin { digit, start: self.clock.input(start), reported: self.reported() };
        self.active = Some(Active::new(begin, start, measure(&found.fit), found.end, &self.history));
        on_event(Event::Begin(begin));
    }

    /// Follows the level of the digit that is on, if one is, and closes it when it was down long enough.
    fn follow(&mut self, on_event: &mut dyn FnMut(Event)) {
        let Some(active) = &mut self.active else { return };
        if let Some(end) = active.follow(&self.history, self.limits.split) {
            self.close(end, on_event);
        }
    }

    /// Ends the digit that is on, if one is.
    fn close(&mut self, end: f64, on_event: &mut dyn FnMut(Event)) {
        let Some(active) = self.active.take() else { return };
        let end = end.max(active.start);
        self.previous = Some(Previous::new(active.digit(), end, active.reference));
        on_event(Event::End(Detection {
            digit: active.digit(),
            start: active.begin.start,
            end: self.clock.input(end),
            begin_reported: active.begin.reported,
            end_reported: self.reported(),
            measured: active.measured,
        }));
    }

    fn reported(&self) -> u64 {
        self.clock.heard(self.history.count() - 1)
    }

    /// Whether a pair that came up so and sounded `back` sub-blocks ago is the tail or the echo of the digit before.
    fn is_echo(&self, digit: Digit, came: &Came, back: usize) -> bool {
        let previous = self.previous.as_ref().filter(|previous| previous.digit == digit);
        previous.is_some_and(|previous| previous.is_echo(came, &self.history, back))
    }

    /// Looks for a pair that sounds now.
    fn sounding(&mut self) -> Option<Candidate> {
        if self.active.as_ref().is_some_and(|active| self.history.is_strongest(active.digit())) {
            return None;
        }
        let digit = self.history.strongest_pair();
        if self.active.as_ref().is_some_and(|active| active.is_beside(digit, &self.history)) {
            return None;
        }
        let now = self.history.count();
        if self.refused.covers(digit, now) {
            return None;
        }
        let search = self.search();
        let Some(seen) = search.see(digit) else {
            let found = search.in_pieces(digit, |came| self.is_echo(digit, came, 0));
            self.watched = None;
            return found;
        };
        if let Some(previous) = &mut self.previous
            && previous.digit == digit
        {
            previous.follow(&seen.onset.came(now as f64), &self.history);
        }
        let before = self.watched.as_ref().filter(|watched| watched.seen.digit == digit);
        let old_enough = now as f64 + f64::from(YOUNGEST - seen.onset.age);
        let due = before.map_or(0.0, |watched| watched.due).max(old_enough);
        let is_due = due <= now as f64;
        let look = self.search().sounding(&seen, is_due, |came| self.is_echo(digit, came, 0));
        let watched = Watched { seen, at: now, due };
        self.watched = Some(if is_due { watched.after(&look, now) } else { watched });
        match look {
            Look::Found(found) => return Some(found),
            Look::Refused => self.refused = Refused { digit, until: now + REST },
            Look::Nothing | Look::TooYoung(_) | Look::NearMiss(..) => {}
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
        match self.search().fallen(digit, |came| self.is_echo(digit, came, SHORT)) {
            Look::Found(found) => return Some(found),
            Look::NearMiss(reason, candidate) if !self.was_told(&candidate) => {
                self.tell_near_miss(&candidate, reason, on_event);
            }
            Look::NearMiss(..) | Look::Nothing | Look::TooYoung(_) | Look::Refused => {}
        }
        None
    }

    fn is_on(&self, digit: Digit) -> bool {
        self.active.as_ref().is_some_and(|active| active.digit() == digit)
    }

    /// Whether what ended is a digit that was told, with the rest of it that a room or a line keeps.
    fn was_told(&self, ended: &Candidate) -> bool {
        self.previous.as_ref().is_some_and(|told| told.digit == ended.digit && ended.start < told.end)
    }

    /// Whether a digit is on, or has just been.
    fn is_soon_after_a_digit(&self) -> bool {
        self.active.is_some() || self.previous.as_ref().is_some_and(|previous| previous.is_recent(&self.history))
    }

    /// The digit that is on, if it has lost a tone, or that was right before.
    fn digit_before(&self) -> Option<Digit> {
        if let Some(active) = &self.active {
            return active.has_lost_a_tone(&self.history).then_some(active.digit());
        }
        let is_right_before = |previous: &&Previous| previous.is_right_before(&self.history);
        self.previous.as_ref().filter(is_right_before).map(|previous| previous.digit)
    }

    fn search(&self) -> Search<'_> {
        Search {
            history: &self.history,
            limits: &self.limits,
            before: self.digit_before(),
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
