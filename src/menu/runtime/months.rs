//! Offering months without interest.

use std::sync::Arc;

use crate::dtmf::Digit;
use crate::menu::model::{Kind, Months, Prompt};

use super::Runtime;

/// What one offer says before and after its months, and before its key.
const SINGLE: &str = "msi_un_pago";
const OVER: &str = "msi_para_pagar_a";
const MONTHS: &str = "msi_meses";
const PRESS: &str = "oprima";

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

    /// The offers in words, after the state's own prompt; nothing in other states.
    pub(super) fn offers(&self) -> Vec<Prompt> {
        let menu = Arc::clone(&self.menu);
        let Kind::Months(months) = &menu.state(self.state).kind else { return Vec::new() };
        let clip = |id: &str| Prompt::Clip { id: id.to_owned(), language: None };
        let mut said = vec![clip(SINGLE), clip(PRESS), Prompt::Number(1)];
        for (index, plan) in self.plans(months).into_iter().enumerate() {
            let key = index as u64 + 2;
            said.extend([clip(OVER), Prompt::Number(u64::from(plan)), clip(MONTHS), clip(PRESS), Prompt::Number(key)]);
        }
        said
    }
}
