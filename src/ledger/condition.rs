//! How a ledger's file is, seen without making or changing anything: for whoever looks before its owner has opened it.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{Ledger, LedgerError, schema};

/// How a ledger's file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It is not there; [`Ledger::open`] makes it.
    Absent,
    /// Written by an earlier version of this program; [`Ledger::open`] brings it up to date.
    Older,
    /// As this version writes it.
    Current,
}

impl Ledger {
    /// Looks at a ledger's file, which another process may have open, and leaves it as it is.
    ///
    /// # Errors
    /// [`LedgerError::File`] if it can't be opened for writing, [`LedgerError::Storage`] if it is no database,
    /// [`LedgerError::Damaged`] if some of it can't be read, which takes reading all of it; [`LedgerError::TooNew`].
    pub fn condition(path: &Path) -> Result<Condition, LedgerError> {
        match OpenOptions::new().read(true).write(true).open(path) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Condition::Absent),
            Err(error) => return Err(LedgerError::File(error)),
        }
        let connection = open_to_read(path, is_alone(path))?;
        check_all(&connection)?;
        Ok(if schema::is_current(&connection)? { Condition::Current } else { Condition::Older })
    }
}

/// The version alone says nothing of the other pages.
fn check_all(connection: &Connection) -> Result<(), LedgerError> {
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(LedgerError::Damaged(found.replace('\n', " "))) }
}

/// Whether no write-ahead log lies beside the file, so that nobody has it open.
pub(super) fn is_alone(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    !Path::new(&log).exists()
}

/// Where nobody has it open, SQLite would make a write-ahead log only to read: `immutable` tells it not to. Where there is
/// one it is read, too.
pub(super) fn open_to_read(path: &Path, is_alone: bool) -> Result<Connection, LedgerError> {
    let immutable = if is_alone { "&immutable=1" } else { "" };
    let address = format!("file:{}?mode=ro{immutable}", percent_encoded(path));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(address, flags)?;
    connection.busy_timeout(schema::BUSY_TIMEOUT)?;
    Ok(connection)
}

fn percent_encoded(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    bytes.map(|byte| if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;

    fn names(folder: &Path) -> Vec<String> {
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn looking_makes_nothing_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("caja 1?#%.sqlite");
        assert_eq!(Ledger::condition(&path).unwrap(), Condition::Absent);
        assert_eq!(names(folder.path()), [""; 0]);
        let ledger = Ledger::open(&path, Arc::new(SystemClock)).unwrap();
        let open = names(folder.path());
        assert_eq!(Ledger::condition(&path).unwrap(), Condition::Current, "while another has it open");
        assert_eq!(names(folder.path()), open);
        drop(ledger);
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(Ledger::condition(&path).unwrap(), Condition::Current);
        assert_eq!((names(folder.path()).len(), std::fs::read(&path).unwrap()), (1, bytes));
    }

    /// It was called good: only its version was read.
    #[test]
    fn a_damaged_ledger_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.sqlite");
        let ledger = Ledger::open(&path, Arc::new(SystemClock)).unwrap();
        (0..500).for_each(|n| ledger.remark_order(&format!("order {n}"), "remark", &"x".repeat(100)).unwrap());
        drop(ledger);
        assert_eq!(Ledger::condition(&path).unwrap(), Condition::Current);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.chunks_mut(4096).skip(1).step_by(2).for_each(|page| page[..200].fill(0xaa));
        std::fs::write(&path, bytes).unwrap();
        let error = Ledger::condition(&path).unwrap_err();
        assert!(matches!(error, LedgerError::Damaged(_) | LedgerError::Storage(_)), "{error}");
        assert!(error.cure().contains("restore a copy"), "{error}");
    }

    #[test]
    fn an_older_ledger_stays_one_and_a_newer_or_foreign_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.sqlite");
        drop(Ledger::open(&path, Arc::new(SystemClock)).unwrap());
        let set_version = |version: i64| {
            let connection = Connection::open(&path).unwrap();
            connection.pragma_update(None, "user_version", version).unwrap();
        };
        for _ in 0..2 {
            set_version(1);
            assert_eq!(Ledger::condition(&path).unwrap(), Condition::Older);
        }
        set_version(99);
        assert!(matches!(Ledger::condition(&path), Err(LedgerError::TooNew { found: 99, .. })));
        std::fs::write(&path, "no ledger at all, and long enough for a header".repeat(10)).unwrap();
        assert!(matches!(Ledger::condition(&path), Err(LedgerError::Storage(_))));
        assert!(matches!(Ledger::condition(folder.path()), Err(LedgerError::File(_))));
    }
}
