//! Prompts: clips that must exist in every language, variables, pauses, and choices by card brand.

use crate::card::Brand;
use crate::menu::model::Prompt;
use crate::menu::problem::suggest;
use crate::speech::Language;

use super::reader::Value;

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
        if value.node.scalar().is_some() {
            return self.prompt(value).into_iter().collect();
        }
        value.list().unwrap_or_default().iter().filter_map(|item| self.prompt(item)).collect()
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
                value.problem(format!("unknown variable {text:?}"), cure);
            }
            return found.map(|(_, prompt)| prompt.clone());
        }
        self.clip(value, text, None)
    }

    fn clip(&self, value: &Value<'_>, id: &str, fixed: Option<Language>) -> Option<Prompt> {
        let needed = fixed.map_or_else(|| self.languages.to_vec(), |language| vec![language]);
        let missing: Vec<Language> = needed.into_iter().filter(|language| !self.catalog.has(*language, id)).collect();
        for language in &missing {
            let ids = self.catalog.ids(*language);
            let near = crate::menu::problem::nearest(id, ids.iter().map(String::as_str));
            let cure = near.map_or_else(
                || "record or render it; `tonopago prompts list` shows what there is".to_owned(),
                |name| format!("did you mean {name:?}?"),
            );
            value.problem(format!("no prompt {id:?} in {}", language.code()), cure);
        }
        missing.is_empty().then(|| Prompt::Clip { id: id.to_owned(), language: fixed })
    }

    fn special(&self, value: &Value<'_>) -> Option<Prompt> {
        let map = value.map(&["clip", "language", "pause", "brand", "say", "otherwise"])?;
        if let Some(pause) = map.optional("pause") {
            return pause.duration().map(Prompt::Pause);
        }
        if let Some(brand) = map.optional("brand") {
            let brand = read_brand(&brand);
            let say = map.required("say").and_then(|say| self.prompt(&say));
            let otherwise = map.required("otherwise").and_then(|other| self.prompt(&other));
            return Some(Prompt::IfBrand { brand: brand?, say: say?.into(), otherwise: otherwise?.into() });
        }
        let clip = map.required("clip")?;
        let language = map.optional("language").and_then(|language| read_language(&language));
        self.clip(&clip, clip.text()?, language)
    }
}

fn read_brand(value: &Value<'_>) -> Option<Brand> {
    let text = value.text()?;
    let found = BRANDS.into_iter().find(|brand| brand.name().eq_ignore_ascii_case(text));
    if found.is_none() {
        value.problem(format!("unknown card brand {text:?}"), suggest(text, BRANDS.iter().map(|brand| brand.name())));
    }
    found
}

pub(super) fn read_language(value: &Value<'_>) -> Option<Language> {
    let text = value.text()?;
    let found = Language::parse(text);
    if found.is_none() {
        value.problem(format!("unknown language {text:?}"), "possible here: es-MX, en-US");
    }
    found
}
