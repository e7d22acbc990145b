//! Typed reading of YAML nodes that notes every problem and goes on.

use crate::dtmf::Digit;
use crate::media::MediaTime;
use crate::menu::problem::{Notes, suggest};
use crate::menu::yaml::{Node, Path};

/// A node with its path and the place to note problems.
#[derive(Clone)]
pub(super) struct Value<'a> {
    pub(super) node: &'a Node,
    pub(super) path: Path,
    notes: &'a Notes,
}

impl<'a> Value<'a> {
    pub(super) const fn new(node: &'a Node, path: Path, notes: &'a Notes) -> Self {
        Self { node, path, notes }
    }

    pub(super) fn problem(&self, message: impl Into<String>, cure: impl Into<String>) {
        self.notes.add(&self.path, message, cure);
    }

    fn expected(&self, what: &str) {
        self.problem(format!("expected {what}, found {}", self.node.kind()), format!("write {what} here"));
    }

    /// A text, or a number as it is written.
    pub(super) fn text(&self) -> Option<&'a str> {
        let text = self.node.scalar();
        if text.is_none() {
            self.expected("a text");
        }
        text
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        if let Node::Bool(value) = self.node {
            return Some(*value);
        }
        self.expected("true or false");
        None
    }

    /// A whole number in `range`.
    pub(super) fn count(&self, range: std::ops::RangeInclusive<u8>) -> Option<u8> {
        let value = self.node.scalar().and_then(|text| text.parse().ok()).filter(|value| range.contains(value));
        if value.is_none() {
            self.expected(&format!("a whole number from {} to {}", range.start(), range.end()));
        }
        value
    }

    /// A duration such as `8s`, `1.5s` or `500ms`, up to an hour.
    pub(super) fn duration(&self) -> Option<MediaTime> {
        let parsed = self.node.scalar().and_then(parse_duration);
        if parsed.is_none() {
            self.expected("a duration such as 8s, 1.5s, 500ms or 15min (at most 60min)");
        }
        parsed
    }

    /// A telephone key.
    pub(super) fn key(&self) -> Option<Digit> {
        let digit = self.node.scalar().and_then(single_key);
        if digit.is_none() {
            self.problem("expected a telephone key", "write one of 0-9, \"#\" or \"*\", with # and * in quotes");
        }
        digit
    }

    pub(super) fn list(&self) -> Option<Vec<Self>> {
        if let Node::List(items) = self.node {
            let item = |(index, node)| Self::new(node, self.path.index(index), self.notes);
            return Some(items.iter().enumerate().map(item).collect());
        }
        self.expected("a list in square brackets");
        None
    }

    /// A map whose keys are fixed names; unknown and repeated ones are noted.
    pub(super) fn map(&self, names: &[&str]) -> Option<Map<'a>> {
        let map = self.any_map()?;
        for (name, value) in map.entries() {
            if !names.contains(&name) {
                value.problem(format!("unknown name {name:?}"), suggest(name, names.iter().copied()));
            }
        }
        Some(map)
    }

    /// A map whose keys are the author's own; repeated ones are noted.
    pub(super) fn any_map(&self) -> Option<Map<'a>> {
        let Node::Map(entries) = self.node else {
            self.expected("a map of names to values");
            return None;
        };
        for (index, (name, _)) in entries.iter().enumerate() {
            let repeat = entries[..index].iter().filter(|(earlier, _)| earlier == name).count();
            if repeat > 0 {
                let path = self.path.repeated_key(name, repeat);
                self.notes.add(&path, format!("{name:?} is written twice"), "remove one of them; only one can count");
            }
        }
        Some(Map { entries, path: self.path.clone(), notes: self.notes })
    }
}

/// A YAML map being read.
pub(super) struct Map<'a> {
    entries: &'a [(String, Node)],
    path: Path,
    notes: &'a Notes,
}

impl<'a> Map<'a> {
    pub(super) fn optional(&self, name: &str) -> Option<Value<'a>> {
        let (_, node) = self.entries.iter().find(|(key, _)| key == name)?;
        Some(Value::new(node, self.path.key(name), self.notes))
    }

    /// Notes a problem with the map as a whole.
    pub(super) fn problem(&self, message: impl Into<String>, cure: impl Into<String>) {
        self.notes.add(&self.path, message, cure);
    }

    /// The value of `name`, or a problem.
    pub(super) fn required(&self, name: &'static str) -> Option<Value<'a>> {
        let value = self.optional(name);
        if value.is_none() {
            self.notes.add(&self.path, format!("{name:?} is missing"), format!("add \"{name}:\" here"));
        }
        value
    }

    /// All entries in order, repeated keys only once.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> + '_ {
        let first = |index: usize| self.entries[..index].iter().all(|(key, _)| *key != self.entries[index].0);
        self.entries
            .iter()
            .enumerate()
            .filter(move |(index, _)| first(*index))
            .map(|(_, (name, node))| (name.as_str(), Value::new(node, self.path.key(name), self.notes)))
    }
}

fn single_key(text: &str) -> Option<Digit> {
    let mut characters = text.chars();
    let key = Digit::from_char(characters.next()?)?;
    characters.next().is_none().then_some(key)
}

const MAX_DURATION_MS: f64 = 3_600_000.0;

fn parse_duration(text: &str) -> Option<MediaTime> {
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
