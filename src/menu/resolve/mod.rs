//! From a menu's text to a resolved [`Menu`] in one step that reports all problems.

mod prompts;
mod reader;
mod services;
mod states;
mod syntax;

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::dtmf::Digit;
use crate::media::MediaTime;
use crate::speech::Language;

use super::check;
use super::model::{FieldId, FieldKind, FieldSpec, Menu, StateId};
use super::place::Path;
use super::problem::{Notes, Problem, Problems, quoted, suggest};
use super::yaml::{self, Node};
pub use prompts::Catalog;
use prompts::PromptReader;
pub(crate) use reader::parse_duration;
use reader::{Map, Value};

/// The version of the menu language this program reads.
const VERSION: &str = "1";
/// A menu larger than this is not a menu; it is refused before it is parsed.
const MAX_BYTES: usize = 1 << 20;
/// Shortest and longest call limit a menu may set, in ms.
const CALL_LIMITS_MS: RangeInclusive<u64> = 10_000..=3_600_000;
const DEFAULT_CALL_LIMIT: MediaTime = MediaTime::from_ms(15 * 60_000);

impl Menu {
    /// Reads, resolves and checks a menu. `file` is the name problems are reported under.
    ///
    /// # Errors
    /// All [`Problems`] at once, each with line, column and a cure.
    pub fn parse(file: &str, text: &str, catalog: &dyn Catalog) -> Result<Arc<Self>, Problems> {
        let one = |place, message: String, cure: &str| Problems {
            file: file.to_owned(),
            list: vec![Problem { place, path: String::new(), message, cure: cure.to_owned() }],
        };
        if text.len() > MAX_BYTES {
            return Err(one(None, format!("{} bytes is no menu", text.len()), "a menu is at most 1 MiB of text"));
        }
        // Some editors begin a text with a byte order mark; it is no part of the menu.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if let Some(place) = syntax::too_deep(text) {
            return Err(one(Some(place), "brackets and braces are nested too deeply here".to_owned(), "close them"));
        }
        let root = yaml::parse(text).map_err(|(message, place)| {
            let mistake = syntax::explain(text, message, place);
            one(mistake.place, mistake.message, mistake.cure)
        })?;
        if root == Node::Null {
            return Err(one(None, "the file is empty".to_owned(), syntax::WRITE_A_MENU));
        }
        let notes = Notes::default();
        let menu = resolve(&root, &notes, catalog);
        let comments = syntax::swallowed_keys(text);
        match menu {
            Some(menu) if notes.is_empty() && comments.is_empty() => Ok(Arc::new(menu)),
            _ => Err(notes.into_problems(file, text).with(comments)),
        }
    }
}

fn resolve(root: &Node, notes: &Notes, catalog: &dyn Catalog) -> Option<Menu> {
    let value = Value::new(root, Path::default(), notes);
    let map = value.map(&["version", "name", "languages", "start", "give_up", "call_limit", "states"])?;
    check_version(&map);
    let name = map.required("name").and_then(|name| name.text()).unwrap_or_default().to_owned();
    let languages = read_languages(&map);
    let call_limit =
        map.optional("call_limit").and_then(|limit| limit.duration(CALL_LIMITS_MS)).unwrap_or(DEFAULT_CALL_LIMIT);
    let states_map = map.required("states")?.any_map()?;
    let names: Vec<&str> = states_map.entries().map(|(name, _)| name).collect();
    let start = map.required("start").and_then(|start| read_target(&start, &names));
    let give_up = map.required("give_up").and_then(|target| read_target(&target, &names));
    let prompts = PromptReader { catalog, languages: &languages };
    let mut context = Context { names: &names, prompts, give_up, fields: Vec::new(), incomplete: false };
    context.declare_fields(&states_map);
    let states: Vec<_> = states_map.entries().map(|(name, value)| context.state(name, &value)).collect();
    let fields = context.fields;
    let menu = Menu {
        name,
        languages,
        call_limit,
        start: start?,
        give_up: give_up?,
        states: states.into_iter().collect::<Option<_>>()?,
        fields,
    };
    check::check(&menu, notes);
    Some(menu)
}

