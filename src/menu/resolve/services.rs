//! Reading the states that ask a service: which fields they use and where each answer leads.

use std::ops::RangeInclusive;

use crate::media::MediaTime;
use crate::menu::model::{Authorize, Charge, FieldId, FieldKind, StateId, Value as Known, VariableId, Waiting};
use crate::yaml::{Map, Node, Value, quoted};

use super::Context;
use super::states::{Outcomes, read_attempts};

const STILL_WORKING_EVERY: MediaTime = MediaTime::from_ms(8000);
const AUTHORIZE_LIMIT: MediaTime = MediaTime::from_ms(30_000);
const CHARGE_LIMIT: MediaTime = MediaTime::from_ms(180_000);
/// The names inside `authorize:`.
pub(in crate::menu) const AUTHORIZE: [&str; 3] = ["key", "with", "tells"];
/// What is wrong with a number in whose place a card's is as good, and the cure.
const MAY_BE_A_CARD: (&str, &str) =
    ("what may be a card's number is sent to nobody", "leave card_like: out where it is collected");
/// Shortest and longest wait for a service a menu may set, in ms.
const WAIT_LIMITS_MS: RangeInclusive<u64> = 1000..=600_000;

impl Context<'_> {
    pub(super) fn authorize(&self, map: &Map<'_>) -> Option<Authorize> {
        let settings = map.required("authorize")?;
        let names = [
            "authorized",
            "refused",
            "unknown",
            "expired",
            "already_paid",
            "blocked",
            "pending",
            "unavailable",
            "give_up",
        ];
        let on = Outcomes::read(map, self, &names);
        let refused = on.required("refused");
        let pending = self.where_pending(map, &on);
        let fields = settings.map(&AUTHORIZE)?;
        let with = self.sent_along(&fields);
        let key = self.key_asked_about(&settings, &fields);
        let tells = fields.optional("tells").map(|names| self.told(&names)).unwrap_or_default();
        let (authorized, unavailable) = (on.required("authorized"), on.required("unavailable"));
        Some(Authorize {
            key: key?,
            with: with?,
            tells,
            attempts: read_attempts(map),
            waiting: self.waiting(map, AUTHORIZE_LIMIT),
            on_authorized: authorized?,
            on_unknown: on.optional("unknown").or(refused)?,
            on_expired: on.optional("expired").or(refused)?,
            on_already_paid: on.optional("already_paid").or(refused)?,
            on_blocked: on.optional("blocked").or(refused)?,
            on_pending: pending.or(unavailable)?,
            on_unavailable: unavailable?,
            on_give_up: on.optional("give_up").or(self.give_up)?,
        })
    }

    /// The field of the payment key or of the account's number; `Some(None)` for neither.
    fn key_asked_about(&self, at: &Value<'_>, settings: &Map<'_>) -> Option<Option<FieldId>> {
        let named = settings.optional("key");
        let Some(text) = named.as_ref().and_then(|named| named.node.scalar()) else {
            let sends = settings.has("with");
            let may_do_without = named.is_none() && sends && self.field_of_kind(FieldKind::PaymentKey).is_none();
            return if may_do_without {
                Some(None)
            } else {
                self.used_field(at, named.as_ref(), FieldKind::PaymentKey).map(Some)
            };
        };
        match self.field_named(text).map(|field| (field, self.fields[field.0].kind)) {
            None if text == "none" => Some(None),
            Some((account, FieldKind::Digits)) if self.is_card_like(Known::Field(account)) => {
                named?.problem(MAY_BE_A_CARD.0, MAY_BE_A_CARD.1);
                None
            }
            Some((account, FieldKind::Digits)) => Some(Some(account)),
            Some((_, FieldKind::Amount | FieldKind::YesNo)) => {
                let cure = format!("write with: [{text}], and key: none where there is no key");
                named?.problem(format!("{} is no key", quoted(text)), cure);
                None
            }
            _ => self.used_field(at, named.as_ref(), FieldKind::PaymentKey).map(Some),
        }
    }

    /// `with: [monto, deuda]`: fields and variables by the names the authorizer knows them by.
    fn sent_along(&self, settings: &Map<'_>) -> Option<Vec<(String, Known)>> {
        let Some(with) = settings.optional("with") else { return Some(Vec::new()) };
        let items = with.list()?;
        if items.is_empty() {
            with.problem_of_name("nothing is sent", "write with: [field, variable], or leave it out");
        }
        let sent: Vec<_> = items.iter().map(|item| self.sent(item)).collect();
        for (at, item) in items.iter().enumerate() {
            let is_same = |earlier: &Option<(String, Known)>| earlier.is_some() && *earlier == sent[at];
            if sent[..at].iter().any(is_same) {
                item.problem(format!("{} is sent already", quoted(item.text()?)), "write each name once");
            }
        }
        sent.into_iter().collect()
    }

    fn sent(&self, item: &Value<'_>) -> Option<(String, Known)> {
        let name = item.text()?.trim_start_matches('$').to_owned();
        let value = self.known_value(item)?;
        let problem = match value {
            Known::Field(field) if self.fields[field.0].kind.is_card_data() => {
                Some(("card data is sent to nobody but the gateway", "leave it out"))
            }
            Known::Field(field) if self.fields[field.0].kind == FieldKind::PaymentKey => {
                Some(("a payment key is not sent along: it is what is asked about", "write key: and its name"))
            }
            known if self.is_card_like(known) => Some(MAY_BE_A_CARD),
            Known::Field(_) | Known::Variable(_) | Known::Language => None,
            _ => Some(("this is not known before the authorizer has answered", "send fields, variables and $language")),
        };
        match problem {
            Some((message, cure)) => {
                item.problem(message, cure);
                None
            }
            None => Some((name, value)),
        }
    }

    /// `tells: [concepto]`: variables that the authorizer's answer gives their values.
    fn told(&self, names: &Value<'_>) -> Vec<VariableId> {
        // What is wrong with them was told when they were declared.
        let Node::List(items) = names.node else { return Vec::new() };
        let name = |item: &Node| match item {
            Node::Map(entries) => entries.first().map(|(name, _)| name.clone()),
            other => other.scalar().map(str::to_owned),
        };
        let index = |name: String| self.variables.iter().position(|known| known.name == name).map(VariableId);
        items.iter().filter_map(|item| name(item).and_then(index)).collect()
    }

    /// A menu that charges must say where a key leads whose earlier charge may have gone through: who hears instead that
    /// nothing was charged, pays again.
    fn where_pending(&self, map: &Map<'_>, on: &Outcomes<'_>) -> Option<StateId> {
        if self.charges && !on.names("pending") {
            map.problem(
                "where to go on \"pending\" is not said: an earlier charge of this key may have gone through",
                "add on: { pending: STATE }, a state that says not to pay again, such as say: [sin_respuesta]",
            );
        }
        on.optional("pending")
    }

    pub(super) fn charge(&self, map: &Map<'_>) -> Option<Charge> {
        let settings = map.required("charge")?;
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
            "no_answer",
            "unavailable",
            "give_up",
        ];
        let on = Outcomes::read(map, self, &names);
        let declined = on.required("declined");
        let (approved, unknown) = (on.required("approved"), on.required("unknown"));
        let (wrong_number, unavailable) = (on.required("wrong_number"), on.required("unavailable"));
        let fields = settings.map(&["key", "card_number", "expiry", "cvv"])?;
        let field = |name, kind| self.used_field(&settings, fields.optional(name).as_ref(), kind);
        // What is charged is what was authorized, under its key: one that is named here has only to be one.
        let key = fields.has("key").then(|| self.key_asked_about(&settings, &fields));
        let pan = field("card_number", FieldKind::CardNumber);
        let (expiry, cvv) = (field("expiry", FieldKind::Expiry), field("cvv", FieldKind::Cvv));
        if key.is_some_and(|named| named.is_none()) {
            return None;
        }
        Some(Charge {
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
            on_no_answer: on.optional("no_answer").or(unknown)?,
            on_unavailable: unavailable?,
            on_give_up: on.optional("give_up").or(self.give_up)?,
        })
    }

    /// The named field, or the menu's only field of this type.
    fn used_field(&self, at: &Value<'_>, named: Option<&Value<'_>>, kind: FieldKind) -> Option<FieldId> {
        let type_name = FieldKind::NAMED.iter().find(|(_, known)| *known == kind).map_or("", |(name, _)| *name);
        let found = match named {
            Some(value) => self.field_named(value.text()?).filter(|id| self.fields[id.0].kind == kind),
            None => self.field_of_kind(kind),
        };
        let may_be_unread = match named {
            Some(value) => self.unread.iter().any(|unread| Some(unread.as_str()) == value.node.scalar()),
            None => !self.unread.is_empty(),
        };
        if found.is_none() && !self.incomplete && !may_be_unread {
            let cure = format!("add a state with collect: {{ field: {type_name} }}, or name the field that has it");
            match named {
                Some(value) => value
                    .problem(format!("no state collects a field {} of type {type_name}", quoted(value.text()?)), cure),
                None => at.problem_of_name(format!("no state collects a field of type {type_name}"), cure),
            }
        }
        found
    }

    fn waiting(&self, map: &Map<'_>, limit: MediaTime) -> Waiting {
        let own = map.optional("while_waiting").map(|list| self.prompts(&list));
        Waiting {
            say: own.unwrap_or_else(|| self.default_clip("seguimos")),
            every: STILL_WORKING_EVERY,
            limit: map.optional("wait_limit").and_then(|value| value.duration(WAIT_LIMITS_MS)).unwrap_or(limit),
        }
    }
}
