//! What is borne at this box: wrong keys, cards that are declined again and again, nearly everything declined, services
//! that fail. Limits per call are the menu's; these hold over all calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};

use super::{Alarms, Fault};
use crate::authorizer::AskError;
use crate::card::Pan;
use crate::limits::{Breaker, BreakerConfig, Ratio, RatioLimit, Velocity, VelocityLimit};
use crate::service::{Authorization, ChargeReply, Refusal};

/// How much is borne.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbuseLimits {
    /// Wrong keys at this box, over all its lines; and as many keys of which nothing can be told, while none are taken.
    pub wrong_keys: VelocityLimit,
    /// Declined charges of one card, over all calls.
    pub card_declines: VelocityLimit,
    /// Declined charges among all charges.
    pub declines: RatioLimit,
    /// An authorizer that gives no answer, or fails with a status of 5xx.
    pub authorizer: BreakerConfig,
    /// A gateway that makes no tokens.
    pub gateway: BreakerConfig,
}

const QUARTER: SignedDuration = SignedDuration::from_mins(15);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// The one subject of the box's own counters.
const BOX: &[u8] = b"box";
/// Keys tried while the box takes none, counted apart from the others.
const CLOSED: &[u8] = b"closed";

impl Default for AbuseLimits {
    /// 20 wrong keys a minute or 120 an hour lock the box's keys for 15 minutes and more; 5 declines of one card in an
    /// hour lock it for an hour and more, up to a day; 80 % of at least 20 charges declined in an hour stop charging for
    /// 15 minutes; five failures in a row of a service, 30 seconds.
    fn default() -> Self {
        let breaker = BreakerConfig { failures: 5, rest: SignedDuration::from_secs(30) };
        Self {
            wrong_keys: VelocityLimit { per_minute: 20, per_hour: 120, lock: QUARTER, max_lock: DAY },
            card_declines: VelocityLimit { per_minute: 5, per_hour: 5, lock: HOUR, max_lock: DAY },
            declines: RatioLimit { window: HOUR, at_least: 20, percent: 80, rest: QUARTER },
            authorizer: breaker,
            gateway: breaker,
        }
    }
}

impl AbuseLimits {
    /// No limits, for rehearsals that try everything.
    pub const fn none() -> Self {
        let never = VelocityLimit { per_minute: u32::MAX, per_hour: u32::MAX, lock: QUARTER, max_lock: DAY };
        let breaker = BreakerConfig { failures: u32::MAX, rest: QUARTER };
        Self {
            wrong_keys: never,
            card_declines: never,
            declines: RatioLimit { window: HOUR, at_least: u32::MAX, percent: 100, rest: QUARTER },
            authorizer: breaker,
            gateway: breaker,
        }
    }
}

/// The counters of one box.
pub(super) struct Abuse {
    wrong_keys: Velocity,
    cards: Velocity,
    declines: Ratio,
    authorizer: Breaker,
    gateway: Breaker,
    /// The authorizer was not asked yet, or its last answer was none, or a refusal of the password.
    in_doubt: AtomicBool,
    alarms: Arc<Alarms>,
}

impl Abuse {
    pub(super) fn new(limits: &AbuseLimits, alarms: Arc<Alarms>) -> Self {
        Self {
            wrong_keys: Velocity::new(limits.wrong_keys),
            cards: Velocity::new(limits.card_declines),
            declines: Ratio::new(limits.declines),
            authorizer: Breaker::new(limits.authorizer),
            gateway: Breaker::new(limits.gateway),
            in_doubt: AtomicBool::new(true),
            alarms,
        }
    }

    /// Whether keys may be tried now.
    pub(super) fn may_try_keys(&self, now: Timestamp) -> bool {
        self.wrong_keys.check(BOX, now).is_ok()
    }

    /// Whether the ledger may be asked about keys while none are taken.
    pub(super) fn may_look_keys_up(&self, now: Timestamp) -> bool {
        self.wrong_keys.check(CLOSED, now).is_ok()
    }

    /// A key was looked up while none are taken, and the caller told nothing of it.
    pub(super) fn looked_up_for_nothing(&self, now: Timestamp) {
        if let Some(locked) = self.wrong_keys.failed(CLOSED, now) {
            self.alarms.tell(format!(
                "too many keys were tried while none are taken; none are looked up until {}",
                locked.until
            ));
        }
    }

