//! Fields: what kind of digits, how many, within which bounds, ended by which key.

use std::ops::RangeInclusive;

use crate::dtmf::Digit;
use crate::menu::model::{Centavos, FieldId, FieldKind, FieldSpec, Value as Known};
use crate::money::{Currency, Money};
use crate::yaml::{Map, Node, Value, quoted, suggest};

use super::{Context, state_names};

/// The names inside `collect:`.
pub(in crate::menu) const COLLECT: [&str; 8] =
    ["field", "type", "digits", "end_key", "at_least", "at_most", "centavos", "card_like"];

impl Context<'_> {
    /// Fields exist before any state is read: a state may use a field that a later one in the file collects.
    pub(super) fn declare_fields(&mut self, states: &Map<'_>) {
        for (_, state) in states.entries() {
            let map = matches!(state.node, Node::Map(_)).then(|| state.any_map()).flatten();
            let does_something = map.as_ref().is_some_and(|map| state_names::KINDS.iter().any(|kind| map.has(kind)));
            let Some(collect) = map.and_then(|map| map.optional("collect")) else {
                self.incomplete |= !does_something;
                continue;
            };
            let Some(field) = read_field(&collect) else {
                let name = collect.node.get("field").and_then(Node::scalar).map(str::to_owned);
                self.incomplete |= name.is_none();
                self.unread.extend(name);
                continue;
            };
            match self.fields.iter().find(|known| known.name == field.name) {
                None => self.fields.push(field),
                Some(known) if *known == field => {}
                Some(known) => collect.problem_of_name(
                    format!("field {} is collected with other settings in another state", quoted(&known.name)),
                    "write the same settings in both, or give one of the fields another name",
                ),
            }
        }
    }

    pub(super) fn field_named(&self, name: &str) -> Option<FieldId> {
        self.fields.iter().position(|field| field.name == name).map(FieldId)
    }

    pub(super) fn field_of_kind(&self, kind: FieldKind) -> Option<FieldId> {
        self.fields.iter().position(|field| field.kind == kind).map(FieldId)
    }
}

fn read_field(value: &Value<'_>) -> Option<FieldSpec> {
    let map = value.map(&COLLECT)?;
    let name_value = map.required("field")?;
    let name = name_value.text()?.to_owned();
    let kind_value = map.optional("type").unwrap_or_else(|| name_value.clone());
    let kind_name = kind_value.text()?;
    let known = FieldKind::NAMED.iter().map(|(name, _)| *name);
    let Some((_, kind)) = FieldKind::NAMED.into_iter().find(|(name, _)| *name == kind_name) else {
        let cure = format!("{}; or add type: digits", suggest(kind_name, known));
        kind_value.problem(format!("{} is no field type", quoted(kind_name)), cure);
        return None;
    };
    if FieldKind::NAMED.iter().any(|(named, other)| *named == name && *other != kind) {
        kind_value.problem(
            format!("a field named {name:?} cannot be of another type: its digits would not be kept secret"),
            "leave type: out, or give the field another name",
        );
    }
    not_a_known_name(&name_value, &name);
    let digits = match map.optional("digits") {
        Some(value) if kind.is_card_data() || kind == FieldKind::YesNo => {
            value.problem_of_name(format!("the length of a {kind_name} is known"), "leave digits: out");
            None
        }
        other => other.and_then(|digits| read_range(&digits)),
    };
    let digits = digits.unwrap_or(kind.default_digits());
    let field = FieldSpec {
        name,
        kind,
        digits,
        end_key: if kind == FieldKind::YesNo { None } else { read_end_key(&map) },
        bounds: read_bounds(&map, kind),
        centavos: read_centavos(&map, kind),
        card_like: switch(&map, "card_like", kind == FieldKind::Digits, "type: digits"),
    };
    can_be_keyed(&map, &field);
    Some(field)
}

/// Tells of a bound that no entry of so many digits reaches.
fn can_be_keyed(map: &Map<'_>, field: &FieldSpec) {
    let most = *field.digits.end();
    // More nines than a number can have reach every bound.
    let nines = u32::try_from(most).ok().and_then(|most| 10_u64.checked_pow(most)).map_or(u64::MAX, |power| power - 1);
    let in_pesos = field.kind == FieldKind::Amount && field.centavos != Centavos::LastTwoDigits;
    let largest = if in_pesos { nines.saturating_mul(100) } else { nines };
    if let Some(at_least) = map.optional("at_least").filter(|_| *field.bounds.start() > largest) {
        at_least.problem(
            format!("no entry of {most} digit{} is as large as this", if most == 1 { "" } else { "s" }),
            "allow more digits: with digits:, or make at_least: smaller",
        );
    }
}

