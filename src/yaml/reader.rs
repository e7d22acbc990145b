//! Typed reading of YAML nodes that notes every problem and goes on.

use std::ops::RangeInclusive;

use super::{Node, Notes, Path, quoted, suggest};
use crate::media::MediaTime;

/// Entries of one list or map; what needs more is better in several files.
const MOST_ENTRIES: usize = 1000;

/// A node with its path and the place to note problems.
#[derive(Clone)]
pub(crate) struct Value<'a> {
    pub(crate) node: &'a Node,
    pub(crate) path: Path,
    notes: &'a Notes,
}

impl<'a> Value<'a> {
    pub(crate) const fn new(node: &'a Node, path: Path, notes: &'a Notes) -> Self {
        Self { node, path, notes }
    }

    pub(crate) fn problem(&self, message: impl Into<String>, cure: impl Into<String>) {
        self.notes.add(&self.path, message, cure);
    }

    /// Notes a problem at the name this value belongs to, rather than at the value.
    pub(crate) fn problem_of_name(&self, message: impl Into<String>, cure: impl Into<String>) {
        self.notes.add(&self.path.name(), message, cure);
    }

    /// Notes what is allowed, but seldom meant.
    pub(crate) fn warn(&self, message: impl Into<String>, cure: impl Into<String>) {
        self.notes.warn(&self.path, message, cure);
    }

    /// The same at the name this value belongs to.
    pub(crate) fn warn_of_name(&self, message: impl Into<String>, cure: impl Into<String>) {
        self.notes.warn(&self.path.name(), message, cure);
    }

    /// Notes that something else is wanted here. A value that is not there is told of at its name.
    pub(crate) fn expected(&self, what: &str, cure: &str) {
        match self.node {
            Node::Null => {
                self.problem_of_name(format!("expected {what}, found nothing"), format!("{cure}; {UNQUOTED}"))
            }
            Node::Text(text) | Node::Number(text) => {
                self.problem(format!("expected {what}, found {}", quoted(text)), cure);
            }
            other => self.problem(format!("expected {what}, found {}", other.kind()), cure),
        }
    }

    /// A text, or a number as it is written.
    pub(crate) fn text(&self) -> Option<&'a str> {
        let text = self.node.scalar();
        if text.is_none() {
            self.expected("a text", "write a word, or a text in quotes");
        }
        text
    }

    pub(crate) fn boolean(&self) -> Option<bool> {
        if let Node::Bool(value) = self.node {
            return Some(*value);
        }
        self.expected("true or false", "write one of the two");
        None
    }

    /// A whole number in `range`.
    pub(crate) fn count(&self, range: RangeInclusive<u8>) -> Option<u8> {
        let value = self.node.scalar().and_then(|text| text.parse().ok()).filter(|value| range.contains(value));
        if value.is_none() {
            let what = format!("a whole number from {} to {}", range.start(), range.end());
            self.expected(&what, "write a number in digits, such as 3");
        }
        value
    }

    /// A duration such as `8s`, `1.5s`, `500ms` or `15min` within the range, in ms.
    pub(crate) fn duration(&self, range: RangeInclusive<u64>) -> Option<MediaTime> {
        let parsed = self.node.scalar().and_then(parse_duration);
        let within = parsed.filter(|span| range.contains(&span.as_ms()));
        if within.is_none() {
            let (least, most) = (in_words(*range.start()), in_words(*range.end()));
            self.expected(&format!("a duration from {least} to {most}"), "write one such as 500ms, 1.5s, 8s or 15min");
        }
        within
    }

    pub(crate) fn list(&self) -> Option<Vec<Self>> {
        if let Node::List(items) = self.node {
            self.not_too_many(items.len());
            let item = |(index, node)| Self::new(node, self.path.index(index), self.notes);
            return Some(items.iter().take(MOST_ENTRIES).enumerate().map(item).collect());
        }
        self.expected("a list", "write it in square brackets: [one, two]");
        None
    }

    /// A map whose keys are fixed names; unknown and repeated ones are noted.
    pub(crate) fn map(&self, names: &[&str]) -> Option<Map<'a>> {
        let map = self.any_map()?;
        for (name, value) in map.entries() {
            if !names.contains(&name) {
                value.unknown_name(name, names, || suggest(name, names.iter().copied()));
            }
        }
        Some(map)
    }

    /// Notes that this value's name is none of those known here, with the cure where no mistake of writing explains it.
    pub(crate) fn unknown_name(&self, name: &str, known: &[&str], cure: impl FnOnce() -> String) {
        let alone = matches!(self.node, Node::Null);
        let part = name.split_once(':').filter(|(part, _)| alone && known.contains(part));
        let cure = match part {
            Some((part, rest)) => format!("a blank is missing after the colon: write {part}: {}", rest.trim_start()),
            None if alone && name.starts_with(|first: char| first.is_ascii_digit()) => PARTED_NUMBER.to_owned(),
            None => cure(),
        };
        self.problem_of_name(format!("unknown name {}", quoted(name)), cure);
    }

    /// A map whose keys are the author's own; repeated ones are noted.
    pub(crate) fn any_map(&self) -> Option<Map<'a>> {
        let Node::Map(entries) = self.node else {
            self.expected(
                "names with their values",
                "write each on its own line, or all as { name: value, name: value }",
            );
            return None;
        };
        self.not_too_many(entries.len());
        let entries = &entries[..entries.len().min(MOST_ENTRIES)];
        for (index, (name, _)) in entries.iter().enumerate() {
            let repeat = entries[..index].iter().filter(|(earlier, _)| earlier == name).count();
            let path = self.path.repeated_key(name, repeat).name();
            if repeat > 0 {
                let message = format!("{} is written twice", quoted(name));
                self.notes.add(&path, message, "remove or rename one of them; only one can count");
            }
            if name.is_empty() {
                self.notes.add(&path, "a name is missing before the colon", format!("write a name there; {UNQUOTED}"));
            }
        }
        Some(Map { entries, path: self.path.clone(), notes: self.notes })
    }

    fn not_too_many(&self, entries: usize) {
        if entries > MOST_ENTRIES {
            self.problem_of_name(
                format!("{entries} entries are too many"),
                format!("at most {MOST_ENTRIES} can stand here; make several files of this one"),
            );
        }
    }
}

