//! The line that ends a recording where every file is to have one: without it, a program can't tell one in which nothing was
//! heard from one that was not read.

use serde::Serialize;

use super::{Ending, Input, InputError, Item};

/// The columns of CSV that stand behind those of digits, in which they are empty.
pub(super) const COLUMNS: [&str; 6] = ["status", "sample_rate", "channels", "seconds", "digits", "problem"];

/// How a recording ended, in the words of the contract.
#[derive(Serialize)]
pub(super) struct Row {
    pub(super) file: String,
    status: &'static str,
    sample_rate: Option<u32>,
    channels: Option<usize>,
    seconds: Option<f64>,
    digits: u64,
    problem: Option<String>,
}

impl Row {
    /// The row of a recording's last item; `digits` were told of all its channels.
    pub(super) fn new(input: &Input, item: &Item, digits: u64) -> Option<Self> {
        let (ending, summary) = (item.ending()?, item.summary());
        Some(Self {
            file: input.to_string(),
            status: ending.word(),
            sample_rate: summary.map(|summary| summary.sample_rate),
            channels: summary.map(|summary| summary.channels),
            seconds: summary.map(|summary| (summary.seconds * 1e6).round() / 1e6),
            digits,
            problem: item.problem(),
        })
    }

    /// The row of a folder whose recordings are not known.
    pub(super) fn of_folder(error: &InputError) -> Self {
        let (file, problem) = (error.path().to_owned(), Some(error.problem().to_string()));
        let status = Ending::Failed.word();
        Self { file, status, sample_rate: None, channels: None, seconds: None, digits: 0, problem }
    }

    /// The values of [`COLUMNS`].
    pub(super) fn fields(self) -> [String; COLUMNS.len()] {
        fn text(value: Option<impl ToString>) -> String {
            value.map_or_else(String::new, |value| value.to_string())
        }
        [
            self.status.to_owned(),
            text(self.sample_rate),
            text(self.channels),
            text(self.seconds),
            self.digits.to_string(),
            text(self.problem),
        ]
    }
}
