//! Prompts: clips that must exist in every language, variables, pauses, and choices by card brand.

use std::ops::RangeInclusive;

use crate::card::Brand;
use crate::menu::model::Prompt;
use crate::menu::problem::{nearest, quoted, suggest};
use crate::menu::yaml::Node;
use crate::speech::Language;

use super::reader::Value;

/// Shortest and longest pause, in ms: a caller takes a longer silence for a dead line.
const PAUSES_MS: RangeInclusive<u64> = 0..=30_000;
/// Most prompts of one list.
const MOST_PROMPTS: usize = 50;

/// The variables a prompt may speak.
const VARIABLES: [(&str, Prompt); 3] =
    [("$amount", Prompt::Amount), ("$reference", Prompt::Reference), ("$last_four", Prompt::LastFour)];

const BRANDS: [Brand; 5] = [Brand::Visa, Brand::Mastercard, Brand::AmericanExpress, Brand::Carnet, Brand::Other];

/// Tells which clips exist; the speech room's catalogue implements it, and tests do.
pub trait Catalog {
    /// Whether the clip exists in the language.
    fn has(&self, language: Language, id: &str) -> bool;
    /// All clip ids of a language, for suggestions.
    fn ids(&self, language: Language) -> Vec<String>;
}

/// Reads lists of prompts against a catalogue.
pub(super) struct PromptReader<'a> {
    pub(super) catalog: &'a dyn Catalog,
    pub(super) languages: &'a [Language],
}

impl PromptReader<'_> {
    /// A list of prompts, or a single one.
    pub(super) fn list(&self, value: &Value<'_>) -> Vec<Prompt> {
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

    /// A default clip, used only where the catalogue has it in all languages.
    pub(super) fn default_clip(&self, id: &str) -> Vec<Prompt> {
        let exists = self.languages.iter().all(|language| self.catalog.has(*language, id));
        exists.then(|| Prompt::Clip { id: id.to_owned(), language: None }).into_iter().collect()
    }

    fn prompt(&self, value: &Value<'_>) -> Option<Prompt> {
        if value.node.scalar().is_none() {
            return self.special(value);
        }
        let text = value.text()?;
        if text.starts_with('$') {
            let found = VARIABLES.iter().find(|(name, _)| *name == text);
            if found.is_none() {
                let cure = suggest(text, VARIABLES.iter().map(|(name, _)| *name));
                value.problem(format!("unknown variable {}", quoted(text)), cure);
            }
            return found.map(|(_, prompt)| prompt.clone());
        }
        self.clip(value, text, None)
    }

    fn clip(&self, value: &Value<'_>, id: &str, fixed: Option<Language>) -> Option<Prompt> {
        let needed = fixed.map_or_else(|| self.languages.to_vec(), |language| vec![language]);
        let missing: Vec<Language> = needed.into_iter().filter(|language| !self.catalog.has(*language, id)).collect();
        if let Some(first) = missing.first() {
            let ids = self.catalog.ids(*first);
            let near = nearest(id, ids.iter().map(String::as_str));
            let cure = near.map_or_else(
                || "record or render it; `tonopago prompts list` shows what there is".to_owned(),
                |name| format!("did you mean {name:?}?"),
            );
            let codes: Vec<&str> = missing.iter().map(|language| language.code()).collect();
            value.problem(format!("no prompt {} in {}", quoted(id), codes.join(" and ")), cure);
        }
        missing.is_empty().then(|| Prompt::Clip { id: id.to_owned(), language: fixed })
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
        if probe.has("pause") {
            let pause = value.map(&["pause"])?.required("pause")?;
            return pause.duration(PAUSES_MS).map(Prompt::Pause);
        }
        if probe.has("brand") {
            let map = value.map(&["brand", "say", "otherwise"])?;
            let brand = map.required("brand")?;
            let brand = read_brand(&brand);
            let say = map.required("say").and_then(|say| self.prompt(&say));
            let otherwise = map.required("otherwise").and_then(|other| self.prompt(&other));
            return Some(Prompt::IfBrand { brand: brand?, say: say?.into(), otherwise: otherwise?.into() });
        }
        let map = value.map(&["clip", "language", "pause", "brand"])?;
        let clip = map.required("clip")?;
        let language = map.optional("language").and_then(|language| read_language(&language));
        self.clip(&clip, clip.text()?, language)
    }
}

fn read_brand(value: &Value<'_>) -> Option<Brand> {
    let text = value.text()?;
    let found = BRANDS.into_iter().find(|brand| brand.name().eq_ignore_ascii_case(text));
    if found.is_none() {
        value.problem(
            format!("unknown card brand {}", quoted(text)),
            suggest(text, BRANDS.iter().map(|brand| brand.name())),
        );
    }
    found
}

pub(super) fn read_language(value: &Value<'_>) -> Option<Language> {
    let text = value.text()?;
    let found = Language::parse(text);
    if found.is_none() {
        value.problem(format!("unknown language {}", quoted(text)), "possible here: es-MX, en-US");
    }
    found
}
