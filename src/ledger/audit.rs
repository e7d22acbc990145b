//! The append-only audit trail.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{Ledger, LedgerError, attempts, column};

/// One line of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When it was written.
    pub at: Timestamp,
    /// What it is about: `attempt 100012`, by its reference, or `key 3`.
    pub subject: String,
    /// What happened, one word: a state's name, `issued`, `cancelled`, `locked`.
    pub event: String,
    /// Anything more, free of secrets.
    pub detail: String,
}

impl Ledger {
    /// The latest entries, newest first.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn audit(&self, limit: u32) -> Result<Vec<AuditEntry>, LedgerError> {
        let connection = self.lock();
        let mut statement =
            connection.prepare_cached("SELECT at_ms, subject, event, detail FROM audit ORDER BY id DESC LIMIT ?1")?;
        let entries = statement.query_map([limit], |row| {
            Ok(AuditEntry {
                at: column::time(row.get(0)?),
                subject: told(row.get(1)?),
                event: row.get(2)?,
                detail: row.get(3)?,
            })
        })?;
        Ok(entries.collect::<Result<_, _>>()?)
    }
}

/// An attempt is written down by its number, as it was from the first version on; commands take its reference.
fn told(subject: String) -> String {
    let id = subject.strip_prefix("attempt ").and_then(|id| id.parse().ok());
    id.map_or(subject, |id| format!("attempt {}", attempts::reference_of(id)))
}

/// Writes a line, inside the transaction that makes it true.
pub(super) fn append(
    connection: &Connection,
    at_ms: i64,
    subject: &str,
    event: &str,
    detail: &str,
) -> Result<(), rusqlite::Error> {
    let mut statement =
        connection.prepare_cached("INSERT INTO audit (at_ms, subject, event, detail) VALUES (?1, ?2, ?3, ?4)")?;
    statement.execute(params![at_ms, subject, event, detail]).map(drop)
}
