//! Where a node of a YAML text is: its path, and the path's line and column by a second, targeted parse.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// One step from a node to its child.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// Into the value of this key. `repeat` counts equal keys before it.
    Key {
        /// The key.
        name: String,
        /// 0 for the first such key of the map.
        repeat: usize,
    },
    /// Into this element of a list.
    Index(usize),
}

/// Where a node is, from the root.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Path {
    steps: Vec<Step>,
    /// The last step's name itself is meant, not its value.
    at_name: bool,
}

impl Path {
    /// The path of the value of `name` in the map at this path.
    pub(crate) fn key(&self, name: &str) -> Self {
        self.repeated_key(name, 0)
    }

    /// The path of the value of the `repeat`-th further key `name`.
    pub(crate) fn repeated_key(&self, name: &str, repeat: usize) -> Self {
        self.then(Step::Key { name: name.to_owned(), repeat })
    }

    /// The path of element `index` of the list at this path.
    pub(crate) fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    /// The name that leads to the node, where there is one: a value may begin on a later line than what it is about.
    pub(crate) fn name(&self) -> Self {
        let at_name = matches!(self.steps.last(), Some(Step::Key { .. }));
        Self { steps: self.steps.clone(), at_name }
    }

    /// Whether this is the node at `other` or in it.
    pub(crate) fn is_in(&self, other: &Self) -> bool {
        self.steps.starts_with(&other.steps)
    }

    fn then(&self, step: Step) -> Self {
        let mut steps = self.steps.clone();
        steps.push(step);
        Self { steps, at_name: false }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.steps.iter().enumerate() {
            match step {
                Step::Key { name, .. } if depth == 0 => write!(f, "{name}")?,
                Step::Key { name, .. } => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A line and a column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Place {
    /// The place in `text` of what the YAML parser tells, which ends lines where editors do not: at a carriage return by itself,
    /// and at three characters of Unicode; and which sees a line behind a last one that nothing ends.
    pub(super) fn in_text(self, text: &str) -> Self {
        let from_line = (1..self.line).try_fold(text, |rest, _| behind_line(rest)).unwrap_or_default();
        let line_begins = text.len() - from_line.len();
        let in_line = from_line.char_indices().nth(self.column.saturating_sub(1));
        let before = &text[..in_line.map_or(text.len(), |(byte, _)| line_begins + byte)];
        let last = before.rsplit('\n').next().unwrap_or_default();
        Self { line: before.matches('\n').count() + 1, column: last.chars().count() + 1 }
    }
}

/// What follows a text's first line, as YAML 1.1 ends lines.
fn behind_line(text: &str) -> Option<&str> {
    let ends = text.find(['\r', '\n', '\u{85}', '\u{2028}', '\u{2029}'])?;
    let rest = &text[ends..];
    rest.strip_prefix("\r\n").or_else(|| rest.get(rest.chars().next()?.len_utf8()..))
}

/// The place of the node at `path` in `text`, which must be the text the path came from.
pub(crate) fn locate(text: &str, path: &Path) -> Option<Place> {
    let seek = Seek { steps: &path.steps, at_name: path.at_name };
    let error = seek.deserialize(serde_yaml::Deserializer::from_str(text)).err()?;
    let at = error.location()?;
    Some(Place { line: at.line(), column: at.column() }.in_text(text))
}

/// Walks to the end of `steps` and fails there on purpose: the error carries the place.
struct Seek<'a> {
    steps: &'a [Step],
    at_name: bool,
}

impl<'a> Seek<'a> {
    fn rest(&self) -> Seek<'a> {
        Seek { steps: &self.steps[1..], at_name: self.at_name }
    }

    /// The last step is to a name.
    const fn wants_name(&self) -> bool {
        self.at_name && self.steps.len() == 1
    }
}

/// Reads a map's key; fails at it if it is the one sought.
struct SeekName<'a> {
    name: &'a str,
    /// Equal keys still to come before it.
    to_skip: usize,
    stop: bool,
}

impl<'de> DeserializeSeed<'de> for SeekName<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for SeekName<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_unit<E: de::Error>(self) -> Result<bool, E> {
        self.visit_str("")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<bool, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<bool, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<bool, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<bool, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<bool, E> {
        if value != self.name {
            Ok(false)
        } else if self.stop && self.to_skip == 0 {
            Err(E::custom("here"))
        } else {
            Ok(true)
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<bool, A::Error> {
        while access.next_element::<de::IgnoredAny>()?.is_some() {}
        self.visit_str("")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<bool, A::Error> {
        while access.next_entry::<de::IgnoredAny, de::IgnoredAny>()?.is_some() {}
        self.visit_str("")
    }
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the node sought")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let Some(Step::Index(wanted)) = self.steps.first() else {
            return Err(de::Error::custom("here"));
        };
        for _ in 0..*wanted {
            access.next_element::<de::IgnoredAny>()?;
        }
        access.next_element_seed(self.rest())?;
        Err(de::Error::custom("here"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let Some(Step::Key { name, repeat }) = self.steps.first() else {
            return Err(de::Error::custom("here"));
        };
        let stop = self.wants_name();
        let mut to_skip = *repeat;
        while let Some(found) = access.next_key_seed(SeekName { name, to_skip, stop })? {
            if found && to_skip == 0 {
                access.next_value_seed(self.rest())?;
            } else {
                to_skip -= usize::from(found);
                access.next_value::<de::IgnoredAny>()?;
            }
        }
        Err(de::Error::custom("here"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a: 1\nb:\n  - x\n  - {c: 2, d: [p, q]}\nb: again\n1: number key\n";

    #[test]
    fn finds_the_place_of_every_kind_of_node() {
        let root = Path::default();
        let place = |path: &Path| locate(TEXT, path).map(|at| (at.line, at.column));
        assert_eq!(place(&root.key("a")), Some((1, 4)));
        assert_eq!(place(&root.key("b").index(0)), Some((3, 5)));
        assert_eq!(place(&root.key("b").index(1).key("d").index(1)), Some((4, 19)));
        assert_eq!(place(&root.repeated_key("b", 1)), Some((5, 4)));
        assert_eq!(place(&root.key("b").name()), Some((2, 1)));
        assert_eq!(place(&root.repeated_key("b", 1).name()), Some((5, 1)));
        assert_eq!(place(&root.key("b").index(1).key("d").name()), Some((4, 12)));
        assert_eq!(place(&root.key("1").name()), Some((6, 1)));
        assert_eq!(place(&root.name()), Some((1, 1)), "the document has no name");
    }

    /// What stood behind such line ends was told lines too late, and what is wrong at a text's end on a line behind it.
    #[test]
    fn lines_are_those_that_an_editor_shows() {
        let root = Path::default();
        let text = "a: 1\rb: 2\u{2028}c: 3\r\nd: 4";
        let place = |name: &str| locate(text, &root.key(name)).map(|at| (at.line, at.column));
        assert_eq!((place("b"), place("c"), place("d")), (Some((1, 9)), Some((1, 14)), Some((2, 4))));
        let in_text = |line, column| Place { line, column }.in_text("a: [\nb");
        assert_eq!([in_text(2, 2), in_text(3, 1), in_text(9, 9)], [Place { line: 2, column: 2 }; 3]);
    }
}
