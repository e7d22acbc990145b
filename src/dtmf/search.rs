//! The search for pairs that may be digits: those that sound now, and those that just went down.

use super::comparison::Presence;
use super::evidence::{Evidence, FirstSight};
use super::fit::Fit;
use super::history::History;
use super::kernel::{HOP, SHORT, SHORT_SAMPLES};
use super::limits::Limits;
use super::onset::{Came, Fall, Onset};
use super::outside::Outside;
use super::pieces::Pieced;
use super::verdict::Verdict;
use super::{Digit, Reason, pieces};

/// Windows a sounding pair is judged over, in filtered samples: 24, 36 and 48 ms.
const WINDOWS: [usize; 3] = [96, 144, 192];
/// Youngest pair worth fitting, in filtered samples.
pub(crate) const YOUNGEST: f32 = 96.0;
/// Part of the band's energy, seen over 24 ms, below which hardly any window shows as much of a pair as is asked of it.
const WORTH_AN_ONSET: f32 = 0.5;
/// Age in filtered samples up to which a pair is judged between sub-blocks, too: 28 ms. Most digits are found by then.
pub(crate) const OLDER: f32 = 112.0;
/// Age in filtered samples from which its windows take turns: 50 ms.
const OLDEST: f32 = 200.0;
/// How far an onset may be misjudged, in filtered samples, before a window is too long for it.
const ONSET_SLACK: f32 = 8.0;
/// A pair that falls by 4 dB within the short window ended this many filtered samples ago.
const FALL_SAMPLES: f64 = 22.0;
/// Part of the band's energy, seen over short windows, without which a pair that ended cannot have an S/N of -2 dB.
const LEAST_SHARE: f32 = 0.33;
/// The same for a pair that sounds and an S/N of 1 dB.
const LEAST_SHARE_SOUNDING: f32 = 0.58;
/// The same for a pair that is most likely a digit: it is fitted without another look.
const CLEAN_SHARE: f32 = 0.9;
/// The same for an S/N worth telling.
const CLEAR_SHARE: f32 = 0.65;
/// Longest window for a pair that ended, in filtered samples: 58 ms.
const LONGEST_FALLEN: usize = 232;
/// Youngest pair that may be accepted after its end, in filtered samples: 34 ms, so that noise on the onset cannot
/// make a digit of a tone that is too short.
const SHORTEST_FALLEN: f32 = 136.0;
/// S/N in dB and rise as a ratio of powers, 10 dB, from which a refused pair is worth telling.
const CLEAR_DB: f32 = 6.0;
const CLEAR_RISE: f32 = 10.0;
/// S/N in dB without which a pair that sounds, and one that ended, is no digit.
const LEAST_SNR_DB: f32 = 1.0;
const LEAST_SNR_FALLEN_DB: f32 = -2.0;
/// How far the first sight of a frequency may be off beside another tone or in noise, in Hz, and in the loud noise that one
/// that ended may have had.
const SIGHT_HZ: f32 = 7.0;
/// By how much less for a pair that has all of the band's energy, than for one that has just enough.
const SIGHT_HZ_CLEANER: f32 = 10.0;
const SIGHT_FALLEN_HZ: f32 = 24.0;
/// Rise as a ratio of powers, 4 dB, without which a pair that ended is no digit.
const LEAST_RISE: f32 = 2.5;

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
    pub(crate) end: Option<f64>,
}

/// A pair that sounds, as it is before it is fitted.
#[derive(Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) digit: Digit,
    pub(crate) onset: Onset,
    sight: FirstSight,
}

impl Seen {
    /// The same so many filtered samples later.
    pub(crate) fn older(self, by: usize) -> Self {
        Self { onset: self.onset.older(by), ..self }
    }
}

/// What became of a look at a pair.
pub(crate) enum Look {
    Found(Candidate),
    /// There is nothing to judge yet, or anymore, or it is no digit, or not yet.
    Nothing,
    /// It has not sounded long enough: so many filtered samples are missing.
    TooYoung(f32),
    /// It is no digit, and will be none a moment later.
    Refused,
    /// It is no digit, but came near.
    NearMiss(Reason, Candidate),
}

/// Why a pair that ended came near to a digit and is none, where that is told.
type NearMiss = Option<(Reason, Fit)>;

/// Why a pair that sounds is no digit.
enum Refused {
    /// It will be refused a moment later, too.
    Clearly,
    ForNow,
    /// It has not sounded long enough: so many filtered samples are missing.
    TooYoung(f32),
}

