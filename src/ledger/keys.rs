//! Payment keys: issued, looked up, cancelled, locked, paid.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, Transaction, TransactionBehavior, params};

use super::column::{centavos, money, time};
use super::{Ledger, LedgerError, audit};
use crate::money::Money;
use crate::order_id;
use crate::service::{Authorization, Customer, PaymentKey};
use digits::OpenKeys;

mod digits;
mod order;
#[cfg(test)]
mod tests;

const MAX_DESCRIPTION: usize = Authorization::MAX_DESCRIPTION;

/// Where a key's digits come from.
pub enum Digits {
    /// Drawn at random from the operating system, this many.
    Random(usize),
    /// Chosen by the merchant.
    Given(PaymentKey),
}

/// A key to be issued.
pub struct NewKey {
    /// The key itself.
    pub digits: Digits,
    /// What is to be paid.
    pub amount: Money,
    /// The merchant's order, which has no other key that can be paid; which ids may be used is in [`order_id`].
    pub order_id: String,
    /// Shown on the charge, 1 to [`Authorization::MAX_DESCRIPTION`] characters.
    pub description: String,
    /// The payer, if known.
    pub customer: Option<Customer>,
    /// When the key stops being good; never, if `None`.
    pub expires: Option<Timestamp>,
    /// Declined charges until the key locks.
    pub max_failures: u32,
}

/// A key just issued: the only time its digits leave the ledger in a listing.
pub struct IssuedKey {
    /// Its number in the ledger.
    pub id: i64,
    /// The key for the customer.
    pub key: PaymentKey,
}

/// A key of many that can't be issued, and one cause; a key with several has as many of these.
#[derive(Debug)]
pub struct RefusedKey {
    /// Its place in the list, from 0.
    pub place: usize,
    /// Why, as [`Ledger::issue_key`] says it.
    pub error: LedgerError,
}

/// Whether a key can be paid now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyStatus {
    /// It can.
    Open,
    /// Its time is over.
    Expired,
    /// It has been paid.
    Paid,
    /// Too many declined charges.
    Locked,
    /// Taken back by the merchant.
    Cancelled,
}

/// A key as the ledger knows it.
#[derive(Debug, Clone)]
pub struct KeyRecord {
    /// Its number in the ledger.
    pub id: i64,
    /// The key; prints masked.
    pub key: PaymentKey,
    /// What is to be paid.
    pub amount: Money,
    /// The merchant's order.
    pub order_id: String,
    /// Shown on the charge.
    pub description: String,
    /// The payer, if known.
    pub customer: Option<Customer>,
    /// When it was issued.
    pub issued: Timestamp,
    /// When it stops being good.
    pub expires: Option<Timestamp>,
    /// Whether it can be paid now.
    pub status: KeyStatus,
    /// Declined charges so far.
    pub failures: u32,
}

impl KeyStatus {
    /// Its name in the ledger and in listings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Expired => "expired",
            Self::Paid => "paid",
            Self::Locked => "locked",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Ledger {
    /// Issues a key.
    ///
    /// # Errors
    /// [`LedgerError::Key`] if the key exists already, or the order has one that is neither expired nor cancelled, is paid
    /// or being paid; if a text is too long, its time is over, or the key is a card number or too short to be safe from
    /// guessing; [`LedgerError::Storage`].
    pub fn issue_key(&self, new: NewKey) -> Result<IssuedKey, LedgerError> {
        let now = self.now_ms();
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let issued = issue(&transaction, &new, &mut OpenKeys::default(), now)?
            .map_err(|causes| LedgerError::Key(causes.join("; ")))?;
        transaction.commit()?;
        Ok(issued)
    }

    /// Issues many keys, or none if any of them can't be issued.
    ///
    /// # Errors
    /// [`LedgerError::Storage`]; inside, every key that can't be issued.
    pub fn issue_keys(&self, new: &[NewKey]) -> Result<Result<Vec<IssuedKey>, Vec<RefusedKey>>, LedgerError> {
        let now = self.now_ms();
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let issued = issue_all(&transaction, new, now)?;
        if issued.is_ok() {
            transaction.commit()?; // else dropping the transaction takes back what was issued
        }
        Ok(issued)
    }

    /// Whether a key can be issued for an order.
    ///
    /// # Errors
    /// [`LedgerError::Key`] says why not; [`LedgerError::Storage`].
    pub fn check_order(&self, order_id: &str) -> Result<(), LedgerError> {
        order_id::check_new(order_id).map_err(|error| LedgerError::Key(error.to_string()))?;
        order::refusal(&self.lock(), order_id, self.now_ms())?.map_or(Ok(()), |cause| Err(LedgerError::Key(cause)))
    }

    /// What [`issue_keys`](Self::issue_keys) would issue, random digits drawn, with nothing issued yet: digits can be
    /// written down for whoever gets them, and then be issued, so that a write that fails loses no key.
    ///
    /// # Errors
    /// [`LedgerError::Storage`]; inside, every key that can't be issued.
    pub fn draw_keys(&self, new: Vec<NewKey>) -> Result<Result<Vec<NewKey>, Vec<RefusedKey>>, LedgerError> {
        let now = self.now_ms();
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let issued = issue_all(&transaction, &new, now)?;
        drop(transaction); // takes back what was issued
        let given = |(new, issued): (NewKey, IssuedKey)| NewKey { digits: Digits::Given(issued.key), ..new };
        Ok(issued.map(|issued| new.into_iter().zip(issued).map(given).collect()))
    }

    /// Adds a line about an order to the audit trail.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn remark_order(&self, order_id: &str, event: &str, detail: &str) -> Result<(), LedgerError> {
        Ok(audit::append(&self.lock(), self.now_ms(), &format!("order {order_id}"), event, detail)?)
    }

