//! The JSON Schema of menus, for editors that complete and check while one writes. It is made from the very names the
//! reading of menus accepts; what only `check` can know (targets, order, prompts that exist) it leaves to `check`.

use serde_json::{Map, Value, json};

use super::model::FieldKind;
use super::resolve::names::{
    AUTHORIZE, COLLECT, COMMON, COUNTED, ERRORS, HOLIDAYS, KINDS, ROLES, TEST, TIMERS, TOP, extra_names,
};
use crate::speech::Language;

/// What each name means, in a line for an editor's hint.
const MEANINGS: [(&str, &str); 79] = [
    ("version", "The version of the menu language: 1"),
    ("name", "The menu's name, for logs and answers"),
    ("languages", "The languages every prompt exists in; the first is spoken at the start"),
    ("start", "The state every call begins in"),
    ("give_up", "Where a call goes after too many errors, or when it lasts too long"),
    ("on_hang_up", "What is still done when the caller hangs up: set, save, branch and hours only"),
    ("call_limit", "The longest a call may last, such as 15min"),
    ("global_keys", "Keys that mean the same in every state that takes one key; false in a state turns them off"),
    ("time_zone", "The clock that hours go by, such as America/Mexico_City"),
    (
        "hours",
        "At the top when a business is open, by days such as lunes a viernes; in a state the name of such hours, which it goes by",
    ),
    ("holidays", "Days that are not like others of their week: 25 de diciembre, primer lunes de febrero, 2026-12-24"),
    ("words", "What this menu calls the keys # and *, such as numeral"),
    ("prompts", "Prompts of this menu's own: name and words"),
    ("states", "The states by their names"),
    ("say", "What is said: names of prompts, $values, { pause: 300ms } and more"),
    ("language", "The language spoken from here on; in global_keys the key that changes it"),
    ("barge_in", "false: keys do not cut what is said"),
    ("keys", "flush: keys pressed ahead are dropped here"),
    ("say_again", "Said instead from the second attempt on"),
    ("on", "Where each outcome leads"),
    ("attempts", "How many errors of one kind are allowed, or of each kind"),
    ("timers", "How long the caller is waited for"),
    ("errors", "What is said after each kind of error"),
    ("help", "Said on the help key, which is 0"),
    ("twice", "Asks for the same digits a second time with this, and compares"),
    ("read_back", "Says this with $entry in it, and waits for 1 (yes) or 2 (no)"),
    ("while_waiting", "Said every 8 s while the service works"),
    ("wait_limit", "How long the service is waited for"),
    ("next", "Speaks and goes on to this state"),
    ("choose", "Takes one key: each key and its state"),
    ("confirm", "Takes a yes or no to the authorized amount"),
    ("collect", "Takes the digits of a field"),
    ("authorize", "Asks the merchant's authorizer about a payment key"),
    ("charge", "Charges the card what was authorized and confirmed"),
    ("with", "What the authorizer is told besides: fields and variables"),
    ("tells", "Variables that the authorizer's answer gives their values"),
    ("months", "Offers months without interest: months and the least amount they are offered for"),
    ("branch", "Goes to the first case that holds"),
    ("set", "Gives variables their values"),
    ("save", "Hands these answers over to be kept"),
    ("visit", "Goes to a sub-menu, and on to next: when it returns"),
    ("return", "Ends a sub-menu"),
    ("transfer", "Speaks and hands the call over to this number"),
    ("hang_up", "Speaks and ends the call"),
    ("otherwise", "Where the call goes, or what is said, if nothing above holds"),
    ("no_input", "No key came"),
    ("no_match", "Too few digits, or a key that means nothing here"),
    ("too_many", "More digits than the field takes"),
    ("invalid", "The entry breaks a rule of its type"),
    ("expired", "The card has expired"),
    ("refused_card", "The card was refused for good earlier in this call"),
    ("looks_like_card", "A card number where none was asked for"),
    ("mismatch", "The second entry was another than the first"),
    ("cleared", "The caller cleared the entry with *"),
    ("still_there", "Asked once before giving up on a silent caller"),
    ("first_digit", "From the prompt's end to the first key"),
    ("inter_digit", "Between two keys"),
    ("grace", "After a full entry, for its end key"),
    ("limit", "For one attempt, whatever is keyed"),
    ("field", "The field's name; one of the types' names makes it of that type"),
    ("type", "What the digits are"),
    ("digits", "How many digits, such as 6 or 6..10; in a prompt: said one by one"),
    ("end_key", "# or none"),
    ("at_least", "The smallest value"),
    ("at_most", "The largest value"),
    ("centavos", "true: the last two digits keyed are centavos; \"*\": what follows the key * is"),
    ("card_like", "true: numbers that look like a card's are fine here"),
    ("if", "The $value asked about"),
    ("is", "The text it must be"),
    ("tries", "How often this state has been entered in this call"),
    ("attempt", "From this attempt of the state on"),
    ("go", "Where it leads"),
    ("slower", "The key that makes everything slower"),
    ("person", "The key that leads to a person"),
    ("key", "A telephone key; in authorize the field of the payment key or the account, or none"),
    ("pause", "Silence, such as 300ms"),
    ("clip", "A prompt's name"),
    ("number", "Said as a number"),
    ("amount", "Said as an amount of money"),
];

