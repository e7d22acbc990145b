//! Asking the authorizer and charging: what is requested, what is said meanwhile, and where each answer leads.

use std::sync::Arc;

use crate::menu::event::{self, EventKind, Outcome};
use crate::menu::model::{Authorize, Charge, Kind, State, StateId, Value, Waiting};
use crate::menu::timer::Timer;
use crate::service::{
    Authorization, AuthorizeReply, CardField, ChargeReply, Decline, PaymentKey, Refusal, Reply, Request, RequestId,
};

use super::{Action, Phase, Runtime};

impl Runtime {
    pub(super) fn ask_authorizer(&mut self, state: &State, authorize: &Authorize) {
        self.session.withdraw_authorization();
        for variable in &authorize.tells {
            self.session.variables[variable.0] = None;
        }
        let menu = Arc::clone(&self.menu);
        let key =
            authorize.key.map_or_else(|| Some(PaymentKey::none()), |field| self.session.payment_key(&menu, field));
        match key {
            Some(key) if key.is_none() && self.session.doubts_charge_without_key() => self.go(authorize.on_pending),
            Some(key) => {
                self.session.ask_about(key.clone());
                let values = self.known(&authorize.with, &|value| self.text_of(value));
                self.ask(state, &authorize.waiting, Request::Authorize { key, values });
            }
            None => self.go(authorize.on_unavailable),
        }
    }

    /// Names and values of those that are known.
    fn known(&self, values: &[(String, Value)], text_of: &dyn Fn(Value) -> Option<String>) -> Vec<(String, String)> {
        values.iter().filter_map(|(name, value)| Some((name.clone(), text_of(*value)?))).collect()
    }

    /// Charges only what a confirm state of this call read out and the caller said yes to.
    pub(super) fn ask_charge(&mut self, state: &State, charge: &Charge) {
        // The reference of an earlier payment in this call is none of this one's, which may get no answer.
        self.session.reference.clear();
        let request = self.session.confirmed_authorization().and_then(|(key, authorization)| {
            let card = self.session.take_card(charge)?;
            Some(Request::Charge { key, authorization, card, months: self.session.months })
        });
        match request {
            Some(request) => self.ask(state, &charge.waiting, request),
            None => self.go(charge.on_unavailable),
        }
    }

    fn ask(&mut self, state: &State, waiting: &Waiting, request: Request) {
        self.last_request = RequestId(self.last_request.0 + 1);
        let id = self.last_request;
        let told = match &state.kind {
            Kind::Authorize(authorize) => self.known(&authorize.with, &|value| self.shown_text_of(value)),
            _ => Vec::new(),
        };
        self.note(EventKind::Request { id, service: request.name(), told });
        self.actions.push_back(Action::Request { id, request: Box::new(request) });
        let prompt_playing = self.speak(&state.say);
        self.phase = Phase::Waiting { id, prompt_playing };
        self.timers.start(Timer::StillWorking, self.now + waiting.every);
        self.timers.start(Timer::ServiceLimit, self.now + waiting.limit);
    }

    pub(super) fn still_working(&mut self) {
        let Phase::Waiting { id, prompt_playing } = self.phase else { return };
        let menu = Arc::clone(&self.menu);
        let (Kind::Authorize(Authorize { waiting, .. }) | Kind::Charge(Charge { waiting, .. })) =
            &menu.state(self.state).kind
        else {
            return;
        };
        let playing = prompt_playing || self.speak(&waiting.say);
        self.phase = Phase::Waiting { id, prompt_playing: playing };
        self.timers.start(Timer::StillWorking, self.now + waiting.every);
    }

    /// No answer within the call's patience. For a charge that is an unknown outcome: it may have been made.
    pub(super) fn service_limit(&mut self) {
        match &self.here().kind {
            Kind::Authorize(authorize) => self.go(authorize.on_unavailable),
            Kind::Charge(charge) => {
                let next = charge.on_no_answer;
                self.forget_charge();
                self.go(next);
            }
            _ => {}
        }
    }

    /// After a charge whose outcome is not known: nothing of it may be used for another.
    fn forget_charge(&mut self) {
        self.tells_outcome = true;
        let menu = Arc::clone(&self.menu);
        self.session.forget_card(&menu);
        self.session.doubt();
    }

