//! What the sandbox remembers: tokens and transactions, cards only masked.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

use crate::money::{Currency, Money};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS token (
    id TEXT PRIMARY KEY,
    card TEXT NOT NULL,
    decline INTEGER,
    used INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS charge (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    order_id TEXT,
    centavos INTEGER NOT NULL,
    currency TEXT NOT NULL,
    description TEXT NOT NULL,
    status TEXT NOT NULL,
    authorization TEXT,
    error_code INTEGER,
    error_message TEXT,
    card TEXT,
    customer TEXT,
    payment_method TEXT,
    months INTEGER,
    refunded INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS charge_by_order ON charge (order_id);
CREATE TABLE IF NOT EXISTS refund (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    charge TEXT NOT NULL,
    id TEXT NOT NULL,
    centavos INTEGER NOT NULL,
    description TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS refund_by_charge ON refund (charge);
";

/// A transaction as the sandbox keeps it. JSON parts are kept as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCharge {
    /// Openpay's kind of id: 20 letters and digits.
    pub id: String,
    /// The merchant's order id.
    pub order_id: Option<String>,
    /// What was charged.
    pub amount: Money,
    /// As given.
    pub description: String,
    /// `completed`, `failed`, `charge_pending`, `refunded`.
    pub status: String,
    /// Six digits, of a completed one.
    pub authorization: Option<String>,
    /// Why it failed.
    pub error_code: Option<u32>,
    /// Why it failed, in words.
    pub error_message: Option<String>,
    /// The masked card.
    pub card: Option<String>,
    /// The payer.
    pub customer: Option<String>,
    /// How a pending one is to be paid.
    pub payment_method: Option<String>,
    /// Months without interest.
    pub months: Option<u8>,
    /// Centavos given back.
    pub refunded: u64,
    /// The latest refund, which is the one that is told.
    pub refund: Option<StoredRefund>,
    /// Milliseconds since the Unix epoch.
    pub created_ms: i64,
}

/// A refund as the sandbox keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRefund {
    /// Openpay's kind of id.
    pub id: String,
    /// Centavos given back.
    pub centavos: u64,
    /// The text it was asked for with.
    pub description: Option<String>,
}

/// A token, found.
pub(super) struct StoredToken {
    pub(super) card: String,
    pub(super) decline: Option<u32>,
    pub(super) used: bool,
}

pub(super) struct Store(Mutex<Connection>);

impl Store {
    pub(super) fn open(file: Option<&Path>) -> Result<Self, rusqlite::Error> {
        if let Some(file) = file {
            // If this fails, opening the file fails too, and says why.
            let _ = crate::private_file::ensure(file);
        }
        let connection = file.map_or_else(Connection::open_in_memory, Connection::open)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self(Mutex::new(connection)))
    }

    pub(super) fn add_token(&self, id: &str, card: &str, decline: Option<u32>) -> Result<(), rusqlite::Error> {
        let insert = "INSERT INTO token (id, card, decline) VALUES (?1, ?2, ?3)";
        self.lock().execute(insert, params![id, card, decline]).map(drop)
    }

    pub(super) fn token(&self, id: &str) -> Result<Option<StoredToken>, rusqlite::Error> {
        self.lock()
            .query_row("SELECT card, decline, used FROM token WHERE id = ?1", [id], |row| {
                Ok(StoredToken { card: row.get(0)?, decline: row.get(1)?, used: row.get(2)? })
            })
            .optional()
    }

    /// Uses the token up and adds the charge, both or neither. [`Taken`], and no change, if the token had been used or a
    /// charge with one of the `taken` statuses has the order id already.
    pub(super) fn add_charge(
        &self,
        charge: &StoredCharge,
        token: Option<&str>,
        taken: &str,
    ) -> Result<Result<(), Taken>, rusqlite::Error> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let same_order = format!("SELECT 1 FROM charge WHERE order_id = ?1 AND status IN ({taken})");
        if charge.order_id.is_some() && transaction.prepare(&same_order)?.exists([&charge.order_id])? {
            return Ok(Err(Taken::OrderId));
        }
        if let Some(token) = token {
            let used = transaction.execute("UPDATE token SET used = 1 WHERE id = ?1 AND used = 0", [token])?;
            if used == 0 {
                return Ok(Err(Taken::Token));
            }
        }
        insert(&transaction, charge)?;
        transaction.commit()?;
        Ok(Ok(()))
    }

    pub(super) fn charge(&self, id: &str) -> Result<Option<StoredCharge>, rusqlite::Error> {
        self.lock().query_row(&format!("{SELECT} WHERE charge.id = ?1"), [id], read).optional()
    }

    pub(super) fn charges(&self) -> Result<Vec<StoredCharge>, rusqlite::Error> {
        self.lock().prepare(&format!("{SELECT} ORDER BY charge.number"))?.query_map([], read)?.collect()
    }

    /// Newest first, created from `from_ms` to before `to_ms`.
    pub(super) fn list(&self, filter: &ListFilter) -> Result<Vec<StoredCharge>, rusqlite::Error> {
        let ListFilter { order_id, from_ms, to_ms, limit, offset } = filter;
        self.lock()
            .prepare(&format!(
                "{SELECT} WHERE (?1 IS NULL OR order_id = ?1) AND created_ms >= ?2 AND created_ms < ?3
                 ORDER BY charge.number DESC LIMIT ?4 OFFSET ?5"
            ))?
            .query_map(params![order_id, from_ms, to_ms, limit, offset], read)?
            .collect()
    }

    /// Gives money back, if the charge is completed and has so much left.
    pub(super) fn refund(&self, id: &str, refund: &StoredRefund) -> Result<bool, rusqlite::Error> {
        let take = "UPDATE charge SET refunded = refunded + ?2,
            status = CASE WHEN refunded + ?2 = centavos THEN 'refunded' ELSE status END
            WHERE id = ?1 AND status = 'completed' AND refunded + ?2 <= centavos";
        let centavos = i64::try_from(refund.centavos).unwrap_or(i64::MAX);
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if transaction.execute(take, params![id, centavos])? == 0 {
            return Ok(false);
        }
        let insert = "INSERT INTO refund (charge, id, centavos, description) VALUES (?1, ?2, ?3, ?4)";
        transaction.execute(insert, params![id, refund.id, centavos, refund.description])?;
        transaction.commit()?;
        Ok(true)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner) // a dropped transaction has been rolled back
    }
}

