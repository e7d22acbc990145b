//! Turns what the menu wants said into clips, and clips into samples.

use std::sync::Arc;

use crate::menu::{Catalog, Utterance};
use crate::speech::{self, Clips, Language, Player, Spoken};

/// Groups in which references and other digits are read, with a pause between groups.
const DIGIT_GROUPS: [usize; 1] = [3];

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
                Utterance::Digits { text, language } => (spell(*language, text), *language),
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
fn spell(language: Language, text: &str) -> Vec<Spoken> {
    if text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        speech::reference(language, text)
    } else {
        speech::digits(language, text, &DIGIT_GROUPS)
    }
}

impl Catalog for Clips {
    fn has(&self, language: Language, id: &str) -> bool {
        self.get(language, id).is_some()
    }

    fn ids(&self, language: Language) -> Vec<String> {
        Self::ids(self, language).map(str::to_owned).collect()
    }
}
