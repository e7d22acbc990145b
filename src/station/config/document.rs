//! From the configuration's text to a [`Config`].

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;

use super::{
    Config, ConfigError, LineConfig, MenuConfig, Recording, Services, Source, StatusConfig, lines, places, services,
};
use crate::http::{Secret, SecretError};
use crate::line::{HandoverConfig, is_table};
use crate::menu::{Menu, Problems};
use crate::speech::Clips;
use crate::text_file::{self, TextError};
use crate::yaml::{Map, Node, Notes, Path as NodePath, Value, quoted, suggest, syntax};

/// The version of the configuration this program reads.
const VERSION: &str = "1";
pub(super) const NAMES: [&str; 10] =
    ["version", "name", "lines", "menus", "prompts", "services", "status", "recording", "answers", "timing"];
/// The payment menu that is built in, for configurations that name no file.
const BUILT_IN: (&str, &str) = ("pago", include_str!("../../../menus/pago.yaml"));

/// What reading needs besides the nodes.
pub(super) struct Context<'a> {
    /// Paths count from here.
    pub(super) folder: &'a Path,
    /// Texts that make up the configuration's hash, its own first.
    texts: Vec<String>,
    /// Problems of other files.
    others: Vec<Problems>,
}

impl Context<'_> {
    pub(super) fn path(&self, text: &str) -> PathBuf {
        self.folder.join(text)
    }
}

pub(super) fn read(file: &Path, text: &str) -> Result<Config, ConfigError> {
    let name = file.display().to_string();
    let read =
        syntax::document(text, "configuration", "it is at most 1 MiB of text", "copy box.example.yaml and change it");
    let (text, root) =
        read.map_err(|problem| ConfigError::Problems(vec![Problems { file: name.clone(), list: vec![problem] }]))?;
    let notes = Notes::default();
    let folder = file.parent().unwrap_or_else(|| Path::new(""));
    let mut context = Context { folder, texts: vec![text.to_owned()], others: Vec::new() };
    let config = resolve(&root, &notes, file, &mut context);
    let mut problems = context.others;
    let warnings = notes.warnings(text);
    if !notes.is_empty() {
        problems.insert(0, notes.into_problems(&name, text));
    }
    match config {
        Some(config) if problems.is_empty() => Ok(Config { warnings, ..config }),
        _ => Err(ConfigError::Problems(problems)),
    }
}

fn resolve(root: &Node, notes: &Notes, file: &Path, context: &mut Context<'_>) -> Option<Config> {
    let map = Value::new(root, NodePath::default(), notes).map(&NAMES)?;
    if let Some(version) = map.required("version")
        && version.text().is_some_and(|text| text != VERSION)
    {
        version.problem("this version of the configuration is not known", format!("write version: {VERSION}"));
    }
    let name = map.optional("name").and_then(|name| name.text()).unwrap_or("box").to_owned();
    let recordings = read_recordings(&map, context);
    let menus = read_menus(&map, recordings.as_deref(), context);
    let services = map.required("services").and_then(|value| services::read(&value, context));
    let is_demo = map.optional("services").is_none_or(|value| names_demo(value.node));
    let lines = map.required("lines").and_then(|value| lines::read(&value, &menu_names(&map), is_demo));
    let status = map.optional("status").map(|value| read_status(&value, context));
    let recording = map.optional("recording").map(|value| read_recording(&value, context));
    let answers = map.optional("answers").and_then(|value| places::answers(&value, context));
    if let (Some(lines), Some(Some(settings)), Some(value)) = (&lines, &status, map.optional("status")) {
        report_address_taken(&value, settings.listen, lines);
    }
    if let (Some(lines), None, Some(value)) = (&lines, &status, map.optional("lines")) {
        report_nobody_to_ask(&value, lines);
    }
    report_lost_answers(&map, menus.as_deref().unwrap_or_default());
    if answers.as_deref().is_some_and(is_table) {
        report_answers_of_two_tables(&map, menus.as_deref().unwrap_or_default());
    }
    if let (Some(services), Some(value)) = (&services, map.optional("services")) {
        warn_of_untold_payments(&value, services, menus.as_deref().unwrap_or_default());
    }
    let (reconcile_every, stop_within) = read_timing(&map);
    Some(Config {
        file: file.to_owned(),
        name,
        hash: hash(&context.texts),
        own_hash: hash(context.texts.get(..1).unwrap_or_default()),
        lines: lines?,
        menus: menus?,
        services: services?,
        status: status.map_or(Some(None), |status| status.map(Some))?,
        recording: recording.map_or(Some(None), |recording| recording.map(Some))?,
        answers,
        reconcile_every,
        stop_within,
        warnings: Vec::new(), // once all is read
    })
}

