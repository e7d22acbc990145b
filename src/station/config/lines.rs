//! The `lines:` of a configuration.

use std::time::Duration;

use super::document::{number, one_of, whole};
use super::{CardConfig, LineConfig, Source, audio_socket, hand_over};
use crate::dtmf::Profile;
use crate::line::hook::{HookPlan, InputSignal, OutputSignal};
use crate::progress::Country;
use crate::yaml::{Map, Node, Value, quoted, suggest};

/// Lines of one box: each has a thread, and an Intel Atom's core carries dozens.
const MOST_LINES: usize = 64;
pub(super) const NAMES: [&str; 17] = [
    "card",
    "audio_socket",
    "output",
    "rate",
    "channel",
    "period_ms",
    "simulated",
    "hook",
    "hand_over",
    "rings",
    "sound_dbm0",
    "gain_in_db",
    "gain_out_db",
    "menu",
    "tones",
    "detector",
    "every",
];
/// What a card's sound is taken to be louder or quieter by, at most.
const GAINS_DB: std::ops::RangeInclusive<f64> = -40.0..=40.0;

/// Settings of a card, which mean nothing to simulated callers.
const OF_CARDS: [&str; 4] = ["output", "rate", "channel", "period_ms"];

/// Reads all lines. `menus` are the names they may use.
pub(super) fn read(value: &Value<'_>, menus: &[String], is_demo: bool) -> Option<Vec<LineConfig>> {
    let map = value.any_map()?;
    let entries: Vec<Option<LineConfig>> =
        map.entries().map(|(name, value)| read_line(name, &value, menus, is_demo)).collect();
    if entries.is_empty() {
        value.problem_of_name("no line", "write line-1: { card: default }");
    }
    let entries = entries.into_iter().collect::<Option<Vec<_>>>().filter(|entries| !entries.is_empty())?;
    let mut lines: Vec<LineConfig> = entries.into_iter().flat_map(audio_socket::spread).collect();
    tell_players_apart(&mut lines);
    let fits = audio_socket::all_differ(&map, &lines) & each_has_its_own(&map, &lines);
    if lines.len() > MOST_LINES {
        let cure = format!("a box takes up to {MOST_LINES}; use several boxes");
        value.problem_of_name(format!("{} lines are too many", lines.len()), cure);
    }
    (fits && lines.len() <= MOST_LINES).then_some(lines)
}

/// Lines that play on one card are not to hear each other.
fn tell_players_apart(lines: &mut [LineConfig]) {
    let card = |line: &LineConfig| match &line.source {
        Source::Card(card) => Some(card.player().to_owned()),
        Source::AudioSocket { .. } | Source::Simulated { .. } => None,
    };
    let players: Vec<String> = lines.iter().filter_map(card).collect();
    for line in lines {
        if let Source::Card(card) = &mut line.source {
            card.shares_output = players.iter().filter(|player| *player == card.player()).count() > 1;
        }
    }
}

/// Whether no two lines, and no two parts of one, have a card's channel or a hook's device to themselves.
fn each_has_its_own(entries: &Map<'_>, lines: &[LineConfig]) -> bool {
    let mut taken: Vec<(String, &str)> = Vec::new();
    let mut fits = true;
    for (name, value) in entries.entries() {
        for part in lines.iter().filter(|line| line.name == name).flat_map(parts) {
            if let Some((_, other)) = taken.iter().find(|(other, _)| *other == part) {
                value.problem_of_name(format!("line {other} has {part} already"), "each line has its own");
                fits = false;
            }
            taken.push((part, name));
        }
    }
    fits
}

/// What a line has to itself, in words.
fn parts(line: &LineConfig) -> Vec<String> {
    let mut parts = match &line.hook {
        HookPlan::None => Vec::new(),
        HookPlan::Command(words) => vec![format!("the hook {}", words.join(" "))],
        HookPlan::Serial { port, .. } => vec![format!("the hook {port}")],
        HookPlan::Gpio { chip, off_hook, ring, .. } => {
            [off_hook, ring].map(|line| format!("line {line} of {}", chip.display())).into()
        }
        HookPlan::Hid { device, off_hook, ring } => {
            [off_hook, ring].map(|pin| format!("pin {pin} of {}", device.display())).into()
        }
    };
    if let Source::Card(card) = &line.source {
        parts.push(format!("channel {} of card {}", card.channel, card.device));
        if card.shares_output {
            parts.push(format!("channel {} of card {} to play on", card.channel, card.player()));
        }
    }
    parts
}