/// `$amount` and its kind mean something else already.
pub(super) fn not_a_known_name(value: &Value<'_>, name: &str) {
    if Known::NAMED.iter().any(|(known, _)| *known == name) {
        value.problem(
            format!("{} is what ${name} means already", quoted(name)),
            "give it another name, and say what it is with type:",
        );
    }
}

/// `centavos: true`, or `centavos: "*"`.
fn read_centavos(map: &Map<'_>, kind: FieldKind) -> Centavos {
    match map.optional("centavos").as_ref().and_then(|value| value.node.scalar()) {
        Some("*") if kind == FieldKind::Amount => Centavos::AfterStar,
        _ if switch(map, "centavos", kind == FieldKind::Amount, "type: amount") => Centavos::LastTwoDigits,
        _ => Centavos::Never,
    }
}

/// A setting that is on or off, and belongs to some types only.
fn switch(map: &Map<'_>, name: &str, belongs: bool, types: &str) -> bool {
    let Some(value) = map.optional(name) else { return false };
    if !belongs {
        value.problem_of_name(format!("{name:?} means nothing for this type"), format!("it belongs to {types}"));
    }
    value.boolean().unwrap_or(false)
}

/// `at_least` and `at_most`, of amounts in centavos.
fn read_bounds(map: &Map<'_>, kind: FieldKind) -> RangeInclusive<u64> {
    let bound = |name: &str, default: u64| {
        let Some(value) = map.optional(name) else { return default };
        if !matches!(kind, FieldKind::Digits | FieldKind::Amount) {
            value.problem_of_name(format!("{name:?} means nothing for this type"), "it belongs to digits and amounts");
        }
        read_number(&value, kind == FieldKind::Amount).unwrap_or(default)
    };
    let least = if kind == FieldKind::Amount { 1 } else { 0 };
    ordered(map, bound("at_least", least), bound("at_most", u64::MAX))
}

/// Bounds that leave something between them.
pub(super) fn ordered(map: &Map<'_>, least: u64, most: u64) -> RangeInclusive<u64> {
    if least > most {
        map.problem("nothing is at least the one and at most the other", "make at_least: the smaller one");
    }
    least..=most
}

/// A number; an amount in centavos.
pub(super) fn read_number(value: &Value<'_>, is_amount: bool) -> Option<u64> {
    let text = value.node.scalar().unwrap_or_default();
    let number = if is_amount {
        Money::parse(text, Currency::Mxn).ok().map(|amount| amount.centavos)
    } else {
        text.parse().ok()
    };
    if number.is_none() {
        value.expected(
            "a number",
            if is_amount { "write an amount such as 200 or 49.90" } else { "write it in digits" },
        );
    }
    number
}

/// `"#"`, which is the default, or `none`. What is neither is told of, and taken for the default.
fn read_end_key(map: &Map<'_>) -> Option<Digit> {
    let pound = Digit::from_char('#');
    let Some(value) = map.optional("end_key") else { return pound };
    match value.node.scalar() {
        Some("none") => None,
        Some("#") => pound,
        Some("*") => {
            value.problem(
                "the key * clears an entry, so it cannot end it",
                "write end_key: \"#\", with the quotes, or end_key: none",
            );
            pound
        }
        _ => {
            value.expected("an end key", "write end_key: \"#\", with the quotes, or end_key: none");
            pound
        }
    }
}

/// `6`, or `6..10`.
fn read_range(value: &Value<'_>) -> Option<RangeInclusive<usize>> {
    const LONGEST: usize = crate::card::SecretDigits::CAPACITY;
    let text = value.text()?;
    let (low, high) = text.split_once("..").unwrap_or((text, text));
    let range = low.trim().parse().ok().zip(high.trim().parse().ok()).filter(|(low, high)| 1 <= *low && low <= high);
    let range = range.filter(|(_, high)| *high <= LONGEST);
    if range.is_none() {
        value.problem(
            format!("{} is no count of digits", quoted(text)),
            format!("write digits: 6, or digits: 6..10, from 1 to {LONGEST}"),
        );
    }
    range.map(|(low, high)| low..=high)
}
