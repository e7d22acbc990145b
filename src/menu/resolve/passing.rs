//! Reading the states that go on by themselves: branches, variables, answers, sub-menus; and the transfer.

use crate::menu::model::{Kind, Setting, StateId, Value as Known, VariableId, VariableSpec};
use crate::yaml::{Map, Node, Value, quoted};

use super::conditions::TEST;
use super::{Context, read_target};

/// The cure for a variable that has a field's name.
const ANOTHER_NAME: &str = "give the variable another name";
/// Longest text of a variable, in characters.
const LONGEST_TEXT: usize = 100;
/// Digits of a telephone number, by E.164 at most 15, and the prefixes of exchanges.
const NUMBER_DIGITS: std::ops::RangeInclusive<usize> = 2..=20;

impl Context<'_> {
    /// Variables exist before any state is read: a state may use one that a later one in the file sets.
    pub(super) fn declare_variables(&mut self, states: &Map<'_>) {
        let mut copies = Vec::new();
        for (_, state) in states.entries().filter(|(_, state)| matches!(state.node, Node::Map(_))) {
            let inside =
                |name: &str| state.any_map()?.optional(name).filter(|inside| matches!(inside.node, Node::Map(_)));
            for (name, value) in inside("set").and_then(|set| set.any_map()).iter().flat_map(Map::entries) {
                not_a_known_name_here(&value, name);
                copies.extend(value.node.scalar().and_then(|text| text.strip_prefix('$')).map(|from| (name, from)));
                if self.is_new_variable(name, || value.problem_of_name(is_a_field(name), ANOTHER_NAME)) {
                    self.variables.push(VariableSpec::named(name));
                }
            }
            if let Some(told) = inside("authorize").and_then(|authorize| authorize.any_map()?.optional("tells")) {
                self.declare_told(&told);
            }
        }
        self.mark_amounts(&copies);
        self.mark_card_like(&copies);
    }

    /// `tells: [concepto, { saldo: amount }]`: what the authorizer may tell beside the amount to be charged.
    fn declare_told(&mut self, names: &Value<'_>) {
        for item in names.list().iter().flatten() {
            let Some((name, is_amount)) = told_name(item) else { continue };
            not_a_known_name_here(item, name);
            if self.is_new_variable(name, || item.problem_of_name(is_a_field(name), ANOTHER_NAME)) {
                self.variables.push(VariableSpec { is_amount, is_told: true, ..VariableSpec::named(name) });
            } else if let Some(known) = self.variables.iter_mut().find(|known| known.name == name) {
                known.is_told = true;
                known.is_amount |= is_amount;
            }
        }
    }

    /// Whether nothing has this name yet; a field that has it is told of.
    fn is_new_variable(&self, name: &str, is_a_field: impl FnOnce()) -> bool {
        if self.fields.iter().any(|field| field.name == name) {
            is_a_field();
            return false;
        }
        self.variables.iter().all(|known| known.name != name)
    }

    /// Which variables hold amounts, by what is copied to them: (variable, copied from). A copy of a copy is one, too.
    fn mark_amounts(&mut self, copies: &[(&str, &str)]) {
        let is_amount =
            |context: &Self, name: &str| context.value_named(name).is_some_and(|value| context.is_amount(value));
        let holds_amounts = |context: &Self, variable: &VariableSpec| {
            let mut copied = copies.iter().filter(|(to, from)| *to == variable.name && from != to).peekable();
            !variable.is_told && copied.peek().is_some() && copied.all(|(_, from)| is_amount(context, from))
        };
        while let Some(found) =
            self.variables.iter().position(|variable| !variable.is_amount && holds_amounts(self, variable))
        {
            self.variables[found].is_amount = true;
        }
    }

    /// Which variables may hold a card's number, by the same copies.
    fn mark_card_like(&mut self, copies: &[(&str, &str)]) {
        let is_copied = |context: &Self, to: &str| {
            let from_it = |from: &str| context.value_named(from).is_some_and(|value| context.is_card_like(value));
            copies.iter().any(|(copy, from)| *copy == to && from_it(from))
        };
        while let Some(found) =
            self.variables.iter().position(|variable| !variable.is_card_like && is_copied(self, &variable.name))
        {
            self.variables[found].is_card_like = true;
        }
    }

    /// Whether the value may be a card's number.
    pub(super) fn is_card_like(&self, value: Known) -> bool {
        match value {
            Known::Field(field) => self.fields[field.0].card_like,
            Known::Variable(variable) => self.variables[variable.0].is_card_like,
            _ => false,
        }
    }

    /// `set: { name: text or $value }` with `next`.
    pub(super) fn set(&self, map: &Map<'_>) -> Option<Kind> {
        let written = map.required("set")?.any_map()?;
        let read = |(name, value): (&str, Value<'_>)| {
            let variable = self.variables.iter().position(|known| known.name == name).map(VariableId);
            Some((variable?, self.setting(&value)?))
        };
        let values: Vec<_> = written.entries().map(read).collect();
        if values.is_empty() {
            map.required("set")?.problem_of_name("nothing is set", "write set: { name: value }");
        }
        let next = self.next(map);
        Some(Kind::Set { values: values.into_iter().collect::<Option<_>>()?, next: next? })
    }

    fn setting(&self, value: &Value<'_>) -> Option<Setting> {
        if let Node::Bool(set) = value.node {
            return Some(Setting::Text(if *set { "yes" } else { "no" }.to_owned()));
        }
        let text = value.text()?;
        if text.starts_with('$') {
            return self.not_secret(value).map(Setting::Value);
        }
        if text.chars().count() > LONGEST_TEXT {
            value.problem("this text is too long for a variable", format!("write at most {LONGEST_TEXT} characters"));
        }
        Some(Setting::Text(text.to_owned()))
    }

    /// `save: [name, name]` with `next`.
    pub(super) fn save(&self, map: &Map<'_>) -> Option<Kind> {
        let items = map.required("save")?.list()?;
        if items.is_empty() {
            map.required("save")?.problem_of_name("nothing is saved", "write save: [field, variable]");
        }
        let read = |item: &Value<'_>| {
            let name = item.text()?.trim_start_matches('$').to_owned();
            Some((name, self.not_secret(item)?))
        };
        let values: Vec<_> = items.iter().map(read).collect();
        let next = self.next(map);
        Some(Kind::Save { values: values.into_iter().collect::<Option<_>>()?, next: next? })
    }

    /// A value that may be written down.
    fn not_secret(&self, value: &Value<'_>) -> Option<Known> {
        let known = self.known_value(value)?;
        if let Known::Field(field) = known
            && self.fields[field.0].kind.is_masked()
        {
            let name = quoted(value.text()?.trim_start_matches('$'));
            value.problem(
                format!("{name} is secret and cannot be kept"),
                "leave it out; $last_four and $order may be kept",
            );
            return None;
        }
        Some(known)
    }

    /// `branch: [{ if: $x, is: y, go: STATE }]` with `otherwise`.
    pub(super) fn branch(&self, map: &Map<'_>) -> Option<Kind> {
        let items = map.required("branch")?.list()?;
        let case = |item: &Value<'_>| {
            let case = item.map(&[&TEST[..], &["go"]].concat())?;
            if let Some(attempt) = case.optional("attempt") {
                attempt.problem_of_name("a branch makes no attempts", "write tries: STATE with at_least:");
            }
            let test = self.test(&case);
            let go = case.required("go").and_then(|go| read_target(&go, self.names));
            Some((test?, go?))
        };
        let cases: Vec<_> = items.iter().map(case).collect();
        if cases.is_empty() {
            map.required("branch")?.problem_of_name("there is no case", "write branch: [{ if: $x, is: y, go: STATE }]");
        }
        let otherwise = map.required("otherwise").and_then(|target| read_target(&target, self.names));
        Some(Kind::Branch { cases: cases.into_iter().collect::<Option<_>>()?, otherwise: otherwise? })
    }

    /// `visit: STATE` with `next`, where the call goes on when the sub-menu returns.
    pub(super) fn visit(&self, map: &Map<'_>) -> Option<Kind> {
        let to = read_target(&map.required("visit")?, self.names);
        let next = self.next(map);
        Some(Kind::Visit { to: to?, next: next? })
    }

    pub(super) fn next(&self, map: &Map<'_>) -> Option<StateId> {
        read_target(&map.required("next")?, self.names)
    }
}

