//! A prompt must not name a key that does nothing: "press three" where there is no three.

use crate::menu::model::{Collect, FieldKind, FieldSpec, Kind, Prompt, State, YES_NO};
use crate::yaml::Path;

use super::Checker;
use super::order::prompts;

/// Words before a key.
const PRESS: [&str; 12] =
    ["oprima", "oprime", "presione", "presiona", "pulse", "pulsa", "teclee", "teclea", "press", "dial", "hit", "push"];
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

/// Cures: for a key that leads nowhere, and for a digit that is no entry.
const NO_WAY: &str = "lead the key somewhere, or say something else";
const NO_ENTRY: &str =
    "say something else: where digits are collected it is no whole entry, and global keys do nothing";

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
                        let is_entry = matches!(state.kind, Kind::Collect(_)) && key.is_ascii_digit();
                        self.problem(id, &message, if is_entry { NO_ENTRY } else { NO_WAY });
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
            // A single payment, and the plans; a smaller amount allows fewer.
            Kind::Months(months) => keys.extend(('1'..='9').take(1 + months.plans.len())),
            Kind::Collect(collect) => return Some(self.keys_of_an_entry(collect)),
            _ => return None,
        }
        if let (Some(help), Some(entry)) = (self.menu.global_keys.help, state.kind.entry())
            && !entry.help.is_empty()
        {
            keys.push(help.as_char());
        }
        if state.global_keys {
            keys.extend(self.global_keys());
        }
        Some(keys)
    }

    /// Keys that mean the same in every state that takes a single key.
    fn global_keys(&self) -> Vec<char> {
        let global = &self.menu.global_keys;
        let person = global.person.map(|(key, _)| key);
        [global.slower, global.language, person].into_iter().flatten().map(|key| key.as_char()).collect()
    }

    /// Where digits are collected, any may be named; but a global key is no more than a digit there, so it is named in vain
    /// unless that digit is an answer by itself. The same holds for all digits where there can be only one.
    fn keys_of_an_entry(&self, collect: &Collect) -> Vec<char> {
        let field = self.menu.field(collect.field);
        let global = self.global_keys();
        let in_vain = |key: &char| (global.contains(key) || *field.digits.end() == 1) && !is_an_answer(field, *key);
        let read_back = [YES_NO.0, YES_NO.1].into_iter().filter(|_| !collect.read_back.is_empty());
        let digits = ('0'..='9').filter(|key| !in_vain(key));
        ['*'].into_iter().chain(digits).chain(read_back).chain(field.end_key.map(|key| key.as_char())).collect()
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

/// Whether one digit is a whole entry of the field.
fn is_an_answer(field: &FieldSpec, key: char) -> bool {
    let number = match field.kind {
        FieldKind::YesNo => return [YES_NO.0, YES_NO.1].contains(&key),
        FieldKind::Amount => field.centavos_of(&key.to_string()),
        _ => key.to_digit(10).map(u64::from),
    };
    *field.digits.start() == 1 && number.is_some_and(|number| field.bounds.contains(&number))
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
    use crate::menu::Menu;
    use crate::speech::Clips;

    /// Any key from 1 to 6 was taken for one that chooses a plan, however few there are.
    #[test]
    fn a_key_beyond_the_last_plan_does_nothing() {
        let problems = |plans: &str| {
            let menu = format!(
                "{{version: 1, name: m, languages: [es-MX], start: clave, give_up: fin,
                  prompts: {{planes: \"Para pagar a seis meses, oprima tres.\"}}, states: {{
                  clave: {{say: [pide_clave], collect: {{field: payment_key}}, on: {{done: autorizar}}}},
                  autorizar: {{authorize: {{}}, on: {{authorized: meses, refused: fin, unavailable: fin}}}},
                  meses: {{say: [planes], months: {{{plans}}}, on: {{done: fin}}}},
                  fin: {{say: [despedida], hang_up: true}}}}}}"
            );
            Menu::parse_draft("m.yaml", &menu, &*Clips::embedded()).map(drop).map_err(|problems| problems.to_string())
        };
        let told = problems("3: 300").unwrap_err();
        assert!(told.contains("says \"planes\", which names the key 3, but that key does nothing here"), "{told}");
        assert_eq!(problems("3: 300, 6: 600"), Ok(()));
    }

    #[test]
    fn finds_the_keys_a_text_tells_to_press() {
        assert_eq!(named_keys("Para pagar, oprima uno. Para cancelar, oprima el 2."), ['1', '2']);
        assert_eq!(named_keys("Press the star key, or press nine."), ['*', '9']);
        assert_eq!(named_keys("Oprima cualquier tecla. Al terminar, oprima gato."), ['#']);
        assert_eq!(named_keys("Marque los tres dígitos; oprima 12."), []);
    }
}
