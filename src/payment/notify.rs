//! Telling the merchant how payments ended: from the ledger, signed, again and again until it is acknowledged.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use super::{Alarms, Background, Stop};
use crate::authorizer::{EVENT_ID_HEADER, SIGNATURE_HEADER};
use crate::http::{Authorities, Endpoint, HttpClient, SigningSecret, Timeouts, redirected};
use crate::ledger::{Ledger, LedgerError, Notification};

/// Pauses between the tries, in seconds; the last one is repeated.
const PAUSES: [i64; 8] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400];
/// The longest of them.
const LONGEST: SignedDuration = SignedDuration::from_secs(PAUSES[PAUSES.len() - 1]);
/// After this time a notification is given up, and the operator told...
const GIVE_UP: SignedDuration = SignedDuration::from_hours(72);
/// ...if there were so many tries, nearly as many as the pauses leave room for in that time: one whose date is wrong, because a
/// clock was behind, or that nobody could try for days, is not given up at the first.
const LEAST_TRIES: u32 = 24;
/// How long one process has a notification to itself; more than one try takes at worst.
const LEASE: SignedDuration = SignedDuration::from_secs(120);

/// Where and how the merchant is told.
#[derive(Clone)]
pub struct NotifierConfig {
    /// The full address.
    pub endpoint: Endpoint,
    /// The secret the merchant knows, too.
    pub secret: SigningSecret,
    /// Certificate authorities to trust instead of the public ones.
    pub authorities: Option<Authorities>,
    /// Time-outs of one try.
    pub timeouts: Timeouts,
}

/// What a round of deliveries did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NotifyReport {
    /// Acknowledged by the merchant.
    pub delivered: u32,
    /// To be tried again.
    pub failed: u32,
    /// Not tried any more.
    pub given_up: u32,
}

/// Delivers what is due.
pub struct Notifier {
    ledger: Arc<Ledger>,
    http: HttpClient,
    url: String,
    secret: SigningSecret,
    alarms: Arc<Alarms>,
}

impl NotifierConfig {
    /// How long a merchant may take to acknowledge.
    pub const ANSWER: Duration = Duration::from_secs(15);

    /// The public authorities and the default time-outs.
    pub const fn new(endpoint: Endpoint, secret: SigningSecret) -> Self {
        Self { endpoint, secret, authorities: None, timeouts: Timeouts::answering_within(Self::ANSWER) }
    }
}

impl Notifier {
    /// How often a box looks for what is due.
    pub const INTERVAL: Duration = Duration::from_secs(2);

    /// A notifier; from now on the ledger keeps a notification of every outcome, whichever process records it.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn new(ledger: Arc<Ledger>, config: NotifierConfig) -> Result<Self, LedgerError> {
        let NotifierConfig { endpoint, secret, authorities, timeouts } = config;
        ledger.keep_notifications()?;
        let http = HttpClient::trusting(authorities.as_ref(), None, timeouts);
        Ok(Self { ledger, http, url: endpoint.as_str().to_owned(), secret, alarms: Arc::default() })
    }

    /// Its alarms go to these, with a till's.
    #[must_use]
    pub fn with_alarms(self, alarms: Arc<Alarms>) -> Self {
        Self { alarms, ..self }
    }

    /// Tries everything that is due now, once.
    ///
    /// # Errors
    /// [`LedgerError`]; what was not reached stays due.
    pub fn deliver(&self) -> Result<NotifyReport, LedgerError> {
        self.deliver_while(&|| true)
    }

    /// The same, asking before each notification whether to go on: a merchant who does not answer costs a time-out each.
    fn deliver_while(&self, go_on: &dyn Fn() -> bool) -> Result<NotifyReport, LedgerError> {
        let mut report = NotifyReport::default();
        for id in self.ledger.due_notifications(LONGEST)? {
            if !go_on() {
                break;
            }
            // Another process may have taken it meanwhile.
            let Some(notification) = self.ledger.claim_notification(id, LEASE, LONGEST)? else { continue };
            match self.try_once(&notification) {
                Ok(()) => {
                    self.ledger.notification_delivered(notification.id)?;
                    tracing::info!(
                        event = notification.event,
                        order_id = notification.order_id,
                        "the merchant was told"
                    );
                    report.delivered += 1;
                }
                Err(error) if self.put_off(&notification, &error)? => report.failed += 1,
                Err(_) => report.given_up += 1,
            }
        }
        Ok(report)
    }

    fn try_once(&self, notification: &Notification) -> Result<(), String> {
        let signature = self.secret.sign(notification.body.as_bytes(), self.ledger.clock().now());
        let headers = [(SIGNATURE_HEADER, signature.as_str()), (EVENT_ID_HEADER, &notification.event_id)];
        match self.http.tell(&self.url, notification.body.as_bytes(), &headers) {
            Ok(200..300) => Ok(()),
            Ok(status) => Err(refusal(status)),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Makes it due later; `false` if it has been tried for too long.
    fn put_off(&self, notification: &Notification, error: &str) -> Result<bool, LedgerError> {
        let now = self.ledger.clock().now();
        let tried = usize::try_from(notification.tries).unwrap_or(usize::MAX);
        let pause = PAUSES[tried.clamp(1, PAUSES.len()) - 1];
        let next = now.checked_add(SignedDuration::from_secs(pause)).unwrap_or(now);
        let keep = now.duration_since(notification.created) < GIVE_UP || notification.tries < LEAST_TRIES;
        self.ledger.notification_failed(notification.id, error, keep.then_some(next))?;
        let Notification { event, order_id, tries, .. } = notification;
        if keep {
            tracing::warn!(event, order_id, tries, error, "the merchant could not be told; it is tried again");
        } else {
            let text = format!("order {order_id}: the merchant could not be told of {event} in {tries} tries: {error}");
            self.alarms.tell(text);
        }
        Ok(keep)
    }

    /// Delivers in the background, every `interval`, until the value is dropped; that waits for the try it is in.
    ///
    /// # Errors
    /// The system's, if it gives no thread.
    pub fn start(self, interval: Duration) -> std::io::Result<Background> {
        Background::every(interval, "notify", move |stop| self.round(stop))
    }

    fn round(&self, stop: &Stop) {
        if let Err(error) = self.deliver_while(&|| !stop.is_asked()) {
            self.alarms.ledger_failed("telling the merchant", &error);
        }
    }
}

/// What a status that acknowledges nothing is about.
fn refusal(status: u16) -> String {
    match status {
        401 | 403 => format!("HTTP {status}: the merchant has another secret, or one of the two clocks is wrong"),
        _ => format!("HTTP {status}{}", redirected(status)),
    }
}

#[cfg(test)]
mod tests;