/// The JSON Schema (draft 2020-12) of a menu.
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A tonopago menu",
        "type": "object",
        "additionalProperties": false,
        "required": ["version", "name", "languages", "start", "give_up", "states"],
        "properties": properties(&TOP, top_value),
        "$defs": {
            "state_name": { "type": "string", "minLength": 1 },
            "scalar": { "type": ["string", "number", "integer", "boolean"] },
            "duration": { "type": "string", "pattern": "^[0-9.]+ ?(ms|s|min)$" },
            "language": { "enum": Language::ALL.map(Language::code).to_vec() },
            "telephone_key": { "type": ["string", "integer"], "pattern": "^[0-9*#]$" },
            "key_or_none": { "type": ["string", "integer"], "pattern": "^([0-9#]|none)$" },
            "schedule": schedule(),
            "open": open(),
            "prompts": { "anyOf": [{ "type": "array", "items": reference("prompt"), "maxItems": 50 }, reference("prompt")] },
            "prompt": prompt(),
            "states": { "type": "object", "additionalProperties": reference("state") },
            "state": { "anyOf": KINDS.map(state).to_vec() },
            "texts": {
                "anyOf": [{ "type": "string" }, { "type": "object", "additionalProperties": { "type": "string" } }],
            },
        },
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// Properties with their meanings.
fn properties(names: &[&str], value: impl Fn(&str) -> Value) -> Value {
    let property = |name: &&str| {
        let mut value = value(name);
        if let (Some(object), Some((_, meaning))) =
            (value.as_object_mut(), MEANINGS.iter().find(|(known, _)| known == name))
        {
            object.insert("description".to_owned(), json!(meaning));
        }
        ((*name).to_owned(), value)
    };
    Value::Object(names.iter().map(property).collect::<Map<_, _>>())
}

fn object(names: &[&str], required: &[&str], value: impl Fn(&str) -> Value) -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties(names, value),
    })
}

fn top_value(name: &str) -> Value {
    match name {
        "version" => json!({ "const": 1 }),
        "languages" => json!({ "type": "array", "items": reference("language"), "minItems": 1 }),
        "start" | "give_up" | "on_hang_up" => reference("state_name"),
        "call_limit" => reference("duration"),
        "global_keys" => object(&ROLES, &[], |role| match role {
            "person" => object(&["key", "go"], &["key", "go"], |name| {
                if name == "key" { reference("telephone_key") } else { reference("state_name") }
            }),
            _ => reference("key_or_none"),
        }),
        "words" => object(&["#", "*"], &[], |_| reference("texts")),
        "prompts" => json!({ "type": "object", "additionalProperties": reference("texts") }),
        "hours" => json!({ "type": "object", "additionalProperties": reference("schedule") }),
        "states" => reference("states"),
        _ => json!({ "type": "string" }),
    }
}

/// Days and their hours; `check` knows the days.
fn schedule() -> Value {
    let days = json!({ "type": "object", "additionalProperties": reference("open") });
    let mut schedule = object(&[HOLIDAYS], &[], |_| days.clone());
    schedule["additionalProperties"] = reference("open");
    schedule
}

/// Hours of a day.
fn open() -> Value {
    let text =
        json!({ "type": "string", "pattern": "^([0-9]{1,2}:[0-9]{2}.*[0-9]{1,2}:[0-9]{2}|[Cc]losed|[Cc]errado)$" });
    json!({ "anyOf": [text, { "type": "array", "items": text, "minItems": 1 }] })
}

/// A state that does this one thing.
fn state(does: &str) -> Value {
    let names = [&COMMON[..], &extra_names(does), &[does]].concat();
    let mut required = vec![does];
    required.extend(extra_names(does).into_iter().filter(|name| matches!(*name, "next" | "otherwise")));
    let needs_on = matches!(does, "collect" | "confirm" | "months" | "authorize" | "charge" | "hours");
    required.extend(needs_on.then_some("on"));
    required.extend(matches!(does, "choose" | "confirm" | "collect").then_some("say"));
    object(&names, &required, |name| if name == does { kind_value(does) } else { state_value(name) })
}

