//! Reading one state: what it does, what it says, where each of its outcomes leads.

use std::ops::RangeInclusive;

use crate::dtmf::Digit;
use crate::media::MediaTime;
use crate::menu::model::Value as Known;
use crate::menu::model::{
    Attempts, Choose, Collect, Confirm, Entry, ErrorPrompts, FieldId, FieldKind, GlobalKeys, Kind, Months, State,
    StateId, TimerSettings,
};
use crate::yaml::{Map, Node, Value, nearest, quoted, suggest};

use super::prompts::read_language;
use super::state_names::{
    COLLECTING, COMMON, COUNTED, ENTRY, ERRORS, KINDS, SERVICE, SINGLE_KEY, TIMERS, WITH_NEXT, extra_names,
};
use super::telephone_key::{TELEPHONE_KEY, read_key, telephone_key};
use super::{Context, fields, passing, read_target};

const DEFAULT_ATTEMPTS: u8 = 3;
/// Months without interest that Openpay knows.
const PLANS: [u8; 5] = [3, 6, 9, 12, 18];
const MENU_TIMERS: TimerSettings = TimerSettings {
    first_digit: MediaTime::from_ms(8000),
    inter_digit: MediaTime::from_ms(3000),
    grace: MediaTime::from_ms(1000),
    limit: MediaTime::from_ms(60_000),
};
/// For what is read off a paper or a card, group by group.
const READ_OFF_TIMERS: TimerSettings = TimerSettings {
    first_digit: MediaTime::from_ms(20_000),
    inter_digit: MediaTime::from_ms(7000),
    limit: MediaTime::from_ms(120_000),
    ..MENU_TIMERS
};

