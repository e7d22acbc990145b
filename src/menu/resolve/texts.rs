//! Prompts whose words the menu itself has, and the words for `#` and `*`.

use crate::menu::model::OwnText;
use crate::menu::said_by_itself::form_of;
use crate::speech::Language;
use crate::yaml::{Map, Node, Value, quoted};

use super::Catalog;

/// Longest text of one prompt, in characters: more than a minute of speech.
const LONGEST: usize = 1000;
/// Longest word for a key.
const LONGEST_WORD: usize = 30;
/// What the built-in clips call the keys, by language.
const BUILT_IN: [(char, Language, &str); 4] = [
    ('#', Language::EsMx, "gato"),
    ('*', Language::EsMx, "asterisco"),
    ('#', Language::EnUs, "pound"),
    ('*', Language::EnUs, "star"),
];

/// What this menu calls the keys `#` and `*`.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    chosen: Vec<(char, Language, String)>,
}

impl Words {
    fn word(&self, key: char, language: Language) -> &str {
        let chosen = self.chosen.iter().find(|(of, spoken, _)| *of == key && *spoken == language);
        let built_in = BUILT_IN.iter().find(|(of, spoken, _)| *of == key && *spoken == language);
        chosen.map_or_else(|| built_in.map_or("", |(.., word)| word), |(.., word)| word)
    }

    /// The ids under which clips that say the chosen words are kept: `pide_clave__numeral`.
    pub(super) fn forms_of<'a>(&'a self, id: &'a str) -> impl Iterator<Item = (Language, String)> + 'a {
        self.chosen.iter().map(move |(_, language, word)| (*language, form_of(id, word)))
    }

    /// Words that differ from the built-in ones: language, built-in word, chosen word, the clip's id with that.
    pub(super) fn replaced<'a>(
        &'a self,
        id: &'a str,
    ) -> impl Iterator<Item = (Language, &'static str, &'a str, String)> + 'a {
        self.chosen.iter().filter_map(move |(key, language, word)| {
            let (.., built_in) = BUILT_IN.iter().find(|(of, spoken, _)| of == key && spoken == language)?;
            (built_in != word).then(|| (*language, *built_in, word.as_str(), form_of(id, word)))
        })
    }

    /// The text with its `{#}` and `{*}` replaced.
    fn put_into(&self, text: &str, language: Language) -> String {
        text.replace("{#}", self.word('#', language)).replace("{*}", self.word('*', language))
    }
}

/// `words: { "#": numeral }`, or by language.
pub(super) fn read_words(map: &Map<'_>, languages: &[Language]) -> Words {
    let mut words = Words::default();
    let Some(written) = map.optional("words").and_then(|words| words.map(&["#", "*"])) else { return words };
    for (key, value) in written.entries() {
        let Some(key) = key.chars().next() else { continue };
        for (language, text) in by_language(&value, languages) {
            if text.is_empty() || text.chars().count() > LONGEST_WORD {
                value.problem("this is no word for a key", "write a word such as numeral or gato");
            }
            words.chosen.push((key, language, text));
        }
    }
    words
}

/// `prompts: { saludo: "Bienvenido." }`, or a text by language. To be heard, each must have its clip.
pub(super) fn read(
    map: &Map<'_>,
    languages: &[Language],
    words: &Words,
    clips: &dyn Catalog,
    to_be_heard: bool,
) -> Vec<OwnText> {
    let mut texts = Vec::new();
    let Some(written) = map.optional("prompts").and_then(|prompts| prompts.any_map()) else { return texts };
    for (id, value) in written.entries() {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
            value.problem_of_name(
                format!("{} cannot be a prompt's name", quoted(id)),
                "use small letters a-z, digits and _: it becomes the name of a file",
            );
        }
        if clips.joins_numbers(id) {
            value.problem_of_name(
                format!("amounts and numbers are joined of {}: they would say this instead", quoted(id)),
                format!("begin its name with something of yours, such as mi_{id}"),
            );
        }
        for (language, text) in by_language(&value, languages) {
            if text.trim().is_empty() || text.chars().count() > LONGEST {
                value.problem("this is nothing to say in one breath", format!("write 1 to {LONGEST} characters"));
            }
            let text = words.put_into(&text, language);
            warn_of_what_is_not_spoken(&value, &text);
            texts.push(OwnText { id: id.to_owned(), language, text });
        }
        if to_be_heard {
            must_have_clips(&value, id, &texts, clips);
        }
    }
    texts
}