    pub(super) fn take_reply(&mut self, id: RequestId, reply: Reply) {
        let prompt_playing = match self.phase {
            Phase::Waiting { id: awaited, prompt_playing } if awaited == id => Some(prompt_playing),
            _ => None,
        };
        self.note(EventKind::Reply { id, result: event::describe(&reply), late: prompt_playing.is_none() });
        let Some(prompt_playing) = prompt_playing else { return };
        let menu = Arc::clone(&self.menu);
        let next = match (&menu.state(self.state).kind, reply) {
            (Kind::Authorize(authorize), Reply::Authorize(reply)) => self.after_authorize(authorize, reply),
            (Kind::Charge(charge), Reply::Charge(reply)) => self.after_charge(charge, reply),
            // A driver that answers the wrong question has told us nothing about the right one.
            (Kind::Authorize(authorize), Reply::Charge(_)) => authorize.on_unavailable,
            (Kind::Charge(charge), Reply::Authorize(_)) => {
                self.forget_charge();
                charge.on_no_answer
            }
            _ => return,
        };
        self.timers.stop_state_timers();
        if prompt_playing {
            self.phase = Phase::Answered { next };
        } else {
            self.go(next);
        }
    }

    fn after_authorize(&mut self, authorize: &Authorize, reply: AuthorizeReply) -> StateId {
        let refusal = match reply {
            AuthorizeReply::Authorized(allowed) => {
                self.keep_told(authorize, &allowed);
                self.session.authorize(allowed);
                return authorize.on_authorized;
            }
            AuthorizeReply::Pending { reference } => {
                self.session.reference = reference;
                return authorize.on_pending;
            }
            AuthorizeReply::Unavailable => return authorize.on_unavailable,
            AuthorizeReply::Refused(refusal) => refusal,
        };
        if refusal == Refusal::AlreadyPaid {
            return authorize.on_already_paid;
        }
        if self.failed_for_good(authorize.attempts) {
            return authorize.on_give_up;
        }
        match refusal {
            Refusal::Unknown => authorize.on_unknown,
            Refusal::Expired => authorize.on_expired,
            Refusal::AlreadyPaid => authorize.on_already_paid,
            Refusal::Blocked => authorize.on_blocked,
        }
    }

    /// What the merchant tells beside the amount; what it does not tell is not known.
    fn keep_told(&mut self, authorize: &Authorize, allowed: &Authorization) {
        for variable in &authorize.tells {
            let name = &self.menu.variables[variable.0].name;
            let told = allowed.values.iter().find(|(told, _)| told == name);
            self.session.variables[variable.0] = told.map(|(_, value)| value.clone());
        }
    }

    fn after_charge(&mut self, charge: &Charge, reply: ChargeReply) -> StateId {
        let menu = Arc::clone(&self.menu);
        self.tells_outcome = true;
        if !matches!(reply, ChargeReply::Correct(CardField::Expiry | CardField::Cvv)) {
            self.session.forget_card(&menu);
        }
        let next = match reply {
            ChargeReply::Approved { reference } => return self.with_reference(reference, charge.on_approved),
            ChargeReply::AlreadyPaid { reference } => return self.with_reference(reference, charge.on_already_paid),
            ChargeReply::Unknown { reference } => {
                self.session.doubt();
                return self.with_reference(reference, charge.on_unknown);
            }
            ChargeReply::Unavailable => return charge.on_unavailable,
            ChargeReply::Declined(Decline::OtherCard) => charge.on_other_card,
            ChargeReply::Declined(Decline::CallYourBank) => charge.on_call_bank,
            ChargeReply::Declined(Decline::Generic) => {
                self.session.refuse_last_card();
                charge.on_declined
            }
            ChargeReply::Correct(CardField::Pan) => charge.on_correct_pan,
            ChargeReply::Correct(CardField::Expiry) => charge.on_correct_expiry,
            ChargeReply::Correct(CardField::Cvv) => charge.on_correct_cvv,
        };
        if self.failed_for_good(charge.attempts) {
            self.session.forget_card(&menu);
            return charge.on_give_up;
        }
        next
    }

    fn with_reference(&mut self, reference: String, next: StateId) -> StateId {
        self.session.reference = reference;
        self.session.settle();
        next
    }

    /// Counts a refusal or decline at this state in this call.
    fn failed_for_good(&mut self, attempts: u8) -> bool {
        let failures = &mut self.failures[self.state.0];
        *failures = failures.saturating_add(1);
        let for_good = *failures >= attempts;
        if for_good {
            self.note(EventKind::Outcome(Outcome::GiveUp));
        }
        for_good
    }
}
