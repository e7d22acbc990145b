//! Offering months without interest.

use std::sync::Arc;

use crate::dtmf::Digit;
use crate::menu::model::{Kind, Months, Prompt, StateId};
use crate::menu::said_by_itself::{MONTHS, PAY_OVER, PRESS, SINGLE_PAYMENT};

use super::Runtime;

impl Runtime {
    /// The plans the amount allows: at first key 2, the next 3; key 1 is a single payment.
    fn plans(&self, months: &Months) -> Vec<u8> {
        let amount = self.session.authorization().map_or(0, |allowed| allowed.amount.centavos);
        months.plans.iter().filter(|(_, least)| *least <= amount).map(|(plan, _)| *plan).collect()
    }

    /// Whether there is something to choose here.
    pub(super) fn has_plans(&self, months: &Months) -> bool {
        !self.plans(months).is_empty()
    }

    /// What a key chooses: a single payment, or a plan.
    pub(super) fn plan_of_key(&self, key: Digit, months: &Months) -> Option<Option<u8>> {
        match key.as_char().to_digit(10)? {
            0 => None,
            1 => Some(None),
            n => self.plans(months).get(n as usize - 2).map(|plan| Some(*plan)),
        }
    }

    /// The plan chosen goes into the charge.
    pub(super) fn choose_plan(&mut self, plan: Option<u8>, done: StateId) {
        self.session.months = plan;
        self.go(done);
    }

    /// The offers in words, after the state's own prompt; nothing in other states.
    pub(super) fn offers(&self) -> Vec<Prompt> {
        let menu = Arc::clone(&self.menu);
        let Kind::Months(months) = &menu.state(self.state).kind else { return Vec::new() };
        let clip = |id: &str| Prompt::Clip { id: id.to_owned(), language: None };
        let mut said = vec![clip(SINGLE_PAYMENT), clip(PRESS), Prompt::Number(1)];
        for (index, plan) in self.plans(months).into_iter().enumerate() {
            let key = index as u64 + 2;
            said.extend([
                clip(PAY_OVER),
                Prompt::Number(u64::from(plan)),
                clip(MONTHS),
                clip(PRESS),
                Prompt::Number(key),
            ]);
        }
        said
    }
}
