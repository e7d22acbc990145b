//! A call's trace as JSON lines.

use serde_json::{Value, json};
use tonopago::menu::{Event, EventKind, Party};

/// One event as an object: `at_s` (media time in seconds), `event` (its kind) and what belongs to it.
pub(super) fn event_json(event: &Event) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "a call is far shorter than 2^53 ms")]
    let at_s = event.at.as_ms() as f64 / 1000.0;
    match &event.kind {
        EventKind::State { name } => json!({ "at_s": at_s, "event": "state", "name": name }),
        EventKind::Prompt { says, .. } => json!({ "at_s": at_s, "event": "prompt", "says": says }),
        EventKind::PromptEnded => json!({ "at_s": at_s, "event": "prompt_ended" }),
        EventKind::BargeIn => json!({ "at_s": at_s, "event": "barge_in" }),
        EventKind::Key { shown, queued } => json!({ "at_s": at_s, "event": "key", "key": shown, "queued": queued }),
        EventKind::Dropped { keys, why } => {
            json!({ "at_s": at_s, "event": "keys_dropped", "keys": keys, "why": why.name() })
        }
        EventKind::Timer(timer) => json!({ "at_s": at_s, "event": "timer", "timer": timer.name() }),
        EventKind::Outcome(outcome) => json!({ "at_s": at_s, "event": "outcome", "outcome": outcome.to_string() }),
        EventKind::Request { id, service, told } => {
            let mut asked = json!({ "at_s": at_s, "event": "request", "id": id.0, "service": service });
            if !told.is_empty() {
                asked["told"] = told.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            }
            asked
        }
        EventKind::Reply { id, result, late } => {
            json!({ "at_s": at_s, "event": "reply", "id": id.0, "result": result, "late": late })
        }
        EventKind::Hours { name, is, at, line } => {
            json!({ "at_s": at_s, "event": "hours", "name": name, "is": is, "began": at.to_string(), "line": line })
        }
        EventKind::Saved(answers) => {
            let values: serde_json::Map<_, _> =
                answers.values.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            json!({ "at_s": at_s, "event": "saved", "answers": values })
        }
        EventKind::Transfer { to } => json!({ "at_s": at_s, "event": "transfer", "to": to }),
        EventKind::HangUp { by } => {
            let by = match by {
                Party::Caller => "caller",
                Party::Box => "box",
            };
            json!({ "at_s": at_s, "event": "hang_up", "by": by })
        }
    }
}
