//! YAML as a tree that keeps every key, and the place of any node on request.
//!
//! Typed deserialization stops at the first error and lets the last of two equal keys win. An author wants all
//! problems at once, each with line and column; so the text is first read into [`Node`]s, problems are noted with the
//! [`Path`](super::place::Path) of the node they concern, and [`locate`](super::place::locate) finds its place.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::place::Place;

/// A YAML value. Maps keep their order and their repeated keys.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// `null`, `~` or nothing at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it is written, `+52`, `1.10` or `0x10`: what wants one parses it into its own type.
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
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map of names to values",
        }
    }

    /// The first value of this name, where this is a map that has it.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// A string or number as text.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            _ => None,
        }
    }
}

/// Reads a whole document.
///
/// # Errors
/// The parser's message and its place, where the text is not YAML.
pub(crate) fn parse(text: &str) -> Result<Node, (String, Option<Place>)> {
    let mut root = serde_yaml::from_str::<Node>(text).map_err(|error| {
        let place = error.location().map(|at| Place { line: at.line(), column: at.column() });
        (error.to_string(), place)
    })?;
    // What was read once is read again; were it not, numbers would stand as the parser computed them.
    let _ = AsWritten(&mut root).deserialize(serde_yaml::Deserializer::from_str(text));
    Ok(root)
}

/// A second reading that puts numbers back as they are written: a telephone number loses its plus as a number.
struct AsWritten<'a>(&'a mut Node);

impl<'de> DeserializeSeed<'de> for AsWritten<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.0 {
            Node::Number(_) => deserializer.deserialize_str(self),
            Node::List(_) => deserializer.deserialize_seq(self),
            Node::Map(_) => deserializer.deserialize_map(self),
            _ => IgnoredAny::deserialize(deserializer).map(drop),
        }
    }
}

impl<'de> Visitor<'de> for AsWritten<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the same YAML")
    }

    fn visit_str<E>(self, written: &str) -> Result<(), E> {
        *self.0 = Node::Number(written.to_owned());
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        if let Node::List(items) = self.0 {
            for item in items {
                access.next_element_seed(AsWritten(item))?;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        if let Node::Map(entries) = self.0 {
            for (_, value) in entries {
                access.next_key::<IgnoredAny>()?;
                access.next_value_seed(AsWritten(value))?;
            }
        }
        Ok(())
    }
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

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
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

    fn visit_i128<E>(self, value: i128) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Node, E> {
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

    /// Found by a tester: `transfer: +525512345678` lost its plus, and `1e3` became another extension.
    #[test]
    fn numbers_are_kept_as_they_are_written() {
        let text = "[+525512345678, 1e3, 1.10, {v: 0x10, w: [-5, 07]}, &a 2.50, *a, 123456789012345678901234567890]";
        let number = |text: &str| Node::Number(text.to_owned());
        let Ok(Node::List(items)) = parse(text) else { panic!("a list") };
        assert_eq!(items[..3], [number("+525512345678"), number("1e3"), number("1.10")]);
        let inner = Node::List(vec![number("-5"), Node::Text("07".to_owned())]);
        assert_eq!(items[3], Node::Map(vec![("v".to_owned(), number("0x10")), ("w".to_owned(), inner)]));
        assert_eq!(items[4..6], [number("2.50"), number("2.50")]);
        assert!(matches!(&items[6], Node::Number(long) | Node::Text(long) if long.len() == 30));
    }

    #[test]
    fn a_syntax_error_has_a_place() {
        let (message, place) = parse("a: [1,\nb: *x\n").expect_err("not YAML");
        assert!(!message.is_empty());
        assert!(place.is_some());
    }
}
