//! Keys of a telephone, as menus name them.

use crate::dtmf::Digit;
use crate::yaml::Value;

/// The cure for what is no key.
pub(super) const TELEPHONE_KEY: &str = "write one of 0-9, \"#\" or \"*\", with # and * in quotes";

/// A key that every telephone has.
pub(super) fn telephone_key(text: &str) -> Option<Digit> {
    let mut characters = text.chars();
    let key = characters.next().filter(|key| !key.is_ascii_alphabetic())?;
    characters.next().is_none().then_some(Digit::from_char(key)?)
}

pub(super) fn read_key(value: &Value<'_>) -> Option<Digit> {
    let digit = value.node.scalar().and_then(telephone_key);
    if digit.is_none() {
        value.expected("a telephone key", TELEPHONE_KEY);
    }
    digit
}
