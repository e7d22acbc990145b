//! A prompt must not name a key that does nothing: "press three" where there is no three.

use crate::menu::model::{Kind, Prompt, State};

use crate::menu::place::Path;

use super::Checker;
use super::order::prompts;

/// Words before a key.
const PRESS: [&str; 8] = ["oprima", "presione", "pulse", "teclee", "press", "dial", "hit", "push"];
/// Words between them.
const BETWEEN: [&str; 9] = ["el", "la", "tecla", "número", "the", "key", "number", "de", "signo"];
/// Keys by the words for them.
const KEYS: [(&str, char); 30] = [
    ("cero", '0'),
    ("uno", '1'),
    ("dos", '2'),
    ("tres", '3'),
    ("cuatro", '4'),
    ("cinco", '5'),
    ("seis", '6'),
    ("siete", '7'),
    ("ocho", '8'),
    ("nueve", '9'),
    ("asterisco", '*'),
    ("estrella", '*'),
    ("gato", '#'),
    ("numeral", '#'),
    ("almohadilla", '#'),
    ("zero", '0'),
    ("one", '1'),
    ("two", '2'),
    ("three", '3'),
    ("four", '4'),
    ("five", '5'),
    ("six", '6'),
    ("seven", '7'),
    ("eight", '8'),
    ("nine", '9'),
    ("star", '*'),
    ("asterisk", '*'),
    ("pound", '#'),
    ("hash", '#'),
    ("#", '#'),
];

impl Checker<'_> {
    pub(super) fn keys_that_are_named(&self) {
        for (id, state) in self.states() {
            // What is wrong with its keys already says it all.
            let path = Path::default().key("states").key(&state.name);
            let Some(works) = self.working_keys(state).filter(|_| !self.notes.concern(&path)) else { continue };
            let mut told = Vec::new();
            for (clip, text) in prompts(state).flat_map(|prompt| self.texts_of(prompt)) {
                for key in named_keys(&text).into_iter().filter(|key| !works.contains(key)) {
                    if !told.contains(&(clip.clone(), key)) {
                        let message =
                            format!("says {clip:?}, which names the key {key}, but that key does nothing here");
                        self.problem(id, &message, "lead the key somewhere, or say something else");
                        told.push((clip.clone(), key));
                    }
                }
            }
        }
    }

    /// The keys that do something in a state; `None` where keys are not asked for one by one.
    fn working_keys(&self, state: &State) -> Option<Vec<char>> {
        let mut keys = vec!['*'];
        match &state.kind {
            Kind::Choose(choose) => keys.extend(choose.options.iter().map(|(key, _)| key.as_char())),
            Kind::Confirm(confirm) => keys.extend([confirm.yes.as_char(), confirm.no.as_char()]),
            Kind::Months(_) => keys.extend('1'..='6'),
            Kind::Collect(collect) => {
                keys.extend('0'..='9');
                keys.extend(self.menu.field(collect.field).end_key.map(|key| key.as_char()));
            }
            _ => return None,
        }
        if let (Some(help), Some(entry)) = (self.menu.global_keys.help, state.kind.entry())
            && !entry.help.is_empty()
        {
            keys.push(help.as_char());
        }
        if state.global_keys {
            let global = &self.menu.global_keys;
            let person = global.person.map(|(key, _)| key);
            keys.extend([global.slower, global.language, person].into_iter().flatten().map(|key| key.as_char()));
        }
        Some(keys)
    }

    /// The clips of a prompt with what they say.
    fn texts_of(&self, prompt: &Prompt) -> Vec<(String, String)> {
        match prompt {
            Prompt::Clip { id, language } => {
                let languages = language.map_or_else(|| self.menu.languages.clone(), |fixed| vec![fixed]);
                let text = |language| {
                    let own = self.menu.texts.iter().find(|own| own.id == *id && own.language == language);
                    own.map(|own| own.text.clone()).or_else(|| self.catalog.text(language, id))
                };
                languages.into_iter().filter_map(|language| Some((id.clone(), text(language)?))).collect()
            }
            Prompt::If { say, otherwise, .. } => {
                say.iter().chain(otherwise).flat_map(|prompt| self.texts_of(prompt)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The keys a text tells to press.
fn named_keys(text: &str) -> Vec<char> {
    let text = text.to_lowercase();
    let words: Vec<&str> = text
        .split(|character: char| !character.is_alphanumeric() && !"*#".contains(character))
        .filter(|word| !word.is_empty())
        .collect();
    let presses = words.iter().enumerate().filter(|(_, word)| PRESS.contains(word));
    presses
        .filter_map(|(at, _)| words[at + 1..].iter().find(|word| !BETWEEN.contains(word)))
        .filter_map(|word| key_of(word))
        .collect()
}

fn key_of(word: &str) -> Option<char> {
    let by_word = KEYS.iter().find(|(known, _)| *known == word).map(|(_, key)| *key);
    let mut characters = word.chars();
    let itself = characters.next().filter(|key| key.is_ascii_digit() || "*#".contains(*key));
    by_word.or_else(|| itself.filter(|_| characters.next().is_none()))
}

#[cfg(test)]
mod tests {
    use super::named_keys;

    #[test]
    fn finds_the_keys_a_text_tells_to_press() {
        assert_eq!(named_keys("Para pagar, oprima uno. Para cancelar, oprima el 2."), ['1', '2']);
        assert_eq!(named_keys("Press the star key, or press nine."), ['*', '9']);
        assert_eq!(named_keys("Oprima cualquier tecla. Al terminar, oprima gato."), ['#']);
        assert_eq!(named_keys("Marque los tres dígitos; oprima 12."), []);
    }
}
