//! A whole copy of a ledger in use. Its file alone is none: what was written last stands in the write-ahead log beside it.

use std::fs::File;
use std::io;
use std::path::Path;

use super::{Ledger, LedgerError};
use crate::private_file;

impl Ledger {
    /// Writes the ledger as it is now, whole and in one file, for its owner only. Others may write to the ledger meanwhile.
    ///
    /// # Errors
    /// [`LedgerError::Copy`] if the file exists or can't be written; [`LedgerError::Storage`]. Then there is no file.
    pub fn back_up(&self, to: &Path) -> Result<(), LedgerError> {
        let failed = |source| LedgerError::Copy { path: to.to_owned(), source };
        let path = as_text(to).map_err(failed)?;
        // SQLite fills an empty file; one that it made would have the mode of any.
        let file = private_file::create_new(to).map_err(failed)?;
        let written = self.lock().execute("VACUUM INTO ?1", [&path]).map_err(LedgerError::from);
        let written = written.and_then(|_| make_durable(&file, Path::new(&path)).map_err(failed));
        written.inspect_err(|_| {
            let _ = std::fs::remove_file(to); // half a copy is none
        })
    }
}

/// The path as SQLite wants it; absolute, so that none is taken for a URI.
fn as_text(path: &Path) -> io::Result<String> {
    let path = std::path::absolute(path)?.into_os_string().into_string();
    path.map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "the path is not UTF-8: choose another"))
}

/// SQLite does not sync such a copy itself.
fn make_durable(file: &File, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rusqlite::Connection;

    use super::*;
    use crate::clock::SystemClock;
    use crate::ledger::{Digits, NewKey};
    use crate::money::Money;

    fn issue(ledger: &Ledger, order_id: &str) {
        let (digits, order_id, description) = (Digits::Random(8), order_id.to_owned(), "d".to_owned());
        let (amount, customer, expires) = (Money::mxn(1), None, None);
        ledger.issue_key(NewKey { digits, amount, order_id, description, customer, expires, max_failures: 3 }).unwrap();
    }

    fn open_existing(path: &Path) -> Result<Ledger, LedgerError> {
        Ledger::open_existing(path, Arc::new(SystemClock))
    }

    /// A plain copy of the file has neither key: both stand in the write-ahead log.
    #[test]
    fn a_backup_is_whole_its_owners_and_made_beside_a_writer() {
        let folder = tempfile::tempdir().unwrap();
        let [path, plain, copy] = ["ledger.sqlite", "plain.sqlite", "copy.sqlite"].map(|name| folder.path().join(name));
        let running = Ledger::open(&path, Arc::new(SystemClock)).unwrap();
        issue(&running, "ord-1");
        open_existing(&path).unwrap().back_up(&copy).unwrap();
        std::fs::copy(&path, &plain).unwrap();
        issue(&running, "ord-2");
        assert!(matches!(open_existing(&plain), Err(LedgerError::NotALedger)));
        let restored = open_existing(&copy).unwrap();
        issue(&restored, "ord-3");
        let orders: Vec<_> = restored.list_keys().unwrap().into_iter().map(|key| (key.id, key.order_id)).collect();
        assert_eq!(orders, [(2, "ord-3".to_owned()), (1, "ord-1".to_owned())]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_backup_overwrites_nothing_and_leaves_no_half() {
        let folder = tempfile::tempdir().unwrap();
        let (there, nowhere) = (folder.path().join("there"), folder.path().join("missing/copy"));
        std::fs::write(&there, "mine").unwrap();
        let ledger = Ledger::in_memory(Arc::new(SystemClock)).unwrap();
        assert!(matches!(ledger.back_up(&there), Err(LedgerError::Copy { .. })));
        assert!(matches!(ledger.back_up(&nowhere), Err(LedgerError::Copy { .. })));
        assert_eq!((std::fs::read(&there).unwrap(), nowhere.exists()), (b"mine".to_vec(), false));
        let copy = folder.path().join("copy");
        ledger.lock().execute_batch("BEGIN").unwrap(); // in a transaction SQLite makes no copy
        assert!(matches!(ledger.back_up(&copy), Err(LedgerError::Storage(_))));
        assert!(!copy.exists());
    }

    #[test]
    fn what_is_no_ledger_is_not_made_one_by_looking() {
        let folder = tempfile::tempdir().unwrap();
        let [empty, other] = ["empty", "other.sqlite"].map(|name| folder.path().join(name));
        std::fs::write(&empty, "").unwrap();
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE payment (id); PRAGMA user_version = 3").unwrap();
        for path in [&empty, &other] {
            let before = std::fs::read(path).unwrap();
            assert!(matches!(open_existing(path), Err(LedgerError::NotALedger)), "{}", path.display());
            assert_eq!(std::fs::read(path).unwrap(), before, "{}", path.display());
        }
        let unversioned = folder.path().join("unversioned.sqlite");
        Connection::open(&unversioned).unwrap().execute_batch("CREATE TABLE payment (id)").unwrap();
        let made = Ledger::open(&unversioned, Arc::new(SystemClock));
        assert!(matches!(made, Err(LedgerError::NotALedger)), "another program's tables stay alone");
    }
}
