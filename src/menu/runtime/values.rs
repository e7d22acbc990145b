//! What the call knows: said, compared, given to variables and handed over as answers.

use crate::media::MediaTime;
use crate::menu::collector::dots_after;
use crate::menu::model::{FieldId, FieldKind, MOST_SHOWN, Prompt, Setting, Spelling, Test, Value, VariableId};
use crate::money::{Currency, Money};

use super::{Runtime, Utterance};

/// To whom everything is too fast: pauses and timers are this many times as long.
const SLOW_FACTOR: u64 = 2;
/// In the slower mode, silence between two things said.
const SLOW_BREATH: MediaTime = MediaTime::from_ms(400);

impl Runtime {
    /// What a list of prompts says now.
    pub(super) fn utterances(&self, prompts: &[Prompt]) -> Vec<Utterance> {
        let mut said = Vec::new();
        for prompt in prompts {
            self.push_utterances(prompt, &mut said);
        }
        if !self.slow {
            return said;
        }
        let breath = |said: Utterance| [said, Utterance::Pause(SLOW_BREATH)];
        said.into_iter().flat_map(breath).collect()
    }

    fn push_utterances(&self, prompt: &Prompt, said: &mut Vec<Utterance>) {
        let language = self.language;
        match prompt {
            Prompt::Clip { id, language: fixed } => {
                said.push(Utterance::Clip { id: id.clone(), language: fixed.unwrap_or(language) });
            }
            Prompt::Value { value, spelling } => said.extend(self.value_said(*value, *spelling)),
            Prompt::Digits(text) => said.push(self.digits_said(text.clone(), None)),
            Prompt::Number(number) => said.push(Utterance::Number { number: *number, language }),
            Prompt::Money(amount) => said.push(Utterance::Amount { amount: *amount, language }),
            Prompt::Pause(span) => said.push(Utterance::Pause(self.in_pace(*span))),
            Prompt::If { test, say, otherwise } => {
                let chosen = if self.holds(test) { say } else { otherwise };
                chosen.iter().for_each(|prompt| self.push_utterances(prompt, said));
            }
        }
    }

    fn value_said(&self, value: Value, spelling: Spelling) -> Option<Utterance> {
        let language = self.language;
        if let (Some(amount), Spelling::Natural | Spelling::Number) = (self.amount_of(value), spelling) {
            return Some(Utterance::Amount { amount, language });
        }
        let text = self.text_of(value)?;
        let in_words = spelling == Spelling::Number || (value == Value::Months && spelling == Spelling::Natural);
        // What is no number is spelled: it would not be said at all.
        if let (true, Ok(number)) = (in_words, text.parse()) {
            return Some(Utterance::Number { number, language });
        }
        Some(self.digits_said(text, self.most_shown(value)))
    }

    fn digits_said(&self, text: String, shown: Option<usize>) -> Utterance {
        Utterance::Digits { text, language: self.language, slow: self.slow, shown }
    }

    /// How many digits of a value traces show: all (nothing) of what no caller has keyed, and of amounts.
    fn most_shown(&self, value: Value) -> Option<usize> {
        match value {
            Value::Field(field) if self.menu.field(field).kind == FieldKind::Amount => None,
            Value::Field(field) => self.menu.field(field).most_shown(),
            Value::Entry => self.entered().map_or(Some(0), |field| self.most_shown(Value::Field(field))),
            // It may be a field's copy, though not an amount's.
            Value::Variable(variable) if self.menu.variables[variable.0].is_amount => None,
            Value::Variable(_) => Some(MOST_SHOWN),
            _ => None,
        }
    }

    /// The value as traces show it.
    pub(super) fn shown_text_of(&self, value: Value) -> Option<String> {
        Some(dots_after(self.most_shown(value), &self.text_of(value)?))
    }

    /// The value as an amount of money, if it is one.
    fn amount_of(&self, value: Value) -> Option<Money> {
        match value {
            Value::Amount => self.session.authorization().map(|allowed| allowed.amount),
            Value::Field(field) => self.amount_keyed(field),
            Value::Entry => self.amount_keyed(self.entered()?),
            Value::Variable(variable) if self.menu.variables[variable.0].is_amount => {
                Money::parse_number(self.session.variables[variable.0].as_deref()?, Currency::Mxn).ok()
            }
            _ => None,
        }
    }

