//! The ledger: payment keys and charge attempts, persisted before each step.
//!
//! An attempt is one charge of one card for one payment key. Its life is
//!
//! ```text
//! Prepared ──> Sent | Declined | Abandoned
//! Sent ──────> Approved | Elsewhere | Declined | Unknown | Lapsed | Abandoned
//! Unknown ───> Approved | Elsewhere | Declined | Lapsed
//! Lapsed ────> Approved | Declined
//! ```
//!
//! A prepared attempt is declined where the gateway refuses the card itself, before there is a token to charge. An
//! abandoned one was not sent, or was sent and certainly not made. A lapsed one was given up, and is still looked for: a
//! charge may turn up late. Where the gateway has a charge of the order that is not the attempt's own, the order is paid
//! elsewhere: this ledger has no payment to book, and charges the order no more. If that charge is an earlier attempt's of
//! this ledger that was given up, it is that one's: it is approved, and the later attempt abandoned.
//!
//! Every step is on disk (SQLite, write-ahead log, synchronous full) before the next is taken, together with its line in
//! the audit trail. At most one attempt per payment key, and per order, is ever live or paid: a unique index says so,
//! which holds between threads and between processes alike. [`State::Approved`] and [`State::Elsewhere`] are final, by a
//! trigger.

mod attempts;
mod audit;
mod backup;
#[cfg(test)]
pub(crate) mod bench;
mod column;
mod condition;
mod future;
mod keys;
mod look;
mod orders;
mod outbox;
mod probe;
mod received;
mod refunds;
mod schema;
mod state;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::clock::Clock;

pub use attempts::{Attempt, ByHand, Conflict, MAY_TURN_UP, Naming, NewAttempt, Seen};
pub use audit::AuditEntry;
pub use condition::Condition;
pub use keys::{Digits, IssuedKey, KeyRecord, KeyStatus, NewKey, RefusedKey};
pub use orders::{OrderProblem, Orders, ReadOrders};
pub use outbox::{MessageKind, Notification};
pub use received::{End, Receipt, Report};
pub use refunds::{NoRefund, Refund, RefundState, ToldBefore};
pub use state::{Outcome, State};

/// The ledger's file, shared by all threads; other processes may have the same file open.
pub struct Ledger {
    connection: Mutex<Connection>,
    clock: Arc<dyn Clock>,
}

/// Why the ledger can't do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file can't be opened, read or written: stop taking payments.
    #[error("ledger: {0}")]
    Storage(#[from] rusqlite::Error),
    /// Some of the file can't be read.
    #[error("ledger: the file is damaged: {0}")]
    Damaged(String),
    /// The file is not this user's to read and write.
    #[error("ledger: {0}")]
    File(std::io::Error),
    /// Written by a newer program.
    #[error("the ledger has schema version {found}, this program knows up to {known}: use the newer program")]
    TooNew {
        /// Version in the file.
        found: i64,
        /// Version of this program.
        known: i64,
    },
    /// A file without a ledger's tables: another program's, or a copy of a ledger's file alone.
    #[error(
        "there is no ledger in this file; a copy of a ledger's file lacks what stands in the -wal file beside it: \
         `tonopago payments backup` makes whole ones"
    )]
    NotALedger,
    /// A copy can't be written.
    #[error("{}: {source}", path.display())]
    Copy {
        /// The copy.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An attempt is not in a state from which this step may be taken.
    #[error("attempt {} is {from}, it can't become {to}", attempts::reference_of(*id))]
    Transition {
        /// The attempt.
        id: i64,
        /// Its state.
        from: State,
        /// The state asked for.
        to: State,
    },
    /// An attempt or a refund can't be settled by hand in this way.
    #[error("can't settle the attempt: {0}")]
    ByHand(String),
    /// No such attempt or key.
    #[error("the ledger has no {0}")]
    Missing(String),
    /// The operating system has no random numbers.
    #[error("no random numbers: {0}")]
    Random(String),
    /// A key can't be issued as asked.
    #[error("can't issue the key: {0}")]
    Key(String),
}

impl LedgerError {
    /// What to do about it.
    pub fn cure(&self) -> &'static str {
        let Self::Storage(error) = self else {
            return match self {
                Self::TooNew { .. } => "use the newer program; this one must not write to it",
                Self::NotALedger => "see whether the path is right",
                Self::Damaged(_) => RESTORE,
                _ => LOOK,
            };
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => RESTORE,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                "another program has been writing to it for all of the time; try again, and see which one"
            }
            _ => LOOK,
        }
    }
}

const RESTORE: &str = "move it away with its -wal and restore a copy that `tonopago payments backup` made; or see whether the \
                       path is right";
const LOOK: &str = "see the file's owner, the folder's rights and the disk";

impl Ledger {
    /// Opens or creates a ledger file, readable by its owner only, and brings its schema up to date.
    ///
    /// # Errors
    /// [`LedgerError::Storage`], [`LedgerError::TooNew`]; [`LedgerError::NotALedger`] for another program's tables.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, LedgerError> {
        // If this fails, opening the file fails too, and says why. SQLite gives its journals the file's mode.
        let _ = crate::private_file::ensure(path);
        Self::with_connection(Connection::open(path)?, clock)
    }

    /// Opens a ledger file that must hold one already, and brings its schema up to date.
    ///
    /// # Errors
    /// [`LedgerError::NotALedger`], and the file is as it was; [`LedgerError::Storage`] or [`LedgerError::TooNew`].
    pub fn open_existing(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, LedgerError> {
        let connection = Connection::open_with_flags(path, OpenFlags::default() - OpenFlags::SQLITE_OPEN_CREATE)?;
        if !schema::is_there(&connection)? {
            return Err(LedgerError::NotALedger);
        }
        Self::with_connection(connection, clock)
    }

    /// A ledger that lives as long as this value, for tests and trials.
    ///
    /// # Errors
    /// [`LedgerError::Storage`] if SQLite has no memory.
    pub fn in_memory(clock: Arc<dyn Clock>) -> Result<Self, LedgerError> {
        Self::with_connection(Connection::open_in_memory()?, clock)
    }

    fn with_connection(mut connection: Connection, clock: Arc<dyn Clock>) -> Result<Self, LedgerError> {
        schema::prepare(&mut connection)?;
        Ok(Self { connection: Mutex::new(connection), clock })
    }

    /// The clock its dates come from.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic inside a transaction rolled it back when the transaction was dropped: the connection is sound.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