/// A YAML map being read.
pub(crate) struct Map<'a> {
    entries: &'a [(String, Node)],
    path: Path,
    notes: &'a Notes,
}

impl<'a> Map<'a> {
    pub(crate) fn optional(&self, name: &str) -> Option<Value<'a>> {
        let (_, node) = self.entries.iter().find(|(key, _)| key == name)?;
        Some(Value::new(node, self.path.key(name), self.notes))
    }

    /// Notes a problem with the map as a whole, at its name.
    pub(crate) fn problem(&self, message: impl Into<String>, cure: impl Into<String>) {
        self.notes.add(&self.path.name(), message, cure);
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(key, _)| key == name)
    }

    /// The value of `name`, or a problem.
    pub(crate) fn required(&self, name: &'static str) -> Option<Value<'a>> {
        let value = self.optional(name);
        if value.is_none() {
            self.problem(format!("{name:?} is missing"), format!("add \"{name}:\" here"));
        }
        value
    }

    /// All entries in order, repeated keys only once.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> + '_ {
        let first = |index: usize| self.entries[..index].iter().all(|(key, _)| *key != self.entries[index].0);
        self.entries
            .iter()
            .enumerate()
            .filter(move |(index, _)| first(*index))
            .map(|(_, (name, node))| (name.as_str(), Value::new(node, self.path.key(name), self.notes)))
    }
}

/// The cure for the rest of a number such as 1,000.00 in braces.
const PARTED_NUMBER: &str = "a comma ends a value: write 1000.00, not 1,000.00";
/// The cause nobody sees: YAML takes what follows an unquoted `#` for a comment.
const UNQUOTED: &str = "a # that is not in quotes hides itself and what follows it";

const MAX_DURATION_MS: f64 = 3_600_000.0;

fn in_words(ms: u64) -> String {
    match ms {
        0 => "0s".to_owned(),
        _ if ms.is_multiple_of(60_000) => format!("{}min", ms / 60_000),
        _ if ms.is_multiple_of(1000) => format!("{}s", ms / 1000),
        _ => format!("{ms}ms"),
    }
}

/// A duration as menus and scripts write it: `500ms`, `1.5s`, `15min`; at most an hour.
pub(crate) fn parse_duration(text: &str) -> Option<MediaTime> {
    let text = text.trim();
    let unit_start = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit_start);
    let ms_per_unit = match unit {
        "ms" => 1.0,
        "s" => 1000.0,
        "min" => 60_000.0,
        _ => return None,
    };
    let ms = number.trim().parse::<f64>().ok()? * ms_per_unit;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in 0..=3,600,000")]
    (0.0..=MAX_DURATION_MS).contains(&ms).then(|| MediaTime::from_ms(ms.round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_and_a_bound() {
        let ms = |text| parse_duration(text).map(MediaTime::as_ms);
        assert_eq!(ms("8s"), Some(8000));
        assert_eq!(ms("1.5s"), Some(1500));
        assert_eq!(ms("500 ms"), Some(500));
        assert_eq!(ms("15min"), Some(900_000));
        for bad in ["8", "s", "-1s", "61min", "8 hours", "NaNs", "infs"] {
            assert_eq!(ms(bad), None, "{bad}");
        }
    }
}