fn check_version(map: &Map<'_>) {
    if let Some(version) = map.required("version")
        && version.text().is_some_and(|text| text != VERSION)
    {
        version.problem("this version of the menu language is not known", format!("write version: {VERSION}"));
    }
}

fn read_languages(map: &Map<'_>) -> Vec<Language> {
    let Some(value) = map.required("languages") else { return vec![Language::EsMx] };
    let list = value.list();
    let languages: Vec<Language> = list.iter().flatten().filter_map(prompts::read_language).collect();
    if list.is_some_and(|list| list.is_empty()) {
        value.problem_of_name("no language", "write languages: [es-MX] or [es-MX, en-US]");
    }
    if languages.is_empty() { vec![Language::EsMx] } else { languages }
}

fn read_target(value: &Value<'_>, names: &[&str]) -> Option<StateId> {
    let Some(text) = value.node.scalar() else {
        value.expected("the name of a state", "write the name of one of the states");
        return None;
    };
    let found = names.iter().position(|name| *name == text);
    if found.is_none() {
        value.problem(format!("no state is named {}", quoted(text)), suggest(text, names.iter().copied()));
    }
    found.map(StateId)
}

/// What the reading of one state may look at.
struct Context<'a> {
    names: &'a [&'a str],
    prompts: PromptReader<'a>,
    give_up: Option<StateId>,
    fields: Vec<FieldSpec>,
    /// A state could not be read far enough to know whether it collects a field, and which.
    incomplete: bool,
}

impl Context<'_> {
    /// Fields exist before any state is read: a state may use a field that a later one in the file collects.
    fn declare_fields(&mut self, states: &Map<'_>) {
        for (_, state) in states.entries() {
            let map = matches!(state.node, Node::Map(_)).then(|| state.any_map()).flatten();
            let does_something = map.as_ref().is_some_and(|map| states::KINDS.iter().any(|kind| map.has(kind)));
            let Some(collect) = map.and_then(|map| map.optional("collect")) else {
                self.incomplete |= !does_something;
                continue;
            };
            let Some(field) = read_field(&collect) else {
                self.incomplete = true;
                continue;
            };
            match self.fields.iter().find(|known| known.name == field.name) {
                None => self.fields.push(field),
                Some(known) if *known == field => {}
                Some(known) => collect.problem_of_name(
                    format!("field {} is collected with other settings in another state", quoted(&known.name)),
                    "write the same type, digits and end_key in both, or give one of the fields another name",
                ),
            }
        }
    }

    fn field_named(&self, name: &str) -> Option<FieldId> {
        self.fields.iter().position(|field| field.name == name).map(FieldId)
    }

    fn field_of_kind(&self, kind: FieldKind) -> Option<FieldId> {
        self.fields.iter().position(|field| field.kind == kind).map(FieldId)
    }
}

fn read_field(value: &Value<'_>) -> Option<FieldSpec> {
    let map = value.map(&["field", "type", "digits", "end_key"])?;
    let name_value = map.required("field")?;
    let name = name_value.text()?.to_owned();
    let kind_value = map.optional("type").unwrap_or(name_value);
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
    let digits = match map.optional("digits") {
        Some(value) if kind.is_card_data() => {
            value.problem_of_name(format!("the length of a {kind_name} is known"), "leave digits: out");
            None
        }
        other => other.and_then(|digits| read_range(&digits)),
    };
    let digits = digits.unwrap_or(kind.default_digits());
    Some(FieldSpec { name, kind, digits, end_key: read_end_key(&map)? })
}

/// `"#"`, which is the default, or `none`.
fn read_end_key(map: &Map<'_>) -> Option<Option<Digit>> {
    let pound = Digit::from_char('#');
    let Some(value) = map.optional("end_key") else { return Some(pound) };
    match value.node.scalar() {
        Some("none") => Some(None),
        Some("#") => Some(pound),
        Some("*") => {
            value.problem(
                "the key * clears an entry, so it cannot end it",
                "write end_key: \"#\", with the quotes, or end_key: none",
            );
            None
        }
        _ => {
            value.expected("an end key", "write end_key: \"#\", with the quotes, or end_key: none");
            None
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