fn read_line(name: &str, value: &Value<'_>, menus: &[String], is_demo: bool) -> Option<LineConfig> {
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        value.problem_of_name("a line's name goes into files and metrics", "use letters, digits, - and _ only");
    }
    let map = value.map(&NAMES)?;
    let source = match map.optional("audio_socket") {
        Some(socket) => audio_socket::read(name, &socket, &map, MOST_LINES),
        None => read_source(value, &map, is_demo),
    };
    let hook = map.optional("hook").map_or(Some(HookPlan::None), |hook| read_hook(&hook));
    let hand_over = hand_over::read(&map, map.has("audio_socket"), hook.as_ref());
    let rings = map.optional("rings").map_or(Some(2), |rings| rings.count(1..=20));
    let level = |name, range, otherwise| map.optional(name).map_or(Some(otherwise), |value| number(&value, range));
    let sound = level("sound_dbm0", -60.0..=-10.0, -38.0);
    let (gain_in, gain_out) = (level("gain_in_db", GAINS_DB, 0.0), level("gain_out_db", GAINS_DB, 0.0));
    let menu = read_menu_name(value, &map, menus);
    let tones = map.optional("tones").map_or(Some(Country::mexico()), |value| read_tones(&value));
    let profile = map.optional("detector").map_or_else(|| Some(Profile::default()), |value| read_profile(&value));
    Some(LineConfig {
        name: name.to_owned(),
        source: source?,
        hook: hook?,
        rings: rings?.into(),
        sound_dbm0: sound?,
        gain_in_db: gain_in?,
        gain_out_db: gain_out?,
        menu: menu?,
        tones: tones?,
        profile: profile?,
        hand_over: hand_over?,
    })
}

fn read_source(value: &Value<'_>, map: &Map<'_>, is_demo: bool) -> Option<Source> {
    if let Some(simulated) = map.optional("simulated")
        && simulated.boolean()?
    {
        return read_simulated(&simulated, map, is_demo);
    }
    let Some(card) = map.optional("card") else {
        value.problem_of_name(
            "the line has no card",
            "add card: and an id from `tonopago devices`, or audio_socket:, or simulated: true",
        );
        return None;
    };
    read_card(&card, map).map(Source::Card)
}

fn read_simulated(simulated: &Value<'_>, map: &Map<'_>, is_demo: bool) -> Option<Source> {
    if map.has("card") {
        simulated.problem_of_name("a line is either simulated or a card", "remove one of the two");
        return None;
    }
    if !is_demo {
        simulated.problem_of_name("simulated callers pay with test cards", "only with services: { demo: FOLDER }");
        return None;
    }
    for (name, of_a_card) in OF_CARDS.into_iter().filter_map(|name| Some((name, map.optional(name)?))) {
        of_a_card.problem_of_name(
            format!("{name} is of lines with a sound card, and this one is simulated"),
            format!("remove {name}"),
        );
    }
    let every = map.optional("every").map_or(Some(20_000), |every| Some(every.duration(0..=3_600_000)?.as_ms()))?;
    Some(Source::Simulated { every: Duration::from_millis(every) })
}

fn read_card(card: &Value<'_>, map: &Map<'_>) -> Option<CardConfig> {
    if let Some(every) = map.optional("every") {
        every.problem_of_name("every is of lines with simulated callers, and this one has a card", "remove every");
    }
    let device = card.text()?.to_owned();
    let output = map.optional("output").map_or(Some(None), |output| Some(Some(output.text()?.to_owned())));
    let rate = map.optional("rate").map_or(Some(None), |rate| whole(&rate, 8000..=192_000).map(Some));
    let channel = map.optional("channel").map_or(Some(0), |channel| whole(&channel, 0..=63));
    let period = map.optional("period_ms").map_or(Some(20), |period| whole(&period, 5..=200));
    Some(CardConfig {
        device,
        output: output?,
        rate: rate?.and_then(|rate| u32::try_from(rate).ok()),
        channel: u16::try_from(channel?).ok()?,
        shares_output: false, // known once all lines have been read
        period_ms: u32::try_from(period?).ok()?,
    })
}

