//! Keys that mean the same everywhere: help, slower, the other language, a person.

use crate::dtmf::Digit;
use crate::menu::model::GlobalKeys;
use crate::yaml::{Map, Value, quoted};

use super::read_target;
use super::telephone_key::read_key;

/// The names inside `global_keys:`.
pub(in crate::menu) const ROLES: [&str; 4] = ["help", "slower", "language", "person"];

/// `global_keys: { slower: "7", language: "8", person: { key: "9", go: STATE } }`; help is on 0 unless it says otherwise.
pub(super) fn read(map: &Map<'_>, names: &[&str]) -> GlobalKeys {
    let mut keys = GlobalKeys { help: Digit::from_char('0'), slower: None, language: None, person: None };
    let Some(written) = map.optional("global_keys").and_then(|keys| keys.map(&ROLES)) else { return keys };
    let mut bound: Vec<Digit> = Vec::new();
    let mut key = |value: &Value<'_>| {
        if value.node.scalar() == Some("none") {
            return None;
        }
        let key = read_key(value)?;
        if key.as_char() == '*' {
            value.problem("the key * repeats, goes back or clears everywhere", "give another key");
        } else if bound.contains(&key) {
            value.problem(
                format!("the key {} has two meanings", quoted(&key.as_char().to_string())),
                "give another key",
            );
        }
        bound.push(key);
        Some(key)
    };
    if let Some(value) = written.optional("help") {
        keys.help = key(&value);
    }
    keys.slower = written.optional("slower").and_then(|value| key(&value));
    keys.language = written.optional("language").and_then(|value| key(&value));
    if let Some(person) = written.optional("person").and_then(|person| person.map(&["key", "go"])) {
        let pressed = person.required("key").and_then(|value| key(&value));
        let target = person.required("go").and_then(|target| read_target(&target, names));
        keys.person = pressed.zip(target);
    }
    keys
}