fn warn_of_what_is_not_spoken(value: &Value<'_>, text: &str) {
    if let Some(placeholder) = placeholder(text) {
        value.warn(
            format!("{} in a text is spoken as it is written", quoted(placeholder)),
            "end the text there and say the value after it: say: [PROMPT, $amount, PROMPT]; of keys only {#} and {*} stand for \
             words",
        );
    }
    if let Some(key) = text.matches(['#', '*']).next() {
        value.warn(
            format!("{key:?} in a text is spoken as each voice likes, or not at all"),
            format!("write {{{key}}} for this menu's word for the key"),
        );
    }
}

/// What looks as if something were to be put in its place: `$amount`, `{importe}`.
fn placeholder(text: &str) -> Option<&str> {
    let in_braces = text.find('{').and_then(|open| Some(&text[open..=open + text[open..].find('}')?]));
    let is_name = |character: char| character.is_alphanumeric() || character == '_';
    let after_dollar = |at: usize| {
        let name = &text[at + 1..];
        let end = name.find(|character| !is_name(character)).unwrap_or(name.len());
        name.starts_with(char::is_alphabetic).then(|| &text[at..=at + end])
    };
    in_braces.or_else(|| text.match_indices('$').find_map(|(at, _)| after_dollar(at)))
}

fn must_have_clips(value: &Value<'_>, id: &str, texts: &[OwnText], clips: &dyn Catalog) {
    let own = || texts.iter().filter(|own| own.id == id);
    let told = |lacking: Vec<&str>, what: &str| {
        if !lacking.is_empty() {
            value.problem_of_name(
                format!("prompt {} {what} in {}", quoted(id), lacking.join(" and ")),
                "render it with `tonopago prompts render --menu FILE`, or record it",
            );
        }
    };
    let missing = own().filter(|own| !clips.has(own.language, id));
    told(missing.map(|own| own.language.code()).collect(), "has no clip yet");
    let says_another =
        |own: &&OwnText| clips.text(own.language, id).is_some_and(|text| !text.is_empty() && text != own.text);
    told(own().filter(says_another).map(|own| own.language.code()).collect(), "has other words than its clip");
}

/// One text for a menu of one language, or a text for each.
fn by_language(value: &Value<'_>, languages: &[Language]) -> Vec<(Language, String)> {
    if let Node::Map(_) = value.node {
        let Some(map) = value.any_map() else { return Vec::new() };
        let codes: Vec<&str> = languages.iter().map(|language| language.code()).collect();
        for (code, text) in map.entries().filter(|(code, _)| !codes.contains(code)) {
            text.problem_of_name(format!("{} is no language of this menu", quoted(code)), "see languages: at the top");
        }
        let lacking: Vec<&str> = codes.into_iter().filter(|code| !map.has(code)).collect();
        if !lacking.is_empty() {
            value.problem_of_name(format!("no text in {}", lacking.join(" and ")), "add it here");
        }
        let read = |language: &Language| Some((*language, map.optional(language.code())?.text()?.to_owned()));
        return languages.iter().filter_map(read).collect();
    }
    let Some(text) = value.text() else { return Vec::new() };
    if languages.len() > 1 {
        value.problem("this menu speaks more than one language", "write { es-MX: \"...\", en-US: \"...\" }");
    }
    vec![(languages[0], text.to_owned())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_looks_like_a_placeholder() {
        assert_eq!(placeholder("Debe $amount pesos."), Some("$amount"));
        assert_eq!(placeholder("Debe {importe} pesos."), Some("{importe}"));
        for fine in ["Cuesta $200.", "Oprima gato.", "a } b { c", "$", "¿$?"] {
            assert_eq!(placeholder(fine), None, "{fine}");
        }
    }

    #[test]
    fn texts_say_the_chosen_words() {
        let words = Words { chosen: vec![('#', Language::EsMx, "numeral".to_owned())] };
        assert_eq!(words.put_into("Oprima {#} o {*}.", Language::EsMx), "Oprima numeral o asterisco.");
        assert_eq!(words.put_into("Press {#}.", Language::EnUs), "Press pound.");
        assert_eq!(words.forms_of("pide").collect::<Vec<_>>(), [(Language::EsMx, "pide__numeral".to_owned())]);
    }
}