/// Why a charge was not added.
pub(super) enum Taken {
    OrderId,
    Token,
}

/// Which charges to list.
pub(super) struct ListFilter {
    pub(super) order_id: Option<String>,
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
    pub(super) limit: u32,
    pub(super) offset: u32,
}

const SELECT: &str = "SELECT charge.id, order_id, charge.centavos, currency, charge.description, status, authorization,
    error_code, error_message, card, customer, payment_method, months, refunded, created_ms, refund.id, refund.centavos,
    refund.description FROM charge LEFT JOIN refund
    ON refund.number = (SELECT max(number) FROM refund WHERE refund.charge = charge.id)";

fn insert(connection: &Connection, charge: &StoredCharge) -> Result<(), rusqlite::Error> {
    let centavos = i64::try_from(charge.amount.centavos).unwrap_or(i64::MAX);
    connection
        .execute(
            "INSERT INTO charge (id, order_id, centavos, currency, description, status, authorization, error_code,
             error_message, card, customer, payment_method, months, created_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            params![
                charge.id,
                charge.order_id,
                centavos,
                charge.amount.currency.code(),
                charge.description,
                charge.status,
                charge.authorization,
                charge.error_code,
                charge.error_message,
                charge.card,
                charge.customer,
                charge.payment_method,
                charge.months,
                charge.created_ms,
            ],
        )
        .map(drop)
}

fn read(row: &Row<'_>) -> Result<StoredCharge, rusqlite::Error> {
    let currency: String = row.get(3)?;
    let hundredths = |column| row.get::<_, i64>(column).map(|value| u64::try_from(value).unwrap_or(0));
    let refund = row
        .get::<_, Option<String>>(15)?
        .map(|id| Ok::<_, rusqlite::Error>(StoredRefund { id, centavos: hundredths(16)?, description: row.get(17)? }));
    Ok(StoredCharge {
        id: row.get(0)?,
        order_id: row.get(1)?,
        amount: Money { centavos: hundredths(2)?, currency: Currency::parse(&currency).unwrap_or(Currency::Mxn) },
        description: row.get(4)?,
        status: row.get(5)?,
        authorization: row.get(6)?,
        error_code: row.get(7)?,
        error_message: row.get(8)?,
        card: row.get(9)?,
        customer: row.get(10)?,
        payment_method: row.get(11)?,
        months: row.get(12)?,
        refunded: hundredths(13)?,
        refund: refund.transpose()?,
        created_ms: row.get(14)?,
    })
}
