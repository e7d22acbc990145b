//! Notifications for the merchant: written in the transaction that makes them true, kept until they are delivered.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use super::column::time;
use super::{Attempt, Ledger, LedgerError, Outcome, Refund};
use message::{Told, body, new_event_id};

mod message;

pub use message::MessageKind;

/// The setting that says whether notifications are kept.
const SETTING: &str = "notifications";

/// One message to the merchant, and how its delivery stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its number in the ledger.
    pub id: i64,
    /// Unique over all ledgers and the same at each try: what the merchant knows a repetition by.
    pub event_id: String,
    /// What happened, `payment.approved` and so on.
    pub event: String,
    /// The merchant's order.
    pub order_id: String,
    /// The JSON that is sent, the same at each try.
    pub body: String,
    /// When it happened.
    pub created: Timestamp,
    /// When it is to be tried next.
    pub due: Timestamp,
    /// Tries so far.
    pub tries: u32,
    /// When the merchant acknowledged it.
    pub delivered: Option<Timestamp>,
    /// Whether it is not tried any more.
    pub given_up: bool,
    /// Why the last try failed.
    pub last_error: Option<String>,
}

impl Ledger {
    /// From now on every outcome and every refund made leaves a notification, whichever process records it. What was
    /// before does not.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn keep_notifications(&self) -> Result<(), LedgerError> {
        let set = "INSERT INTO setting (name, value) VALUES (?1, 'on') ON CONFLICT (name) DO NOTHING";
        self.lock().execute(set, [SETTING])?;
        Ok(())
    }

    /// The numbers of the notifications that are due now, the longest due first, those of refunds behind all others, but for
    /// refunds whose payment's notification is put off. One that is due later than `longest` from now, which is more than it
    /// was ever put off for, or that is of the future, is due, too: a clock was ahead.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn due_notifications(&self, longest: SignedDuration) -> Result<Vec<i64>, LedgerError> {
        let now = self.now_ms();
        let connection = self.lock();
        // The inner query runs once: asked of each, thousands of refunds of as many payments would hold the ledger for long.
        let due = format!(
            "SELECT id FROM notification WHERE {IS_DUE} AND NOT ({IS_REFUND} AND attempt IN (
                 SELECT attempt FROM notification WHERE {IS_PAYMENT_UNTOLD} AND NOT ({IS_DUE})))
             ORDER BY {IS_REFUND}, due_ms, id"
        );
        let mut statement = connection.prepare_cached(&due)?;
        let due = statement.query_map([now, after(now, longest)], |row| row.get(0))?;
        Ok(due.collect::<Result<_, _>>()?)
    }

    /// Takes a notification that is due, as [`due_notifications`](Self::due_notifications) has it, for `lease`: no other
    /// process takes it meanwhile, and if this one dies it is due again afterwards. `None` if it is not due any more, or is a
    /// refund's and the merchant has not yet acknowledged the payment, which is not given up either.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn claim_notification(
        &self,
        id: i64,
        lease: SignedDuration,
        longest: SignedDuration,
    ) -> Result<Option<Notification>, LedgerError> {
        let now = self.now_ms();
        let claim = format!(
            "UPDATE notification SET due_ms = ?3, created_ms = min(created_ms, ?1), tries = tries + 1
             WHERE id = ?4 AND {IS_DUE} AND NOT ({IS_REFUND} AND attempt IN (
                 SELECT attempt FROM notification INDEXED BY notification_due WHERE {IS_PAYMENT_UNTOLD}))
             RETURNING {COLUMNS}"
        );
        let connection = self.lock();
        let mut claim = connection.prepare_cached(&claim)?;
        Ok(claim.query_row([now, after(now, longest), after(now, lease), id], read).optional()?)
    }

    /// The merchant acknowledged it.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn notification_delivered(&self, id: i64) -> Result<(), LedgerError> {
        let delivered = "UPDATE notification SET delivered_ms = ?2, last_error = NULL WHERE id = ?1";
        self.lock().execute(delivered, params![id, self.now_ms()])?;
        Ok(())
    }

    /// A try failed: it is due again at `next`, or given up.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn notification_failed(&self, id: i64, error: &str, next: Option<Timestamp>) -> Result<(), LedgerError> {
        let due = next.map(Timestamp::as_millisecond);
        let failed = "UPDATE notification SET last_error = ?2, due_ms = coalesce(?3, due_ms), given_up = ?3 IS NULL
                      WHERE id = ?1 AND delivered_ms IS NULL";
        self.lock().execute(failed, params![id, error, due])?;
        Ok(())
    }

    /// Makes everything undelivered due now, what was given up too; gives how many.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn retry_notifications(&self) -> Result<usize, LedgerError> {
        let revive = "UPDATE notification SET due_ms = ?1, given_up = 0 WHERE delivered_ms IS NULL";
        Ok(self.lock().execute(revive, [self.now_ms()])?)
    }

    /// The latest notifications and, however old, those that the merchant has not acknowledged; newest first.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn latest_notifications(&self, latest: u32) -> Result<Vec<Notification>, LedgerError> {
        let connection = self.lock();
        let listed = format!(
            "SELECT {COLUMNS} FROM notification WHERE delivered_ms IS NULL
             OR id IN (SELECT id FROM notification ORDER BY id DESC LIMIT ?1) ORDER BY id DESC"
        );
        Ok(connection.prepare_cached(&listed)?.query_map([latest], read)?.collect::<Result<_, _>>()?)
    }

    /// How many are neither delivered nor given up.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn undelivered_notifications(&self) -> Result<u64, LedgerError> {
        let count = "SELECT count(*) FROM notification WHERE delivered_ms IS NULL AND given_up = 0";
        let count: i64 = self.lock().query_row(count, [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }
}

