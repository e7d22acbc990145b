//! Questions about what a call knows: in `branch:` and in prompts.

use crate::card::Brand;
use crate::menu::model::{FieldKind, Test, Value as Known};
use crate::money::{Currency, Money};
use crate::speech::Language;
use crate::yaml::{Map, Node, Value, nearest, quoted, suggest};

use super::fields::{ordered, read_number};
use super::{Context, read_target};

/// The names of a question.
pub(in crate::menu) const TEST: [&str; 6] = ["if", "is", "at_least", "at_most", "tries", "attempt"];

/// Numbers compared with; more is no number of tries, months or digits.
const UNBOUNDED: u64 = u64::MAX;

impl Context<'_> {
    /// `$name`: a value the call knows.
    pub(super) fn known_value(&self, value: &Value<'_>) -> Option<Known> {
        let text = value.text()?;
        let name = text.strip_prefix('$').unwrap_or(text);
        let found = self.value_named(name);
        if found.is_some() || self.unread.iter().any(|unread| unread == name) {
            return found;
        }
        let known: Vec<String> = self.value_names().into_iter().map(|name| format!("${name}")).collect();
        let known = || known.iter().map(String::as_str);
        let typed = format!("${name}");
        // What could not be read may be what is named here, unless that is a slip of the finger for something known.
        let may_be_unread = self.incomplete && text.starts_with('$') && nearest(&typed, known()).is_none();
        if !may_be_unread {
            value.problem(format!("unknown variable {}", quoted(text)), suggest(&typed, known()));
        }
        None
    }

    pub(super) fn value_named(&self, name: &str) -> Option<Known> {
        let built_in = Known::NAMED.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let variable = || {
            let index = self.variables.iter().position(|variable| variable.name == name)?;
            Some(Known::Variable(crate::menu::model::VariableId(index)))
        };
        built_in.or_else(|| self.field_named(name).map(Known::Field)).or_else(variable)
    }

    fn value_names(&self) -> Vec<&str> {
        let fields = self.fields.iter().filter(|field| !field.kind.is_card_data()).map(|field| field.name.as_str());
        let built_in = Known::NAMED.iter().map(|(name, _)| *name);
        built_in.chain(fields).chain(self.variables.iter().map(|variable| variable.name.as_str())).collect()
    }

    /// Whether the value is compared in centavos.
    pub(super) fn is_amount(&self, value: Known) -> bool {
        match value {
            Known::Amount => true,
            Known::Field(field) => self.fields[field.0].kind == FieldKind::Amount,
            Known::Variable(variable) => self.variables[variable.0].is_amount,
            _ => false,
        }
    }

    /// `if: $value` with `is`, `at_least` or `at_most`; `tries: STATE` or `attempt` with a number.
    pub(super) fn test(&self, map: &Map<'_>) -> Option<Test> {
        one_question(map);
        if let Some(attempt) = map.optional("attempt") {
            return read_number(&attempt, false).map(Test::Attempt);
        }
        if let Some(state) = map.optional("tries") {
            let state = read_target(&state, self.names);
            let bounds = self.bounds(map, false)?;
            return Some(Test::Tries { state: state?, bounds });
        }
        let value = self.testable(&map.required("if")?)?;
        if let Some(is) = map.optional("is") {
            return Some(Test::Is { value, text: self.text_to_compare(value, &is)? });
        }
        Some(Test::Within { value, bounds: self.bounds(map, self.is_amount(value))? })
    }

    fn bounds(&self, map: &Map<'_>, is_amount: bool) -> Option<std::ops::RangeInclusive<u64>> {
        let (least, most) = (map.optional("at_least"), map.optional("at_most"));
        if least.is_none() && most.is_none() {
            map.problem("what to compare with is not said", "add is:, at_least: or at_most: here");
            return None;
        }
        let bound =
            |value: Option<Value<'_>>, default| value.map_or(Some(default), |value| read_number(&value, is_amount));
        Some(ordered(map, bound(least, 0)?, bound(most, UNBOUNDED)?))
    }

    /// A value that may decide where a call goes: no secret may.
    fn testable(&self, value: &Value<'_>) -> Option<Known> {
        let known = self.known_value(value)?;
        if let Known::Field(field) = known
            && self.fields[field.0].kind.is_masked()
        {
            value.problem(
                format!("{} is secret; where the call goes would tell it", quoted(value.text()?)),
                "ask about $brand or $amount, or let the authorizer decide",
            );
            return None;
        }
        Some(known)
    }

    fn text_to_compare(&self, value: Known, is: &Value<'_>) -> Option<String> {
        match value {
            Known::Brand => read_brand(is).map(|brand| brand.name().to_owned()),
            Known::Language => {
                let language = super::prompts::read_language(is)?;
                self.must_be_spoken(is, language);
                Some(language.code().to_owned())
            }
            Known::Field(field) if self.fields[field.0].kind == FieldKind::YesNo => yes_or_no(is),
            // A variable may hold a word where there is no amount.
            Known::Variable(_) if is.node.scalar().is_some_and(|text| Money::parse(text, Currency::Mxn).is_err()) => {
                is.text().map(str::to_owned)
            }
            _ if self.is_amount(value) => {
                is.problem_of_name("an amount is compared by its size", "write at_least: or at_most:");
                None
            }
            _ => is.text().map(str::to_owned),
        }
    }

    fn must_be_spoken(&self, value: &Value<'_>, language: Language) {
        if !self.languages.contains(&language) {
            value.problem("this menu does not speak that language", "add the language to languages: at the top");
        }
    }
}

/// The questions, in the order they are looked for, and what each may be asked with; anything else beside one would count
/// for nothing.
const QUESTIONS: [(&str, &[&str]); 4] =
    [("attempt", &[]), ("tries", &["at_least", "at_most"]), ("is", &["if"]), ("if", &["at_least", "at_most"])];

/// Tells of what is asked beside the question that counts.
fn one_question(map: &Map<'_>) {
    let Some((asked, with)) = QUESTIONS.into_iter().find(|(name, _)| map.has(name)) else { return };
    for (_, beside) in map.entries().filter(|(name, _)| TEST.contains(name) && *name != asked && !with.contains(name)) {
        beside.problem_of_name(
            format!("this is asked beside {asked}:"),
            "ask for one; to ask both, put the second where the first leads",
        );
    }
}

/// Some editors' YAML takes `yes` for `true`.
fn yes_or_no(value: &Value<'_>) -> Option<String> {
    let text = match value.node {
        Node::Bool(true) => "yes",
        Node::Bool(false) => "no",
        other => other.scalar().unwrap_or_default(),
    };
    if !matches!(text, "yes" | "no") {
        value.expected("yes or no", "write is: yes or is: no");
        return None;
    }
    Some(text.to_owned())
}

pub(super) fn read_brand(value: &Value<'_>) -> Option<Brand> {
    let text = value.text()?;
    let found = Brand::ALL.into_iter().find(|brand| brand.name().eq_ignore_ascii_case(text));
    if found.is_none() {
        value.problem(
            format!("unknown card brand {}", quoted(text)),
            suggest(text, Brand::ALL.iter().map(|brand| brand.name())),
        );
    }
    found
}
