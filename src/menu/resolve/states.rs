//! Reading one state: what it does, what it says, where each of its outcomes leads.

use std::ops::RangeInclusive;

use crate::dtmf::Digit;
use crate::media::MediaTime;
use crate::menu::model::{
    Choose, Collect, Confirm, Entry, ErrorPrompts, FieldKind, Kind, State, StateId, TimerSettings,
};
use crate::menu::problem::{nearest, quoted, suggest};

use super::Context;
use super::prompts::read_language;
use super::read_target;
use super::reader::{Map, TELEPHONE_KEY, Value, telephone_key};

/// Names any state may use.
const COMMON: [&str; 4] = ["say", "language", "barge_in", "keys"];
/// Names of states that take keys.
const ENTRY: [&str; 5] = ["say_again", "on", "attempts", "timers", "errors"];
/// Names of states that take a single key.
const SINGLE_KEY: [&str; 6] = ["say_again", "on", "attempts", "timers", "errors", "help"];
/// Names of states that ask a service.
const SERVICE: [&str; 4] = ["on", "attempts", "while_waiting", "wait_limit"];
/// What a state can do; each state does exactly one of these.
pub(super) const KINDS: [&str; 7] = ["next", "choose", "confirm", "collect", "authorize", "charge", "hang_up"];

const DEFAULT_ATTEMPTS: u8 = 3;
const MENU_TIMERS: TimerSettings = TimerSettings {
    first_digit: MediaTime::from_ms(8000),
    inter_digit: MediaTime::from_ms(3000),
    grace: MediaTime::from_ms(1000),
    limit: MediaTime::from_ms(60_000),
};
const CARD_TIMERS: TimerSettings = TimerSettings {
    first_digit: MediaTime::from_ms(20_000),
    inter_digit: MediaTime::from_ms(7000),
    limit: MediaTime::from_ms(120_000),
    ..MENU_TIMERS
};

