//! The payment rule: a key is charged at most once, and no outcome is lost.
//!
//! The [`Cashier`] performs what calls ask for. Every step is in the ledger before it is taken; a charge whose answer is
//! lost is looked for by its order id, sent at most once more under the same order id, and else stays open in the ledger
//! until reconciliation finds out. Nobody is told "paid" for anything but `completed`, and nobody is told "declined"
//! while a charge may still succeed. A charge of the order that another card made is not booked as this ledger's.

mod abuse;
mod alarms;
mod background;
mod charge;
mod finding;
#[cfg(fuzzing)]
pub mod fuzzing;
mod notify;
mod owner;
mod reconcile;
mod refund;
mod rehearsal;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::authorizer::{AuthorizerClient, reply_to};
use crate::clock::disagreement;
use crate::ledger::{Attempt, Conflict, Ledger, LedgerError, MAY_TURN_UP, State};
use crate::openpay::{Action, ApiError, Client, Error, Payer};
use crate::service::{AuthorizeReply, ChargeReply, PaymentKey, Refusal, Reply, Request};

use abuse::Abuse;
pub use abuse::AbuseLimits;
pub use alarms::{Alarm, Alarms, Fault};
pub use background::{Background, Stop};
pub use notify::{Notifier, NotifierConfig, NotifyReport};
pub use reconcile::ReconcileReport;
pub use refund::RefundError;
pub use rehearsal::{Rehearsal, RehearsalConfig, RehearsalError};

/// How long a declined charge counts against its key.
const DECLINE_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// How patient the cashier is, and what it says where the merchant said nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CashierConfig {
    /// When to look for a charge whose answer was lost, counted from the loss, ascending.
    pub queries: Vec<Duration>,
    /// After this time from being sent, a charge the gateway does not know will not turn up any more: it is sent once
    /// more, under the same order id.
    pub gateway_limit: Duration,
    /// A charge the gateway still does not know after this time is given up, and its key can be paid again, under the
    /// same order id.
    pub lapse_after: Duration,
    /// An attempt that was reserved but not sent within this time belongs to a call that is gone.
    pub reservation: Duration,
    /// A key with this many declined charges in 24 hours is blocked at this box, whatever the merchant says.
    pub max_declines: u32,
    /// How much abuse is borne.
    pub abuse: AbuseLimits,
    /// Who pays, for Openpay, if the merchant's authorizer does not say.
    pub payer: Payer,
}

impl CashierConfig {
    /// Queries after 0, 2, 5, 10 and 20 s; limits of 90 s, 30 min and 60 s; six declines; the default abuse limits.
    pub fn new(payer: Payer) -> Self {
        Self {
            queries: [0, 2, 5, 10, 20].map(Duration::from_secs).to_vec(),
            gateway_limit: Duration::from_secs(90),
            lapse_after: MAY_TURN_UP.unsigned_abs(),
            reservation: Duration::from_secs(60),
            max_declines: 6,
            abuse: AbuseLimits::default(),
            payer,
        }
    }
}

/// Charges cards for authorized keys, and reconciles. Blocking; share it between threads.
pub struct Till {
    openpay: Client,
    ledger: Arc<Ledger>,
    config: CashierConfig,
    halted: AtomicBool,
    alarms: Arc<Alarms>,
    abuse: Abuse,
}

/// Performs what calls ask for: a till, and the merchant to be asked. Blocking; share it between threads.
pub struct Cashier {
    authorizer: AuthorizerClient,
    till: Till,
}

impl Cashier {
    /// A cashier. Start [`Background::reconciling`] with it: its first round looks at the services and at what a crash left
    /// open.
    pub const fn new(authorizer: AuthorizerClient, till: Till) -> Self {
        Self { authorizer, till }
    }

    /// Performs one request and says what became of it. A charge may take minutes; it is never given up half-way, so let
    /// it finish even if the caller has hung up.
    pub fn perform(&self, request: Request) -> Reply {
        match request {
            Request::Authorize { key, values } => {
                let reply = self.authorize(&key, &values);
                tracing::info!(reply = authorize_name(&reply), "authorize");
                Reply::Authorize(reply)
            }
            Request::Charge { key, authorization, card, months } => {
                let reply = self.till.charge(&key, &authorization, &card, months);
                tracing::info!(reply = charge_name(&reply), order_id = authorization.order_id, "charge");
                Reply::Charge(reply)
            }
        }
    }

    /// Finds out before a caller does whether the services can be used: asks Openpay about the account, and shows the
    /// authorizer the password if nothing is known of it, or no good. What is found stands in [`Till::alarms`].
    pub(super) fn look(&self) {
        // What is wrong is noted.
        let _ = self.till.check();
        if self.till.abuse.doubts_authorizer() {
            self.till.abuse.authorizer_shown(self.authorizer.show_credentials().map(|answer| answer.status));
        }
    }

