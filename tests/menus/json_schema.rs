//! As much of JSON Schema as the menus' schema uses, written from the specification: an editor's view of a menu.

use serde_json::Value;

/// Where the value breaks the schema.
pub(crate) fn mistakes(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, schema, value, "", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let known = [
        "$ref",
        "$schema",
        "$defs",
        "title",
        "description",
        "type",
        "enum",
        "const",
        "pattern",
        "minLength",
        "minItems",
        "maxItems",
        "minProperties",
        "minimum",
        "maximum",
        "items",
        "properties",
        "additionalProperties",
        "required",
        "anyOf",
    ];
    for keyword in schema.as_object().into_iter().flat_map(|schema| schema.keys()) {
        assert!(known.contains(&keyword.as_str()), "{keyword} is not checked here");
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).expect("the definition is there");
        return check(root, target, value, path, found);
    }
    let mut wrong = |what: &str| found.push(format!("{path}: {what}"));
    if !types(&schema["type"]).iter().any(|name| is_of(value, name)) && !schema["type"].is_null() {
        return wrong("type");
    }
    if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
        wrong("enum");
    }
    if schema.get("const").is_some_and(|wanted| wanted != value) {
        wrong("const");
    }
    if let (Some(pattern), Some(text)) = (schema["pattern"].as_str(), value.as_str())
        && !matches(pattern, text)
    {
        wrong("pattern");
    }
    if let Some(options) = schema["anyOf"].as_array() {
        let fits = |option: &&Value| {
            let mut inner = Vec::new();
            check(root, option, value, path, &mut inner);
            inner.is_empty()
        };
        if !options.iter().any(|option| fits(&option)) {
            wrong("anyOf");
        }
    }
    if let Value::Array(items) = value {
        let least = schema["minItems"].as_u64().unwrap_or(0);
        if (items.len() as u64) < least {
            wrong("minItems");
        }
        if !schema["items"].is_null() {
            items
                .iter()
                .enumerate()
                .for_each(|(at, item)| check(root, &schema["items"], item, &format!("{path}[{at}]"), found));
        }
    } else if let Value::Object(entries) = value {
        object(root, schema, entries, path, found);
    }
}

fn object(root: &Value, schema: &Value, entries: &serde_json::Map<String, Value>, path: &str, found: &mut Vec<String>) {
    for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !entries.contains_key(required) {
            found.push(format!("{path}: {required} is missing"));
        }
    }
    for (name, entry) in entries {
        let path = format!("{path}.{name}");
        match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, Value::Bool(false)) => found.push(format!("{path}: unknown")),
            (Value::Null, Value::Null) => {}
            (Value::Null, others) => check(root, others, entry, &path, found),
            (property, _) => check(root, property, entry, &path, found),
        }
    }
}

fn types(value: &Value) -> Vec<&str> {
    value.as_str().into_iter().chain(value.as_array().into_iter().flatten().filter_map(Value::as_str)).collect()
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_u64(),
        other => panic!("type {other}"),
    }
}

/// The patterns the schema has.
fn matches(pattern: &str, text: &str) -> bool {
    let is_key = |keys: &str| text.len() == 1 && text.chars().all(|key| key.is_ascii_digit() || keys.contains(key));
    match pattern {
        "^[0-9.]+ ?(ms|s|min)$" => {
            let unit = text.trim_start_matches(|character: char| character.is_ascii_digit() || character == '.');
            unit.len() < text.len() && ["ms", "s", "min"].contains(&unit.trim_start())
        }
        "^[0-9*#]$" => is_key("*#"),
        "^([0-9]{1,2}:[0-9]{2}.*[0-9]{1,2}:[0-9]{2}|[Cc]losed|[Cc]errado)$" => {
            let is_time =
                |time: &str| time.split_once(':').is_some_and(|(hour, minute)| hour.len() < 3 && minute.len() == 2);
            text.split_once('-').is_some_and(|(from, to)| is_time(from) && is_time(to)) || text == "closed"
        }
        "^([0-9#]|none)$" => text == "none" || is_key("#"),
        other => panic!("pattern {other}"),
    }
}
