//! One charge, from reservation to outcome.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Till;
use super::finding::{Finding, Verdict, decline_reply};
use super::owner::{is_of_an_earlier_call, paid_by};
use crate::ledger::{Attempt, Conflict, LedgerError, NewAttempt, Outcome};
use crate::openpay::{Action, Charge, ChargeRequest, Error, ErrorKind, OrderFilter, Payer, TokenRequest};
use crate::service::{Authorization, Card, ChargeReply, Decline, PaymentKey};

/// How often a new order id is taken because the gateway has an older, failed charge under the last one.
const MAX_ORDER_IDS: usize = 4;
/// Charges of one order asked for at once; an order id has one or two.
const LIST_LIMIT: u32 = 100;
/// Pause before a request that never arrived is sent again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(250);

/// A charge under way.
struct Payment<'a> {
    till: &'a Till,
    attempt: Attempt,
    card: &'a Card,
    payer: &'a Payer,
    months: Option<u8>,
}

/// How a charge under one order id ends.
enum End {
    Reply(ChargeReply),
    /// The order id was used up before by a charge that failed: take the next one.
    NextOrderId,
}

/// What was sent under the order id before the charge that was answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing: what the answer says of the charge is all there is.
    Nothing,
    /// A charge whose token was called used, so that a double of it may have been made.
    Double,
    /// A charge that the gateway did not know of afterwards; it may yet turn up.
    Lost,
}

impl Till {
    pub(super) fn charge(
        &self,
        key: &PaymentKey,
        authorization: &Authorization,
        card: &Card,
        months: Option<u8>,
    ) -> ChargeReply {
        if let Some(refusal) = self.reason_not_to_try(card) {
            // Who has paid, or may have, is told so, and not that this card was declined or the service is not there.
            return match self.charged_before(key, &authorization.order_id) {
                Ok(told) => told.unwrap_or(refusal),
                Err(reply) => reply,
            };
        }
        let reply = self.charge_allowed(key, authorization, card, months);
        self.abuse.charged(&card.pan, &reply, self.now());
        reply
    }

    fn reason_not_to_try(&self, card: &Card) -> Option<ChargeReply> {
        let now = self.now();
        if self.is_halted() || !self.abuse.may_charge(now) {
            return Some(ChargeReply::Unavailable);
        }
        if !self.abuse.may_use(&card.pan, now) {
            tracing::warn!(last_four = %card.pan.last_four(), "a card that has been declined too often is not tried");
            return Some(ChargeReply::Declined(Decline::Generic));
        }
        // Last, for the one charge that is let through after the gateway's rest is to see how it is.
        (!self.abuse.may_ask_gateway(now)).then_some(ChargeReply::Unavailable)
    }

    fn charge_allowed(
        &self,
        key: &PaymentKey,
        authorization: &Authorization,
        card: &Card,
        months: Option<u8>,
    ) -> ChargeReply {
        let payer = self.payer(authorization);
        let (brand, last_four) = (card.pan.brand(), card.pan.last_four());
        let new = NewAttempt { key, authorization, brand, last_four, months };
        for _ in 0..MAX_ORDER_IDS {
            let attempt = match self.reserve(&new) {
                Ok(attempt) => attempt,
                Err(reply) => return reply,
            };
            match (Payment { till: self, attempt, card, payer: &payer, months }).run() {
                End::Reply(reply) => return reply,
                End::NextOrderId => {}
            }
        }
        let order_id = &authorization.order_id;
        self.alarms.tell(format!("order {order_id}: too many failed charges of it at Openpay; it is not charged"));
        ChargeReply::Unavailable
    }

    /// Reserves an attempt, or says what the caller is to be told instead.
    fn reserve(&self, new: &NewAttempt<'_>) -> Result<Attempt, ChargeReply> {
        let prepare = || self.ledger.prepare_attempt(new).map_err(|error| self.out_of_order(&error));
        match prepare()? {
            Ok(attempt) => return Ok(attempt),
            Err(conflict) => self.look_open_one_up(&conflict)?,
        }
        prepare()?.map_err(|conflict| reply_to_conflict(&conflict))
    }