/// Of a payment key the merchant knows the order, and can ask; which order of an account was paid, only reports tell.
fn warn_of_untold_payments(value: &Value<'_>, services: &Services, menus: &[MenuConfig]) {
    let Services::Live(live) = services else { return };
    let untold = menus.iter().find(|menu| live.notify.is_none() && menu.menu.charges_without_key());
    if let Some(menu) = untold {
        let name = quoted(&menu.name);
        value.warn_of_name(
            format!(
                "menu {name} charges accounts, or without a key, and the merchant never hears which order was paid"
            ),
            "set notify: with the address and the secret of whoever answers the authorizer; docs/merchant.md",
        );
    }
}

/// The status page and an AudioSocket can't both have an address.
fn report_address_taken(status: &Value<'_>, page: SocketAddr, lines: &[LineConfig]) {
    let takes = |listen: SocketAddr| {
        let all = listen.ip().is_unspecified() || page.ip().is_unspecified();
        listen.port() == page.port() && page.port() != 0 && (all || listen.ip() == page.ip())
    };
    let listening = lines.iter().find(|line| match &line.source {
        Source::AudioSocket { listener, .. } => takes(listener.listen),
        Source::Card(_) | Source::Simulated { .. } => false,
    });
    if let Some(line) = listening {
        status.problem_of_name(format!("line {} listens on {page} already", line.name), "choose another port");
    }
}

/// The number of a caller who is handed over by a dial plan is asked of the status page.
fn report_nobody_to_ask(value: &Value<'_>, lines: &[LineConfig]) {
    if let Some(line) = lines.iter().find(|line| line.hand_over == Some(HandoverConfig::Asked)) {
        value.problem_of_name(
            format!("the dial plan of line {} has no status page to ask where callers go", line.name),
            "add status: { listen: 127.0.0.1:8780 }, or remove hand_over",
        );
    }
}

/// A menu that asks callers for answers needs a place for them.
fn report_lost_answers(map: &Map<'_>, menus: &[MenuConfig]) {
    if map.optional("answers").is_none()
        && let Some(menu) = menus.iter().find(|menu| menu.menu.saves_answers())
        && let Some(value) = map.optional("menus")
    {
        value.problem(
            format!("menu \"{}\" saves answers, and there is no place for them", menu.name),
            "write answers: answers.csv, or a name that ends in .jsonl",
        );
    }
}

/// All menus of a box keep their answers in one file, and a table has one list of columns.
fn report_answers_of_two_tables(map: &Map<'_>, menus: &[MenuConfig]) {
    let mut lists = menus.iter().flat_map(|menu| menu.menu.answers().map(|list| (&menu.name, list)));
    let Some((first, columns)) = lists.next() else { return };
    if let Some((other, _)) = lists.find(|(_, list)| *list != columns)
        && let Some(value) = map.optional("answers")
    {
        value.problem(
            format!(
                "menus \"{first}\" and \"{other}\" save other answers, or in another order, than one table can hold"
            ),
            "give the file a name that ends in .jsonl, or let all `save` lists be the same",
        );
    }
}

/// Whether a demonstration is meant, even if something else is wrong with it.
fn names_demo(services: &Node) -> bool {
    services.get("demo").is_some()
}

/// FNV-1a over the texts: tells configurations apart, and is no protection against anyone.
fn hash(texts: &[String]) -> String {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = texts.iter().flat_map(|text| text.bytes()).fold(0xcbf2_9ce4_8422_2325, step);
    format!("{hash:016x}")
}