/// Writes the notification of an outcome just recorded, if notifications are kept and there is anything to tell.
pub(super) fn enqueue(
    transaction: &Transaction<'_>,
    attempt: &Attempt,
    outcome: &Outcome,
    now: i64,
) -> Result<(), LedgerError> {
    write(transaction, attempt, &Told::Outcome(outcome), now)
}

/// Writes the notification of a refund just recorded as made, if notifications are kept.
pub(super) fn enqueue_refund(
    transaction: &Transaction<'_>,
    attempt: &Attempt,
    refund: &Refund,
    now: i64,
) -> Result<(), LedgerError> {
    write(transaction, attempt, &Told::Refund(refund.amount), now)
}

fn write(transaction: &Transaction<'_>, attempt: &Attempt, told: &Told<'_>, now: i64) -> Result<(), LedgerError> {
    let Some(kind) = told.kind(attempt) else { return Ok(()) };
    let mut kept = transaction.prepare_cached("SELECT 1 FROM setting WHERE name = ?1 AND value = 'on'")?;
    if !kept.exists([SETTING])? {
        return Ok(());
    }
    let event_id = new_event_id()?;
    let prefix = "SELECT name_prefix FROM attempt WHERE id = ?1";
    let prefix: String = transaction.prepare_cached(prefix)?.query_row([attempt.id], |row| row.get(0))?;
    let name = format!("{prefix}-{}", attempt.ledger_reference());
    let body = body(attempt, &name, told, kind, &event_id, now);
    transaction.execute(
        "INSERT INTO notification (event_id, event, attempt, order_id, body, created_ms, due_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
        params![event_id, kind.name(), attempt.id, attempt.order_id, body, now],
    )?;
    Ok(())
}

const COLUMNS: &str =
    "id, event_id, event, order_id, body, created_ms, due_ms, tries, delivered_ms, given_up, last_error";
/// `?1` is now, `?2` the latest time anything can have been put off to.
const IS_DUE: &str = "delivered_ms IS NULL AND given_up = 0 AND (due_ms <= ?1 OR due_ms > ?2 OR created_ms > ?1)";

/// Sorts behind what is none. A refund is told after its payment; of several, each tells the total.
const IS_REFUND: &str = "event = 'payment.refunded'";

/// What a refund waits for: neither acknowledged nor given up. What was told of the attempt before it does not matter.
const IS_PAYMENT_UNTOLD: &str = "event = 'payment.approved' AND delivered_ms IS NULL AND given_up = 0";

fn after(now: i64, span: SignedDuration) -> i64 {
    now.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
}