    /// What a caller is told of another charge of the key or the order that was made, or may have been.
    fn charged_before(&self, key: &PaymentKey, order_id: &str) -> Result<Option<ChargeReply>, ChargeReply> {
        let find = || self.ledger.find_conflict(key, order_id).map_err(|error| self.out_of_order(&error));
        if let Some(conflict) = find()? {
            self.look_open_one_up(&conflict)?;
        }
        Ok(find()?.as_ref().map(reply_to_conflict))
    }

    /// An attempt left open by a lost call is looked up before it counts: it may have ended meanwhile.
    fn look_open_one_up(&self, conflict: &Conflict) -> Result<(), ChargeReply> {
        if let Conflict::Open(open) = conflict {
            self.reconcile_attempt(open).map_err(|error| self.out_of_order(&error))?;
        }
        Ok(())
    }

    fn out_of_order(&self, error: &LedgerError) -> ChargeReply {
        self.alarms.ledger_failed("preparing a charge", error);
        ChargeReply::Unavailable
    }

    fn payer(&self, authorization: &Authorization) -> Payer {
        let default = &self.config.payer;
        authorization.customer.as_ref().map_or_else(
            || default.clone(),
            |customer| Payer {
                name: customer.name.clone(),
                last_name: customer.last_name.clone(),
                email: customer.email.clone().unwrap_or_else(|| default.email.clone()),
                phone_number: customer.phone_number.clone(),
            },
        )
    }

    /// What the gateway has under an attempt's order id.
    pub(super) fn look_up(&self, attempt: &Attempt, settled: bool) -> Finding {
        let filter = OrderFilter { order_id: &attempt.gateway_order_id, limit: LIST_LIMIT, offset: 0 };
        let list = self.openpay.charges_of_order(filter);
        if let Err(error) = &list {
            self.note(error);
        }
        Finding::of(list, attempt, settled, &self.alarms)
    }
}

fn reply_to_conflict(conflict: &Conflict) -> ChargeReply {
    match conflict {
        Conflict::Paid(paid) => ChargeReply::AlreadyPaid { reference: paid.reference() },
        Conflict::Open(open) => ChargeReply::Unknown { reference: open.ledger_reference() },
    }
}