/// The operator's recordings, if the configuration names a folder of them.
fn read_recordings(map: &Map<'_>, context: &Context<'_>) -> Option<PathBuf> {
    let value = map.optional("prompts")?;
    let folder = context.path(value.text()?);
    if let Err(error) = Clips::with_overrides(&folder) {
        value.problem(error.to_string(), "name a folder with es-MX/ID.wav and en-US/ID.wav, or leave prompts out");
        return None;
    }
    Some(folder)
}

/// The names lines may use, whether their menus are good or not.
fn menu_names(map: &Map<'_>) -> Vec<String> {
    let Some(menus) = map.optional("menus").filter(|menus| matches!(menus.node, Node::Map(_))) else {
        return vec![BUILT_IN.0.to_owned()];
    };
    menus.any_map().iter().flat_map(|map| map.entries().map(|(name, _)| name.to_owned()).collect::<Vec<_>>()).collect()
}

fn read_menus(map: &Map<'_>, recordings: Option<&Path>, context: &mut Context<'_>) -> Option<Vec<MenuConfig>> {
    let Some(menus) = map.optional("menus") else {
        context.texts.push(BUILT_IN.1.to_owned());
        let clips = recordings.map_or_else(|| Some(Clips::embedded()), |folder| Clips::with_overrides(folder).ok())?;
        let parsed = Menu::parse("menus/pago.yaml", BUILT_IN.1, &*clips);
        let menu = parsed.map_err(|problems| context.others.push(problems)).ok()?;
        return Some(vec![MenuConfig { name: BUILT_IN.0.to_owned(), path: PathBuf::new(), menu, clips }]);
    };
    let entries = menus.any_map()?;
    let read: Vec<Option<MenuConfig>> =
        entries.entries().map(|(name, value)| read_menu(name, &value, recordings, context)).collect();
    if read.is_empty() {
        menus.problem_of_name("no menu", "write pago: menus/pago.yaml");
    }
    read.into_iter().collect()
}

fn read_menu(
    name: &str,
    value: &Value<'_>,
    recordings: Option<&Path>,
    context: &mut Context<'_>,
) -> Option<MenuConfig> {
    let path = context.path(value.text()?);
    let text = text_file::read(&path).map_err(|error| {
        let cure = match error {
            TextError::System(_) => "write the path of a menu file from this file's folder",
            TextError::NotUtf8 { .. } => error.cure(),
        };
        value.problem(format!("this menu: {error}"), cure);
    });
    let text = text.ok()?;
    context.texts.push(text.clone());
    let beside = Some(path.with_extension("")).filter(|folder| *folder != path && folder.is_dir());
    let folders: Vec<&Path> = beside.as_deref().into_iter().chain(recordings).collect();
    let clips = Clips::with_folders(&folders)
        .map_err(|error| {
            value.problem(error.to_string(), "mend the menu's own recordings, beside it in the folder of its name")
        })
        .ok()?;
    match Menu::parse(&path.display().to_string(), &text, &*clips) {
        Ok(menu) => Some(MenuConfig { name: name.to_owned(), path, menu, clips }),
        Err(problems) => {
            context.others.push(problems);
            None
        }
    }
}

fn read_status(value: &Value<'_>, context: &Context<'_>) -> Option<StatusConfig> {
    let map = value.map(&["listen", "password_file", "https"])?;
    let listen = map.optional("listen").map_or_else(
        || Some(SocketAddr::from(([127, 0, 0, 1], 8780))),
        |value| {
            let address = value.text()?.parse::<SocketAddr>().ok();
            if address.is_none() {
                value.expected("an address and a port", "write one such as 127.0.0.1:8780");
            }
            address
        },
    );
    let password_hash = read_hash(value, map.optional("password_file"), context);
    let https = map.optional("https").and_then(|https| https.boolean()).unwrap_or(false);
    let (listen, password_hash) = (listen?, password_hash?);
    if !listen.ip().is_loopback() && password_hash.is_none() {
        value.problem_of_name(
            "others than this machine could look at the status page without a password",
            "add password_file (made by `tonopago run --make-password FILE`), or listen on 127.0.0.1",
        );
        return None;
    }
    Some(StatusConfig { listen, password_hash, https })
}

