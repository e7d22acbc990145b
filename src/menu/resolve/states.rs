//! Reading one state: what it does, what it says, where each of its outcomes leads.

use crate::dtmf::Digit;
use crate::media::MediaTime;
use crate::menu::model::{
    Authorize, Charge, Choose, Collect, Confirm, Entry, ErrorPrompts, FieldKind, Kind, State, StateId, TimerSettings,
    Waiting,
};

use super::Context;
use super::prompts::read_language;
use super::read_target;
use super::reader::{Map, Value};

/// Names any state may use.
const COMMON: [&str; 6] = ["say", "say_again", "language", "barge_in", "keys", "on"];
/// Names of states that take keys.
const ENTRY: [&str; 4] = ["attempts", "timers", "help", "errors"];
/// Names of states that ask a service.
const SERVICE: [&str; 3] = ["attempts", "while_waiting", "wait_limit"];
/// What a state can do; each state does exactly one of these.
const KINDS: [&str; 7] = ["next", "choose", "confirm", "collect", "authorize", "charge", "hang_up"];

const DEFAULT_ATTEMPTS: u8 = 3;
const STILL_WORKING_EVERY: MediaTime = MediaTime::from_ms(8000);
const AUTHORIZE_LIMIT: MediaTime = MediaTime::from_ms(30_000);
const CHARGE_LIMIT: MediaTime = MediaTime::from_ms(180_000);

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
            value.problem(
                format!("state {name:?} does {} things, not one", doing.len()),
                format!("give it exactly one of: {}", KINDS.join(", ")),
            );
            return None;
        };
        let extra: &[&str] = match does {
            "choose" | "confirm" | "collect" => &ENTRY,
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

    fn kind(&self, does: &str, map: &Map<'_>) -> Option<Kind> {
        match does {
            "next" => Some(Kind::Say { next: read_target(&map.required("next")?, self.names)? }),
            "choose" => self.choose(map).map(Kind::Choose),
            "confirm" => self.confirm(map).map(Kind::Confirm),
            "collect" => self.collect(map).map(Kind::Collect),
            "authorize" => self.authorize(map).map(Kind::Authorize),
            "charge" => self.charge(map).map(Kind::Charge),
            _ => map.required("hang_up")?.boolean().map(|_| Kind::HangUp),
        }
    }

    fn choose(&self, map: &Map<'_>) -> Option<Choose> {
        let options = map.required("choose")?.any_map()?;
        let read = |(key, target): (&str, Value<'_>)| {
            let digit = Digit::from_char(key.chars().next()?).filter(|_| key.len() == 1);
            if digit.is_none() {
                target.problem(format!("{key:?} is no telephone key"), "write one of 0-9, \"#\" or \"*\" in quotes");
            }
            Some((digit?, read_target(&target, self.names)?))
        };
        let options: Vec<_> = options.entries().map(read).collect();
        let entry = self.entry(map, &[], None);
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
        Some(Confirm { yes: yes?, no: no?, on_yes: on.required("yes")?, on_no: on.required("no")?, entry: entry? })
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

    fn authorize(&self, map: &Map<'_>) -> Option<Authorize> {
        let settings = map.required("authorize")?;
        let key = self.used_field(&settings, settings.map(&["key"])?.optional("key").as_ref(), FieldKind::PaymentKey);
        let names =
            ["authorized", "refused", "unknown", "expired", "already_paid", "blocked", "unavailable", "give_up"];
        let on = Outcomes::read(map, self, &names);
        let refused = on.required("refused");
        let (authorized, unavailable) = (on.required("authorized"), on.required("unavailable"));
        Some(Authorize {
            key: key?,
            attempts: read_attempts(map),
            waiting: self.waiting(map, AUTHORIZE_LIMIT),
            on_authorized: authorized?,
            on_unknown: on.optional("unknown").or(refused)?,
            on_expired: on.optional("expired").or(refused)?,
            on_already_paid: on.optional("already_paid").or(refused)?,
            on_blocked: on.optional("blocked").or(refused)?,
            on_unavailable: unavailable?,
            on_give_up: on.optional("give_up").or(self.give_up)?,
        })
    }

    fn charge(&self, map: &Map<'_>) -> Option<Charge> {
        let settings = map.required("charge")?;
        let fields = settings.map(&["key", "card_number", "expiry", "cvv"])?;
        let field = |name, kind| self.used_field(&settings, fields.optional(name).as_ref(), kind);
        let (key, pan) = (field("key", FieldKind::PaymentKey), field("card_number", FieldKind::CardNumber));
        let (expiry, cvv) = (field("expiry", FieldKind::Expiry), field("cvv", FieldKind::Cvv));
        let names = [
            "approved",
            "declined",
            "other_card",
            "call_bank",
            "wrong_number",
            "wrong_expiry",
            "wrong_cvv",
            "already_paid",
            "unknown",
            "unavailable",
            "give_up",
        ];
        let on = Outcomes::read(map, self, &names);
        let declined = on.required("declined");
        let (approved, unknown) = (on.required("approved"), on.required("unknown"));
        let (wrong_number, unavailable) = (on.required("wrong_number"), on.required("unavailable"));
        Some(Charge {
            key: key?,
            pan: pan?,
            expiry: expiry?,
            cvv: cvv?,
            attempts: read_attempts(map),
            waiting: self.waiting(map, CHARGE_LIMIT),
            on_approved: approved?,
            on_other_card: on.optional("other_card").or(declined)?,
            on_call_bank: on.optional("call_bank").or(declined)?,
            on_declined: declined?,
            on_correct_pan: wrong_number?,
            on_correct_expiry: on.optional("wrong_expiry").or(wrong_number)?,
            on_correct_cvv: on.optional("wrong_cvv").or(wrong_number)?,
            on_already_paid: on.optional("already_paid").or(approved)?,
            on_unknown: unknown?,
            on_unavailable: unavailable?,
            on_give_up: on.optional("give_up").or(self.give_up)?,
        })
    }

    /// The named field, or the menu's only field of this type.
    fn used_field(&self, at: &Value<'_>, named: Option<&Value<'_>>, kind: FieldKind) -> Option<super::FieldId> {
        let type_name = FieldKind::NAMED.iter().find(|(_, known)| *known == kind).map_or("", |(name, _)| *name);
        let found = match named {
            Some(value) => self.field_named(value.text()?).filter(|id| self.fields[id.0].kind == kind),
            None => self.field_of_kind(kind),
        };
        if found.is_none() {
            let cure = format!("add a state with collect: {{ field: {type_name} }}, or name the field that has it");
            named.unwrap_or(at).problem(format!("no state collects a field of type {type_name}"), cure);
        }
        found
    }

    fn waiting(&self, map: &Map<'_>, limit: MediaTime) -> Waiting {
        let own = map.optional("while_waiting").map(|list| self.prompts.list(&list));
        Waiting {
            say: own.unwrap_or_else(|| self.prompts.default_clip("seguimos")),
            every: STILL_WORKING_EVERY,
            limit: map.optional("wait_limit").and_then(|value| value.duration()).unwrap_or(limit),
        }
    }
}

/// The `on:` map of a state.
struct Outcomes<'a> {
    routes: Vec<(&'a str, Option<StateId>)>,
    state: &'a Map<'a>,
}

impl<'a> Outcomes<'a> {
    fn read(state: &'a Map<'a>, context: &Context<'_>, names: &[&str]) -> Self {
        let on = state.optional("on").and_then(|on| on.map(names));
        let routes = on.map_or_else(Vec::new, |on| {
            on.entries().map(|(name, target)| (name, read_target(&target, context.names))).collect()
        });
        Self { routes, state }
    }

    fn optional(&self, name: &str) -> Option<StateId> {
        self.routes.iter().find(|(known, _)| *known == name).and_then(|(_, target)| *target)
    }

    fn required(&self, name: &str) -> Option<StateId> {
        if self.routes.iter().all(|(known, _)| *known != name) {
            self.state
                .problem(format!("nothing is said about the outcome {name:?}"), format!("add on: {{ {name}: STATE }}"));
        }
        self.optional(name)
    }
}

fn flushes(map: &Map<'_>, does: &str) -> bool {
    let Some(value) = map.optional("keys") else {
        // What the caller keyed before hearing the amount cannot be a yes to it; nor to a charge under way.
        return matches!(does, "confirm" | "charge");
    };
    let text = value.text().unwrap_or_default();
    if !matches!(text, "keep" | "flush") {
        value.problem(format!("{text:?} says nothing about keys pressed ahead"), "write keys: keep or keys: flush");
    }
    text == "flush"
}

fn read_attempts(map: &Map<'_>) -> u8 {
    map.optional("attempts").and_then(|value| value.count(1..=9)).unwrap_or(DEFAULT_ATTEMPTS)
}

fn read_timers(map: &Map<'_>, is_card_data: bool) -> TimerSettings {
    let defaults = if is_card_data { CARD_TIMERS } else { MENU_TIMERS };
    let names = ["first_digit", "inter_digit", "grace", "limit"];
    let own = map.optional("timers").and_then(|timers| timers.map(&names));
    let span = |name: &str, default: MediaTime| {
        let written = own.as_ref().and_then(|own| own.optional(name));
        written.and_then(|value| value.duration()).unwrap_or(default)
    };
    TimerSettings {
        first_digit: span("first_digit", defaults.first_digit),
        inter_digit: span("inter_digit", defaults.inter_digit),
        grace: span("grace", defaults.grace),
        limit: span("limit", defaults.limit),
    }
}
