//! The search for pairs that may be digits: those that sound now, and those that just went down.

use super::comparison::Presence;
use super::evidence::{Evidence, FirstSight};
use super::fit::Fit;
use super::history::History;
use super::kernel::{HOP, SHORT, SHORT_SAMPLES};
use super::limits::Limits;
use super::onset::{Fall, Onset};
use super::outside::Outside;
use super::verdict::Verdict;
use super::{Digit, Reason, pieces};

/// Windows a sounding pair is judged over, in filtered samples: 24, 36 and 48 ms.
const WINDOWS: [usize; 3] = [96, 144, 192];
/// Youngest pair worth fitting, in filtered samples.
const YOUNGEST: f32 = 94.0;
/// Part of the band's energy, seen over 24 ms, below which hardly any window shows as much of a pair as is asked of it.
const WORTH_AN_ONSET: f32 = 0.5;
/// Age in filtered samples from which a pair is judged less often: 28 ms.
const OLDER: f32 = 112.0;
/// Age in filtered samples from which its windows take turns: 50 ms.
const OLDEST: f32 = 200.0;
/// How far an onset may be misjudged, in filtered samples, before a window is too long for it.
const ONSET_SLACK: f32 = 8.0;
/// A pair that falls by 4 dB within the short window ended this many filtered samples ago.
const FALL_SAMPLES: u64 = 18;
/// Part of the band's energy, seen over short windows, without which a pair that ended cannot have an S/N of -2 dB.
const LEAST_SHARE: f32 = 0.33;
/// The same for a pair that sounds and an S/N of 1 dB.
const LEAST_SHARE_SOUNDING: f32 = 0.58;
/// The same for an S/N worth telling.
const CLEAR_SHARE: f32 = 0.65;
/// Longest window for a pair that ended, in filtered samples: 58 ms.
const LONGEST_FALLEN: usize = 232;
/// Youngest pair that may be accepted after its end, in filtered samples: 34 ms, so that noise on the onset cannot
/// make a digit of a tone that is too short.
const SHORTEST_FALLEN: f32 = 136.0;
/// How much longer a pair may be found to have sounded after a rest, in filtered samples.
pub(crate) const FALLEN_SLACK: f32 = 16.0;
/// S/N in dB and rise as a ratio of powers, 10 dB, from which a refused pair is worth telling.
const CLEAR_DB: f32 = 6.0;
const CLEAR_RISE: f32 = 10.0;
/// S/N in dB without which a pair that sounds, and one that ended, is no digit.
const LEAST_SNR_DB: f32 = 1.0;
const LEAST_SNR_FALLEN_DB: f32 = -2.0;
/// How far the first sight of a frequency may be off beside another tone or in noise, in Hz, and in the loud noise that one
/// that ended may have had.
const SIGHT_HZ: f32 = 7.0;
const SIGHT_FALLEN_HZ: f32 = 24.0;
/// Rise as a ratio of powers, 4 dB, without which a pair that ended is no digit.
const LEAST_RISE: f32 = 2.5;

/// Sub-blocks between the turns of pairs that are looked at less often.
const TURN: u64 = 3;
/// How far the age of a pair may be misjudged a moment before, in filtered samples.
const AGE_SLACK: f32 = 12.0;

/// Whether pairs that are looked at less often are looked at now, at a filtered sample.
pub(crate) fn is_slow_turn(now: u64) -> bool {
    (now / HOP as u64).is_multiple_of(TURN)
}

/// Whether a pair of about this age in filtered samples is looked at each time: the age at which most digits are found.
pub(crate) fn is_decisive(age: f32) -> bool {
    (YOUNGEST - AGE_SLACK..OLDER + AGE_SLACK).contains(&age)
}

/// Window over which a pair that ended is judged, in filtered samples.
fn fallen_window(onset: Onset) -> usize {
    ((onset.age as usize) & !7).min(LONGEST_FALLEN)
}

/// A pair that is, was, or was almost a digit.
pub(crate) struct Candidate {
    pub(crate) digit: Digit,
    pub(crate) fit: Fit,
    /// Onset as a filtered-sample position.
    pub(crate) start: f64,
    /// Filtered-sample position of its end, if it has ended.
    pub(crate) end: Option<u64>,
}

/// What became of a look at a pair.
pub(crate) enum Look {
    Found(Candidate),
    /// There is nothing to judge yet, or anymore.
    Nothing,
    /// It is no digit, or not yet; with the reason where it came near.
    Refused {
        /// A moment later it will be refused again.
        clearly: bool,
        near_miss: Option<(Reason, Candidate)>,
    },
}

/// A pair that was refused.
struct Refusal {
    clearly: bool,
    near_miss: Option<(Reason, Fit)>,
}

impl Refusal {
    /// One that is not worth telling.
    fn untold(clearly: bool) -> Self {
        Self { clearly, near_miss: None }
    }
}

