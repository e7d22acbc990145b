//! From a menu's text to a resolved [`Menu`] in one step that reports all problems.

mod prompts;
mod reader;
mod states;

use std::sync::Arc;

use crate::media::MediaTime;
use crate::speech::Language;

use super::check;
use super::model::{FieldId, FieldKind, FieldSpec, Menu, StateId};
use super::problem::{Notes, Problem, Problems, suggest};
use super::yaml::{self, Node, Path};
pub use prompts::Catalog;
use prompts::PromptReader;
use reader::{Map, Value};

/// The version of the menu language this program reads.
const VERSION: &str = "1";
/// A menu larger than this is not a menu; it is refused before it is parsed.
const MAX_BYTES: usize = 1 << 20;
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
        let root = yaml::parse(text).map_err(|(message, place)| {
            one(place, message, "mend the YAML; keys such as \"#\" and \"*\" must be in quotes")
        })?;
        let notes = Notes::default();
        let menu = resolve(&root, &notes, catalog);
        match menu {
            Some(menu) if notes.is_empty() => Ok(Arc::new(menu)),
            _ => Err(notes.into_problems(file, text)),
        }
    }
}

fn resolve(root: &Node, notes: &Notes, catalog: &dyn Catalog) -> Option<Menu> {
    let value = Value::new(root, Path::default(), notes);
    let map = value.map(&["version", "name", "languages", "start", "give_up", "call_limit", "states"])?;
    check_version(&map);
    let name = map.required("name").and_then(|name| name.text()).unwrap_or_default().to_owned();
    let languages = read_languages(&map);
    let call_limit = map.optional("call_limit").and_then(|limit| limit.duration()).unwrap_or(DEFAULT_CALL_LIMIT);
    let states_map = map.required("states")?.any_map()?;
    let names: Vec<&str> = states_map.entries().map(|(name, _)| name).collect();
    let start = map.required("start").and_then(|start| read_target(&start, &names));
    let give_up = map.required("give_up").and_then(|target| read_target(&target, &names));
    let prompts = PromptReader { catalog, languages: &languages };
    let mut context = Context { names: &names, prompts, give_up, fields: Vec::new() };
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
    let list = value.list().unwrap_or_default();
    let languages: Vec<Language> = list.iter().filter_map(prompts::read_language).collect();
    if languages.is_empty() {
        value.problem("no language", "write languages: [es-MX] or [es-MX, en-US]");
        return vec![Language::EsMx];
    }
    languages
}

fn read_target(value: &Value<'_>, names: &[&str]) -> Option<StateId> {
    let text = value.text()?;
    let found = names.iter().position(|name| *name == text);
    if found.is_none() {
        value.problem(format!("no state is named {text:?}"), suggest(text, names.iter().copied()));
    }
    found.map(StateId)
}

/// What the reading of one state may look at.
struct Context<'a> {
    names: &'a [&'a str],
    prompts: PromptReader<'a>,
    give_up: Option<StateId>,
    fields: Vec<FieldSpec>,
}

impl Context<'_> {
    /// Fields exist before any state is read: a state may use a field that a later one in the file collects.
    fn declare_fields(&mut self, states: &Map<'_>) {
        for (_, state) in states.entries() {
            let Node::Map(_) = state.node else { continue };
            let collect = state.any_map().and_then(|map| map.optional("collect"));
            if let Some(field) = collect.and_then(|collect| read_field(&collect))
                && self.field_named(&field.name).is_none()
            {
                self.fields.push(field);
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
        kind_value.problem(format!("{kind_name:?} is no field type"), suggest(kind_name, known));
        return None;
    };
    let digits = map.optional("digits").and_then(|digits| read_range(&digits)).unwrap_or(kind.default_digits());
    let end_key = match map.optional("end_key") {
        Some(value) if value.node.scalar() == Some("none") => None,
        Some(value) => Some(value.key()?),
        None => crate::dtmf::Digit::from_char('#'),
    };
    Some(FieldSpec { name, kind, digits, end_key })
}

/// `6`, or `6..10`.
fn read_range(value: &Value<'_>) -> Option<std::ops::RangeInclusive<usize>> {
    const LONGEST: usize = crate::card::SecretDigits::CAPACITY;
    let text = value.text()?;
    let (low, high) = text.split_once("..").unwrap_or((text, text));
    let range = low.trim().parse().ok().zip(high.trim().parse().ok()).filter(|(low, high)| 1 <= *low && low <= high);
    let range = range.filter(|(_, high)| *high <= LONGEST);
    if range.is_none() {
        value.problem(
            format!("{text:?} is no count of digits"),
            format!("write digits: 6, or digits: 6..10, from 1 to {LONGEST}"),
        );
    }
    range.map(|(low, high)| low..=high)
}