    /// Whether the authorizer may be asked now; after its rest one question is let through to see.
    pub(super) fn may_ask_authorizer(&self, now: Timestamp) -> bool {
        self.authorizer.allows(now)
    }

    /// Whether there is any point in asking for a card now.
    pub(super) fn may_charge(&self, now: Timestamp) -> bool {
        self.declines.allows(now) && !self.rests_gateway(now)
    }

    /// Whether the gateway may be asked for a token now; after its rest one charge is let through to see.
    pub(super) fn may_ask_gateway(&self, now: Timestamp) -> bool {
        self.gateway.allows(now)
    }

    /// What asking the authorizer about a key showed of it and of the caller.
    pub(super) fn asked(&self, answer: &Result<Result<Authorization, Refusal>, AskError>, now: Timestamp) {
        match answer {
            Err(error) if error.is_outage() => {
                self.in_doubt.store(true, Ordering::Relaxed);
                self.authorizer.failed(now);
                if self.authorizer.is_open(now) {
                    self.alarms.raise(Fault::Authorizer, error);
                }
                return;
            }
            Ok(Err(Refusal::Unknown | Refusal::Expired | Refusal::Blocked)) => {
                if let Some(locked) = self.wrong_keys.failed(BOX, now) {
                    self.alarms.tell(format!("too many wrong keys; none are taken until {}", locked.until));
                }
            }
            Err(_) | Ok(Ok(_) | Err(Refusal::AlreadyPaid)) => {}
        }
        self.authorizer.succeeded();
        self.answered(answer.as_ref().err());
    }

    /// Whether the authorizer should be shown the password, because no answer has told that it is good.
    pub(super) fn doubts_authorizer(&self) -> bool {
        self.in_doubt.load(Ordering::Relaxed)
    }

    /// What showing the authorizer the password showed.
    pub(super) fn authorizer_shown(&self, answer: Result<u16, AskError>) {
        match answer {
            Err(error) if error.is_outage() => self.alarms.raise(Fault::Authorizer, &error),
            Err(error) => self.answered(Some(&error)),
            Ok(_) => {
                self.authorizer.succeeded();
                self.answered(None);
            }
        }
    }

    /// It works, whatever it said.
    fn answered(&self, error: Option<&AskError>) {
        self.alarms.clear(Fault::Authorizer);
        // Its own limit says nothing of the password: a service that locks whoever was wrong answers so, too.
        if matches!(error, Some(AskError::Status(429))) {
            return;
        }
        let refused = error.filter(|error| error.refuses_password());
        self.in_doubt.store(refused.is_some(), Ordering::Relaxed);
        match (refused, error) {
            (Some(error), _) => self.alarms.raise(Fault::Password, error),
            (None, Some(error)) if error.is_to_mend() => self.alarms.tell(error.to_string()),
            _ => self.alarms.clear(Fault::Password),
        }
    }

    /// Whether this card may be tried now.
    pub(super) fn may_use(&self, card: &Pan, now: Timestamp) -> bool {
        self.cards.check(card.expose().as_bytes(), now).is_ok()
    }

    pub(super) fn charged(&self, card: &Pan, reply: &ChargeReply, now: Timestamp) {
        let declined = match reply {
            ChargeReply::Approved { .. } => false,
            ChargeReply::Declined(_) | ChargeReply::Correct(_) => true,
            ChargeReply::AlreadyPaid { .. } | ChargeReply::Unknown { .. } | ChargeReply::Unavailable => return,
        };
        if declined && self.cards.failed(card.expose().as_bytes(), now).is_some() {
            tracing::warn!(last_four = %card.last_four(), "a card has been declined too often; it is not tried for a while");
        }
        if self.declines.count(declined, now) {
            self.alarms.tell(format!("nearly all charges are declined; from {now} on nothing is charged for a while"));
        }
    }

    /// What asking for a token showed of the gateway.
    pub(super) fn gateway_answered(&self, answered: bool, now: Timestamp) {
        if answered {
            self.gateway.succeeded();
            self.alarms.clear(Fault::Gateway);
            return;
        }
        self.gateway.failed(now);
        if self.rests_gateway(now) {
            self.alarms.raise(Fault::Gateway, &"it makes no tokens, and is left alone for a while");
        }
    }

    /// Whether the gateway is left alone for a while.
    pub(super) fn rests_gateway(&self, now: Timestamp) -> bool {
        self.gateway.is_open(now)
    }
}