impl Context<'_> {
    pub(super) fn state(&self, name: &str, value: &Value<'_>) -> Option<State> {
        let probe = value.any_map()?;
        let doing: Vec<&str> = KINDS.into_iter().filter(|kind| probe.optional(kind).is_some()).collect();
        let [does] = doing[..] else {
            self.not_one_thing(name, value, &doing);
            return None;
        };
        let extra: &[&str] = match does {
            "choose" | "confirm" => &SINGLE_KEY,
            "collect" => &ENTRY,
            "authorize" | "charge" => &SERVICE,
            _ => &[],
        };
        let map = value.map(&[&COMMON, extra, &[does]].concat())?;
        let prompts = |name: &str| map.optional(name).map(|list| self.prompts.list(&list)).unwrap_or_default();
        Some(State {
            name: name.to_owned(),
            say: prompts("say"),
            say_again: prompts("say_again"),
            language: map.optional("language").and_then(|language| read_language(&language)),
            barge_in: map.optional("barge_in").and_then(|value| value.boolean()).unwrap_or(true),
            flush_keys: flushes(&map, does),
            kind: self.kind(does, &map)?,
        })
    }

    fn not_one_thing(&self, name: &str, value: &Value<'_>, doing: &[&str]) {
        let cure = format!("give it exactly one of: {}", KINDS.join(", "));
        if !doing.is_empty() {
            let message = format!("state {} does {} things ({}), not one", quoted(name), doing.len(), doing.join(", "));
            return value.problem_of_name(message, cure);
        }
        let known = [&COMMON[..], &SINGLE_KEY, &SERVICE].concat();
        let entries = value.any_map();
        let unknown = entries.iter().flat_map(Map::entries).filter(|(written, _)| !known.contains(written));
        let mistyped: Vec<_> = unknown.filter(|(written, _)| nearest(written, KINDS).is_some()).collect();
        if mistyped.is_empty() {
            return value.problem_of_name(format!("state {} does nothing", quoted(name)), cure);
        }
        for (written, value) in mistyped {
            value.problem_of_name(format!("unknown name {}", quoted(written)), suggest(written, KINDS));
        }
    }

    fn kind(&self, does: &str, map: &Map<'_>) -> Option<Kind> {
        match does {
            "next" => Some(Kind::Say { next: read_target(&map.required("next")?, self.names)? }),
            "choose" => self.choose(map).map(Kind::Choose),
            "confirm" => self.confirm(map).map(Kind::Confirm),
            "collect" => self.collect(map).map(Kind::Collect),
            "authorize" => self.authorize(map).map(Kind::Authorize),
            "charge" => self.charge(map).map(Kind::Charge),
            _ => hang_up(&map.required("hang_up")?),
        }
    }

    fn choose(&self, map: &Map<'_>) -> Option<Choose> {
        let options = map.required("choose")?.any_map()?;
        let read = |(key, target): (&str, Value<'_>)| {
            let digit = telephone_key(key);
            if digit.is_none() && !key.is_empty() {
                target.problem_of_name(format!("{} is no telephone key", quoted(key)), TELEPHONE_KEY);
            }
            let target = read_target(&target, self.names);
            Some((digit?, target?))
        };
        let options: Vec<_> = options.entries().map(read).collect();
        if options.is_empty() {
            map.required("choose")?
                .problem_of_name("there is nothing to choose", "add a key and its state: \"1\": STATE");
            return None;
        }
        let entry = self.entry(map, &[], None);
        let bound: Vec<Digit> = options.iter().flatten().map(|(key, _)| *key).collect();
        self.key_conflicts(map, &bound);
        Some(Choose { options: options.into_iter().collect::<Option<_>>()?, entry: entry? })
    }

    fn confirm(&self, map: &Map<'_>) -> Option<Confirm> {
        let keys = map.required("confirm")?.map(&["yes", "no"])?;
        let key = |name| keys.required(name).and_then(|value| value.key());
        let on = Outcomes::read(map, self, &["yes", "no", "give_up", "back"]);
        let entry = self.entry(map, &["yes", "no"], None);
        let (yes, no) = (key("yes"), key("no"));
        if yes.is_some() && yes == no {
            keys.required("no")?.problem("yes and no are the same key", "give them different keys");
        }
        self.key_conflicts(map, &[yes, no].into_iter().flatten().collect::<Vec<_>>());
        Some(Confirm { yes: yes?, no: no?, on_yes: on.required("yes")?, on_no: on.required("no")?, entry: entry? })
    }

    /// Keys with a meaning of their own that the state binds to something else.
    fn key_conflicts(&self, map: &Map<'_>, bound: &[Digit]) {
        let is_bound = |key: char| bound.iter().any(|digit| digit.as_char() == key);
        if let Some(help) = map.optional("help")
            && is_bound('0')
        {
            help.problem_of_name(
                "help is said on key 0, which leads elsewhere here",
                "use another key, or leave help: out",
            );
        }
        let back = map.optional("on").and_then(|on| on.any_map()?.optional("back"));
        if let Some(back) = back
            && is_bound('*')
        {
            back.problem_of_name(
                "the key * goes back, but leads elsewhere here",
                "use another key, or leave back: out",
            );
        }
    }

    fn collect(&self, map: &Map<'_>) -> Option<Collect> {
        let name = map.required("collect")?.any_map()?.required("field")?.text()?;
        let field = self.field_named(name)?;
        let on = Outcomes::read(map, self, &["done", "give_up", "back"]);
        let entry = self.entry(map, &["done"], Some(self.fields[field.0].kind));
        Some(Collect { field, on_done: on.required("done")?, entry: entry? })
    }

    fn entry(&self, map: &Map<'_>, outcomes: &[&str], field: Option<FieldKind>) -> Option<Entry> {
        let on = Outcomes::read(map, self, &[outcomes, &["give_up", "back"]].concat());
        Some(Entry {
            timers: read_timers(map, field.is_some_and(FieldKind::is_card_data)),
            attempts: read_attempts(map),
            on_give_up: on.optional("give_up").or(self.give_up)?,
            on_back: on.optional("back"),
            help: map.optional("help").map(|list| self.prompts.list(&list)).unwrap_or_default(),
            errors: self.error_prompts(map, field),
        })
    }

    fn error_prompts(&self, map: &Map<'_>, field: Option<FieldKind>) -> ErrorPrompts {
        let names = ["no_input", "no_match", "invalid", "expired", "refused_card", "cleared", "still_there"];
        let own = map.optional("errors").and_then(|errors| errors.map(&names));
        let prompts = |name: &str, default: &str| {
            let written = own.as_ref().and_then(|own| own.optional(name));
            written.map_or_else(|| self.prompts.default_clip(default), |list| self.prompts.list(&list))
        };
        let invalid = match field {
            Some(FieldKind::CardNumber) => "tarjeta_invalida",
            Some(FieldKind::Expiry) => "vencimiento_invalido",
            Some(FieldKind::Cvv) => "cvv_invalido",
            _ => "opcion_invalida",
        };
        ErrorPrompts {
            no_input: prompts("no_input", "no_le_escuche"),
            no_match: prompts("no_match", if field.is_some() { "faltan_digitos" } else { "opcion_invalida" }),
            invalid: prompts("invalid", invalid),
            expired: prompts("expired", "tarjeta_vencida"),
            refused_card: prompts("refused_card", "rechazada_otra"),
            cleared: prompts("cleared", "dato_borrado"),
            still_there: prompts("still_there", "sigue_ahi"),
        }
    }
}

