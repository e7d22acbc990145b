//! The tables, and how older ledgers are brought up to date.

use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use super::LedgerError;
use scripts::{MIGRATIONS, VERSION};

mod scripts;

/// How long a writer waits for another process's transaction.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether a ledger's tables are in the file, of whatever version. Changes nothing.
pub(super) fn is_there(connection: &Connection) -> Result<bool, rusqlite::Error> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let mut tables = connection.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'attempt'")?;
    Ok(version > 0 && tables.exists([])?)
}

/// Sets the connection's rules and brings the schema up to date.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), LedgerError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "wal")?; // stays "memory" for a database in memory
    connection.pragma_update(None, "synchronous", "full")?;
    // A table others refer to is made anew by dropping the old one; rows and numbers stay.
    connection.pragma_update(None, "foreign_keys", false)?;
    migrate(connection)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(())
}

/// Whether the schema is this version's; an older one is not touched.
pub(super) fn is_current(connection: &Connection) -> Result<bool, LedgerError> {
    Ok(missing_in(connection)?.is_empty())
}

/// The scripts that an older ledger lacks.
fn missing_in(connection: &Connection) -> Result<&'static [&'static str], LedgerError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let done = usize::try_from(found).ok().and_then(|done| MIGRATIONS.get(done..));
    done.ok_or(LedgerError::TooNew { found, known: VERSION })
}

fn migrate(connection: &mut Connection) -> Result<(), LedgerError> {
    if is_current(connection)? {
        return Ok(()); // versions only rise: nobody need be waited for to see that again
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let missing = missing_in(&transaction)?;
    if missing.len() == MIGRATIONS.len() && transaction.prepare("SELECT 1 FROM sqlite_schema")?.exists([])? {
        return Err(LedgerError::NotALedger);
    }
    missing.iter().try_for_each(|script| transaction.execute_batch(script))?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(())
}

/// A ledger as the first version wrote it, with one line in its audit trail, about `a`.
#[cfg(test)]
pub(super) fn make_older(path: &std::path::Path) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(scripts::FIRST).unwrap();
    connection.execute("INSERT INTO audit (at_ms, subject, event, detail) VALUES (1, 'a', 'b', '')", []).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
}

#[cfg(test)]
mod tests {
    use super::scripts::{FIRST, KEYS_AGAIN, OUTBOX, PAID_ELSEWHERE, REFUNDS, REPORTED};
    use super::*;

