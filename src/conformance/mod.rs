//! Measures this build's detector, or another receiver, on every property ours promises, with enough trials for each claim.
//!
//! Rows come in groups: what the receiver promises, talk-off, the standards' tables, the Mitel procedures, and recordings.
//! Everything is made from fixed seeds, so that two runs of one build give the same figures.
//!
//! ```
//! use tonopago::conformance::{Effort, Options, measure};
//!
//! let only = vec!["twist of".to_owned()];
//! let rows = measure(&Options { effort: Effort::Quick, only, ..Options::default() }, &mut |_told| ());
//! assert!(rows.len() == 2 && rows.iter().all(|row| row.pass), "{rows:#?}");
//! ```

mod bound;
mod chart;
mod curves;
mod hard_cases;
mod mitel;
mod own_prompt;
mod page;
mod promise;
mod rates;
mod receiver;
mod recordings;
mod row;
mod score;
mod setting;
mod signal;
mod standards;
mod talk_off;

pub use bound::upper_bound;
pub use chart::{Chart, Form, Line};
pub use curves::{CURVES, curves};
pub use hard_cases::{HardCase, hard_cases};
pub use page::page;
pub use receiver::{OtherReceiver, ReceiverError};
pub use recordings::{Known, KnownRecordings, RecordingsError, TRUTH};
pub use row::Row;
pub use score::{Edits, Score, hear};
pub use setting::{Claim, Group, Setting, Skipped};
pub use signal::{RATE, Sent, Signal};
pub use talk_off::SPEEDS;

use crate::dtmf::Profile;
use receiver::Receiver;
use row::Item;
use talk_off::Speech;

/// How many trials a measurement takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Effort {
    /// Seconds: enough to see that nothing is broken.
    Quick,
    /// Minutes: enough for the claim each row makes.
    #[default]
    Full,
}

impl Effort {
    /// Trials for a row that needs `full` of them for its claim.
    fn trials(self, full: usize) -> usize {
        match self {
            Self::Quick => (full / 50).max(16),
            Self::Full => full,
        }
    }
}

/// What to measure, and with what.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The limits of our receiver, and those that any is measured against. The standards' tables bring their own.
    pub profile: Profile,
    /// Another receiver, to be measured in the place of ours.
    pub other: Option<OtherReceiver>,
    /// How many trials.
    pub effort: Effort,
    /// Telephone speech at [`RATE`] (full scale 1.0); the rows that need a minute of it are skipped without.
    pub speech: Vec<f32>,
    /// Music, likewise.
    pub music: Vec<f32>,
    /// Recordings with known digits.
    pub recordings: Vec<KnownRecordings>,
    /// Words: only rows of a group so named, or with one of them in their name. None means all.
    pub only: Vec<String>,
}

impl Options {
    /// Who hears.
    const fn receiver(&self) -> Receiver<'_> {
        Receiver { profile: self.profile, other: self.other.as_ref() }
    }
}

/// What is told while it is measured.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// A row begins.
    Begin {
        /// Its name.
        name: &'a str,
        /// From 0.
        index: usize,
        /// Rows in all.
        of: usize,
    },
    /// How far it is, in digits, minutes or files.
    Trials {
        /// So many.
        done: usize,
        /// Of so many.
        of: usize,
    },
    /// It is measured.
    Row(&'a Row),
}

/// Measures all rows that are wanted, in order.
///
/// # Panics
/// If the profile asks for what the detector can't keep; see [`Profile`].
pub fn measure(options: &Options, tell: &mut dyn FnMut(Told<'_>)) -> Vec<Row> {
    let items: Vec<Item<'_>> = items(options).into_iter().filter(|item| item.is_wanted(&options.only)).collect();
    let of = items.len();
    let measured = |(index, item): (usize, Item<'_>)| {
        tell(Told::Begin { name: &item.name, index, of });
        let row = item.measure(options.receiver(), options.effort, tell);
        tell(Told::Row(&row));
        row
    };
    items.into_iter().enumerate().map(measured).collect()
}

/// The settings of what a profile promises: the same sound for our detector and for others. `speech` as in [`Options`].
pub fn promised(profile: &Profile, speech: &[f32]) -> Vec<Setting> {
    promise::settings(profile, Speech::of(speech).as_ref())
}

/// The names of all rows with their groups, wanted or not.
pub fn names(options: &Options) -> Vec<(Group, String)> {
    items(options).into_iter().map(|item| (item.group, item.name)).collect()
}

fn items(options: &Options) -> Vec<Item<'_>> {
    let speech = Speech::of(&options.speech);
    let mut items: Vec<Item<'_>> =
        promise::settings(&options.profile, speech.as_ref()).into_iter().map(Item::setting).collect();
    if speech.is_none() {
        let lacking = "no speech was given, or less than a minute".to_owned();
        items.push(Item::skipped(Group::Promise, "prompt speech under the digits".to_owned(), lacking));
    }
    items.extend(rates::items());
    items.extend(talk_off::items(options));
    items.extend(standards::settings().into_iter().map(Item::setting));
    items.extend(mitel::items());
    items.extend(recordings::items(&options.recordings));
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quick_run_passes_every_row() {
        let rows = measure(&Options { effort: Effort::Quick, ..Options::default() }, &mut |_| {});
        let failed: Vec<&Row> = rows.iter().filter(|row| !row.pass).collect();
        assert!(failed.is_empty(), "{failed:#?}");
        assert!(rows.len() > 90, "{} rows", rows.len());
        for group in Group::ALL {
            assert!(rows.iter().any(|row| row.group == group), "{group:?}");
        }
    }

    #[test]
    fn rows_are_told_as_they_are_measured_and_can_be_chosen() {
        let options = Options { effort: Effort::Quick, only: vec!["etsi".into()], ..Options::default() };
        let (mut begun, mut rows, mut trials) = (0, 0, 0);
        let mut tell = |told: Told<'_>| match told {
            Told::Begin { of, .. } => begun += usize::from(of == 4),
            Told::Trials { done, .. } => trials = trials.max(done),
            Told::Row(row) => rows += usize::from(row.group == Group::Etsi),
        };
        assert_eq!(measure(&options, &mut tell).len(), 4);
        assert_eq!((begun, rows, trials), (4, 4, 20));
        let none = Options { only: vec!["no such row".into()], ..options };
        assert!(measure(&none, &mut |_| {}).is_empty());
    }

    #[test]
    fn what_can_not_be_measured_is_skipped_with_its_reason() {
        let options = Options { effort: Effort::Quick, only: vec!["speech".into()], ..Options::default() };
        let rows = measure(&options, &mut |_| {});
        assert_eq!(rows.len(), 4);
        assert!(
            rows.iter().all(|row| row.pass && row.skipped.as_deref().unwrap().starts_with("no speech")),
            "{rows:?}"
        );
    }
}
