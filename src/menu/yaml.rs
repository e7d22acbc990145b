//! YAML as a tree that keeps every key, and the place of any node on request.
//!
//! Typed deserialization stops at the first error and lets the last of two equal keys win. A menu's author wants all
//! problems at once, each with line and column; so the text is first read into [`Node`]s, problems are noted with the
//! [`Path`] of the node they concern, and [`locate`] finds the place of a path by a second, targeted parse.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// A YAML value. Maps keep their order and their repeated keys.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// `null`, `~` or nothing at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as text: nothing here needs arithmetic before it is parsed into its own type.
    Number(String),
    /// A string.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A map; keys that are not strings (`1:`) are kept as their text.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// What the author would call it.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map of names to values",
        }
    }

    /// A string or number as text.
    pub(super) fn scalar(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            _ => None,
        }
    }
}

/// One step from a node to its child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Path(Vec<Step>);

impl Path {
    /// The path of the value of `name` in the map at this path.
    pub(super) fn key(&self, name: &str) -> Self {
        self.repeated_key(name, 0)
    }

    /// The path of the value of the `repeat`-th further key `name`.
    pub(super) fn repeated_key(&self, name: &str, repeat: usize) -> Self {
        self.then(Step::Key { name: name.to_owned(), repeat })
    }

    /// The path of element `index` of the list at this path.
    pub(super) fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.0.iter().enumerate() {
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

/// Reads a whole document.
///
/// # Errors
/// The parser's message and its place, where the text is not YAML.
pub(super) fn parse(text: &str) -> Result<Node, (String, Option<Place>)> {
    serde_yaml::from_str::<Node>(text).map_err(|error| {
        let place = error.location().map(|at| Place { line: at.line(), column: at.column() });
        (error.to_string(), place)
    })
}

/// The place of the node at `path` in `text`, which must be the text the path came from.
pub(super) fn locate(text: &str, path: &Path) -> Option<Place> {
    let seek = Seek { steps: &path.0, here: path.0.is_empty() };
    let error = seek.deserialize(serde_yaml::Deserializer::from_str(text)).err()?;
    let at = error.location()?;
    Some(Place { line: at.line(), column: at.column() })
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = access.next_key::<Node>()? {
            entries.push((key_text(&key), access.next_value()?));
        }
        Ok(Node::Map(entries))
    }
}

fn key_text(key: &Node) -> String {
    match key {
        Node::Bool(value) => value.to_string(),
        other => other.scalar().unwrap_or_default().to_owned(),
    }
}

/// Walks to the end of `steps` and fails there on purpose: the error carries the place.
struct Seek<'a> {
    steps: &'a [Step],
    here: bool,
}

impl Seek<'_> {
    const fn into_rest(steps: &[Step]) -> Seek<'_> {
        Seek { steps, here: steps.is_empty() }
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
        let (Some(Step::Index(wanted)), false) = (self.steps.first(), self.here) else {
            return Err(de::Error::custom("here"));
        };
        for _ in 0..*wanted {
            access.next_element::<de::IgnoredAny>()?;
        }
        access.next_element_seed(Self::into_rest(&self.steps[1..]))?;
        Err(de::Error::custom("here"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let (Some(Step::Key { name, repeat }), false) = (self.steps.first(), self.here) else {
            return Err(de::Error::custom("here"));
        };
        let mut to_skip = *repeat;
        while let Some(key) = access.next_key::<Node>()? {
            if key_text(&key) != *name {
                access.next_value::<de::IgnoredAny>()?;
            } else if to_skip > 0 {
                to_skip -= 1;
                access.next_value::<de::IgnoredAny>()?;
            } else {
                access.next_value_seed(Self::into_rest(&self.steps[1..]))?;
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
    fn keeps_order_repeated_keys_and_number_keys() {
        let Ok(Node::Map(entries)) = parse(TEXT) else { panic!("a map") };
        let keys: Vec<_> = entries.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["a", "b", "b", "1"]);
    }

    #[test]
    fn finds_the_place_of_every_kind_of_node() {
        let root = Path::default();
        let place = |path: &Path| locate(TEXT, path).map(|at| (at.line, at.column));
        assert_eq!(place(&root.key("a")), Some((1, 4)));
        assert_eq!(place(&root.key("b").index(0)), Some((3, 5)));
        assert_eq!(place(&root.key("b").index(1).key("d").index(1)), Some((4, 19)));
        assert_eq!(place(&root.repeated_key("b", 1)), Some((5, 4)));
    }

    #[test]
    fn a_syntax_error_has_a_place() {
        let (message, place) = parse("a: [1,\nb: *x\n").expect_err("not YAML");
        assert!(!message.is_empty());
        assert!(place.is_some());
    }
}
