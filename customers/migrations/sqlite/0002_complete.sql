-- Several addresses to an account, and all that an account needs beside them: contact, references, an audit trail,
-- keys of idempotent requests, and deletion that can be undone. The same tables as in migrations/postgres.

-- The last place given out, in the order of commits: each account that is made takes the next one in its transaction.
CREATE TABLE places (last INTEGER NOT NULL) STRICT;
INSERT INTO places SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'customers'), 0);

DROP INDEX customers_pending;
ALTER TABLE customers RENAME TO customers_before;

CREATE TABLE customers (
    -- What a listing is sorted by and a cursor points into.
    seq                 INTEGER PRIMARY KEY,
    id                  TEXT    NOT NULL UNIQUE,
    name                TEXT    NOT NULL,
    -- The name and the email in small letters, to be searched.
    name_key            TEXT    NOT NULL,
    email               TEXT    NOT NULL,
    email_key           TEXT    NOT NULL,
    phone               TEXT,
    notes               TEXT,
    external_references TEXT    NOT NULL CHECK (json_valid(external_references)),
    -- The number of the next address: none is given out twice.
    next_address        INTEGER NOT NULL,
    -- One more with every change: what a change is conditional on.
    revision            INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    deleted_at          INTEGER
) STRICT;
CREATE UNIQUE INDEX customers_email ON customers (email_key) WHERE deleted_at IS NULL;
CREATE INDEX customers_updated ON customers (updated_at);

CREATE TABLE addresses (
    customer       INTEGER NOT NULL REFERENCES customers (seq) ON DELETE CASCADE,
    number         INTEGER NOT NULL,
    kind           TEXT    NOT NULL CHECK (kind IN ('main', 'billing', 'delivery', 'previous', 'other')),
    postcode       TEXT    NOT NULL,
    -- Without its space, to be searched by any beginning.
    postcode_key   TEXT    NOT NULL,
    outcode        TEXT    NOT NULL,
    address_lines  TEXT    NOT NULL CHECK (json_valid(address_lines)),
    -- ISO 8601 dates.
    valid_from     TEXT,
    valid_to       TEXT,
    address_status TEXT    NOT NULL CHECK (address_status IN ('verified', 'pending', 'terminated', 'unknown')),
    admin_district TEXT,
    -- The district's name in small letters.
    district_key   TEXT,
    region         TEXT,
    country        TEXT,
    latitude       REAL,
    longitude      REAL,
    -- When a pending address is due to be looked up: it and the work to resolve it are one row.
    check_after    INTEGER CHECK ((check_after IS NOT NULL) = (address_status = 'pending')),
    PRIMARY KEY (customer, number)
) STRICT;
CREATE UNIQUE INDEX addresses_main ON addresses (customer) WHERE kind = 'main';
-- The work list of the resolver: small, because few addresses are pending.
CREATE INDEX addresses_pending ON addresses (check_after, customer, number) WHERE address_status = 'pending';
CREATE INDEX addresses_postcode ON addresses (postcode_key);
CREATE INDEX addresses_outcode ON addresses (outcode);
CREATE INDEX addresses_district ON addresses (district_key);
CREATE INDEX addresses_status ON addresses (address_status) WHERE address_status <> 'verified';
CREATE INDEX addresses_location ON addresses (latitude, longitude);

-- SQLite's lower() knows ASCII only: other names get their key with their next change.
-- Two accounts may have had one email before: the older has it, the others keep it until they change. No email has a
-- space in it, so their keys are nobody's.
INSERT INTO customers
SELECT seq, id, name, lower(name), email,
       lower(email) || CASE WHEN EXISTS (SELECT 1 FROM customers_before older
                                         WHERE lower(older.email) = lower(it.email) AND older.seq < it.seq)
                            THEN ' ' || id ELSE '' END,
       NULL, NULL, '[]', 2, revision, created_at, updated_at, NULL
FROM customers_before it;

INSERT INTO addresses
SELECT seq, 1, 'main', postcode, replace(postcode, ' ', ''), substr(postcode, 1, instr(postcode, ' ') - 1),
       address_lines, NULL, NULL, address_status, admin_district, lower(admin_district), region, country,
       latitude, longitude, check_after
FROM customers_before;

DROP TABLE customers_before;

-- What was done to each account, when and by whom. It outlives the account: no foreign key.
CREATE TABLE audit (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    customer_id TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    actor       TEXT,
    action      TEXT    NOT NULL,
    revision    INTEGER NOT NULL,
    -- {"field": {"from": …, "to": …}}
    changes     TEXT    NOT NULL CHECK (json_valid(changes))
) STRICT;
CREATE INDEX audit_customer ON audit (customer_id, seq);

-- Requests that are to be done once, by the key that their sender gave them.
CREATE TABLE idempotency (
    key         TEXT    NOT NULL PRIMARY KEY,
    request     TEXT    NOT NULL,
    customer_id TEXT    NOT NULL,
    number      INTEGER NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX idempotency_created ON idempotency (created_at);
CREATE INDEX idempotency_customer ON idempotency (customer_id);

-- How far the addresses are checked against which edition of the postcodes.
CREATE TABLE recheck (
    fingerprint TEXT    NOT NULL,
    customer    INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    done        INTEGER NOT NULL
) STRICT;
