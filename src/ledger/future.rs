//! Times that can't be: written while a clock was ahead, they would keep what is open from ever growing old.

use super::refunds::OPEN_REFUND;
use super::state::IN_DOUBT;
use super::{Ledger, LedgerError};

/// What is open: its table, since when it counts as open, and its states.
const OPEN: [(&str, &str, &str); 3] = [
    ("attempt", "sent_ms", IN_DOUBT),
    ("attempt", "created_ms", "('prepared')"),
    ("refund", "created_ms", OPEN_REFUND),
];

impl Ledger {
    /// Has open attempts and refunds of the future begin now, which is later than they did: nothing is given up too early.
    ///
    /// # Errors
    /// [`LedgerError::Storage`].
    pub fn bring_back_from_future(&self) -> Result<(), LedgerError> {
        let now = self.now_ms();
        let connection = self.lock();
        for (table, column, states) in OPEN {
            let is_of_future = format!("state IN {states} AND {column} > ?1");
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
