//! States that go on by themselves, and what is still done when the caller has hung up.

use std::sync::Arc;

use crate::menu::event::{Answers, EventKind, Party};
use crate::menu::hours::{Hours, Opening};
use crate::menu::model::{Kind, StateId, Value};

use super::{Action, MAX_HOPS, Runtime};

/// Sub-menus within sub-menus; the checks allow fewer. A deeper one forgets where the first was to return.
const DEEPEST: usize = 32;

impl Runtime {
    /// What a state does before it speaks.
    pub(super) fn act_on_entry(&mut self, kind: &Kind) {
        match kind {
            Kind::Set { values, .. } => {
                for (variable, setting) in values {
                    let value = self.setting(setting);
                    self.session.variables[variable.0] = value;
                }
            }
            Kind::Save { values, .. } => self.save(values),
            Kind::Hours(hours) => self.tell_hours(hours),
            _ => {}
        }
    }

    /// Whether a business was open when the call began, and the line of its hours that says so.
    fn opening(&self, hours: &Hours) -> (Opening, Option<&str>) {
        self.menu.schedules[hours.schedule.0].at(self.began.datetime())
    }

    fn tell_hours(&mut self, hours: &Hours) {
        let (opening, line) = self.opening(hours);
        let event = EventKind::Hours {
            name: self.menu.schedules[hours.schedule.0].name.clone(),
            is: opening.name(),
            at: self.began.clone(),
            line: line.map(str::to_owned),
        };
        self.note(event);
    }

    fn save(&mut self, values: &[(String, Value)]) {
        let answers = |text_of: &dyn Fn(Value) -> Option<String>| {
            let values = values.iter().map(|(name, value)| (name.clone(), text_of(*value))).collect();
            Answers { menu: self.menu.name.clone(), values }
        };
        let (shown, kept) = (answers(&|value| self.shown_text_of(value)), answers(&|value| self.text_of(value)));
        self.note(EventKind::Saved(shown));
        self.actions.push_back(Action::Save(kept));
    }

    /// Where a state that goes on by itself leads; to be asked once each time it is left.
    pub(super) fn leave(&mut self) -> Option<StateId> {
        let menu = Arc::clone(&self.menu);
        Some(match &menu.state(self.state).kind {
            Kind::Say { next } | Kind::Set { next, .. } | Kind::Save { next, .. } => *next,
            Kind::Branch { cases, otherwise } => {
                let case = cases.iter().find(|(test, _)| self.holds(test));
                case.map_or(*otherwise, |(_, target)| *target)
            }
            Kind::Hours(hours) => match self.opening(hours).0 {
                Opening::Open => hours.on_open,
                Opening::Closed => hours.on_closed,
                Opening::Holiday => hours.on_holiday,
            },
            Kind::Visit { to, next } => {
                if self.returns_to.len() == DEEPEST {
                    self.returns_to.remove(0);
                }
                self.returns_to.push(*next);
                *to
            }
            Kind::Return => self.returns_to.pop().unwrap_or(menu.give_up),
            _ => return None,
        })
    }

    /// After the caller's hang-up nobody hears anything: what needs no caller is all that is left to do.
    pub(super) fn after_hang_up(&mut self) {
        let menu = Arc::clone(&self.menu);
        if menu.state(self.state).kind.is_last() {
            return;
        }
        let mut next = menu.on_hang_up;
        for _ in 0..MAX_HOPS {
            let Some(state) = next else { return };
            self.state = state;
            let kind = &menu.state(state).kind;
            if !kind.needs_no_caller() {
                return;
            }
            self.act_on_entry(kind);
            next = self.leave();
        }
    }

    /// The call is handed over; for this box it is over.
    pub(super) fn transfer(&mut self, to: &str) {
        self.note(EventKind::Transfer { to: to.to_owned() });
        self.actions.push_back(Action::Transfer { to: to.to_owned() });
        self.end(Party::Box);
    }
}
