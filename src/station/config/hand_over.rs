//! The `hand_over:` of a line.

use crate::line::hook::HookPlan;
use crate::line::{FlashTimes, HandoverConfig};
use crate::yaml::{Map, Node, Value, quoted};

/// What an AudioSocket's line says.
const BY_DIAL_PLAN: &str = "dialplan";
/// What a line with a hook says, if its exchange wants the usual times.
const BY_FLASH: &str = "flash";

/// Reads a line's, if it has one: `flash` or its times, with a hook; `dialplan`, where its calls come `from_asterisk`. A hook
/// that could not be read is told of elsewhere.
pub(super) fn read(line: &Map<'_>, from_asterisk: bool, hook: Option<&HookPlan>) -> Option<Option<HandoverConfig>> {
    let Some(value) = line.optional("hand_over") else { return Some(None) };
    let word = value.node.scalar();
    match (from_asterisk, word) {
        (true, Some(BY_DIAL_PLAN)) => return Some(Some(HandoverConfig::Asked)),
        (true, _) => {
            value.problem_of_name(
                "an AudioSocket has no hook to flash",
                "write dialplan, and let Asterisk's dial plan ask for the number; README.md has one",
            );
            return None;
        }
        (false, Some(BY_DIAL_PLAN)) => {
            value.problem_of_name("only an AudioSocket's calls come from a dial plan", "write flash, with a hook");
            return None;
        }
        (false, _) => {}
    }
    if hook.is_some_and(|hook| !hook.has_signals()) {
        value.problem_of_name("a line without a hook cannot flash", "add hook:, or remove hand_over");
        return None;
    }
    if word == Some(BY_FLASH) {
        return Some(Some(HandoverConfig::Flash(FlashTimes::default())));
    }
    if !matches!(value.node, Node::Map(_)) {
        value.expected("flash, or its times", "write flash, or { flash: 100ms }");
        return None;
    }
    read_times(&value).map(|times| Some(HandoverConfig::Flash(times)))
}

fn read_times(value: &Value<'_>) -> Option<FlashTimes> {
    let (map, usual) = (value.map(&["flash", "dial_after", "hang_up_after", "plus"])?, FlashTimes::default());
    let time = |name, most_ms, usual| map.optional(name).map_or(Some(usual), |value| value.duration(10..=most_ms));
    let flash = time("flash", 2000, usual.flash);
    let (dial_after, hang_up_after) =
        (time("dial_after", 20_000, usual.dial_after), time("hang_up_after", 60_000, usual.hang_up_after));
    let plus = map.optional("plus").map_or(Some(usual.plus), |value| read_keys(&value));
    Some(FlashTimes { flash: flash?, dial_after: dial_after?, hang_up_after: hang_up_after?, plus: plus? })
}

fn read_keys(value: &Value<'_>) -> Option<String> {
    let keys = value.text()?;
    if keys.chars().all(|key| key.is_ascii_digit() || key == '*' || key == '#') {
        return Some(keys.to_owned());
    }
    value.problem(format!("{} cannot be dialled", quoted(keys)), "write digits, * and # in quotes, such as \"00\"");
    None
}