impl Context<'_> {
    pub(super) fn state(&self, name: &str, value: &Value<'_>) -> Option<State> {
        let probe = value.any_map()?;
        let mut doing: Vec<&str> = KINDS.into_iter().filter(|kind| probe.optional(kind).is_some()).collect();
        if doing.iter().any(|does| WITH_NEXT.contains(does)) {
            doing.retain(|does| *does != "next");
        }
        let [does] = doing[..] else {
            self.not_one_thing(name, value, &doing);
            return None;
        };
        let names = [&COMMON[..], &extra_names(does), &[does]].concat();
        let map = value.map(&names)?;
        let prompts = |name: &str| map.optional(name).map(|list| self.prompts(&list)).unwrap_or_default();
        let (say, say_again) = (prompts("say"), prompts("say_again"));
        let all_known = map.entries().all(|(name, _)| names.contains(&name));
        if say.is_empty() && ["choose", "confirm", "collect"].contains(&does) && all_known && !written_wrong(&map) {
            value.problem_of_name(
                format!("state {} asks for keys, but says nothing", quoted(name)),
                "add say: [...] with what the caller is to do",
            );
        }
        Some(State {
            name: name.to_owned(),
            say,
            say_again,
            language: map.optional("language").and_then(|language| read_language(&language)),
            barge_in: map.optional("barge_in").and_then(|value| value.boolean()).unwrap_or(true),
            flush_keys: flushes(&map, does),
            global_keys: map.optional("global_keys").and_then(|value| value.boolean()).unwrap_or(true),
            kind: self.kind(does, &map)?,
        })
    }

    fn not_one_thing(&self, name: &str, value: &Value<'_>, doing: &[&str]) {
        let cure = format!("give it exactly one of: {}", KINDS.join(", "));
        if !doing.is_empty() {
            let message = format!("state {} does {} things ({}), not one", quoted(name), doing.len(), doing.join(", "));
            return value.problem_of_name(message, cure);
        }
        let known = [&COMMON[..], &ENTRY, &SINGLE_KEY, &COLLECTING, &SERVICE, &["otherwise"]].concat();
        let entries = value.any_map();
        let unknown = entries.iter().flat_map(Map::entries).filter(|(written, _)| !known.contains(written));
        let unknown: Vec<_> = unknown.collect();
        if unknown.is_empty() {
            return value.problem_of_name(format!("state {} does nothing", quoted(name)), cure);
        }
        let known = [&known[..], &KINDS].concat();
        for (written, value) in unknown {
            let near = nearest(written, known.iter().copied());
            value.unknown_name(written, &known, || near.map_or_else(|| cure.clone(), |near| suggest(written, [near])));
        }
    }

    fn kind(&self, does: &str, map: &Map<'_>) -> Option<Kind> {
        match does {
            "next" => Some(Kind::Say { next: self.next(map)? }),
            "choose" => self.choose(map).map(Kind::Choose),
            "confirm" => self.confirm(map).map(Kind::Confirm),
            "collect" => self.collect(map).map(Kind::Collect),
            "authorize" => self.authorize(map).map(Kind::Authorize),
            "charge" => self.charge(map).map(Kind::Charge),
            "months" => self.months(map).map(Kind::Months),
            "branch" => self.branch(map),
            "hours" => self.hours(map),
            "set" => self.set(map),
            "save" => self.save(map),
            "visit" => self.visit(map),
            "return" => passing::returns(&map.required("return")?),
            "transfer" => passing::transfer(&map.required("transfer")?),
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
        let entry = self.entry(map, &self.entry_outcomes(map, &[]), None);
        let bound: Vec<Digit> = options.iter().flatten().map(|(key, _)| *key).collect();
        self.key_conflicts(map, &bound);
        Some(Choose { options: options.into_iter().collect::<Option<_>>()?, entry: entry? })
    }

    fn confirm(&self, map: &Map<'_>) -> Option<Confirm> {
        let keys = map.required("confirm")?.map(&["yes", "no"])?;
        let key = |name| keys.required(name).and_then(|value| read_key(&value));
        let on = self.entry_outcomes(map, &["yes", "no"]);
        let entry = self.entry(map, &on, None);
        let (yes, no) = (key("yes"), key("no"));
        if yes.is_some() && yes == no {
            keys.required("no")?.problem("yes and no are the same key", "give them different keys");
        }
        self.key_conflicts(map, &[yes, no].into_iter().flatten().collect::<Vec<_>>());
        Some(Confirm { yes: yes?, no: no?, on_yes: on.required("yes")?, on_no: on.required("no")?, entry: entry? })
    }

    /// Keys with a meaning of their own that the state binds to something else.
    fn key_conflicts(&self, map: &Map<'_>, bound: &[Digit]) {
        let GlobalKeys { help: help_key, .. } = self.global_keys;
        if let (Some(help), Some(key)) = (map.optional("help"), help_key)
            && bound.contains(&key)
        {
            help.problem_of_name(
                format!("help is said on key {}, which leads elsewhere here", key.as_char()),
                "use another key, or leave help: out",
            );
        }
        let back = map.optional("on").and_then(|on| on.any_map()?.optional("back"));
        if let Some(back) = back
            && bound.iter().any(|key| key.as_char() == '*')
        {
            back.problem_of_name(
                "the key * goes back, but leads elsewhere here",
                "use another key, or leave back: out",
            );
        }
    }

    /// `months: { 3: 300, 6: 600 }`: months and the least amount they are offered for.
    fn months(&self, map: &Map<'_>) -> Option<Months> {
        let written = map.required("months")?.any_map()?;
        let mut plans = Vec::new();
        for (name, least) in written.entries() {
            let months = name.parse().ok().filter(|months| PLANS.contains(months));
            if months.is_none() {
                let possible = PLANS.map(|plan| plan.to_string()).join(", ");
                let cure = format!("possible here: {possible}");
                least.problem_of_name(format!("{} months are not offered", quoted(name)), cure);
            }
            plans.extend(months.zip(fields::read_number(&least, true)));
        }
        if plans.is_empty() {
            map.required("months")?.problem_of_name("no months are offered", "write months: { 3: 300, 6: 600 }");
        }
        plans.sort_unstable();
        let on = self.entry_outcomes(map, &["done"]);
        let entry = self.entry(map, &on, None);
        Some(Months { plans, on_done: on.required("done")?, entry: entry? })
    }

    fn collect(&self, map: &Map<'_>) -> Option<Collect> {
        // Of a field that could not be read, the outcomes and prompts still can be.
        let field = self.collected_field(map);
        let on = self.entry_outcomes(map, &["done"]);
        let kind = field.map(|field| self.fields[field.0].kind);
        let entry = self.entry(map, &on, kind);
        let prompts = |name: &str| map.optional(name).map(|list| self.prompts(&list)).unwrap_or_default();
        let (twice, read_back) = (prompts("twice"), prompts("read_back"));
        let says = |wanted: Known| read_back.iter().any(|prompt| prompt.says(wanted));
        if kind.is_some_and(FieldKind::is_card_data) && says(Known::Entry) {
            map.required("read_back")?
                .problem_of_name("card data is never read back", "say $last_four of a card number, or nothing");
        }
        let on_done = on.required("done");
        Some(Collect { field: field?, on_done: on_done?, twice, read_back, entry: entry? })
    }

    fn collected_field(&self, map: &Map<'_>) -> Option<FieldId> {
        self.field_named(map.required("collect")?.any_map()?.required("field")?.text()?)
    }

    /// The outcomes of a state that takes keys: its own, and those that all such states have.
    fn entry_outcomes<'a>(&self, map: &'a Map<'a>, own: &[&str]) -> Outcomes<'a> {
        Outcomes::read(map, self, &[own, &["give_up", "back"]].concat())
    }

    fn entry(&self, map: &Map<'_>, on: &Outcomes<'_>, field: Option<FieldKind>) -> Option<Entry> {
        Some(Entry {
            timers: read_timers(map, field.is_some_and(FieldKind::is_read_off)),
            attempts: read_attempts_by_kind(map),
            on_give_up: on.optional("give_up").or(self.give_up)?,
            on_back: on.optional("back"),
            help: map.optional("help").map(|list| self.prompts(&list)).unwrap_or_default(),
            errors: self.error_prompts(map, field),
        })
    }

    fn error_prompts(&self, map: &Map<'_>, field: Option<FieldKind>) -> ErrorPrompts {
        let own = map.optional("errors").and_then(|errors| errors.map(&ERRORS));
        let prompts = |name: &str, default: &str| {
            let written = own.as_ref().and_then(|own| own.optional(name));
            written.map_or_else(|| self.default_clip(default), |list| self.prompts(&list))
        };
        let invalid = match field {
            Some(FieldKind::CardNumber) => "tarjeta_invalida",
            Some(FieldKind::Expiry) => "vencimiento_invalido",
            Some(FieldKind::Cvv) => "cvv_invalido",
            Some(FieldKind::Digits | FieldKind::Amount) => "fuera_de_rango",
            _ => "opcion_invalida",
        };
        let no_match = match field {
            None | Some(FieldKind::YesNo) => "opcion_invalida",
            Some(_) => "faltan_digitos",
        };
        ErrorPrompts {
            no_input: prompts("no_input", "no_le_escuche"),
            no_match: prompts("no_match", no_match),
            no_answer: prompts("no_match", "opcion_invalida"),
            invalid: prompts("invalid", invalid),
            expired: prompts("expired", "tarjeta_vencida"),
            refused_card: prompts("refused_card", "rechazada_otra"),
            looks_like_card: prompts("looks_like_card", "parece_tarjeta"),
            mismatch: prompts("mismatch", "no_coincide"),
            too_many: prompts("too_many", "sobran_digitos"),
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

    /// Whether it is said where this outcome leads, rightly or not.
    pub(super) fn names(&self, name: &str) -> bool {
        self.routes.iter().any(|(known, _)| *known == name)
    }

    pub(super) fn required(&self, name: &str) -> Option<StateId> {
        if !self.names(name) {
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

/// `attempts: 3`, or by kind of error: `attempts: { no_input: 2, invalid: 4 }`.
fn read_attempts_by_kind(map: &Map<'_>) -> Attempts {
    let by_kind = map.optional("attempts").filter(|attempts| matches!(attempts.node, Node::Map(_)));
    let Some(by_kind) = by_kind.and_then(|attempts| attempts.map(&COUNTED)) else {
        let all = read_attempts(map);
        return Attempts { no_input: all, no_match: all, invalid: all, mismatch: all };
    };
    let count = |name: &str| by_kind.optional(name).and_then(|value| value.count(1..=9)).unwrap_or(DEFAULT_ATTEMPTS);
    Attempts {
        no_input: count("no_input"),
        no_match: count("no_match"),
        invalid: count("invalid"),
        mismatch: count("mismatch"),
    }
}

/// A `say` that could not be read has been told of already.
fn written_wrong(map: &Map<'_>) -> bool {
    let say = map.optional("say");
    say.is_some_and(|say| !matches!(say.node, Node::List(items) if items.is_empty()))
}

fn read_timers(map: &Map<'_>, is_read_off: bool) -> TimerSettings {
    let defaults = if is_read_off { READ_OFF_TIMERS } else { MENU_TIMERS };
    let own = map.optional("timers").and_then(|timers| timers.map(&TIMERS));
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