fn read_menu_name(line: &Value<'_>, map: &Map<'_>, menus: &[String]) -> Option<usize> {
    let Some(value) = map.optional("menu") else {
        if menus.len() != 1 {
            line.problem_of_name("the line has no menu", "add menu: and one of the names under menus");
        }
        return (menus.len() == 1).then_some(0);
    };
    let name = value.text()?;
    let found = menus.iter().position(|menu| menu == name);
    if found.is_none() {
        value.problem(format!("no menu is named {}", quoted(name)), suggest(name, menus.iter().map(String::as_str)));
    }
    found
}

fn read_tones(value: &Value<'_>) -> Option<&'static Country> {
    let name = value.text()?;
    let found = Country::named(name);
    if found.is_none() {
        value.problem(format!("no tones are known for {}", quoted(name)), suggest(name, Country::names()));
    }
    found
}

fn read_profile(value: &Value<'_>) -> Option<Profile> {
    let name = value.text()?;
    let found = Profile::named(name);
    if found.is_none() {
        value.problem(format!("no detector profile is named {}", quoted(name)), "write default, or leave detector out");
    }
    found
}

fn read_hook(value: &Value<'_>) -> Option<HookPlan> {
    if value.node.scalar() == Some("none") {
        return Some(HookPlan::None);
    }
    let kinds = ["command", "serial", "gpio", "hid"];
    if !matches!(value.node, Node::Map(_)) {
        value.expected("none, or a kind of hook with its settings", "write none, or { serial: /dev/ttyUSB0 }");
        return None;
    }
    let map = value.any_map()?;
    let present: Vec<&str> = kinds.into_iter().filter(|kind| map.has(kind)).collect();
    let [kind] = present[..] else {
        value.problem_of_name("a hook is of one kind", "write one of command, serial, gpio, hid");
        return None;
    };
    match kind {
        "command" => read_command(&value.map(&["command"])?),
        "serial" => read_serial(&value.map(&["serial", "off_hook", "ring"])?),
        "gpio" => read_gpio(&value.map(&["gpio", "off_hook", "ring", "active_low"])?),
        _ => read_hid(&value.map(&["hid", "off_hook", "ring"])?),
    }
}

fn read_command(map: &Map<'_>) -> Option<HookPlan> {
    let command = map.required("command")?;
    let words: Option<Vec<String>> = match command.node {
        Node::Text(program) => Some(vec![program.clone()]),
        _ => command.list()?.iter().map(|word| word.text().map(str::to_owned)).collect(),
    };
    let words = words?;
    if words.is_empty() {
        command.problem_of_name("no program", "write the program's path and its arguments as a list");
        return None;
    }
    Some(HookPlan::Command(words))
}

fn read_serial(map: &Map<'_>) -> Option<HookPlan> {
    let port = map.required("serial").and_then(|port| Some(port.text()?.to_owned()));
    let off_hook =
        map.optional("off_hook").map_or(Some(OutputSignal::Rts), |value| one_of(&value, &OutputSignal::NAMED));
    let ring = map.optional("ring").map_or(Some(InputSignal::Ri), |value| one_of(&value, &InputSignal::NAMED));
    Some(HookPlan::Serial { port: port?, off_hook: off_hook?, ring: ring? })
}

fn read_gpio(map: &Map<'_>) -> Option<HookPlan> {
    let chip = map.required("gpio").and_then(|chip| Some(chip.text()?.into()));
    let line =
        |name| map.required(name).and_then(|value| whole(&value, 0..=1023)).and_then(|line| u32::try_from(line).ok());
    let (off_hook, ring) = (line("off_hook"), line("ring"));
    let active_low = map.optional("active_low").map_or(Some(false), |value| value.boolean());
    Some(HookPlan::Gpio { chip: chip?, off_hook: off_hook?, ring: ring?, active_low: active_low? })
}

fn read_hid(map: &Map<'_>) -> Option<HookPlan> {
    let device = map.required("hid").and_then(|device| Some(device.text()?.into()));
    let off_hook = map.optional("off_hook").map_or(Some(3), |value| value.count(1..=8));
    let ring = map.required("ring").and_then(|value| value.count(1..=8));
    Some(HookPlan::Hid { device: device?, off_hook: off_hook?, ring: ring? })
}
