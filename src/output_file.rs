//! Files that people name for what a command writes. A name typed wrong may be that of a ledger, and what a ledger knew is
//! nowhere else: databases are never written over.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// How an SQLite database begins, and the log beside it that holds what was written last; the log's byte order may be either.
const BEGINNINGS: [&[u8]; 3] = [b"SQLite format 3\0", &[0x37, 0x7f, 0x06, 0x82], &[0x37, 0x7f, 0x06, 0x83]];
/// What else SQLite keeps beside a database.
const BESIDE: [&str; 2] = ["-shm", "-journal"];

/// Creates a file, or empties one that is there.
///
/// # Errors
/// The system's, and as [`check`].
pub fn create(path: &Path) -> io::Result<File> {
    check(path)?;
    File::create(path)
}

/// Whether a file may be written to: there is none, or it is no database.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] where there is one; the system's.
pub fn check(path: &Path) -> io::Result<()> {
    // A device or a pipe has no beginning to be looked at.
    if !std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return Ok(());
    }
    if is_beside_a_database(path) || holds_a_database(path)? {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a ledger or another database is there: name another file",
        ));
    }
    Ok(())
}

fn holds_a_database(path: &Path) -> io::Result<bool> {
    let mut beginning = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(16).read_to_end(&mut beginning)?,
        // Whoever may write there and not read is told by the writing what is wrong, if anything is.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(false),
        Err(error) => return Err(error),
    };
    Ok(BEGINNINGS.iter().any(|database| beginning.starts_with(database)))
}

fn is_beside_a_database(path: &Path) -> bool {
    let name = path.to_string_lossy();
    BESIDE.iter().filter_map(|end| name.strip_suffix(end)).any(|database| Path::new(database).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_and_what_is_beside_it_are_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("ledger.sqlite");
        let connection = rusqlite::Connection::open(&ledger).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)").unwrap();
        for end in ["", "-wal", "-shm"] {
            let path = folder.path().join(format!("ledger.sqlite{end}"));
            let before = std::fs::read(&path).unwrap();
            let refused = create(&path).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{end}");
            assert_eq!(std::fs::read(&path).unwrap(), before, "{end}");
        }
        let link = folder.path().join("link.csv");
        std::os::unix::fs::symlink(&ledger, &link).unwrap();
        assert!(create(&link).is_err(), "a link to a ledger is one");
    }

    #[test]
    fn anything_else_is_written_as_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("payments-journal");
        create(&path).unwrap();
        std::fs::write(&path, "reference,state\n").unwrap();
        create(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"");
        create(Path::new("/dev/null")).unwrap();
    }
}