/// The value of the name that says what a state does.
fn kind_value(does: &str) -> Value {
    let scalar = |_: &str| reference("scalar");
    match does {
        "choose" => json!({ "type": "object", "minProperties": 1, "additionalProperties": reference("state_name") }),
        "confirm" => object(&["yes", "no"], &["yes", "no"], |_| reference("telephone_key")),
        "collect" => object(&COLLECT, &["field"], |name| match name {
            "type" => json!({ "enum": FieldKind::NAMED.map(|(name, _)| name).to_vec() }),
            "end_key" => json!({ "enum": ["#", "none"] }),
            "card_like" => json!({ "type": "boolean" }),
            "centavos" => json!({ "enum": [true, false, "*"] }),
            _ => scalar(name),
        }),
        "authorize" => object(&AUTHORIZE, &[], |name| match name {
            "key" => scalar(name),
            "with" => json!({ "type": "array", "minItems": 1, "items": { "type": "string" } }),
            _ => {
                let amount = json!({ "type": "object", "additionalProperties": { "const": "amount" } });
                json!({ "type": "array", "items": { "anyOf": [{ "type": "string" }, amount] } })
            }
        }),
        "charge" => object(&["key", "card_number", "expiry", "cvv"], &[], scalar),
        "months" => {
            json!({ "type": "object", "minProperties": 1, "additionalProperties": { "type": ["number", "integer", "string"] } })
        }
        "branch" => {
            let case = object(&[&TEST[..], &["go"]].concat(), &["go"], test_value);
            json!({ "type": "array", "minItems": 1, "items": case })
        }
        "set" => json!({ "type": "object", "minProperties": 1, "additionalProperties": reference("scalar") }),
        "save" => json!({ "type": "array", "minItems": 1, "items": { "type": "string" } }),
        "return" | "hang_up" => json!({ "const": true }),
        "transfer" => json!({ "type": ["string", "integer"] }),
        _ => reference("state_name"),
    }
}

fn test_value(name: &str) -> Value {
    if matches!(name, "go" | "tries") { reference("state_name") } else { reference("scalar") }
}

/// The value of a name that goes with what a state does.
fn state_value(name: &str) -> Value {
    match name {
        "say" | "say_again" | "help" | "twice" | "read_back" | "while_waiting" => reference("prompts"),
        "language" => reference("language"),
        "barge_in" | "global_keys" => json!({ "type": "boolean" }),
        "keys" => json!({ "enum": ["keep", "flush"] }),
        "on" => json!({ "type": "object", "additionalProperties": reference("state_name") }),
        "attempts" => {
            let count = json!({ "type": "integer", "minimum": 1, "maximum": 9 });
            json!({ "anyOf": [count, object(&COUNTED, &[], |_| count.clone())] })
        }
        "timers" => object(&TIMERS, &[], |_| reference("duration")),
        "errors" => object(&ERRORS, &[], |_| reference("prompts")),
        "wait_limit" => reference("duration"),
        _ => reference("state_name"),
    }
}

fn prompt() -> Value {
    let one = |name: &str, value: Value| object(&[name], &[name], |_| value.clone());
    let chosen = |name: &str| match name {
        "say" | "otherwise" => reference("prompts"),
        other => test_value(other),
    };
    json!({ "anyOf": [
        { "type": "string", "minLength": 1 },
        one("pause", reference("duration")),
        one("digits", json!({ "type": ["string", "integer"] })),
        one("number", json!({ "type": ["string", "integer"] })),
        one("amount", reference("scalar")),
        object(&["clip", "language"], &["clip"], |name| {
            if name == "language" { reference("language") } else { json!({ "type": "string" }) }
        }),
        object(&["brand", "say", "otherwise"], &["brand", "say", "otherwise"], chosen),
        object(&[&TEST[..], &["say", "otherwise"]].concat(), &["say"], chosen),
    ] })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names at which something is said by its own name only.
    const PLAIN: [&str; 2] = ["yes", "no"];

    #[test]
    fn every_name_has_a_meaning_and_every_meaning_a_name() {
        let mut names = std::collections::BTreeSet::new();
        collect(&schema(), &mut names);
        for name in &names {
            let known = MEANINGS.iter().any(|(known, _)| known == name);
            let outside = PLAIN.contains(&name.as_str())
                || ["#", "*", "card_number", "expiry", "cvv", "brand"].contains(&name.as_str());
            assert!(known || outside, "{name} has no meaning");
        }
        for (name, _) in MEANINGS {
            assert!(names.contains(name), "{name} is nowhere in the schema");
        }
    }

    fn collect(value: &Value, names: &mut std::collections::BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                if let Some(Value::Object(properties)) = object.get("properties") {
                    names.extend(properties.keys().cloned());
                }
                object.values().for_each(|value| collect(value, names));
            }
            Value::Array(items) => items.iter().for_each(|value| collect(value, names)),
            _ => {}
        }
    }
}