fn not_a_known_name_here(value: &Value<'_>, name: &str) {
    let known = Known::NAMED.iter().map(|(known, _)| *known);
    if known.clone().any(|known| known == name) {
        value.problem_of_name(format!("${name} is what the call knows by itself"), "give the variable another name");
    } else if name.is_empty() || !name.chars().all(|character| character.is_alphanumeric() || character == '_') {
        value.problem_of_name(format!("{} cannot be a variable's name", quoted(name)), "use letters, digits and _");
    }
}

/// `transfer: "55 1234 5678"`
pub(super) fn transfer(value: &Value<'_>) -> Option<Kind> {
    let text = value.text()?;
    let to: String = text.chars().filter(|character| !matches!(character, ' ' | '-' | '(' | ')')).collect();
    let digits = to.strip_prefix('+').unwrap_or(&to);
    let fine =
        NUMBER_DIGITS.contains(&digits.len()) && digits.chars().all(|key| key.is_ascii_digit() || "*#".contains(key));
    if !fine {
        value.problem(
            format!("{} is no number to transfer a call to", quoted(text)),
            "write it in quotes, such as \"55 1234 5678\" or an extension \"102\"",
        );
        return None;
    }
    Some(Kind::Transfer { to })
}

/// The name of something that the authorizer tells, and whether it is an amount.
pub(super) fn told_name<'a>(item: &Value<'a>) -> Option<(&'a str, bool)> {
    if !matches!(item.node, Node::Map(_)) {
        return Some((item.text()?, false));
    }
    let map = item.any_map()?;
    let mut entries = map.entries();
    let (Some((name, kind)), None) = (entries.next(), entries.next()) else {
        item.expected("a name", "write one name in each pair of braces: { saldo: amount }");
        return None;
    };
    if kind.node.scalar() != Some("amount") {
        kind.expected("amount", "write { NAME: amount } for an amount, and a bare NAME for everything else");
    }
    Some((name, true))
}

fn is_a_field(name: &str) -> String {
    format!("{} is a field", quoted(name))
}

/// `return: true`
pub(super) fn returns(value: &Value<'_>) -> Option<Kind> {
    if value.boolean()? {
        return Some(Kind::Return);
    }
    value.problem("a state that does not return does something else", "write return: true, or next: STATE instead");
    None
}