fn hang_up(value: &Value<'_>) -> Option<Kind> {
    if value.boolean()? {
        return Some(Kind::HangUp);
    }
    value.problem("a state that does not hang up does something else", "write hang_up: true, or next: STATE instead");
    None
}

/// The `on:` map of a state.
pub(super) struct Outcomes<'a> {
    routes: Vec<(&'a str, Option<StateId>)>,
    state: &'a Map<'a>,
}

impl<'a> Outcomes<'a> {
    pub(super) fn read(state: &'a Map<'a>, context: &Context<'_>, names: &[&str]) -> Self {
        let on = state.optional("on").and_then(|on| on.map(names));
        let routes = on.map_or_else(Vec::new, |on| {
            on.entries().map(|(name, target)| (name, read_target(&target, context.names))).collect()
        });
        Self { routes, state }
    }

    pub(super) fn optional(&self, name: &str) -> Option<StateId> {
        self.routes.iter().find(|(known, _)| *known == name).and_then(|(_, target)| *target)
    }

    pub(super) fn required(&self, name: &str) -> Option<StateId> {
        if self.routes.iter().all(|(known, _)| *known != name) {
            self.state.problem(format!("where to go on {name:?} is not said"), format!("add on: {{ {name}: STATE }}"));
        }
        self.optional(name)
    }
}

fn flushes(map: &Map<'_>, does: &str) -> bool {
    let Some(value) = map.optional("keys") else {
        // What the caller keyed before hearing the amount cannot be a yes to it; nor to a charge under way.
        return matches!(does, "confirm" | "charge");
    };
    let Some(text) = value.text() else { return false };
    if !matches!(text, "keep" | "flush") {
        value.problem(
            format!("{} says nothing about keys pressed ahead", quoted(text)),
            "write keys: keep or keys: flush",
        );
    }
    text == "flush"
}

pub(super) fn read_attempts(map: &Map<'_>) -> u8 {
    map.optional("attempts").and_then(|value| value.count(1..=9)).unwrap_or(DEFAULT_ATTEMPTS)
}

fn read_timers(map: &Map<'_>, is_card_data: bool) -> TimerSettings {
    let defaults = if is_card_data { CARD_TIMERS } else { MENU_TIMERS };
    let names = ["first_digit", "inter_digit", "grace", "limit"];
    let own = map.optional("timers").and_then(|timers| timers.map(&names));
    let span = |name: &str, range: RangeInclusive<u64>, default: MediaTime| {
        let written = own.as_ref().and_then(|own| own.optional(name));
        written.and_then(|value| value.duration(range)).unwrap_or(default)
    };
    let timers = TimerSettings {
        first_digit: span("first_digit", 500..=300_000, defaults.first_digit),
        inter_digit: span("inter_digit", 500..=60_000, defaults.inter_digit),
        grace: span("grace", 0..=10_000, defaults.grace),
        limit: span("limit", 1000..=1_800_000, defaults.limit),
    };
    if timers.limit <= timers.first_digit
        && let Some(own) = own
    {
        own.problem("the limit is over before the first digit is waited for", "make limit: longer than first_digit:");
    }
    timers
}
