//! Looking into a ledger without writing to it: a full disk, a lock, or rights to read only do not stand in the way.

use std::path::Path;
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::condition::{is_alone, open_to_read};
use super::{Ledger, LedgerError, schema};
use crate::clock::Clock;

/// Pages copied at a time.
const PAGES: i32 = 1_000;

impl Ledger {
    /// Reads a ledger that must be there, which another process may have open, and leaves it as it is. One of an earlier
    /// version is read from a copy in memory, brought up to date.
    ///
    /// # Errors
    /// What `read` gives; [`LedgerError::NotALedger`], [`LedgerError::Storage`], [`LedgerError::TooNew`].
    pub fn look<T>(
        path: &Path,
        clock: &Arc<dyn Clock>,
        read: impl Fn(&Self) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let was_alone = is_alone(path);
        let seen = open(path, was_alone, clock).and_then(|ledger| read(&ledger));
        if was_alone && !is_alone(path) {
            // Somebody has begun to write: pages may have changed while they were read.
            return read(&open(path, false, clock)?);
        }
        seen
    }
}

fn open(path: &Path, is_alone: bool, clock: &Arc<dyn Clock>) -> Result<Ledger, LedgerError> {
    let connection = open_to_read(path, is_alone)?;
    if !schema::is_there(&connection)? {
        return Err(LedgerError::NotALedger);
    }
    if schema::is_current(&connection)? {
        return Ok(Ledger { connection: Mutex::new(connection), clock: Arc::clone(clock) });
    }
    let mut copy = Connection::open_in_memory()?;
    Backup::new(&connection, &mut copy)?.run_to_completion(PAGES, std::time::Duration::ZERO, None)?;
    Ledger::with_connection(copy, Arc::clone(clock))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    fn clock() -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }

    fn look(path: &Path) -> Result<Vec<String>, LedgerError> {
        let read = |ledger: &Ledger| Ok(ledger.audit(10)?.into_iter().map(|entry| entry.subject).collect());
        Ledger::look(path, &clock(), read)
    }

    /// It waited ten seconds for whoever wrote, and then failed.
    #[test]
    fn looking_waits_for_nobody_and_sees_what_has_been_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.sqlite");
        let ledger = Ledger::open(&path, clock()).unwrap();
        ledger.remark_order("1", "remark", "").unwrap();
        let mut other = Connection::open(&path).unwrap();
        let writing = other.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
        writing.execute("UPDATE setting SET value = 'x'", []).unwrap();
        assert_eq!(look(&path).unwrap(), ["order 1"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_ledger_that_may_only_be_read_is_read_and_nothing_is_made() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.sqlite");
        Ledger::open(&path, clock()).unwrap().remark_order("1", "remark", "").unwrap();
        let mode = |mode| std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&path, mode(0o400)).unwrap();
        std::fs::set_permissions(folder.path(), mode(0o500)).unwrap();
        let before = std::fs::read(&path).unwrap();
        let (seen, names) = (look(&path), std::fs::read_dir(folder.path()).unwrap().count());
        std::fs::set_permissions(folder.path(), mode(0o700)).unwrap();
        assert_eq!((seen.unwrap(), names), (vec!["order 1".to_owned()], 1));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    /// Looking brought it up to date, and the older program that still ran refused it from then on.
    #[test]
    fn an_older_ledger_is_read_and_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.sqlite");
        schema::make_older(&path);
        let before = std::fs::read(&path).unwrap();
        assert_eq!(look(&path).unwrap(), ["a"]);
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert!(matches!(look(&folder.path().join("none")), Err(LedgerError::Storage(_))));
    }
}
