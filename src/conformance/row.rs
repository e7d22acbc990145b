//! One property: how it is measured, and what came of it.

use super::bound::upper_bound;
use super::receiver::{OtherReceiver, Receiver, ReceiverError};
use super::score::{Heard, Score};
use super::setting::{Claim, Group, Setting};
use super::signal::Signal;
use super::{Effort, Told};
use crate::dtmf::Profile;

/// One property, measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The document it belongs to.
    pub group: Group,
    /// The property, in words.
    pub name: String,
    /// What is promised.
    pub target: String,
    /// What was found.
    pub measured: String,
    /// Whether the promise holds; true also where it could not be measured.
    pub pass: bool,
    /// Why it could not be measured here.
    pub skipped: Option<String>,
    /// The limits it was measured against: those asked for, or those of an administration's table. Our own receiver has them.
    pub profile: Profile,
    /// How many digits (or minutes, for false digits) were tried.
    pub trials: usize,
    /// How many of them failed (missed, doubled, false, or accepted where they are to be refused), where the row counts them.
    pub failures: Option<usize>,
    /// Upper 95 % confidence bound of the failing part, 0 to 1 (Clopper-Pearson), of `failures` in `trials`.
    pub upper_bound: Option<f64>,
}

/// What was found of one property.
pub(super) struct Finding {
    pub(super) target: String,
    pub(super) measured: String,
    pub(super) pass: bool,
    pub(super) trials: usize,
    /// Failures among the trials, where they are counted.
    pub(super) failed: Option<usize>,
}

/// What a measurement works with.
pub(super) struct Bench<'a> {
    receiver: Receiver<'a>,
    effort: Effort,
    tell: &'a mut dyn FnMut(Told<'_>),
}

impl Bench<'_> {
    pub(super) const fn profile(&self) -> Profile {
        self.receiver.profile
    }

    /// The digits in a sound at `rate` Hz.
    pub(super) fn hear(&self, samples: &[f32], rate: u32) -> Vec<Heard> {
        self.receiver.hear(samples, rate)
    }

    /// Hears a signal and scores it.
    pub(super) fn score(&self, signal: &Signal) -> Score {
        self.receiver.score(signal)
    }

    /// Whether another receiver than ours is measured.
    pub(super) const fn is_other(&self) -> bool {
        self.receiver.other.is_some()
    }

    /// Trials for a row that needs `full` of them for its claim.
    pub(super) fn trials(&self, full: usize) -> usize {
        self.effort.trials(full)
    }

    /// Tells how far a row is.
    pub(super) fn done(&mut self, done: usize, of: usize) {
        (self.tell)(Told::Trials { done, of });
    }
}

type Measure<'a> = Box<dyn FnOnce(&mut Bench<'_>) -> Finding + 'a>;

enum Work<'a> {
    Measure(Measure<'a>),
    Setting(Setting),
    Skipped(String),
}

/// A row to be.
pub(super) struct Item<'a> {
    pub(super) group: Group,
    pub(super) name: String,
    work: Work<'a>,
}

impl<'a> Item<'a> {
    pub(super) fn new(group: Group, name: String, measure: impl FnOnce(&mut Bench<'_>) -> Finding + 'a) -> Self {
        Self { group, name, work: Work::Measure(Box::new(measure)) }
    }

    pub(super) fn skipped(group: Group, name: String, why: String) -> Self {
        Self { group, name, work: Work::Skipped(why) }
    }

    pub(super) fn setting(setting: Setting) -> Self {
        Self { group: setting.group, name: setting.name.clone(), work: Work::Setting(setting) }
    }

    /// Whether one of the words is its group, or a part of its name.
    pub(super) fn is_wanted(&self, words: &[String]) -> bool {
        let name = self.name.to_lowercase();
        let fits = |word: &String| self.group.word() == word.to_lowercase() || name.contains(&word.to_lowercase());
        words.is_empty() || words.iter().any(fits)
    }

    /// What a receiver that fails has heard counts for nothing: the row fails, and tells why.
    pub(super) fn measure(self, receiver: Receiver<'_>, effort: Effort, tell: &mut dyn FnMut(Told<'_>)) -> Row {
        let profile = if let Work::Setting(setting) = &self.work { setting.profile } else { receiver.profile };
        let mut bench = Bench { receiver: Receiver { profile, ..receiver }, effort, tell };
        let finding = match self.work {
            Work::Measure(measure) => Ok(measure(&mut bench)),
            Work::Setting(setting) => score(&setting, &mut bench).and_then(|score| judge(&setting, &score, effort)),
            Work::Skipped(why) => Err(why),
        };
        let trouble = receiver.other.and_then(OtherReceiver::take_trouble);
        let skipped = finding.as_ref().err().filter(|_| trouble.is_none()).cloned();
        let finding =
            trouble.map_or_else(|| finding.unwrap_or_else(|_| Finding::nothing()), |trouble| Finding::of(&trouble));
        let upper_bound = finding.failed.map(|failed| upper_bound(failed, finding.trials));
        let Finding { target, measured, pass, trials, failed: failures } = finding;
        let (group, name) = (self.group, self.name);
        Row { group, name, target, measured, pass, skipped, profile, trials, failures, upper_bound }
    }
}

impl Finding {
    fn nothing() -> Self {
        Self { target: String::new(), measured: String::new(), pass: true, trials: 0, failed: None }
    }

    /// Of a receiver that could not be measured.
    fn of(trouble: &ReceiverError) -> Self {
        let target = "a receiver that works".to_owned();
        Self { target, measured: trouble.to_string(), pass: false, trials: 0, failed: None }
    }
}