    fn amount_keyed(&self, field: FieldId) -> Option<Money> {
        let spec = self.menu.field(field);
        let centavos = spec.centavos_of(self.session.digits(field)?).filter(|_| spec.kind == FieldKind::Amount)?;
        Some(Money { centavos, currency: Currency::Mxn })
    }

    /// The value as a text; nothing if it is not known yet. Of card data only what may be shown.
    pub(super) fn text_of(&self, value: Value) -> Option<String> {
        match value {
            Value::Amount => self.amount_of(value).map(Money::decimal),
            Value::Reference => Some(self.session.reference.clone()).filter(|reference| !reference.is_empty()),
            Value::LastFour => self.session.last_four.map(|digits| digits.to_string()),
            Value::Brand => self.session.brand().map(|brand| brand.name().to_owned()),
            Value::Language => Some(self.language.code().to_owned()),
            Value::Months => Some(self.session.months.unwrap_or(1).to_string()),
            Value::Order => self.session.authorization().map(|allowed| allowed.order_id.clone()),
            Value::Entry => self.entered().and_then(|field| self.text_of(Value::Field(field))),
            Value::Variable(variable) => self.session.variables[variable.0].clone(),
            Value::Field(field) => {
                let digits = self.session.digits(field)?;
                match self.menu.field(field).kind {
                    FieldKind::CardNumber | FieldKind::Expiry | FieldKind::Cvv => None,
                    FieldKind::YesNo => Some(if digits == "1" { "yes" } else { "no" }.to_owned()),
                    FieldKind::Amount => self.amount_keyed(field).map(Money::decimal),
                    FieldKind::PaymentKey | FieldKind::Digits => Some(digits.to_owned()),
                }
            }
        }
    }

    /// The value as a number; an amount in centavos.
    fn number_of(&self, value: Value) -> Option<u64> {
        match self.amount_of(value) {
            Some(amount) => Some(amount.centavos),
            None => self.text_of(value)?.parse().ok(),
        }
    }

    /// Whether a question is answered with yes. What is not known is nothing in particular.
    pub(super) fn holds(&self, test: &Test) -> bool {
        match test {
            Test::Is { value, text } => self.text_of(*value).is_some_and(|is| is.to_lowercase() == text.to_lowercase()),
            Test::Within { value, bounds } => self.number_of(*value).is_some_and(|number| bounds.contains(&number)),
            Test::Tries { state, bounds } => bounds.contains(&u64::from(self.entered_times[state.0])),
            Test::Attempt(least) => u64::from(self.visit.attempt.saturating_sub(1)) + 1 >= *least,
        }
    }

    pub(super) fn setting(&self, setting: &Setting) -> Option<String> {
        match setting {
            Setting::Text(text) => Some(text.clone()),
            Setting::Value(value) => self.text_of(*value),
        }
    }

    /// Fields and variables that are known, as they may be shown.
    pub(super) fn shown_values(&self) -> Vec<(String, String)> {
        let mut shown = self.session.shown_fields(&self.menu);
        for (name, value) in &mut shown {
            let field = self.menu.fields.iter().position(|field| field.name == *name).map(FieldId);
            if let Some(field) = field.filter(|field| !self.menu.field(*field).kind.is_masked()) {
                *value = self.shown_text_of(Value::Field(field)).unwrap_or_default();
            }
        }
        for (at, variable) in self.menu.variables.iter().enumerate() {
            let value = self.shown_text_of(Value::Variable(VariableId(at)));
            shown.extend(value.map(|value| (variable.name.clone(), value)));
        }
        shown.extend(self.session.months.map(|months| ("months".to_owned(), months.to_string())));
        shown
    }

    /// A span at the pace the caller asked for.
    pub(super) fn in_pace(&self, span: MediaTime) -> MediaTime {
        if self.slow { MediaTime(span.0 * SLOW_FACTOR) } else { span }
    }
}
