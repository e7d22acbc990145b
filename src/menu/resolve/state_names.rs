//! The names a state may have, by what it does; the reading of states and the schema go by them.

/// Names any state may use.
pub(in crate::menu) const COMMON: [&str; 4] = ["say", "language", "barge_in", "keys"];
/// Names of states that take keys.
pub(in crate::menu) const ENTRY: [&str; 5] = ["say_again", "on", "attempts", "timers", "errors"];
/// Names of states that take a single key, besides.
pub(in crate::menu) const SINGLE_KEY: [&str; 2] = ["help", "global_keys"];
/// Names of states that collect a field, besides.
pub(in crate::menu) const COLLECTING: [&str; 2] = ["twice", "read_back"];
/// Names of states that ask a service.
pub(in crate::menu) const SERVICE: [&str; 4] = ["on", "attempts", "while_waiting", "wait_limit"];
/// What a state can do; each state does exactly one of these.
pub(in crate::menu) const KINDS: [&str; 15] = [
    "next",
    "choose",
    "confirm",
    "collect",
    "authorize",
    "charge",
    "months",
    "branch",
    "hours",
    "set",
    "save",
    "visit",
    "return",
    "transfer",
    "hang_up",
];
/// What a state does before it goes on to its `next`.
pub(in crate::menu) const WITH_NEXT: [&str; 3] = ["set", "save", "visit"];
/// Errors with prompts of their own.
pub(in crate::menu) const ERRORS: [&str; 10] = [
    "no_input",
    "no_match",
    "too_many",
    "invalid",
    "expired",
    "refused_card",
    "looks_like_card",
    "mismatch",
    "cleared",
    "still_there",
];
/// Errors that are counted by themselves.
pub(in crate::menu) const COUNTED: [&str; 4] = ["no_input", "no_match", "invalid", "mismatch"];
/// A state's timers.
pub(in crate::menu) const TIMERS: [&str; 4] = ["first_digit", "inter_digit", "grace", "limit"];

/// What a state of this kind may have besides what any state may have.
pub(in crate::menu) fn extra_names(does: &str) -> Vec<&'static str> {
    match does {
        "choose" | "confirm" | "months" => [&ENTRY[..], &SINGLE_KEY].concat(),
        "collect" => [&ENTRY[..], &COLLECTING].concat(),
        "authorize" | "charge" => SERVICE.to_vec(),
        "branch" => vec!["otherwise"],
        "hours" => vec!["on"],
        does if WITH_NEXT.contains(&does) => vec!["next"],
        _ => Vec::new(),
    }
}
