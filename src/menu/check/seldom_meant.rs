//! What is allowed, but seldom meant, and told of by nobody until a caller meets it: languages that no call goes on in, prompts
//! that are never said, questions that are never answered with yes, and "nothing was charged" said to who has paid.

use crate::menu::model::{FieldKind, Kind, Prompt, Setting, State, StateId, Test, Value, VariableId};
use crate::menu::said_by_itself;
use crate::yaml::{Path, quoted, suggest};

use super::Checker;
use super::order::prompts;

/// The built-in prompt that tells that nothing was charged in this call.
const NOTHING_IN_THIS_CALL: &str = "servicio_no_disponible";
/// Those that tell that nothing was charged for what was authorized last.
const NOTHING_FOR_THIS: [&str; 2] = ["cancelado", "no_hay_cargo"];

impl Checker<'_> {
    pub(super) fn what_is_seldom_meant(&self) {
        self.languages_never_spoken();
        self.prompts_never_said();
        self.questions_never_answered();
        self.nothing_charged_is_said_to_payers();
    }

    fn languages_never_spoken(&self) {
        let top = Path::default();
        let key_changes_it = self.menu.global_keys.language.is_some();
        if key_changes_it && self.menu.languages.len() == 1 {
            let path = top.key("global_keys").key("language").name();
            let cure = "add another to languages: at the top, or leave language: out";
            self.notes.warn(&path, "there is no other language to go on in", cure);
        }
        for (index, language) in self.menu.languages.iter().enumerate().skip(1) {
            let spoken = key_changes_it || self.states().any(|(_, state)| state.language == Some(*language));
            if !spoken {
                let code = language.code();
                self.notes.warn(
                    &top.key("languages").index(index),
                    format!(
                        "no call goes on in {code}: they begin in {}, and nothing changes it",
                        self.menu.languages[0]
                    ),
                    format!(
                        "lead a key to a state with language: {code}, or bind one: global_keys: {{ language: \"8\" }}"
                    ),
                );
            }
        }
    }

    fn prompts_never_said(&self) {
        let mut told: Vec<&str> = Vec::new();
        for own in &self.menu.texts {
            let said = said_by_itself::ALL.contains(&own.id.as_str()) || said_by_itself::is_form(&own.id);
            let by_a_state = || self.states().any(|(_, state)| says(state, &own.id, &|_| false));
            if said || told.contains(&own.id.as_str()) || by_a_state() {
                continue;
            }
            told.push(&own.id);
            let path = Path::default().key("prompts").key(&own.id).name();
            let message = format!("prompt {} is never said", quoted(&own.id));
            self.notes.warn(&path, message, "say it in a state, or remove it");
        }
    }

    /// A branch or a prompt that asks for what a value never is.
    fn questions_never_answered(&self) {
        for (_, state) in self.states() {
            let here = Path::default().key("states").key(&state.name);
            if let Kind::Branch { cases, .. } = &state.kind {
                for (index, (test, _)) in cases.iter().enumerate() {
                    self.never_holds(test, &here.key("branch").index(index).key("is"));
                }
            }
            for prompt in prompts(state) {
                self.questions_in(prompt, &here.name());
            }
        }
    }

    fn questions_in(&self, prompt: &Prompt, path: &Path) {
        if let Prompt::If { test, say, otherwise } = prompt {
            self.never_holds(test, path);
            say.iter().chain(otherwise).for_each(|prompt| self.questions_in(prompt, path));
        }
    }

    fn never_holds(&self, test: &Test, path: &Path) {
        let Test::Is { value, text } = test else { return };
        let told = match value {
            Value::Variable(variable) => self.never_set(*variable, text),
            Value::Field(field) => {
                let field = self.menu.field(*field);
                let (least, most) = (field.digits.start(), field.digits.end());
                let can_be = text.bytes().all(|byte| byte.is_ascii_digit()) && field.digits.contains(&text.len());
                let cure = if least == most {
                    format!("it has {most} digits: write as many")
                } else {
                    format!("it has {least} to {most} digits: write as many; or write at_least: and at_most:")
                };
                (field.kind == FieldKind::Digits && !can_be).then(|| (field.name.clone(), cure))
            }
            _ => None,
        };
        if let Some((name, cure)) = told {
            self.notes.warn(path, format!("${name} is never {}", quoted(text)), cure);
        }
    }

    /// The variable's name and what it is given, if that is never this text.
    fn never_set(&self, variable: VariableId, text: &str) -> Option<(String, String)> {
        if self.menu.variables[variable.0].is_told {
            return None;
        }
        let mut given = Vec::new();
        for (_, state) in self.states() {
            let Kind::Set { values, .. } = &state.kind else { continue };
            for (_, setting) in values.iter().filter(|(set, _)| *set == variable) {
                match setting {
                    Setting::Text(set) => given.push(set.as_str()),
                    Setting::Value(_) => return None,
                }
            }
        }
        let is_given = given.iter().any(|set| set.to_lowercase() == text.to_lowercase());
        let cure = suggest(text, given);
        (!is_given).then(|| (self.menu.variables[variable.0].name.clone(), cure))
    }

    /// Who has paid, or may have, would pay again.
    fn nothing_charged_is_said_to_payers(&self) {
        for (_, charge) in self.states() {
            let Kind::Charge(on) = &charge.kind else { continue };
            let paid = [on.on_approved, on.on_already_paid, on.on_unknown, on.on_no_answer];
            // What counts the payments may lead who has paid elsewhere, or say something else to them.
            let counts = |test: &Test| matches!(test, Test::Tries { state, .. } if paid.contains(state));
            let parts = |state: &State| match &state.kind {
                Kind::Branch { cases, .. } => cases.iter().any(|(test, _)| counts(test)),
                _ => false,
            };
            let another = |state: &State| parts(state) || matches!(state.kind, Kind::Authorize(_));
            let warn = |clips: &[&str], reached: &[bool]| self.warn_of_saying(clips, reached, &counts, on.on_approved);
            warn(&NOTHING_FOR_THIS, &self.reachable(paid.to_vec(), another));
            warn(&[NOTHING_IN_THIS_CALL], &self.reachable(paid.to_vec(), parts));
        }
    }

    fn warn_of_saying(&self, clips: &[&str], reached: &[bool], counts: &dyn Fn(&Test) -> bool, approved: StateId) {
        let built_in = |clip: &&&str| !self.menu.texts.iter().any(|own| own.id == **clip);
        for (_, state) in self.states().filter(|(id, _)| reached[id.0]) {
            for clip in clips.iter().filter(built_in).filter(|clip| says(state, clip, counts)) {
                let approved = &self.menu.state(approved).name;
                self.notes.warn(
                    &Path::default().key("states").key(&state.name).name(),
                    format!("state {} says {clip:?} also to who has paid: that nothing was charged", quoted(&state.name)),
                    format!(
                        "say words of your own, or lead who has paid elsewhere: branch: [{{ tries: {approved}, at_least: 1, \
                         go: STATE }}]"
                    ),
                );
            }
        }
    }
}

/// Whether a state may say the clip; not where a prompt asks one of these questions first.
fn says(state: &State, clip: &str, asks_first: &dyn Fn(&Test) -> bool) -> bool {
    fn in_prompt(prompt: &Prompt, clip: &str, asks_first: &dyn Fn(&Test) -> bool) -> bool {
        match prompt {
            Prompt::Clip { id, .. } => id == clip,
            Prompt::If { test, say, otherwise } => {
                let mut all = say.iter().chain(otherwise);
                !asks_first(test) && all.any(|prompt| in_prompt(prompt, clip, asks_first))
            }
            _ => false,
        }
    }
    prompts(state).any(|prompt| in_prompt(prompt, clip, asks_first))
}
