//! Times that can't be: written while a clock was ahead, they would keep what is open from ever growing old.

use super::{Ledger, LedgerError};

/// What is open, since when it counts as open, and which is of the future; `?1` is now.
const OF_THE_FUTURE: [(&str, &str, &str); 3] = [
    ("attempt", "sent_ms", "state IN ('sent', 'unknown') AND sent_ms > ?1"),
    ("attempt", "created_ms", "state = 'prepared' AND created_ms > ?1"),
    ("refund", "created_ms", "state IN ('refunding', 'unknown') AND created_ms > ?1"),
];

impl Ledger {
    /// Has open attempts and refunds of the future begin now, which is later than they did: nothing is given up too early.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn bring_back_from_future(&self) -> Result<(), LedgerError> {
        let now = self.now_ms();
        let connection = self.lock();
        for (table, column, is_of_future) in OF_THE_FUTURE {
            let look = format!("SELECT 1 FROM {table} WHERE {is_of_future}"); // without it each round would write
            if connection.prepare_cached(&look)?.exists([now])? {
                let mend = format!("UPDATE {table} SET {column} = ?1 WHERE {is_of_future}");
                let mended = connection.execute(&mend, [now])?;
                tracing::warn!(mended, table, "times of the future: a clock was ahead, or is behind now");
            }
        }
        Ok(())
    }
}