    fn fresh() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        prepare(&mut connection).unwrap();
        connection
    }

    #[test]
    fn the_version_is_the_number_of_scripts() {
        assert_eq!(usize::try_from(VERSION), Ok(MIGRATIONS.len()));
    }

    #[test]
    fn preparing_twice_changes_nothing() {
        let mut connection = fresh();
        prepare(&mut connection).unwrap();
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(version, VERSION);
    }

    #[test]
    fn an_older_ledger_keeps_what_it_has() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(FIRST).unwrap();
        connection.execute("INSERT INTO audit (at_ms, subject, event, detail) VALUES (1, 'a', 'b', '')", []).unwrap();
        let key = "INSERT INTO payment_key (digits, order_id, centavos, currency, description, issued_ms, status,
                   max_failures) VALUES ('257139', 'ord-1', 100, 'MXN', 'd', 1, 'locked', 3)";
        connection.execute(key, []).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        prepare(&mut connection).unwrap();
        let count = |table: &str| -> i64 {
            connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        assert_eq!((count("audit"), count("notification"), count("payment_key")), (1, 0, 1));
        let other = key.replace("257139", "257140");
        assert!(
            connection.execute(&other, []).unwrap_err().to_string().contains("UNIQUE"),
            "an order's second live key"
        );
        assert_eq!(connection.execute(&other.replace("locked", "cancelled"), []).unwrap(), 1);
        assert_eq!(connection.last_insert_rowid(), 2, "numbers go on");
    }

    #[test]
    fn refunds_of_an_older_ledger_are_taken_from_its_audit_trail() {
        let mut connection = Connection::open_in_memory().unwrap();
        [FIRST, OUTBOX, KEYS_AGAIN].into_iter().for_each(|script| connection.execute_batch(script).unwrap());
        let attempt =
            "INSERT INTO attempt (key_digits, order_id, gateway_order_id, centavos, currency, description, brand,
                       last_four, state, created_ms, updated_ms)
                       VALUES ('1', 'o', 'o', 20050, 'MXN', 'd', 'Visa', '1111', 'approved', 1, 1)";
        connection.execute(attempt, []).unwrap();
        for (event, detail) in [("refunding", "50.00 MXN"), ("refunded", "50.00 MXN"), ("refunded", "0.05 MXN")] {
            let line = "INSERT INTO audit (at_ms, subject, event, detail) VALUES (7, 'attempt 1', ?1, ?2)";
            connection.execute(line, [event, detail]).unwrap();
        }
        connection.pragma_update(None, "user_version", 3).unwrap();
        prepare(&mut connection).unwrap();
        let mut refunds = connection.prepare("SELECT attempt, centavos, state FROM refund ORDER BY id").unwrap();
        let refunds = refunds.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        let refunds: Vec<(i64, i64, String)> = refunds.map(Result::unwrap).collect();
        assert_eq!(refunds, [(1, 5_000, "refunded".to_owned()), (1, 5, "refunded".to_owned())]);
    }

    /// The table of attempts is made anew: notifications and refunds refer to it, and its rules are made again.
    #[test]
    fn an_older_ledgers_attempts_keep_what_refers_to_them_and_their_rules() {
        let mut connection = Connection::open_in_memory().unwrap();
        [FIRST, OUTBOX, KEYS_AGAIN, REFUNDS].into_iter().for_each(|script| connection.execute_batch(script).unwrap());
        let rows = "INSERT INTO attempt VALUES (7, 'k', 'o', 'o', 100, 'MXN', 'd', 'Visa', '1111', NULL, 'approved',
                        'trx1', '801585', NULL, 1, 2, 3);
                    INSERT INTO notification (event_id, event, attempt, order_id, body, created_ms, due_ms)
                        VALUES ('e', 'payment.approved', 7, 'o', '{}', 1, 1);
                    INSERT INTO refund (attempt, centavos, state, created_ms, updated_ms) VALUES (7, 50, 'refunded', 1, 1)";
        connection.execute_batch(rows).unwrap();
        connection.pragma_update(None, "user_version", 4).unwrap();
        prepare(&mut connection).unwrap();
        let count = |query: &str| -> i64 { connection.query_row(query, [], |row| row.get(0)).unwrap() };
        assert_eq!(count("SELECT count(*) FROM notification JOIN attempt ON attempt.id = attempt"), 1);
        assert_eq!(
            count("SELECT count(*) FROM refund JOIN attempt ON attempt.id = attempt WHERE charge_id = 'trx1'"),
            1
        );
        assert_eq!(count("SELECT count(*) FROM pragma_foreign_key_check"), 0);
        assert_eq!(count("PRAGMA foreign_keys"), 1);
        let more = "INSERT INTO attempt (key_digits, order_id, gateway_order_id, centavos, currency, description, brand,
                    last_four, state, created_ms, updated_ms) VALUES (?1, ?2, ?2, 1, 'MXN', 'd', 'Visa', '1111', ?3, 1, 1)";
        for (key, order, state) in
            [("k", "p", "elsewhere"), ("l", "o", "elsewhere"), ("k", "p", "sent"), ("l", "p", "x")]
        {
            assert!(connection.execute(more, [key, order, state]).is_err(), "{key} {order} {state}");
        }
        connection.execute(more, ["l", "p", "elsewhere"]).unwrap();
        assert_eq!(connection.last_insert_rowid(), 8, "numbers go on");
        for change in ["UPDATE attempt SET state = 'declined'", "DELETE FROM attempt"] {
            assert!(connection.execute(change, []).is_err(), "{change}");
        }
        assert!(connection.execute("UPDATE notification SET attempt = 99", []).is_err(), "references are kept");
    }

    /// What the merchant has been told of under one name must not end under another.
    #[test]
    fn an_older_ledgers_attempts_keep_their_names() {
        let mut connection = Connection::open_in_memory().unwrap();
        let older = [FIRST, OUTBOX, KEYS_AGAIN, REFUNDS, PAID_ELSEWHERE, REPORTED];
        older.into_iter().for_each(|script| connection.execute_batch(script).unwrap());
        let attempt =
            "UPDATE setting SET value = '5f0cc2a1b7d94e36' WHERE name = 'ledger';
             INSERT INTO attempt (key_digits, order_id, gateway_order_id, centavos, currency, description, brand, last_four,
                 state, created_ms, updated_ms) VALUES ('k', 'o', 'o', 1, 'MXN', 'd', 'Visa', '1111', 'approved', 1, 1)";
        connection.execute_batch(attempt).unwrap();
        connection.pragma_update(None, "user_version", 6).unwrap();
        prepare(&mut connection).unwrap();
        let prefix: String = connection.query_row("SELECT name_prefix FROM attempt", [], |row| row.get(0)).unwrap();
        assert_eq!(prefix, "5f0cc2a1b7d94e36");
    }

    #[test]
    fn a_newer_ledger_is_left_alone() {
        let mut connection = fresh();
        connection.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(prepare(&mut connection), Err(LedgerError::TooNew { found: 99, known: VERSION })));
    }

    #[test]
    fn the_audit_trail_is_append_only() {
        let connection = fresh();
        connection.execute("INSERT INTO audit (at_ms, subject, event, detail) VALUES (1, 'a', 'b', '')", []).unwrap();
        for change in ["UPDATE audit SET event = 'c'", "DELETE FROM audit"] {
            let error = connection.execute(change, []).unwrap_err();
            assert!(error.to_string().contains("append-only"), "{error}");
        }
    }

    /// In a write-ahead log anything less (SQLite's numbers are 0 off, 1 normal, 2 full) syncs no commit: after a power
    /// cut the file is whole, and a charge that was sent is not in it.
    #[test]
    fn every_step_is_on_the_disk_before_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite");
        let clock = || std::sync::Arc::new(crate::clock::SystemClock);
        let made = crate::ledger::Ledger::open(&path, clock()).unwrap();
        let opened = crate::ledger::Ledger::open_existing(&path, clock()).unwrap();
        for ledger in [made, opened] {
            let connection = ledger.lock();
            let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
            let journal: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
            assert_eq!((synchronous, journal.as_str()), (2, "wal"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_file_and_its_journals_are_the_owners() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite");
        crate::private_file::ensure(&path).unwrap();
        let mut connection = Connection::open(&path).unwrap();
        prepare(&mut connection).unwrap();
        let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.path());
        }
    }
}