    /// Looks a key up; `None` if there is no such key.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn find_key(&self, key: &PaymentKey) -> Result<Option<KeyRecord>, LedgerError> {
        let now = self.now_ms();
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE digits = ?1"))?;
        Ok(statement.query_row([key.expose()], |row| read(row, now)).optional()?)
    }

    /// All keys, newest first.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn list_keys(&self) -> Result<Vec<KeyRecord>, LedgerError> {
        let now = self.now_ms();
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&format!("{SELECT} ORDER BY id DESC"))?;
        Ok(statement.query_map([], |row| read(row, now))?.collect::<Result<_, _>>()?)
    }

    /// Takes a key back; gives whether a charge of its order is not decided, which may pay it all the same. A paid key
    /// stays paid.
    ///
    /// # Errors
    /// [`LedgerError::Missing`] if no key that could still be cancelled has this number; [`LedgerError::Storage`].
    pub fn cancel_key(&self, id: i64) -> Result<bool, LedgerError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let cancel = "UPDATE payment_key SET status = 'cancelled' WHERE id = ?1 AND status IN ('open', 'locked')
                      RETURNING order_id";
        let order_id: Option<String> = transaction.query_row(cancel, [id], |row| row.get(0)).optional()?;
        let no_key = || LedgerError::Missing(format!("key {id} that could be cancelled (paid keys stay)"));
        let is_undecided = order::is_undecided(&transaction, &order_id.ok_or_else(no_key)?)?;
        audit::append(&transaction, self.now_ms(), &format!("key {id}"), "cancelled", "")?;
        transaction.commit()?;
        Ok(is_undecided)
    }
}

/// Marks a key paid, if this ledger issued it (the merchant's ledger may be elsewhere), and with it any other key of its
/// order that could be paid: a charge given up may turn up after a new key was issued.
pub(super) fn mark_paid(transaction: &Transaction<'_>, digits: &str) -> Result<(), rusqlite::Error> {
    let paid = "UPDATE payment_key SET status = 'paid' WHERE digits = ?1 OR (status IN ('open', 'locked')
                AND order_id = (SELECT order_id FROM payment_key WHERE digits = ?1))";
    transaction.execute(paid, [digits]).map(drop)
}

/// Counts a declined charge, and locks the key at its limit.
pub(super) fn count_failure(transaction: &Transaction<'_>, digits: &str, now: i64) -> Result<(), rusqlite::Error> {
    transaction.execute("UPDATE payment_key SET failures = failures + 1 WHERE digits = ?1", [digits])?;
    let locked: Option<i64> = transaction
        .query_row(
            "UPDATE payment_key SET status = 'locked' WHERE digits = ?1 AND status = 'open' AND failures >= max_failures
             RETURNING id",
            [digits],
            |row| row.get(0),
        )
        .optional()?;
    match locked {
        Some(id) => audit::append(transaction, now, &format!("key {id}"), "locked", ""),
        None => Ok(()),
    }
}

/// Issues all of them, or tells which can't be, every cause; what becomes of the transaction is the caller's to say.
fn issue_all(
    transaction: &Transaction<'_>,
    new: &[NewKey],
    now: i64,
) -> Result<Result<Vec<IssuedKey>, Vec<RefusedKey>>, LedgerError> {
    let (mut issued, mut refused) = (Vec::with_capacity(new.len()), Vec::new());
    let mut open = OpenKeys::default();
    for (place, key) in new.iter().enumerate() {
        match issue(transaction, key, &mut open, now)? {
            Ok(key) => issued.push(key),
            Err(causes) => {
                refused.extend(causes.into_iter().map(|cause| RefusedKey { place, error: LedgerError::Key(cause) }));
            }
        }
    }
    Ok(if refused.is_empty() { Ok(issued) } else { Err(refused) })
}

