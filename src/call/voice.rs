//! Turns what the menu wants said into clips, and clips into samples.

use std::sync::Arc;

use crate::menu::{Catalog, Utterance};
use crate::speech::{self, Clips, Language, Player, Spoken};

/// Digits read in one breath.
const GROUP: usize = 3;
/// The groups for a caller who asked to have everything slower: time to write each digit down.
const SLOW_GROUPS: [usize; 1] = [1];

/// The box's voice on one line.
pub(super) struct Voice {
    clips: Arc<Clips>,
    player: Player,
    /// Something was to be said and has neither been heard to its end nor cut; a cut leaves the player a short fade.
    speaking: bool,
}

impl Voice {
    pub(super) fn new(clips: Arc<Clips>) -> Self {
        Self { clips, player: Player::new(), speaking: false }
    }

    /// Says this after what is being said.
    pub(super) fn say(&mut self, utterances: &[Utterance]) {
        for utterance in utterances {
            let (pieces, language) = match utterance {
                Utterance::Clip { id, language } => (vec![Spoken::clip(id)], *language),
                Utterance::Amount { amount, language } => (speech::amount(*language, *amount), *language),
                Utterance::Digits { text, language, slow, .. } => (spell(*language, text, *slow), *language),
                Utterance::Number { number, language } => (speech::number(*language, *number), *language),
                Utterance::Pause(span) => {
                    (vec![Spoken::Pause(u32::try_from(span.as_ms()).unwrap_or(u32::MAX))], Language::EsMx)
                }
            };
            // The checks refuse menus with unknown clips; a call goes on without the words rather than not at all.
            if let Err(unknown) = self.player.enqueue(&pieces, &self.clips, language) {
                tracing::error!(%unknown, "a clip is missing");
            }
        }
        // Even if nothing of it can be said: the menu waits for the end of what it wanted said.
        self.speaking = true;
    }

    pub(super) fn stop(&mut self) {
        self.player.stop();
        self.speaking = false;
    }

    /// The next samples for the line; silence where nothing is said. True if what was to be said ends with them.
    pub(super) fn fill(&mut self, out: &mut [f32]) -> bool {
        self.player.fill(out);
        let ends = self.speaking && self.player.is_idle();
        self.speaking &= !ends;
        ends
    }
}

/// References are digits as a rule; one with letters is spelled.
fn spell(language: Language, text: &str, slow: bool) -> Vec<Spoken> {
    if text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        speech::reference(language, text)
    } else {
        let groups = if slow { SLOW_GROUPS.to_vec() } else { groups_of(text) };
        speech::digits(language, text, &groups)
    }
}

/// The groups digits are read in: as they are written, or by threes with no digit left alone at the end.
pub(crate) fn groups_of(text: &str) -> Vec<usize> {
    let counts = text.split_whitespace().map(|part| part.bytes().filter(u8::is_ascii_digit).count());
    let written: Vec<usize> = counts.filter(|count| *count > 0).collect();
    if written.len() > 1 {
        return written;
    }
    let digits = written.first().copied().unwrap_or(0);
    let (threes, rest) = (digits / GROUP, digits % GROUP);
    match (threes, rest) {
        (0, _) => vec![GROUP],
        (_, 0) => vec![GROUP; threes],
        (_, 1) => [vec![GROUP; threes - 1], vec![2, 2]].concat(),
        _ => [vec![GROUP; threes], vec![rest]].concat(),
    }
}

impl Catalog for Clips {
    fn has(&self, language: Language, id: &str) -> bool {
        self.get(language, id).is_some()
    }

    fn ids(&self, language: Language) -> Vec<String> {
        Self::ids(self, language).map(str::to_owned).collect()
    }

    fn text(&self, language: Language, id: &str) -> Option<String> {
        self.get(language, id).map(|clip| clip.text().to_owned())
    }

    fn joins_numbers(&self, id: &str) -> bool {
        Self::joins_numbers(id)
    }
}

#[cfg(test)]
mod tests {
    use super::groups_of;

    #[test]
    fn digits_are_read_in_the_groups_they_are_written_in_or_in_threes() {
        assert_eq!(groups_of("55 1234 5678"), [2, 4, 4]);
        assert_eq!(groups_of("801585"), [3, 3]);
        assert_eq!(groups_of("5512345678"), [3, 3, 2, 2]);
        assert_eq!(groups_of("79"), [3]);
        assert_eq!(groups_of("12345"), [3, 2]);
        assert_eq!(groups_of("--"), [3]);
    }
}
