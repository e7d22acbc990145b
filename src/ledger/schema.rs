//! The tables, and how older ledgers are brought up to date.

use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use super::LedgerError;

/// How long a writer waits for another process's transaction.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// One script per schema version, in order; a script that has shipped is never changed. Times are milliseconds since the
/// Unix epoch, amounts hundredths of the currency's unit.
static MIGRATIONS: [&str; 6] = [FIRST, OUTBOX, KEYS_AGAIN, REFUNDS, PAID_ELSEWHERE, REPORTED];
/// The version this program writes.
const VERSION: i64 = 6;

const FIRST: &str = "
CREATE TABLE payment_key (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digits TEXT NOT NULL UNIQUE,
    order_id TEXT NOT NULL UNIQUE,
    centavos INTEGER NOT NULL CHECK (centavos > 0),
    currency TEXT NOT NULL,
    description TEXT NOT NULL,
    customer_name TEXT,
    customer_last_name TEXT,
    customer_email TEXT,
    customer_phone TEXT,
    issued_ms INTEGER NOT NULL,
    expires_ms INTEGER,
    status TEXT NOT NULL CHECK (status IN ('open', 'paid', 'locked', 'cancelled')),
    failures INTEGER NOT NULL DEFAULT 0,
    max_failures INTEGER NOT NULL CHECK (max_failures > 0)
) STRICT;

CREATE TABLE attempt (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key_digits TEXT NOT NULL,
    order_id TEXT NOT NULL,
    gateway_order_id TEXT NOT NULL,
    centavos INTEGER NOT NULL CHECK (centavos > 0),
    currency TEXT NOT NULL,
    description TEXT NOT NULL,
    brand TEXT NOT NULL,
    last_four TEXT NOT NULL CHECK (length(last_four) = 4),
    months INTEGER,
    state TEXT NOT NULL CHECK (state IN ('prepared', 'sent', 'approved', 'declined', 'unknown', 'lapsed', 'abandoned')),
    charge_id TEXT,
    authorization TEXT,
    error_code INTEGER,
    created_ms INTEGER NOT NULL,
    sent_ms INTEGER,
    updated_ms INTEGER NOT NULL
) STRICT;

-- The exactly-once rule: at most one attempt of a key, and of an order, is live or has succeeded.
CREATE UNIQUE INDEX one_per_key ON attempt (key_digits) WHERE state IN ('prepared', 'sent', 'unknown', 'approved');
CREATE UNIQUE INDEX one_per_order ON attempt (order_id) WHERE state IN ('prepared', 'sent', 'unknown', 'approved');
-- An order id the gateway may know is never given to another charge.
CREATE UNIQUE INDEX one_per_gateway_order ON attempt (gateway_order_id) WHERE state NOT IN ('lapsed', 'abandoned');
CREATE INDEX attempt_by_state ON attempt (state);
CREATE INDEX attempt_by_key ON attempt (key_digits);

CREATE TRIGGER approved_is_final BEFORE UPDATE ON attempt WHEN OLD.state = 'approved' AND NEW.state <> 'approved'
BEGIN SELECT RAISE(ABORT, 'an approved attempt is final'); END;
CREATE TRIGGER attempts_stay BEFORE DELETE ON attempt
BEGIN SELECT RAISE(ABORT, 'attempts are kept'); END;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    subject TEXT NOT NULL,
    event TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
";

/// Notifications for the merchant, and those a merchant's ledger has received.
const OUTBOX: &str = "
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE notification (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    event TEXT NOT NULL,
    attempt INTEGER NOT NULL REFERENCES attempt (id),
    order_id TEXT NOT NULL,
    body TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    delivered_ms INTEGER,
    given_up INTEGER NOT NULL DEFAULT 0 CHECK (given_up IN (0, 1)),
    last_error TEXT
) STRICT;
CREATE INDEX notification_due ON notification (due_ms) WHERE delivered_ms IS NULL AND given_up = 0;

-- Look-ups that would read a busy box's whole ledger.
CREATE INDEX attempt_by_order ON attempt (order_id);
CREATE INDEX attempt_by_gateway_order ON attempt (gateway_order_id);
CREATE INDEX attempt_by_charge ON attempt (charge_id);
CREATE INDEX attempt_by_authorization ON attempt (authorization);
CREATE INDEX attempt_by_creation ON attempt (created_ms);

CREATE TABLE received (
    event_id TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL
) STRICT;
";

/// An order whose key expired or was cancelled can have another one: of its keys one at most may still be paid.
const KEYS_AGAIN: &str = "
CREATE TABLE payment_key_again (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digits TEXT NOT NULL UNIQUE,
    order_id TEXT NOT NULL,
    centavos INTEGER NOT NULL CHECK (centavos > 0),
    currency TEXT NOT NULL,
    description TEXT NOT NULL,
    customer_name TEXT,
    customer_last_name TEXT,
    customer_email TEXT,
    customer_phone TEXT,
    issued_ms INTEGER NOT NULL,
    expires_ms INTEGER,
    status TEXT NOT NULL CHECK (status IN ('open', 'paid', 'locked', 'cancelled', 'expired')),
    failures INTEGER NOT NULL DEFAULT 0,
    max_failures INTEGER NOT NULL CHECK (max_failures > 0)
) STRICT;
INSERT INTO payment_key_again SELECT id, digits, order_id, centavos, currency, description, customer_name,
    customer_last_name, customer_email, customer_phone, issued_ms, expires_ms, status, failures, max_failures
    FROM payment_key;