impl Payment<'_> {
    fn run(self) -> End {
        let token = match self.token() {
            Ok(token) => token,
            Err(reply) => return End::Reply(reply),
        };
        // From here on the charge may exist. If the ledger can't say so, it is not sent.
        if let Err(error) = self.till.ledger.mark_sent(self.attempt.id) {
            return End::Reply(self.till.out_of_order(&error));
        }
        let sent = Instant::now();
        match self.post(&token) {
            Verdict::BadToken => {
                let verdict = self.new_token().map_or(Verdict::BadToken, |token| self.post(&token));
                self.conclude(verdict, sent, Before::Double)
            }
            Verdict::NotSent => {
                sleep(RECONNECT_PAUSE);
                self.conclude(self.post(&token), sent, Before::Nothing)
            }
            verdict => self.conclude(verdict, sent, Before::Nothing),
        }
    }

    /// Makes a token, trying twice: a lost token costs nothing. If there is none, the attempt ends, unpaid.
    fn token(&self) -> Result<String, ChargeReply> {
        let token = self.new_token().or_else(|error| match error.kind() {
            ErrorKind::NotSent | ErrorKind::Unclear => self.new_token(),
            ErrorKind::Refused => Err(error),
        });
        token.map_err(|error| self.without_token(&error))
    }

    fn new_token(&self) -> Result<String, Error> {
        let request = TokenRequest { holder_name: &self.payer.name, card: self.card };
        let token = self.till.openpay.create_token(&request).inspect_err(|error| self.till.note(error));
        let answered = token.as_ref().map_or_else(|error| error.kind() == ErrorKind::Refused, |_| true);
        self.till.abuse.gateway_answered(answered, self.till.now());
        token.map(|token| token.id)
    }

    fn without_token(&self, error: &Error) -> ChargeReply {
        match error.api().map(|api| (api.action(), api.code())) {
            Some((Action::Decline(_) | Action::Correct(_), code)) => {
                self.settle(&Outcome::Declined { code, counts: false });
                decline_reply(code)
            }
            _ => {
                self.settle(&Outcome::Abandoned);
                ChargeReply::Unavailable
            }
        }
    }

    fn post(&self, token: &str) -> Verdict {
        let Attempt { amount, description, gateway_order_id, .. } = &self.attempt;
        let answer = self.till.openpay.create_charge(&ChargeRequest {
            token,
            amount: *amount,
            description,
            order_id: gateway_order_id,
            customer: self.payer,
            months: self.months,
        });
        if let Err(error) = &answer {
            self.till.note(error);
        }
        Verdict::of(answer, &self.attempt, &self.till.alarms)
    }

    fn conclude(&self, verdict: Verdict, sent: Instant, before: Before) -> End {
        match (verdict, before) {
            (Verdict::Paid(charge), _) => End::Reply(self.paid(&charge)),
            (Verdict::NotPaid(code), Before::Nothing) => End::Reply(self.not_paid(code)),
            (Verdict::NotPaid(code), Before::Double | Before::Lost) => End::Reply(self.not_paid_again(code)),
            // Of the only charge these say that it does not exist; of another one only that it failed.
            (Verdict::Failed | Verdict::NotSent, Before::Nothing) => End::Reply(self.never_made()),
            (Verdict::AlreadyProcessed, Before::Nothing | Before::Double) => self.find_processed(true),
            // A new token can only have been used by this very charge, if something on the way sent it twice.
            (Verdict::BadToken, Before::Nothing)
            | (Verdict::BadToken | Verdict::Failed | Verdict::NotSent, Before::Double) => self.find_processed(false),
            (Verdict::Unclear, Before::Nothing | Before::Double) => self.find_out(sent),
            (_, Before::Lost) => match self.search(false) {
                Finding::Paid(charge) => End::Reply(self.paid(&charge)),
                Finding::Elsewhere(charge) => End::Reply(self.elsewhere(&charge)),
                Finding::NotPaid(code) => End::Reply(self.not_paid(code)),
                _ => End::Reply(self.unknown()),
            },
        }
    }

    /// A charge was refused that another went before: that one may have been paid, or may still be.
    fn not_paid_again(&self, code: Option<u32>) -> ChargeReply {
        match self.till.look_up(&self.attempt, false) {
            Finding::Paid(charge) => self.paid(&charge),
            Finding::Elsewhere(charge) => self.elsewhere(&charge),
            Finding::Undecided | Finding::Earlier(_) => self.unknown(),
            Finding::NotPaid(_) | Finding::OlderFailure | Finding::Absent => self.not_paid(code),
        }
    }

    /// The first charge under this order id was refused because the order id `is_known` already, or because its new token was
    /// used.
    fn find_processed(&self, is_known: bool) -> End {
        match self.search(true) {
            // The gateway says that there was one before.
            Finding::Earlier(charge) if is_known => End::Reply(self.elsewhere(&charge)),
            Finding::Paid(charge) if is_known && is_of_an_earlier_call(&charge, &self.attempt) => {
                End::Reply(self.elsewhere(&charge))
            }
            Finding::Paid(charge) => End::Reply(self.paid(&charge)),
            Finding::Elsewhere(charge) => End::Reply(self.elsewhere(&charge)),
            Finding::NotPaid(code) => End::Reply(self.not_paid(code)),
            Finding::OlderFailure => {
                self.settle(&Outcome::Declined { code: None, counts: false });
                End::NextOrderId
            }
            Finding::Absent if !is_known => End::Reply(self.never_made()),
            Finding::Absent | Finding::Undecided | Finding::Earlier(_) => End::Reply(self.unknown()),
        }
    }

    /// The answer was lost. Looks for the charge; if the gateway does not know it after its own limit, sends it once more
    /// under the same order id, which the gateway takes only once.
    fn find_out(&self, sent: Instant) -> End {
        let mut finding = self.search(false);
        if matches!(finding, Finding::Absent) {
            sleep(self.till.config.gateway_limit.saturating_sub(sent.elapsed()));
            finding = self.till.look_up(&self.attempt, true);
        }
        match finding {
            Finding::Paid(charge) => End::Reply(self.paid(&charge)),
            Finding::Elsewhere(charge) => End::Reply(self.elsewhere(&charge)),
            Finding::NotPaid(code) => End::Reply(self.not_paid(code)),
            Finding::Absent => self.repeat(sent),
            Finding::OlderFailure | Finding::Undecided | Finding::Earlier(_) => End::Reply(self.unknown()),
        }
    }

    fn repeat(&self, sent: Instant) -> End {
        let Ok(token) = self.new_token() else { return End::Reply(self.unknown()) };
        tracing::warn!(
            attempt = self.attempt.ledger_reference(),
            "the gateway does not know the charge: sending it once more"
        );
        self.conclude(self.post(&token), sent, Before::Lost)
    }

    /// Looks for the charge on the schedule until something is certain. `refused` says that the gateway has refused the
    /// charge just sent, so that any it has is an older one or this one's double.
    fn search(&self, refused: bool) -> Finding {
        let lost = Instant::now();
        let mut finding = Finding::Undecided;
        for &after in &self.till.config.queries {
            sleep(after.saturating_sub(lost.elapsed()));
            finding = self.till.look_up(&self.attempt, refused);
            if !matches!(finding, Finding::Absent | Finding::Undecided) {
                break;
            }
        }
        finding
    }

    fn paid(&self, charge: &Charge) -> ChargeReply {
        let (charge_id, authorization) = (charge.id.clone(), charge.authorization.clone());
        let settled = self.settle(&Outcome::Approved { charge_id, authorization });
        // If the ledger failed just now, the charge is paid all the same, and reconciliation will find it.
        let reference = settled.map_or_else(|| self.attempt.ledger_reference(), |attempt| attempt.reference());
        ChargeReply::Approved { reference }
    }

    /// The order is paid, and by another charge: nothing was taken from this card.
    fn elsewhere(&self, charge: &Charge) -> ChargeReply {
        let (attempt, order_id) = (self.attempt.ledger_reference(), &self.attempt.order_id);
        tracing::warn!(attempt, order_id, charge = charge.id, "the order is paid already, by another charge");
        self.settle(&paid_by(charge));
        let paying = Attempt { authorization: charge.authorization.clone(), ..self.attempt.clone() };
        ChargeReply::AlreadyPaid { reference: paying.reference() }
    }

    fn not_paid(&self, code: Option<u32>) -> ChargeReply {
        self.settle(&Outcome::Declined { code, counts: true });
        decline_reply(code)
    }

    fn never_made(&self) -> ChargeReply {
        self.settle(&Outcome::Abandoned);
        ChargeReply::Unavailable
    }

    fn unknown(&self) -> ChargeReply {
        let attempt = self.attempt.ledger_reference();
        self.till.alarms.tell(format!("attempt {attempt}: its charge's outcome is not known; it will be looked for"));
        self.settle(&Outcome::Unknown);
        ChargeReply::Unknown { reference: attempt }
    }

    fn settle(&self, outcome: &Outcome) -> Option<Attempt> {
        let settled = self.till.ledger.settle(self.attempt.id, outcome);
        if let Err(error) = &settled {
            let attempt = self.attempt.ledger_reference();
            self.till.alarms.tell(format!("attempt {attempt}: its outcome could not be recorded: {error}"));
            self.till.alarms.ledger_failed("recording an outcome", error);
        }
        settled.ok()
    }
}
