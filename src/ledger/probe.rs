//! Whether the ledger can be written, found out before a payment needs it.

use super::{Ledger, LedgerError};

/// The row that is written; its value is when, in ms since the Unix epoch.
const SETTING: &str = "written_ms";

impl Ledger {
    /// Writes something that matters to nobody, as durably as a payment.
    ///
    /// # Errors
    /// [`LedgerError::Storage`]: no payment could be written down.
    pub fn try_writing(&self) -> Result<(), LedgerError> {
        let set = "INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)";
        self.lock().execute(set, [SETTING, &self.now_ms().to_string()])?;
        Ok(())
    }
}
