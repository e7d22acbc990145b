//! The scripts that make the tables.

/// One script per schema version, in order; a script that has shipped is never changed. Times are milliseconds since the
/// Unix epoch, amounts hundredths of the currency's unit.
pub(super) static MIGRATIONS: [&str; 7] =
    [FIRST, OUTBOX, KEYS_AGAIN, REFUNDS, PAID_ELSEWHERE, REPORTED, NAMES_OF_THEIR_OWN];
/// The version this program writes.
pub(super) const VERSION: i64 = 7;

pub(super) const FIRST: &str = "
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
pub(super) const OUTBOX: &str = "
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
pub(super) const KEYS_AGAIN: &str = "
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
pub(super) const REFUNDS: &str = "
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
pub(super) const PAID_ELSEWHERE: &str = "
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
pub(super) const REPORTED: &str = "
INSERT INTO setting (name, value) VALUES ('ledger', lower(hex(randomblob(8))));

CREATE TABLE reported (
    attempt TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    ended INTEGER NOT NULL CHECK (ended IN (0, 1)),
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX pending_by_order ON reported (order_id) WHERE ended = 0;
";

/// An attempt's name begins with random digits of its own, not the ledger's: a ledger restored from a backup gives the numbers
/// since the backup again, and one that was copied for another box gives the same as the first. What was named keeps its name.
pub(super) const NAMES_OF_THEIR_OWN: &str = "
ALTER TABLE attempt ADD COLUMN name_prefix TEXT;
UPDATE attempt SET name_prefix = (SELECT value FROM setting WHERE name = 'ledger');
DELETE FROM setting WHERE name = 'ledger';
";