/// Issues a key, or tells every cause why it can't be.
fn issue(
    transaction: &Transaction<'_>,
    new: &NewKey,
    open: &mut OpenKeys,
    now: i64,
) -> Result<Result<IssuedKey, Vec<String>>, LedgerError> {
    let mut causes = mistakes(new, now);
    causes.extend(order::refusal(transaction, &new.order_id, now)?);
    let digits = match digits::choose(transaction, &new.digits, open)? {
        Ok(digits) if causes.is_empty() => digits,
        chosen => {
            causes.extend(chosen.err());
            return Ok(Err(causes));
        }
    };
    order::end_expired(transaction, &new.order_id, open, now)?;
    insert(transaction, &digits, new, now)?;
    open.issued(digits.len());
    let id = transaction.last_insert_rowid();
    audit::append(transaction, now, &format!("key {id}"), "issued", &format!("{} {}", new.order_id, new.amount))?;
    Ok(Ok(IssuedKey { id, key: PaymentKey::new(digits.as_str()) }))
}

/// What is wrong with a key whatever the ledger has.
fn mistakes(new: &NewKey, now: i64) -> Vec<String> {
    let order_id = order_id::check_new(&new.order_id).map_err(|error| error.to_string()).err();
    let length = format!("a description has 1 to {MAX_DESCRIPTION} characters");
    let others = [
        (new.amount.centavos == 0, "the amount is zero"),
        (!(1..=MAX_DESCRIPTION).contains(&new.description.chars().count()), &length),
        (has_controls(&new.description), "a description is plain text, without line breaks and control characters"),
        (new.max_failures == 0, "at least one failure must be allowed"),
        (new.expires.is_some_and(|expires| expires.as_millisecond() <= now), "it would have expired already"),
    ];
    let others = others.into_iter().filter(|(is_wrong, _)| *is_wrong).map(|(_, cause)| cause.to_owned());
    order_id.into_iter().chain(others).collect()
}

fn has_controls(text: &str) -> bool {
    text.chars().any(char::is_control)
}

fn insert(transaction: &Transaction<'_>, digits: &str, new: &NewKey, now: i64) -> Result<(), rusqlite::Error> {
    let customer = new.customer.as_ref();
    transaction
        .execute(
            "INSERT INTO payment_key (digits, order_id, centavos, currency, description, customer_name,
             customer_last_name, customer_email, customer_phone, issued_ms, expires_ms, status, max_failures)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'open', ?12)",
            params![
                digits,
                new.order_id,
                centavos(new.amount)?,
                new.amount.currency.code(),
                new.description,
                customer.map(|customer| &customer.name),
                customer.and_then(|customer| customer.last_name.as_ref()),
                customer.and_then(|customer| customer.email.as_ref()),
                customer.and_then(|customer| customer.phone_number.as_ref()),
                now,
                new.expires.map(Timestamp::as_millisecond),
                new.max_failures,
            ],
        )
        .map(drop)
}

const SELECT: &str = "SELECT id, digits, centavos, currency, order_id, description, customer_name, customer_last_name,
    customer_email, customer_phone, issued_ms, expires_ms, status, failures FROM payment_key";

fn read(row: &Row<'_>, now: i64) -> Result<KeyRecord, rusqlite::Error> {
    let expires: Option<i64> = row.get(11)?;
    let status = match row.get::<_, String>(12)?.as_str() {
        "paid" => KeyStatus::Paid,
        "locked" => KeyStatus::Locked,
        "cancelled" => KeyStatus::Cancelled,
        "expired" => KeyStatus::Expired, // for good, whatever the clock says: its order has another key
        _ if expires.is_some_and(|expires| expires <= now) => KeyStatus::Expired,
        _ => KeyStatus::Open,
    };
    Ok(KeyRecord {
        id: row.get(0)?,
        key: PaymentKey::new(row.get::<_, String>(1)?),
        amount: money(row, 2, 3)?,
        order_id: row.get(4)?,
        description: row.get(5)?,
        customer: read_customer(row)?,
        issued: time(row.get(10)?),
        expires: expires.and_then(|expires| Timestamp::from_millisecond(expires).ok()),
        status,
        failures: row.get(13)?,
    })
}

fn read_customer(row: &Row<'_>) -> Result<Option<Customer>, rusqlite::Error> {
    let Some(name) = row.get(6)? else { return Ok(None) };
    Ok(Some(Customer { name, last_name: row.get(7)?, email: row.get(8)?, phone_number: row.get(9)? }))
}
