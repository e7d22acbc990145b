//! From a menu's text to a resolved [`Menu`] in one step that reports all problems.

mod conditions;
mod dates;
mod fields;
mod hours;
mod named_keys;
mod passing;
mod prompts;
mod services;
mod state_names;
mod states;
mod telephone_key;
mod texts;

use std::ops::RangeInclusive;
use std::sync::Arc;

use jiff::civil::Date;

use crate::media::MediaTime;
use crate::speech::Language;
use crate::yaml::{Map, Node, Notes, Path, Problems, Value, quoted, suggest, syntax};

use super::check;
use super::hours::{Schedule, ScheduleId};
use super::model::{FieldSpec, GlobalKeys, Kind, Menu, OwnText, State, StateId, VariableSpec};
use hours::Opened;
pub use prompts::Catalog;

/// The names the reading of menus accepts, for the schema that is made from them.
pub(super) mod names {
    pub(in crate::menu) use super::TOP;
    pub(in crate::menu) use super::conditions::TEST;
    pub(in crate::menu) use super::fields::COLLECT;
    pub(in crate::menu) use super::hours::HOLIDAYS;
    pub(in crate::menu) use super::named_keys::ROLES;
    pub(in crate::menu) use super::services::AUTHORIZE;
    pub(in crate::menu) use super::state_names::{COMMON, COUNTED, ERRORS, KINDS, TIMERS, extra_names};
}

/// The names at the top of a menu.
pub(in crate::menu) const TOP: [&str; 13] = [
    "version",
    "name",
    "languages",
    "start",
    "give_up",
    "on_hang_up",
    "call_limit",
    "global_keys",
    "time_zone",
    "hours",
    "prompts",
    "states",
    "words",
];
/// The version of the menu language this program reads.
const VERSION: &str = "1";
/// Shortest and longest call limit a menu may set, in ms.
const CALL_LIMITS_MS: RangeInclusive<u64> = 10_000..=3_600_000;
/// The cure for an empty file.
const WRITE_A_MENU: &str = "write a menu; menus/pago.yaml is one";
const DEFAULT_CALL_LIMIT: MediaTime = MediaTime::from_ms(15 * 60_000);

impl Menu {
    /// Reads, resolves and checks a menu. `file` is the name problems are reported under.
    ///
    /// # Errors
    /// All [`Problems`] at once, each with line, column and a cure.
    pub fn parse(file: &str, text: &str, catalog: &dyn Catalog) -> Result<Arc<Self>, Problems> {
        Self::read(file, text, catalog, true)
    }

    /// The same for a menu that is read, not heard: a prompt whose words stand in the menu needs no clip yet.
    ///
    /// # Errors
    /// All [`Problems`] at once, each with line, column and a cure.
    pub fn parse_draft(file: &str, text: &str, catalog: &dyn Catalog) -> Result<Arc<Self>, Problems> {
        Self::read(file, text, catalog, false)
    }

    fn read(file: &str, text: &str, catalog: &dyn Catalog, to_be_heard: bool) -> Result<Arc<Self>, Problems> {
        let read = syntax::document(text, "menu", "a menu is at most 1 MiB of text", WRITE_A_MENU);
        let (text, root) = read.map_err(|problem| Problems { file: file.to_owned(), list: vec![problem] })?;
        let notes = Notes::default();
        let menu = resolve(&root, &notes, catalog, to_be_heard);
        let comments = syntax::swallowed_keys(text);
        match menu {
            Some((menu, once)) if notes.is_empty() && comments.is_empty() => {
                let over = |(last, path): (Date, Path)| {
                    let cure = "remove it, or write this year's; 25 de diciembre, without a year, comes every year";
                    (last, Notes::located(text, &path, "this holiday is over", cure))
                };
                let passing = once.into_iter().map(over).collect();
                Ok(Arc::new(Menu { warnings: notes.warnings(text), passing, ..menu }))
            }
            _ => Err(notes.into_problems(file, text).with(comments)),
        }
    }
}

/// The menu, and its holidays of one year: their last days, and where they stand.
fn resolve(root: &Node, notes: &Notes, catalog: &dyn Catalog, to_be_heard: bool) -> Option<(Menu, Vec<(Date, Path)>)> {
    let value = Value::new(root, Path::default(), notes);
    let map = value.map(&TOP)?;
    check_version(&map);
    let name = map.required("name").and_then(|name| name.text()).unwrap_or_default().to_owned();
    let languages = read_languages(&map);
    let call_limit =
        map.optional("call_limit").and_then(|limit| limit.duration(CALL_LIMITS_MS)).unwrap_or(DEFAULT_CALL_LIMIT);
    let words = texts::read_words(&map, &languages);
    let texts = texts::read(&map, &languages, &words, catalog, to_be_heard);
    let states_map = map.required("states")?.any_map()?;
    let names: Vec<&str> = states_map.entries().map(|(name, _)| name).collect();
    let target = |name| map.required(name).and_then(|target| read_target(&target, &names));
    let (start, give_up) = (target("start"), target("give_up"));
    let on_hang_up = map.optional("on_hang_up").and_then(|target| read_target(&target, &names));
    let global_keys = named_keys::read(&map, &names);
    let Opened { schedules, zone, once } = hours::read(&map);
    let mut context = Context {
        names: &names,
        catalog,
        languages: &languages,
        words: &words,
        texts: &texts,
        global_keys,
        give_up,
        fields: Vec::new(),
        variables: Vec::new(),
        schedules: &schedules,
        unread: Vec::new(),
        incomplete: false,
        charges: states_map.entries().any(|(_, state)| state.node.get("charge").is_some()),
    };
    context.declare_fields(&states_map);
    context.declare_variables(&states_map);
    let states: Vec<_> = states_map.entries().map(|(name, value)| context.state(name, &value)).collect();
    let (fields, variables) = (context.fields, context.variables);
    hours::check(&schedules, &schedules_used(&states), notes);
    let menu = Menu {
        name,
        call_limit,
        start: start?,
        give_up: give_up?,
        on_hang_up,
        global_keys,
        states: states.into_iter().collect::<Option<_>>()?,
        fields,
        variables,
        languages,
        texts,
        schedules,
        time_zone: zone,
        warnings: Vec::new(),
        passing: Vec::new(),
    };
    check::check(&menu, catalog, notes);
    Some((menu, once))
}

fn schedules_used(states: &[Option<State>]) -> Vec<ScheduleId> {
    let used = |state: &State| match &state.kind {
        Kind::Hours(hours) => Some(hours.schedule),
        _ => None,
    };
    states.iter().flatten().filter_map(used).collect()
}

fn names_of(schedules: &[Schedule]) -> Vec<&str> {
    schedules.iter().map(|schedule| schedule.name.as_str()).collect()
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
    let mut languages = Vec::new();
    for (item, language) in list.iter().flatten().filter_map(|item| Some((item, prompts::read_language(item)?))) {
        if languages.contains(&language) {
            item.problem(format!("{language} stands here already"), "write each language once");
        } else {
            languages.push(language);
        }
    }
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
    catalog: &'a dyn Catalog,
    languages: &'a [Language],
    words: &'a texts::Words,
    texts: &'a [OwnText],
    global_keys: GlobalKeys,
    give_up: Option<StateId>,
    fields: Vec<FieldSpec>,
    variables: Vec<VariableSpec>,
    schedules: &'a [Schedule],
    /// Names of fields that could not be read any further: of what type they are is not known.
    unread: Vec<String>,
    /// A state could not be read far enough to know whether it collects a field, and which.
    incomplete: bool,
    /// A state of the menu charges a card.
    charges: bool,
}