fn read(row: &Row<'_>) -> Result<Notification, rusqlite::Error> {
    Ok(Notification {
        id: row.get(0)?,
        event_id: row.get(1)?,
        event: row.get(2)?,
        order_id: row.get(3)?,
        body: row.get(4)?,
        created: time(row.get(5)?),
        due: time(row.get(6)?),
        tries: row.get(7)?,
        delivered: row.get::<_, Option<i64>>(8)?.map(time),
        given_up: row.get(9)?,
        last_error: row.get(10)?,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::Clock;
    use crate::ledger::bench::{self, approved, ledger};
    use crate::money::Money;

    fn settle(ledger: &Ledger, order: &str, outcome: &Outcome) -> i64 {
        bench::ended(ledger, "257139", order, Money::mxn(20_050), outcome)
    }

    const LEASE: SignedDuration = SignedDuration::from_secs(60);
    const LONGEST: SignedDuration = SignedDuration::from_hours(4);

    fn claim(ledger: &Ledger) -> Option<Notification> {
        let first = *ledger.due_notifications(LONGEST).unwrap().first()?;
        ledger.claim_notification(first, LEASE, LONGEST).unwrap()
    }

    #[test]
    fn queries_mean_the_payments_and_refunds_that_are_told() {
        assert_eq!(IS_REFUND, format!("event = '{}'", MessageKind::Refunded.name()));
        assert!(IS_PAYMENT_UNTOLD.starts_with(&format!("event = '{}'", MessageKind::Approved.name())));
    }

    #[test]
    fn nothing_is_kept_until_it_is_asked_for() {
        let (ledger, _) = ledger();
        settle(&ledger, "before", &approved());
        ledger.keep_notifications().unwrap();
        assert_eq!(claim(&ledger), None);
    }

    #[test]
    fn an_outcome_is_told_once_and_says_what_a_merchant_needs() {
        let (ledger, _) = ledger();
        ledger.keep_notifications().unwrap();
        let id = settle(&ledger, "ord-1", &Outcome::Declined { code: Some(3001), counts: true });
        ledger.settle(id, &Outcome::Declined { code: Some(3001), counts: true }).unwrap(); // no step, no message
        settle(&ledger, "ord-1", &approved());
        let mut events = ledger.latest_notifications(10).unwrap();
        events.reverse();
        assert_eq!(
            events.iter().map(|one| one.event.as_str()).collect::<Vec<_>>(),
            ["payment.declined", "payment.approved"]
        );
        let body: serde_json::Value = serde_json::from_str(&events[1].body).unwrap();
        assert_eq!(body["id"], events[1].event_id.as_str());
        assert_eq!(
            (&body["amount"], &body["currency"], &body["order_id"]),
            (&"200.50".into(), &"MXN".into(), &"ord-1".into())
        );
        assert_eq!((&body["reference"], &body["card"]["last_four"]), (&"801585".into(), &"1111".into()));
        assert!(!events[1].body.contains("257139"), "the payment key is a credential");
        assert_ne!(events[0].event_id, events[1].event_id);
        let name = body["attempt"].as_str().unwrap();
        assert!(name.len() > 16 && name.ends_with("-100002") && !events[0].body.contains(name), "{name}");
    }

    /// The number is given again, and so was the name: the merchant took the second attempt's reports for the first one's, and
    /// a pending charge, of an attempt that had ended, kept its order from nobody.
    #[test]
    fn a_restored_ledger_gives_no_name_again() {
        let folder = tempfile::tempdir().unwrap();
        let [path, backup] = ["ledger.sqlite", "backup.sqlite"].map(|name| folder.path().join(name));
        let open = |path: &std::path::Path| Ledger::open(path, Arc::new(crate::clock::SystemClock)).unwrap();
        let name = |ledger: &Ledger, outcome: &Outcome| {
            let id = settle(ledger, "ord-1", outcome);
            let body = ledger.latest_notifications(1).unwrap().remove(0).body;
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            (id, body["attempt"].as_str().unwrap().to_owned())
        };
        let lost = open(&path);
        lost.keep_notifications().unwrap();
        lost.back_up(&backup).unwrap();
        let (declined, old) = name(&lost, &Outcome::Declined { code: Some(3001), counts: true });
        let restored = open(&backup);
        let (pending, new) = name(&restored, &Outcome::Unknown);
        assert_eq!(declined, pending, "the number is given again");
        assert_ne!(old, new);
        restored.settle(pending, &approved()).unwrap();
        let end = restored.latest_notifications(1).unwrap().remove(0).body;
        assert!(end.contains(&new), "and each keeps its own: {end}");
    }

    #[test]
    fn a_claimed_notification_is_due_again_after_its_lease_unless_delivered() {
        let (ledger, clock) = ledger();
        ledger.keep_notifications().unwrap();
        settle(&ledger, "ord-1", &approved());
        let claimed = claim(&ledger).unwrap();
        assert_eq!((claimed.tries, claim(&ledger)), (1, None));
        clock.advance(LEASE);
        assert_eq!(claim(&ledger).map(|again| (again.id, again.tries)), Some((claimed.id, 2)));
        ledger.notification_delivered(claimed.id).unwrap();
        clock.advance(LEASE);
        assert_eq!((claim(&ledger), ledger.undelivered_notifications().unwrap()), (None, 0));
    }

    #[test]
    fn a_given_up_notification_can_be_revived() {
        let (ledger, clock) = ledger();
        ledger.keep_notifications().unwrap();
        settle(&ledger, "ord-1", &approved());
        let id = claim(&ledger).unwrap().id;
        ledger.notification_failed(id, "HTTP 500", Some(clock.now())).unwrap();
        assert!(claim(&ledger).is_some());
        ledger.notification_failed(id, "HTTP 500", None).unwrap();
        clock.advance(SignedDuration::from_hours(100));
        assert_eq!(claim(&ledger), None);
        assert_eq!(ledger.latest_notifications(1).unwrap()[0].last_error.as_deref(), Some("HTTP 500"));
        assert_eq!(ledger.retry_notifications().unwrap(), 1);
        assert!(claim(&ledger).is_some());
    }

    /// What had been given up was listed no more once fifty others had been delivered: nobody could see whose payment it was.
    #[test]
    fn what_the_merchant_does_not_know_is_listed_however_old() {
        let (ledger, _) = ledger();
        ledger.keep_notifications().unwrap();
        for order in ["given-up", "delivered", "due", "last-but-one", "last"] {
            settle(&ledger, order, &Outcome::Declined { code: Some(3001), counts: true });
        }
        ledger.notification_failed(1, "HTTP 500", None).unwrap();
        [2, 4, 5].into_iter().for_each(|id| ledger.notification_delivered(id).unwrap());
        let listed = ledger.latest_notifications(2).unwrap();
        let listed: Vec<&str> = listed.iter().map(|one| one.order_id.as_str()).collect();
        assert_eq!(listed, ["last", "last-but-one", "due", "given-up"]);
    }

    /// It was silent for as long as the clock had been ahead, a year, and nothing said so.
    #[test]
    fn a_clock_that_was_ahead_silences_nothing() {
        let (ledger, clock) = ledger();
        ledger.keep_notifications().unwrap();
        let year = SignedDuration::from_hours(24 * 365);
        clock.advance(year);
        settle(&ledger, "made-ahead", &Outcome::Declined { code: Some(3001), counts: true });
        clock.advance(-year);
        let made_ahead = claim(&ledger).unwrap();
        assert_eq!((made_ahead.created, claim(&ledger)), (clock.now(), None), "its age counts from now on, once");
        ledger.notification_delivered(made_ahead.id).unwrap();
        settle(&ledger, "put-off-ahead", &approved());
        let id = claim(&ledger).unwrap().id;
        ledger.notification_failed(id, "HTTP 500", Some(clock.now() + LONGEST)).unwrap();
        assert_eq!(claim(&ledger), None, "as long as it may be put off");
        ledger.notification_failed(id, "HTTP 500", Some(clock.now() + year)).unwrap();
        assert_eq!(claim(&ledger).map(|due| due.id), Some(id));
    }

    #[test]
    fn a_notification_is_claimed_by_one_process() {
        let (ledger, _) = ledger();
        ledger.keep_notifications().unwrap();
        settle(&ledger, "ord-1", &approved());
        let due = ledger.due_notifications(LONGEST).unwrap();
        assert!(ledger.claim_notification(due[0], LEASE, LONGEST).unwrap().is_some());
        assert_eq!(ledger.claim_notification(due[0], LEASE, LONGEST).unwrap(), None);
    }
}