    /// The till.
    pub const fn till(&self) -> &Till {
        &self.till
    }

    /// Asks the merchant, unless this ledger knows better: the merchant may not know of a payment yet. The ledger is asked
    /// before any reason not to try: who calls again because an answer was lost must never hear that nothing was charged.
    fn authorize(&self, key: &PaymentKey, values: &[(String, String)]) -> AuthorizeReply {
        let (now, abuse) = (self.till.now(), &self.till.abuse);
        let is_open = !self.till.is_halted() && abuse.may_charge(now) && abuse.may_try_keys(now);
        if !is_open || !self.till.can_write() {
            return self.authorize_while_closed(key);
        }
        match self.till.known(key) {
            Ok(Some(reply)) => reply,
            Ok(None) if abuse.may_ask_authorizer(now) => {
                let answer = self.authorizer.ask(key, values);
                abuse.asked(&answer, self.till.now());
                self.unless_known(key, reply_to(answer))
            }
            Ok(None) => AuthorizeReply::Unavailable,
            Err(error) => self.till.cannot_look_up(&error),
        }
    }

    /// What the merchant allows, unless this ledger knows that the order is paid or may be: of a key that is paid again and
    /// again the order tells so, and not the key.
    fn unless_known(&self, key: &PaymentKey, reply: AuthorizeReply) -> AuthorizeReply {
        let AuthorizeReply::Authorized(allowed) = &reply else { return reply };
        match self.till.known_order(key, &allowed.order_id) {
            Ok(told) => told.unwrap_or(reply),
            Err(error) => self.till.cannot_look_up(&error),
        }
    }

    /// While no key is taken, only a charge that was made or may have been is told of; all other keys, good, wrong or
    /// blocked, sound alike.
    ///
    /// That a key was charged is worth nothing to a guesser, whom nothing can be charged to it any more, but it shows that the
    /// key exists. So keys of which nothing is told are counted here as wrong ones are elsewhere, apart from them and
    /// whatever keeps the box closed; after as many the ledger is not asked either, until the lock ends. A guesser gets no
    /// more guesses than he has while keys are taken, and from those he learns less.
    fn authorize_while_closed(&self, key: &PaymentKey) -> AuthorizeReply {
        let (now, abuse) = (self.till.now(), &self.till.abuse);
        // Of no key the ledger knows nothing: asked without one, it would be asked for nothing, and that be counted.
        if key.is_none() || !abuse.may_look_keys_up(now) {
            return AuthorizeReply::Unavailable;
        }
        match self.till.known(key) {
            Ok(Some(reply @ (AuthorizeReply::Pending { .. } | AuthorizeReply::Refused(Refusal::AlreadyPaid)))) => reply,
            Ok(_) => {
                abuse.looked_up_for_nothing(self.till.now());
                AuthorizeReply::Unavailable
            }
            Err(error) => self.till.cannot_look_up(&error),
        }
    }
}

impl Till {
    /// A till; nothing is sent yet.
    pub fn new(openpay: Client, ledger: Arc<Ledger>, config: CashierConfig) -> Self {
        let alarms = Arc::new(Alarms::default());
        let abuse = Abuse::new(&config.abuse, Arc::clone(&alarms));
        Self { openpay, ledger, config, halted: AtomicBool::new(false), alarms, abuse }
    }

    /// Asks Openpay whether the credentials are good, and takes or stops taking payments accordingly.
    ///
    /// # Errors
    /// Openpay's error.
    pub fn check(&self) -> Result<(), Error> {
        let found = self.openpay.merchant_and_date();
        if let Ok((_, Some(date))) = &found {
            self.compare_clocks(*date);
        }
        let result = found.map(drop);
        match &result {
            Ok(()) => {
                self.halted.store(false, Ordering::Relaxed);
                self.alarms.clear(Fault::Account);
            }
            // Of a charge or a token it means nothing of the kind.
            Err(error) if error.api().is_some_and(ApiError::is_not_found) => self.halt(error),
            Err(error) => self.note(error),
        }
        match &result {
            Err(error) if error.api().is_none_or(ApiError::is_no_answer_of_openpays) => {
                self.alarms.raise(Fault::Gateway, error);
            }
            // It answers, but may still make no tokens.
            _ if self.abuse.rests_gateway(self.now()) => {}
            _ => self.alarms.clear(Fault::Gateway),
        }
        result
    }

    /// A machine without a battery for its clock begins years behind, and one with a bad one may be years ahead.
    fn compare_clocks(&self, openpays: Timestamp) {
        match disagreement(self.now(), openpays) {
            Some(by) => self.alarms.raise(Fault::Clock, &format!("it is {by} Openpay's")),
            None => self.alarms.clear(Fault::Clock),
        }
    }