/// Looks for pairs where the history stands.
pub(crate) struct Search<'a> {
    pub(crate) history: &'a History,
    pub(crate) limits: &'a Limits,
    /// The digit that is on, if it has lost a tone: the other may go on in another digit.
    pub(crate) before: Option<Digit>,
    /// Whether a near miss would be told.
    pub(crate) tells: bool,
    /// Whether a digit was heard so lately that others are to be expected.
    pub(crate) is_soon_after_a_digit: bool,
}

impl Search<'_> {
    /// The onset of a pair that sounds now, if it may be old enough to be due soon, loud enough, and within the limits of twist.
    #[inline]
    pub(crate) fn onset(&self, digit: Digit) -> Option<Onset> {
        if Onset::is_recent(self.history, digit) {
            return None;
        }
        let shares = self.history.shares(digit, 0, 2);
        let may_be_digit = self.limits.may_have_powers(shares) && shares[0] + shares[1] > WORTH_AN_ONSET;
        may_be_digit.then(|| Onset::find(self.history, digit, 0, self.before))
    }

    /// Judges a pair that sounds now. `is_echo` tells of an onset, as a filtered-sample position, whether what began
    /// there echoes the digit before.
    pub(crate) fn sounding(&self, digit: Digit, onset: Option<Onset>, is_echo: impl Fn(f64) -> bool) -> Look {
        let start = |age: f32| self.history.count() as f64 - f64::from(age);
        let found = |(fit, age): (Fit, f32)| Look::Found(Candidate { digit, fit, start: start(age), end: None });
        match onset.and_then(|onset| self.steady(digit, onset, |age| is_echo(start(age)))) {
            Some(Ok(steady)) => found(steady),
            steady => match self.pieced(digit, |age| is_echo(start(age))) {
                Some(pieced) => found(pieced),
                None => match steady {
                    Some(Err(Refusal { clearly, .. })) => Look::Refused { clearly, near_miss: None },
                    _ => Look::Nothing,
                },
            },
        }
    }

    /// A pair that is due: whether it was steady over one of the windows, with its fit and its age in filtered samples.
    fn steady(&self, digit: Digit, onset: Onset, is_echo: impl Fn(f32) -> bool) -> Option<Result<(Fit, f32), Refusal>> {
        if !self.is_due(onset.age) || is_echo(onset.age) {
            return None;
        }
        let sight = FirstSight::of(self.history, digit, 0);
        if !sight.is_near(digit, self.limits, SIGHT_HZ) {
            return None;
        }
        let fits = |window: &usize| onset.age + ONSET_SLACK >= *window as f32;
        let windows = WINDOWS.into_iter().filter(|window| fits(window) && self.is_turn(*window, onset.age));
        let mut refusal = Refusal::untold(true);
        for window in windows {
            match self.judged(digit, onset, &sight, window) {
                Ok(fit) => return Some(Ok((fit, onset.age))),
                Err(Refusal { clearly, .. }) => refusal.clearly &= clearly,
            }
        }
        Some(Err(refusal))
    }

    /// Whether a pair of this age is due: young ones each time, older ones, which were refused before, every third time.
    fn is_due(&self, age: f32) -> bool {
        age >= YOUNGEST && (age < OLDER || is_slow_turn(self.history.count()))
    }

    /// Whether a window has its turn: of a pair that has often been refused, one at a time.
    fn is_turn(&self, window: usize, age: f32) -> bool {
        let turn = self.history.count() / (TURN * HOP as u64) % WINDOWS.len() as u64;
        age < OLDEST || WINDOWS[turn as usize] == window
    }

    fn judged(&self, digit: Digit, onset: Onset, sight: &FirstSight, window: usize) -> Result<Fit, Refusal> {
        if sight.share(self.history.shares(digit, 0, window / SHORT_SAMPLES)) < LEAST_SHARE_SOUNDING {
            return Err(Refusal::untold(true));
        }
        let fit = Evidence::fit(self.history, sight, window, 0, Some(&self.limits.bounds(digit)));
        if fit.snr_db() < LEAST_SNR_DB || self.limits.broken_by(&fit, digit).is_some() {
            return Err(Refusal::untold(true));
        }
        if !Presence::of(&fit, self.history, window, 0).is_long_enough(&fit, self.limits) {
            return Err(Refusal::untold(false));
        }
        let evidence = Evidence::gather(self.history, onset, fit, window, 0);
        let is_digit = evidence.is_steady()
            && Verdict::sounding(&evidence, digit, window, onset.age)
                .soon_after_a_digit(self.is_soon_after_a_digit)
                .is_digit(
                    || evidence.flatness_db(self.history, window, 0),
                    || Outside::of(&fit, self.history, window, 0, onset.age),
                );
        if is_digit { Ok(fit) } else { Err(Refusal::untold(false)) }
    }

    /// A pure pair in pieces: its fit and its age in filtered samples.
    fn pieced(&self, digit: Digit, is_echo: impl Fn(f32) -> bool) -> Option<(Fit, f32)> {
        let powers = |age: usize| digit.tones().map(|tone| self.history.power(age, tone));
        // Pieces change slowly. A jump of phase falsifies the powers of one window, not of both.
        let may_be_level = |age: usize| self.limits.may_have_powers(powers(age));
        if !is_slow_turn(self.history.count()) || ![0, SHORT].into_iter().any(may_be_level) {
            return None;
        }
        let found = pieces::find(self.history, digit)?;
        let age = found.age as f32;
        (!is_echo(age) && self.limits.broken_by(&found.fit, digit).is_none()).then_some((found.fit, age))
    }

    /// Judges a pair that just went down.
    pub(crate) fn fallen(&self, digit: Digit, is_echo: impl Fn(f64) -> bool) -> Look {
        let onset = Onset::find(self.history, digit, SHORT, self.before);
        let start = self.history.count() as f64 - (SHORT * HOP) as f64 - f64::from(onset.age);
        if onset.age < SHORT_SAMPLES as f32 {
            return Look::Nothing;
        }
        let end = Some(self.history.count() - FALL_SAMPLES);
        let verdict = if is_echo(start) {
            Err(self.refusal(digit, onset, false, Reason::Echo))
        } else {
            self.verdict_on_fallen(digit, onset)
        };
        match verdict {
            Ok(fit) => Look::Found(Candidate { digit, fit, start, end }),
            Err(Refusal { clearly, near_miss }) => {
                let near_miss = near_miss.map(|(reason, fit)| (reason, Candidate { digit, fit, start, end }));
                Look::Refused { clearly, near_miss }
            }
        }
    }

    /// Why a pair that ended is no digit: its limits, or else this reason. Whether it is told changes nothing else.
    fn refusal(&self, digit: Digit, onset: Onset, clearly: bool, otherwise: Reason) -> Refusal {
        let window = fallen_window(onset);
        if !self.tells || onset.rise() < CLEAR_RISE {
            return Refusal::untold(clearly);
        }
        let sight = FirstSight::of(self.history, digit, SHORT);
        if sight.share(self.history.shares(digit, SHORT, window / SHORT_SAMPLES)) < CLEAR_SHARE {
            return Refusal::untold(clearly);
        }
        let fit = Evidence::fit(self.history, &sight, window, SHORT, None);
        let reason = self.limits.broken_by(&fit, digit).unwrap_or(otherwise);
        Refusal { clearly, near_miss: (fit.snr_db() > CLEAR_DB).then_some((reason, fit)) }
    }

    /// What a pair that ended looks like, and whether it may be told as a near miss; `None` where no fit can make it a digit.
    fn sight_of_fallen(&self, digit: Digit, onset: Onset, window: usize) -> Option<(FirstSight, bool)> {
        let (history, rise) = (self.history, onset.rise());
        let shares = history.shares(digit, SHORT, window / SHORT_SAMPLES);
        if rise < LEAST_RISE || shares[0] + shares[1] < LEAST_SHARE {
            return None;
        }
        let sight = FirstSight::of(history, digit, SHORT);
        let may_be_told = rise > CLEAR_RISE && sight.share(shares) >= CLEAR_SHARE;
        let may_be_digit = || self.limits.may_have_powers(shares) && sight.is_near(digit, self.limits, SIGHT_FALLEN_HZ);
        (may_be_told || may_be_digit()).then_some((sight, may_be_told))
    }

    /// The fit of a pair that was a digit, or why it was not one.
    fn verdict_on_fallen(&self, digit: Digit, onset: Onset) -> Result<Fit, Refusal> {
        let history = self.history;
        if onset.age < SHORTEST_FALLEN {
            let clearly = onset.age < SHORTEST_FALLEN - FALLEN_SLACK;
            return Err(self.refusal(digit, onset, clearly, Reason::TooShort));
        }
        let window = fallen_window(onset);
        let far_off = Err(Refusal::untold(true));
        let Some((sight, may_be_told)) = self.sight_of_fallen(digit, onset, window) else { return far_off };
        // What may be told as a near miss is measured to the end.
        let bounds = (!may_be_told).then(|| self.limits.bounds(digit));
        let fit = Evidence::fit(history, &sight, window, SHORT, bounds.as_ref());
        let is_told = self.tells && may_be_told && fit.snr_db() > CLEAR_DB;
        let near =
            |clearly: bool, reason: Reason| Err(Refusal { clearly, near_miss: is_told.then_some((reason, fit)) });
        if fit.snr_db() < LEAST_SNR_FALLEN_DB {
            return far_off;
        }
        if let Some(reason) = self.limits.broken_by(&fit, digit) {
            return near(true, reason);
        }
        if !Presence::of(&fit, history, window, SHORT).reaches_its_end() {
            return near(false, Reason::TooShort);
        }
        let evidence = Evidence::gather(history, onset, fit, window, SHORT);
        let is_digit = Verdict::ended(&evidence, digit, window, &Fall::find(history, digit))
            .soon_after_a_digit(self.is_soon_after_a_digit)
            .is_digit(
                || evidence.flatness_db(history, window, SHORT),
                || Outside::of(&fit, history, window, SHORT * HOP, onset.age),
            );
        if is_digit {
            return Ok(fit);
        }
        near(false, if evidence.is_steady() { Reason::Noise } else { Reason::Unsteady })
    }
}