/// What makes a file or variable with the status page's password.
const PASSWORD_CURE: &str = "make it with `tonopago run --make-password FILE`";

/// The hash of the password, from the file named or from its variable, if there is one.
fn read_hash(status: &Value<'_>, file: Option<Value<'_>>, context: &Context<'_>) -> Option<Option<String>> {
    let path = match &file {
        Some(file) => Some(context.path(file.text()?)),
        None => None,
    };
    let seen = match Secret::StatusPasswordHash.read(path.as_deref()) {
        Ok(hash) if is_hash(&hash) => return Some(Some(hash.as_str().to_owned())),
        Err(SecretError::Missing { .. }) => return Some(None),
        Ok(_) if path.is_some() => "this file holds no password hash".to_owned(),
        Ok(_) => format!("{} holds no password hash", Secret::StatusPasswordHash.variable()),
        Err(error) => error.to_string(),
    };
    match &file {
        Some(file) => file.problem(seen, PASSWORD_CURE),
        None => {
            status.problem_of_name(seen, format!("put the line of such a file there, or unset it; {PASSWORD_CURE}"))
        }
    }
    None
}

/// Whether passwords can be compared with it: against anything else all of them would be wrong.
fn is_hash(text: &str) -> bool {
    PasswordHash::new(text).is_ok_and(|hash| hash.algorithm.as_str().starts_with("argon2") && hash.hash.is_some())
}

fn read_recording(value: &Value<'_>, context: &Context<'_>) -> Option<Recording> {
    let map = value.map(&["folder", "keep_days", "most_mb", "least_free_mb"])?;
    let folder = map.required("folder").and_then(|folder| places::folder(&folder, context));
    let number = |name, range: RangeInclusive<u64>, otherwise| {
        map.optional(name).map_or(Some(otherwise), |value| whole(&value, range))
    };
    let days = number("keep_days", 1..=3650, 30);
    let (most, free) = (number("most_mb", 1..=10_000_000, 2000), number("least_free_mb", 1..=10_000_000, 500));
    Some(Recording {
        folder: folder?,
        keep: Duration::from_secs(days? * 86_400),
        most_bytes: most? * 1_000_000,
        least_free_bytes: free? * 1_000_000,
    })
}

fn read_timing(map: &Map<'_>) -> (Duration, Duration) {
    let timing = map.optional("timing").and_then(|timing| timing.map(&["reconcile_every", "stop_within"]));
    let span = |name: &str, range: RangeInclusive<u64>, otherwise: Duration| {
        let value = timing.as_ref().and_then(|timing| timing.optional(name));
        let read = value.and_then(|value| value.duration(range));
        read.map_or(otherwise, |span| Duration::from_millis(span.as_ms()))
    };
    let reconcile = span("reconcile_every", 1000..=3_600_000, crate::payment::Background::INTERVAL);
    (reconcile, span("stop_within", 0..=3_600_000, Duration::from_secs(180)))
}

/// A whole number in a range.
pub(super) fn whole(value: &Value<'_>, range: RangeInclusive<u64>) -> Option<u64> {
    let number = value.node.scalar().and_then(|text| text.parse().ok()).filter(|number| range.contains(number));
    if number.is_none() {
        let what = format!("a whole number from {} to {}", range.start(), range.end());
        value.expected(&what, "write a number in digits");
    }
    number
}

/// A number in a range.
pub(super) fn number(value: &Value<'_>, range: RangeInclusive<f64>) -> Option<f64> {
    let number = value.node.scalar().and_then(|text| text.parse().ok()).filter(|number| range.contains(number));
    if number.is_none() {
        value.expected(&format!("a number from {} to {}", range.start(), range.end()), "write a number such as -3.5");
    }
    number
}

/// One of several words.
pub(super) fn one_of<T: Copy>(value: &Value<'_>, names: &[(&str, T)]) -> Option<T> {
    let text = value.text()?;
    let found = names.iter().find(|(name, _)| *name == text).map(|(_, meaning)| *meaning);
    if found.is_none() {
        value
            .problem(format!("{} is not known here", quoted(text)), suggest(text, names.iter().map(|(name, _)| *name)));
    }
    found
}