    /// Whether a charge could be written down, as far as is known: a ledger that could not be written is tried again.
    fn can_write(&self) -> bool {
        !self.alarms.stands(Fault::Ledger) || self.ledger.try_writing().is_ok()
    }

    /// Whether no payments are taken because Openpay refuses the credentials or the account.
    pub fn is_halted(&self) -> bool {
        self.halted.load(Ordering::Relaxed)
    }

    /// What keeps payments from being taken, and what an operator must know of them.
    pub const fn alarms(&self) -> &Arc<Alarms> {
        &self.alarms
    }

    /// The ledger, for listings.
    pub const fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    fn now(&self) -> Timestamp {
        self.ledger.clock().now()
    }

    /// What this ledger knows of a key that the merchant may not know yet: paid, blocked, or a charge still open. An open
    /// one is looked up first: it may have ended meanwhile.
    fn known(&self, key: &PaymentKey) -> Result<Option<AuthorizeReply>, LedgerError> {
        if let Some(open) = self.ledger.open_attempt_of(key)?
            && self.look_again(&open)?.is_in_doubt()
        {
            return Ok(Some(AuthorizeReply::Pending { reference: open.ledger_reference() }));
        }
        if self.ledger.payment_of(key)?.is_some() {
            return Ok(Some(AuthorizeReply::Refused(Refusal::AlreadyPaid)));
        }
        let since = self.now().checked_sub(DECLINE_WINDOW).unwrap_or(Timestamp::MIN);
        let blocked = self.ledger.declines_of(key, since)? >= self.config.max_declines;
        Ok(blocked.then_some(AuthorizeReply::Refused(Refusal::Blocked)))
    }

    /// What this ledger knows of an order that the merchant has just allowed: paid, or a charge still open.
    fn known_order(&self, key: &PaymentKey, order_id: &str) -> Result<Option<AuthorizeReply>, LedgerError> {
        let find = || self.ledger.find_conflict(key, order_id);
        let mut known = find()?;
        if let Some(Conflict::Open(open)) = &known {
            self.look_again(open)?;
            known = find()?;
        }
        Ok(match known {
            Some(Conflict::Paid(_)) => Some(AuthorizeReply::Refused(Refusal::AlreadyPaid)),
            Some(Conflict::Open(open)) if open.state != State::Prepared => {
                Some(AuthorizeReply::Pending { reference: open.ledger_reference() })
            }
            // What has only been reserved may never be sent; a charge of it asks again.
            Some(Conflict::Open(_)) | None => None,
        })
    }

    /// Looks an open attempt up. That its charge may have been made is known even where what was found can't be written down.
    fn look_again(&self, open: &Attempt) -> Result<State, LedgerError> {
        match self.reconcile_attempt(open) {
            Err(error) if open.state.is_in_doubt() => {
                self.alarms.ledger_failed("looking an open charge up", &error);
                Ok(open.state)
            }
            looked => looked,
        }
    }

    fn halt(&self, error: &Error) {
        self.halted.store(true, Ordering::Relaxed);
        self.alarms.raise(Fault::Account, error);
    }

    fn cannot_look_up(&self, error: &LedgerError) -> AuthorizeReply {
        self.alarms.ledger_failed("looking a key up", error);
        AuthorizeReply::Unavailable
    }

    /// Raises the alarm for errors an operator must act upon, and stops taking payments where all would fail.
    fn note(&self, error: &Error) {
        let Some(api) = error.api() else {
            tracing::warn!(%error, "Openpay");
            return;
        };
        if api.refuses_account() {
            self.halt(error);
        } else if matches!(api.action(), Action::Alarm | Action::OurFault | Action::NewToken) {
            // Without the request's id, which is each one's own: the same is told once.
            tracing::warn!(%error, "Openpay");
            let same = ApiError { request_id: None, ..api.clone() };
            self.alarms.tell(format!("Openpay refuses a request: {same}"));
        } else {
            tracing::warn!(%error, "Openpay");
        }
    }
}

const fn authorize_name(reply: &AuthorizeReply) -> &'static str {
    match reply {
        AuthorizeReply::Authorized(_) => "authorized",
        AuthorizeReply::Refused(_) => "refused",
        AuthorizeReply::Pending { .. } => "pending",
        AuthorizeReply::Unavailable => "unavailable",
    }
}

const fn charge_name(reply: &ChargeReply) -> &'static str {
    match reply {
        ChargeReply::Approved { .. } => "approved",
        ChargeReply::Declined(_) => "declined",
        ChargeReply::Correct(_) => "correct",
        ChargeReply::AlreadyPaid { .. } => "already paid",
        ChargeReply::Unknown { .. } => "unknown",
        ChargeReply::Unavailable => "unavailable",
    }
}