DROP TABLE payment_key;
ALTER TABLE payment_key_again RENAME TO payment_key;
CREATE UNIQUE INDEX one_live_key_per_order ON payment_key (order_id) WHERE status IN ('open', 'locked');
CREATE INDEX key_by_order ON payment_key (order_id);
";

/// Refunds were in the audit trail only, which has those that were made: `attempt 12`, `refunded`, `50.00 MXN`.
const REFUNDS: &str = "
CREATE TABLE refund (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    attempt INTEGER NOT NULL REFERENCES attempt (id),
    centavos INTEGER NOT NULL CHECK (centavos > 0),
    state TEXT NOT NULL CHECK (state IN ('refunding', 'unknown', 'refunded', 'failed')),
    before_id TEXT,
    before_centavos INTEGER,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL
) STRICT;
INSERT INTO refund (attempt, centavos, state, created_ms, updated_ms)
    SELECT attempt.id, CAST(replace(substr(detail, 1, instr(detail, ' ') - 1), '.', '') AS INTEGER), 'refunded', at_ms, at_ms
    FROM audit JOIN attempt ON audit.subject = 'attempt ' || attempt.id WHERE event = 'refunded' ORDER BY audit.id;

-- Money goes out once: of an attempt's refunds at most one is open.
CREATE UNIQUE INDEX one_open_refund ON refund (attempt) WHERE state IN ('refunding', 'unknown');
CREATE INDEX refund_by_attempt ON refund (attempt);

CREATE TRIGGER refunded_is_final BEFORE UPDATE ON refund WHEN OLD.state = 'refunded' AND NEW.state <> 'refunded'
BEGIN SELECT RAISE(ABORT, 'a refund that was made is final'); END;
CREATE TRIGGER refunds_stay BEFORE DELETE ON refund
BEGIN SELECT RAISE(ABORT, 'refunds are kept'); END;
";

/// An order can be paid by a charge that is not this ledger's: the state is new, so the table is made anew. The attempt's
/// charge, authorization, brand and last four digits are then those of the charge that paid.
const PAID_ELSEWHERE: &str = "
CREATE TABLE attempt_again (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key_digits TEXT NOT NULL,
    order_id TEXT NOT NULL,
    gateway_order_id TEXT NOT NULL,
    centavos INTEGER NOT NULL CHECK (centavos > 0),
    currency TEXT NOT NULL,
    description TEXT NOT NULL,
    brand TEXT NOT NULL,
    last_four TEXT NOT NULL CHECK (length(last_four) = 4),
    months INTEGER,
    state TEXT NOT NULL CHECK (state IN ('prepared', 'sent', 'approved', 'elsewhere', 'declined', 'unknown', 'lapsed',
                                         'abandoned')),
    charge_id TEXT,
    authorization TEXT,
    error_code INTEGER,
    created_ms INTEGER NOT NULL,
    sent_ms INTEGER,
    updated_ms INTEGER NOT NULL
) STRICT;
INSERT INTO attempt_again SELECT id, key_digits, order_id, gateway_order_id, centavos, currency, description, brand,
    last_four, months, state, charge_id, authorization, error_code, created_ms, sent_ms, updated_ms FROM attempt;
DROP TABLE attempt;
ALTER TABLE attempt_again RENAME TO attempt;

-- The exactly-once rule: at most one attempt of a key, and of an order, is live or paid.
CREATE UNIQUE INDEX one_per_key ON attempt (key_digits)
    WHERE state IN ('prepared', 'sent', 'unknown', 'approved', 'elsewhere');
CREATE UNIQUE INDEX one_per_order ON attempt (order_id)
    WHERE state IN ('prepared', 'sent', 'unknown', 'approved', 'elsewhere');
CREATE UNIQUE INDEX one_per_gateway_order ON attempt (gateway_order_id) WHERE state NOT IN ('lapsed', 'abandoned');
CREATE INDEX attempt_by_state ON attempt (state);
CREATE INDEX attempt_by_key ON attempt (key_digits);
CREATE INDEX attempt_by_order ON attempt (order_id);
CREATE INDEX attempt_by_gateway_order ON attempt (gateway_order_id);
CREATE INDEX attempt_by_charge ON attempt (charge_id);
CREATE INDEX attempt_by_authorization ON attempt (authorization);
CREATE INDEX attempt_by_creation ON attempt (created_ms);

CREATE TRIGGER paid_is_final BEFORE UPDATE ON attempt
WHEN OLD.state IN ('approved', 'elsewhere') AND NEW.state <> OLD.state
BEGIN SELECT RAISE(ABORT, 'a paid attempt is final'); END;
CREATE TRIGGER attempts_stay BEFORE DELETE ON attempt
BEGIN SELECT RAISE(ABORT, 'attempts are kept'); END;
";

/// Boxes' reports of tries to pay, of which each has a name that no other ledger gives.
const REPORTED: &str = "
INSERT INTO setting (name, value) VALUES ('ledger', lower(hex(randomblob(8))));

CREATE TABLE reported (
    attempt TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    ended INTEGER NOT NULL CHECK (ended IN (0, 1)),
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX pending_by_order ON reported (order_id) WHERE ended = 0;
";

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
    connection.execute_batch(FIRST).unwrap();
    connection.execute("INSERT INTO audit (at_ms, subject, event, detail) VALUES (1, 'a', 'b', '')", []).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
}

#[cfg(test)]
mod tests {
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