/// Hears a setting's digits; the reason where they can't be made.
fn score(setting: &Setting, bench: &mut Bench<'_>) -> Result<Score, String> {
    let (trials, mut score) = (bench.trials(setting.trials), Score::default());
    for signal in setting.signals(trials) {
        score.add(bench.score(&signal.map_err(|skipped| skipped.0)?));
        bench.done(score.sent, trials);
    }
    Ok(score)
}

/// What came of it; or why that can't be told.
fn judge(setting: &Setting, score: &Score, effort: Effort) -> Result<Finding, String> {
    let (sent, missed, doubled, trials) = (score.sent, score.missed, score.doubled, score.sent);
    Ok(match setting.claim {
        Claim::Missed(part) => Finding {
            target: missed_at_most(part),
            measured: format!("{missed} missed, {doubled} doubled{}", false_ones(score.extra)),
            pass: missed + score.extra <= allowed(part, sent, effort) && doubled == 0,
            trials,
            failed: Some((doubled + if part < 1.0 { missed + score.extra } else { 0 }).min(trials)),
        },
        Claim::Accepted(part) => few_of("accepted", score.accepted(), part, trials, effort),
        Claim::NotItself => few_of("accepted as the digit sent", sent - missed, 0.0, trials, effort),
        Claim::Latency { .. } if missed < sent && score.latencies.is_empty() => {
            return Err("the receiver tells no times".to_owned());
        }
        Claim::Latency { mean_ms, most_ms } => {
            let (mean, most) = score.latency();
            Finding {
                target: format!("mean <= {mean_ms} ms, at most {most_ms} ms"),
                measured: format!("mean {mean:.1} ms, at most {most:.1} ms"),
                pass: mean <= mean_ms && most <= most_ms && missed == 0,
                trials,
                failed: None,
            }
        }
    })
}

/// What is told of digits heard that were not sent: they count as missed ones do.
fn false_ones(extra: usize) -> String {
    if extra > 0 { format!(", {extra} false") } else { String::new() }
}

fn missed_at_most(part: f64) -> String {
    if part <= 0.0 {
        "none missed, none doubled".to_owned()
    } else if part < 1.0 {
        format!("<= {} % missed, none doubled", part * 100.0)
    } else {
        "none doubled".to_owned()
    }
}

fn few_of(what: &str, found: usize, part: f64, trials: usize, effort: Effort) -> Finding {
    Finding {
        target: if part > 0.0 { format!("<= {} % {what}", part * 100.0) } else { format!("none {what}") },
        measured: format!("{found} {what}"),
        pass: found <= allowed(part, trials, effort),
        trials,
        failed: Some(found.min(trials)),
    }
}

/// Misses, or what is accepted, that are let pass. A quick run is too short for a small proportion: it allows one if the
/// claim allows any at all.
fn allowed(part: f64, sent: usize, effort: Effort) -> usize {
    (part * sent as f64) as usize + usize::from(effort == Effort::Quick && part > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::setting::{NONE, clean, tones};

    #[test]
    fn every_way_to_fail_is_in_the_bound() {
        let failures = |claim: Claim, missed: usize, doubled: usize, extra: usize| {
            let setting = Setting::new(Group::Promise, "any", claim, 1000, clean(1, tones(-10.0)));
            let score = Score { sent: 1000, missed, doubled, extra, ..Score::default() };
            judge(&setting, &score, Effort::Full).unwrap().failed
        };
        assert_eq!(failures(NONE, 0, 5, 0), Some(5), "doubled digits alone make the row fail");
        assert_eq!(failures(Claim::Missed(0.01), 2, 3, 4), Some(9));
        assert_eq!(failures(NONE, 900, 0, 200), Some(1000), "never more than were tried");
        assert_eq!(failures(Claim::Missed(1.0), 700, 2, 0), Some(2), "where misses are no failures");
    }

    #[test]
    fn a_row_tells_the_receiver_it_was_measured_with() {
        let row = |name: &str| {
            let setting = Setting::new(Group::Q24, "any", NONE, 16, clean(1, tones(-10.0)));
            let setting = setting.with(Profile::named(name).unwrap());
            let receiver = Receiver { profile: Profile::default(), other: None };
            Item::setting(setting).measure(receiver, Effort::Quick, &mut |_| {})
        };
        assert_eq!(row("att").profile.name(), Some("att"));
        assert_eq!((row("default").profile.name(), row("default").failures), (Some("default"), Some(0)));
    }

    #[test]
    fn a_digit_that_was_not_sent_counts_as_one_that_was_missed() {
        let judged = |claim: Claim, missed: usize, extra: usize| {
            let setting = Setting::new(Group::Promise, "any", claim, 1000, clean(1, tones(-10.0)));
            let score = Score { sent: 1000, missed, extra, ..Score::default() };
            let finding = judge(&setting, &score, Effort::Full).unwrap();
            (finding.pass, finding.measured)
        };
        assert_eq!(judged(NONE, 0, 0), (true, "0 missed, 0 doubled".to_owned()));
        assert_eq!(judged(NONE, 0, 1), (false, "0 missed, 0 doubled, 1 false".to_owned()));
        assert!(judged(Claim::Missed(0.005), 3, 2).0 && !judged(Claim::Missed(0.005), 3, 3).0);
        let accepted = |extra: usize| judged(Claim::Accepted(0.005), 1000, extra).0;
        assert!(accepted(5) && !accepted(6));
    }
}
