//! Prompts: clips that must exist in every language, values, pauses, and choices.

use std::ops::RangeInclusive;

use crate::menu::model::{FieldKind, Prompt, Spelling, Test, Value as Known};
use crate::money::{Currency, Money};
use crate::speech::Language;
use crate::yaml::{Map, Node, Value, nearest, quoted};

use super::Context;
use super::conditions::{TEST, read_brand};

/// Shortest and longest pause, in ms: a caller takes a longer silence for a dead line.
const PAUSES_MS: RangeInclusive<u64> = 0..=30_000;
/// Most prompts of one list.
const MOST_PROMPTS: usize = 50;
/// Most digits said at once.
const MOST_DIGITS: usize = 32;
/// Names by which something to say that is more than a clip or a value is known.
pub(in crate::menu) const SPECIAL: [&str; 9] =
    ["clip", "pause", "digits", "number", "amount", "brand", "if", "tries", "attempt"];

/// Tells which clips exist; the speech room's catalogue implements it, and tests do.
pub trait Catalog {
    /// Whether the clip exists in the language.
    fn has(&self, language: Language, id: &str) -> bool;
    /// All clip ids of a language, for suggestions.
    fn ids(&self, language: Language) -> Vec<String>;
    /// Whether amounts and numbers are joined of this clip.
    fn joins_numbers(&self, id: &str) -> bool {
        let _ = id;
        false
    }
    /// What the clip says, where that is known.
    fn text(&self, language: Language, id: &str) -> Option<String> {
        let _ = (language, id);
        None
    }
}

