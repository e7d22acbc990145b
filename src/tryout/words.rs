//! Events as the lines of a transcript: what a caller hears in words, without times.

use crate::call::voice::groups_of;
use crate::menu::{EventKind, Party, Utterance, with_values};
use crate::speech::{self, Clips, Language};

/// A line of a transcript, or nothing for what does not show how a menu behaves.
pub(super) fn line(clips: &Clips, event: &EventKind) -> Option<String> {
    Some(match event {
        EventKind::State { name } => format!("state {name}"),
        EventKind::Prompt { parts, .. } => format!("  says {}", said(clips, parts)),
        EventKind::BargeIn => "  (cut by a key)".to_owned(),
        EventKind::Dropped { keys, why } => format!("  drops {keys} key(s): {}", why.name()),
        EventKind::Timer(timer) => format!("  timer {}", timer.name()),
        EventKind::Outcome(outcome) => format!("  {outcome}"),
        EventKind::Request { service, told, .. } => format!("  asks {service}{}", with_values(told)),
        EventKind::Reply { result, late, .. } => {
            format!("  answer {result}{}", if *late { " (too late)" } else { "" })
        }
        EventKind::Hours { .. } => format!("  {}", event.to_string().replacen("hours    ", "hours ", 1)),
        EventKind::Saved(answers) => format!("  saves {answers}"),
        EventKind::Transfer { to } => format!("transfer to {to}"),
        EventKind::HangUp { by: Party::Caller } => "hang-up by the caller".to_owned(),
        EventKind::HangUp { by: Party::Box } => "hang-up by the box".to_owned(),
        EventKind::PromptEnded | EventKind::Key { .. } => return None,
    })
}

/// What is said, in words; pauses are left to the ear.
fn said(clips: &Clips, parts: &[Utterance]) -> String {
    let words: Vec<String> = parts.iter().filter_map(|part| words(clips, part)).collect();
    format!("\"{}\"", words.join(" "))
}

fn words(clips: &Clips, part: &Utterance) -> Option<String> {
    Some(match part {
        Utterance::Clip { id, language } => clip(clips, *language, id),
        Utterance::Amount { amount, language } => speech::words(*language, *amount),
        Utterance::Digits { text, .. } => grouped(text),
        Utterance::Number { number, language } => speech::text_of(*language, &speech::number(*language, *number)),
        Utterance::Pause(_) => return None,
    })
}

/// The clip's words in one line, as a transcript is read line by line; its name where nobody wrote down what a recording says.
fn clip(clips: &Clips, language: Language, id: &str) -> String {
    match clips.get(language, id).map(speech::Clip::text) {
        Some(text) if !text.is_empty() => text.split_whitespace().collect::<Vec<_>>().join(" "),
        _ => format!("<{id}>"),
    }
}

/// Digits in the groups they are read in.
fn grouped(text: &str) -> String {
    let mut characters = text.chars().filter(|character| !character.is_whitespace());
    let group = |size: usize| characters.by_ref().take(size).collect::<String>();
    let mut groups: Vec<String> = groups_of(text).into_iter().map(group).collect();
    groups.push(characters.collect());
    groups.retain(|group| !group.is_empty());
    groups.join(" ")
}