/// Looks for pairs where the history stands.
pub(crate) struct Search<'a> {
    pub(crate) history: &'a History,
    pub(crate) limits: &'a Limits,
    /// The digit that is on, if it has lost a tone, or that was right before: its other tone may go on in another digit.
    pub(crate) before: Option<Digit>,
    /// Whether a near miss would be told.
    pub(crate) tells: bool,
    /// Whether a digit was heard so lately that others are to be expected.
    pub(crate) is_soon_after_a_digit: bool,
}

impl Search<'_> {
    /// What a pair that sounds now looks like, if it may be old enough to be due soon, loud enough, and within the limits.
    #[inline]
    pub(crate) fn see(&self, digit: Digit) -> Option<Seen> {
        if Onset::is_recent(self.history, digit) {
            return None;
        }
        let shares = self.history.shares(digit, 0, 2);
        if !self.limits.may_have_powers(shares) || shares[0] + shares[1] < WORTH_AN_ONSET {
            return None;
        }
        let sight = FirstSight::of(self.history, digit, 0);
        let is_near = sight.is_near(digit, self.limits, SIGHT_HZ);
        is_near.then(|| Seen { digit, onset: Onset::find(self.history, digit, 0, self.before), sight })
    }

    /// Judges a pair that sounds now; one that is steady, only if it is due. `is_echo` tells of an onset, as a filtered-sample
    /// position, whether what began there echoes the digit before.
    pub(crate) fn sounding(&self, seen: &Seen, is_due: bool, is_echo: impl Fn(&Came) -> bool) -> Look {
        let steady = if is_due { self.steady(seen, &is_echo) } else { Look::Nothing };
        if matches!(steady, Look::Found(_)) {
            return steady;
        }
        self.pieced(seen.digit, Some(seen.onset.age), is_echo).map_or(steady, Look::Found)
    }

    /// Judges a pair that sounds now and is not seen to be steady, as it may be so in pieces.
    pub(crate) fn in_pieces(&self, digit: Digit, is_echo: impl Fn(&Came) -> bool) -> Option<Candidate> {
        self.pieced(digit, None, is_echo)
    }

    /// The same of a pair that is steady.
    pub(crate) fn steady(&self, seen: &Seen, is_echo: impl Fn(&Came) -> bool) -> Look {
        let Seen { digit, onset, ref sight } = *seen;
        let came = onset.came(self.history.count() as f64);
        if onset.age < YOUNGEST || is_echo(&came) {
            return Look::Nothing;
        }
        let fits = |window: &usize| onset.age + ONSET_SLACK >= *window as f32;
        let mut look = Look::Refused;
        for window in WINDOWS.into_iter().filter(|window| fits(window) && self.is_turn(*window, onset.age)) {
            match self.judged(digit, onset, sight, window) {
                Ok(fit) => return Look::Found(Candidate { digit, fit, start: came.start, end: None }),
                Err(Refused::TooYoung(missing)) => look = Look::TooYoung(missing),
                Err(Refused::ForNow) => look = Look::Nothing,
                Err(Refused::Clearly) => {}
            }
        }
        look
    }

    /// Whether a window has its turn: of a pair that has often been refused, one at a time.
    fn is_turn(&self, window: usize, age: f32) -> bool {
        let turn = self.history.count() / HOP as u64 % WINDOWS.len() as u64;
        age < OLDEST || WINDOWS[turn as usize] == window
    }

    fn judged(&self, digit: Digit, onset: Onset, sight: &FirstSight, window: usize) -> Result<Fit, Refused> {
        let shares = self.history.shares(digit, 0, window / SHORT_SAMPLES);
        let share = sight.share(shares);
        let slack_hz = (SIGHT_HZ - SIGHT_HZ_CLEANER * (share - LEAST_SHARE_SOUNDING)).max(0.0);
        let most =
            || Verdict::most_of_sounding(&sight.deviation(digit, slack_hz), share, onset.rise(), window, onset.age);
        if share < LEAST_SHARE_SOUNDING
            || !self.limits.may_be_fitted(shares)
            || !sight.is_near(digit, self.limits, slack_hz)
            || share < CLEAN_SHARE && !most().soon_after_a_digit(self.is_soon_after_a_digit).may_be_digit()
        {
            return Err(Refused::Clearly);
        }
        let fit = Evidence::fit(self.history, sight, window, 0, Some(&self.limits.bounds(digit)));
        if fit.snr_db() < LEAST_SNR_DB || self.limits.broken_by(&fit, digit).is_some() {
            return Err(Refused::Clearly);
        }
        let presence = Presence::of(&fit, self.history, window, 0);
        if !presence.lasts() {
            return Err(Refused::ForNow);
        }
        let missing = presence.missing(&fit, self.limits);
        if missing > 0.0 {
            return Err(Refused::TooYoung(missing));
        }
        let evidence = Evidence::gather(self.history, onset, fit, window, 0);
        let is_digit = evidence.is_steady()
            && Verdict::sounding(&evidence, digit, window, onset.age)
                .soon_after_a_digit(self.is_soon_after_a_digit)
                .is_digit(
                    || evidence.flatness_db(self.history, window, 0),
                    || Outside::of(&fit, self.history, window, 0, onset.age),
                );
        if is_digit { Ok(fit) } else { Err(Refused::ForNow) }
    }

    /// A pure pair in pieces, the last of which, or more of it, is so old, in filtered samples, if that is known.
    fn pieced(&self, digit: Digit, age: Option<f32>, is_echo: impl Fn(&Came) -> bool) -> Option<Candidate> {
        let powers = |age: usize| digit.tones().map(|tone| self.history.power(age, tone));
        // A jump of phase falsifies the powers of one window, not of both.
        let may_be_level = |age: usize| self.limits.may_have_powers(powers(age));
        if ![0, SHORT].into_iter().any(may_be_level) {
            return None;
        }
        let Pieced { fit, age } = pieces::find(self.history, digit, age)?;
        let start = self.history.count() as f64 - age as f64;
        // What pieces are of came up from quiet.
        let came = Came { start, rise: f32::INFINITY, is_seen: true };
        let is_digit = !is_echo(&came) && self.limits.broken_by(&fit, digit).is_none();
        is_digit.then_some(Candidate { digit, fit, start, end: None })
    }

    /// Judges a pair that just went down.
    pub(crate) fn fallen(&self, digit: Digit, is_echo: impl Fn(&Came) -> bool) -> Look {
        let onset = Onset::find(self.history, digit, SHORT, self.before);
        let came = onset.came(self.history.count() as f64 - (SHORT * HOP) as f64);
        if onset.age < SHORT_SAMPLES as f32 {
            return Look::Nothing;
        }
        let (start, end) = (came.start, Some(self.history.count() as f64 - FALL_SAMPLES));
        let verdict = if is_echo(&came) {
            Err(self.near_miss(digit, onset, Reason::Echo))
        } else {
            self.verdict_on_fallen(digit, onset)
        };
        match verdict {
            Ok(fit) => Look::Found(Candidate { digit, fit, start, end }),
            Err(Some((reason, fit))) => Look::NearMiss(reason, Candidate { digit, fit, start, end }),
            Err(None) => Look::Nothing,
        }
    }

    /// Why a pair that ended and is no digit came near: its limits, or else this reason. Whether it is told changes nothing else.
    fn near_miss(&self, digit: Digit, onset: Onset, otherwise: Reason) -> NearMiss {
        let window = fallen_window(onset);
        if !self.tells || onset.rise() < CLEAR_RISE {
            return None;
        }
        let sight = FirstSight::of(self.history, digit, SHORT);
        if sight.share(self.history.shares(digit, SHORT, window / SHORT_SAMPLES)) < CLEAR_SHARE {
            return None;
        }
        let fit = Evidence::fit(self.history, &sight, window, SHORT, None);
        let reason = self.limits.broken_by(&fit, digit).unwrap_or(otherwise);
        (fit.snr_db() > CLEAR_DB).then_some((reason, fit))
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
    fn verdict_on_fallen(&self, digit: Digit, onset: Onset) -> Result<Fit, NearMiss> {
        let history = self.history;
        if onset.age < SHORTEST_FALLEN {
            return Err(self.near_miss(digit, onset, Reason::TooShort));
        }
        let window = fallen_window(onset);
        let (sight, may_be_told) = self.sight_of_fallen(digit, onset, window).ok_or(None)?;
        // What may be told as a near miss is measured to the end.
        let bounds = (!may_be_told).then(|| self.limits.bounds(digit));
        let fit = Evidence::fit(history, &sight, window, SHORT, bounds.as_ref());
        let is_told = self.tells && may_be_told && fit.snr_db() > CLEAR_DB;
        let near = |reason: Reason| Err(is_told.then_some((reason, fit)));
        if fit.snr_db() < LEAST_SNR_FALLEN_DB {
            return Err(None);
        }
        if let Some(reason) = self.limits.broken_by(&fit, digit) {
            return near(reason);
        }
        if !Presence::of(&fit, history, window, SHORT).reaches_its_end() {
            return near(Reason::TooShort);
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
        near(if evidence.is_steady() { Reason::Noise } else { Reason::Unsteady })
    }
}