impl Context<'_> {
    /// A list of prompts, or a single one.
    pub(super) fn prompts(&self, value: &Value<'_>) -> Vec<Prompt> {
        if value.node.scalar().is_some() || matches!(value.node, Node::Map(_)) {
            return self.prompt(value).into_iter().collect();
        }
        let items = value.list().unwrap_or_default();
        if items.len() > MOST_PROMPTS {
            value.problem_of_name(
                format!("{} things to say in one breath", items.len()),
                format!("say at most {MOST_PROMPTS}, or go on in another state"),
            );
        }
        items.iter().filter_map(|item| self.prompt(item)).collect()
    }

    /// A default clip, used only where there is one in all languages.
    pub(super) fn default_clip(&self, id: &str) -> Vec<Prompt> {
        let exists = self.languages.iter().all(|language| self.has_clip(*language, id));
        exists.then(|| self.said_with_its_word(id)).into_iter().collect()
    }

    fn prompt(&self, value: &Value<'_>) -> Option<Prompt> {
        if value.node.scalar().is_none() {
            return self.special(value);
        }
        let text = value.text()?;
        if text.starts_with('$') {
            let value = self.sayable(value)?;
            return Some(Prompt::Value { value, spelling: Spelling::Natural });
        }
        self.clip(value, text, None)
    }

    /// A value that may be said: of card data only the last four digits may.
    fn sayable(&self, value: &Value<'_>) -> Option<Known> {
        let known = self.known_value(value)?;
        match known {
            Known::Field(field) if self.fields[field.0].kind.is_card_data() => {
                let message = format!("{} is secret: card data is never said", quoted(value.text()?));
                value.problem(message, "say $last_four at most");
                None
            }
            Known::Field(field) if self.fields[field.0].kind == FieldKind::YesNo => {
                let cure = format!("say {{ if: {}, is: yes, say: CLIP, otherwise: CLIP }}", value.text()?);
                value.problem("yes and no have no digits to be said", cure);
                None
            }
            Known::Brand | Known::Language => {
                let cure = "say { brand: Visa, say: CLIP, otherwise: CLIP } or { if: $language, is: en-US, say: CLIP }";
                value.problem("this has no digits to be said", cure);
                None
            }
            _ => Some(known),
        }
    }

    fn has_clip(&self, language: Language, id: &str) -> bool {
        self.texts.iter().any(|own| own.language == language && own.id == id) || self.catalog.has(language, id)
    }

    /// The clip, in the form that says this menu's words for `#` and `*` where there is one.
    fn said_with_its_word(&self, id: &str) -> Prompt {
        let clip = |id: String| Prompt::Clip { id, language: None };
        let own = self.texts.iter().any(|own| own.id == id);
        let forms = self.words.forms_of(id).filter(|(language, form)| !own && self.catalog.has(*language, form));
        forms.fold(clip(id.to_owned()), |otherwise, (language, form)| Prompt::If {
            test: Test::Is { value: Known::Language, text: language.code().to_owned() },
            say: vec![clip(form)],
            otherwise: vec![otherwise],
        })
    }

    /// A clip that says the built-in word where the menu has another.
    fn must_not_say_the_other_word(&self, value: &Value<'_>, id: &str) {
        if self.texts.iter().any(|own| own.id == id) {
            return;
        }
        for (language, built_in, chosen, form) in self.words.replaced(id) {
            let says = self.catalog.text(language, id).is_some_and(|text| text.to_lowercase().contains(built_in));
            if says && !self.catalog.has(language, &form) {
                value.problem(
                    format!("{} says {built_in:?} in {language}, not {}", quoted(id), quoted(chosen)),
                    "write a text of your own for it under prompts: at the top",
                );
            }
        }
    }

    fn clip(&self, value: &Value<'_>, id: &str, fixed: Option<Language>) -> Option<Prompt> {
        let needed = fixed.map_or_else(|| self.languages.to_vec(), |language| vec![language]);
        let missing: Vec<Language> = needed.into_iter().filter(|language| !self.has_clip(*language, id)).collect();
        let own = self.texts.iter().any(|own| own.id == id);
        if own && !missing.is_empty() && missing.iter().all(|language| self.languages.contains(language)) {
            return None; // told where its text is written
        }
        if let Some(first) = missing.first() {
            let ids = self.catalog.ids(*first);
            let known = ids.iter().chain(self.texts.iter().map(|own| &own.id));
            let near = nearest(id, known.map(String::as_str).filter(|known| *known != id));
            let cure = near.map_or_else(
                || "write its text under prompts: at the top; `tonopago prompts list` shows what there is".to_owned(),
                |name| format!("did you mean {name:?}?"),
            );
            let codes: Vec<&str> = missing.iter().map(|language| language.code()).collect();
            value.problem(format!("no prompt {} in {}", quoted(id), codes.join(" and ")), cure);
            return None;
        }
        match fixed {
            None => {
                self.must_not_say_the_other_word(value, id);
                Some(self.said_with_its_word(id))
            }
            Some(_) => Some(Prompt::Clip { id: id.to_owned(), language: fixed }),
        }
    }

    fn special(&self, value: &Value<'_>) -> Option<Prompt> {
        let Node::Map(_) = value.node else {
            value.expected(
                "something to say",
                "write a prompt's name, $amount or another variable, or { pause: 300ms }",
            );
            return None;
        };
        let probe = value.any_map()?;
        match SPECIAL.into_iter().find(|name| *name != "clip" && probe.has(name)) {
            Some("pause") => value.map(&["pause"])?.required("pause")?.duration(PAUSES_MS).map(Prompt::Pause),
            Some("digits") => self.spelled(&value.map(&["digits"])?.required("digits")?, Spelling::Digits),
            Some("number") => self.spelled(&value.map(&["number"])?.required("number")?, Spelling::Number),
            Some("amount") => read_amount(&value.map(&["amount"])?.required("amount")?),
            Some("brand") => self.by_brand(&value.map(&["brand", "say", "otherwise"])?),
            Some(_) => self.by_test(&value.map(&[&TEST[..], &["say", "otherwise"]].concat())?),
            None => {
                let map = value.map(&["clip", "language", "pause", "digits", "number", "amount", "brand", "if"])?;
                let clip = map.required("clip")?;
                let language = map.optional("language").and_then(|language| read_language(&language));
                self.clip(&clip, clip.text()?, language)
            }
        }
    }

    /// `{ number: $piso }`, `{ number: 12 }`, `{ digits: "5512345678" }`.
    fn spelled(&self, value: &Value<'_>, spelling: Spelling) -> Option<Prompt> {
        let text = value.text()?;
        if text.starts_with('$') {
            return Some(Prompt::Value { value: self.sayable(value)?, spelling });
        }
        let digits = text.len() <= MOST_DIGITS && text.bytes().any(|byte| byte.is_ascii_alphanumeric());
        let prompt = match spelling {
            Spelling::Number => text.parse().ok().map(Prompt::Number),
            _ => digits.then(|| Prompt::Digits(text.to_owned())),
        };
        if prompt.is_none() {
            value.expected("digits to say", "write them in quotes, such as \"55 1234 5678\", or a $variable");
        }
        prompt
    }

    fn by_brand(&self, map: &Map<'_>) -> Option<Prompt> {
        let brand = read_brand(&map.required("brand")?);
        let (say, otherwise) = (map.required("say"), map.required("otherwise"));
        let [say, otherwise] = [say, otherwise].map(|list| list.map(|list| self.prompts(&list)));
        let test = Test::Is { value: Known::Brand, text: brand?.name().to_owned() };
        Some(Prompt::If { test, say: say?, otherwise: otherwise? })
    }

    fn by_test(&self, map: &Map<'_>) -> Option<Prompt> {
        let test = self.test(map);
        let say = map.required("say").map(|say| self.prompts(&say));
        let otherwise = map.optional("otherwise").map(|other| self.prompts(&other)).unwrap_or_default();
        Some(Prompt::If { test: test?, say: say?, otherwise })
    }
}

fn read_amount(value: &Value<'_>) -> Option<Prompt> {
    let amount = value.text().and_then(|text| Money::parse(text, Currency::Mxn).ok());
    if amount.is_none() {
        value.expected("an amount", "write one such as 200 or 49.90");
    }
    amount.map(Prompt::Money)
}

pub(super) fn read_language(value: &Value<'_>) -> Option<Language> {
    let text = value.text()?;
    let found = Language::parse(text);
    if found.is_none() {
        let known = Language::ALL.map(Language::code).join(", ");
        value.problem(format!("unknown language {}", quoted(text)), format!("possible here: {known}"));
    }
    found
}
