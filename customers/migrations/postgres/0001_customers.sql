-- The same tables as in migrations/sqlite, where each column is explained. Times are microseconds since 1970 UTC.

CREATE TABLE places (last BIGINT NOT NULL);
INSERT INTO places VALUES (0);

CREATE TABLE customers (
    seq                 BIGINT NOT NULL PRIMARY KEY,
    id                  TEXT   NOT NULL UNIQUE,
    name                TEXT   NOT NULL,
    name_key            TEXT   NOT NULL,
    email               TEXT   NOT NULL,
    email_key           TEXT   NOT NULL,
    phone               TEXT,
    notes               TEXT,
    external_references TEXT   NOT NULL,
    next_address        BIGINT NOT NULL,
    revision            BIGINT NOT NULL,
    created_at          BIGINT NOT NULL,
    updated_at          BIGINT NOT NULL,
    deleted_at          BIGINT
);
CREATE UNIQUE INDEX customers_email ON customers (email_key) WHERE deleted_at IS NULL;
CREATE INDEX customers_updated ON customers (updated_at);

CREATE TABLE addresses (
    customer       BIGINT NOT NULL REFERENCES customers (seq) ON DELETE CASCADE,
    number         BIGINT NOT NULL,
    kind           TEXT   NOT NULL CHECK (kind IN ('main', 'billing', 'delivery', 'previous', 'other')),
    postcode       TEXT   NOT NULL,
    -- Compared byte by byte, whatever the database's language: as SQLite does.
    postcode_key   TEXT   COLLATE "C" NOT NULL,
    outcode        TEXT   COLLATE "C" NOT NULL,
    address_lines  TEXT   NOT NULL,
    valid_from     TEXT,
    valid_to       TEXT,
    address_status TEXT   NOT NULL CHECK (address_status IN ('verified', 'pending', 'terminated', 'unknown')),
    admin_district TEXT,
    district_key   TEXT,
    region         TEXT,
    country        TEXT,
    latitude       DOUBLE PRECISION,
    longitude      DOUBLE PRECISION,
    check_after    BIGINT CHECK ((check_after IS NOT NULL) = (address_status = 'pending')),
    PRIMARY KEY (customer, number)
);
CREATE UNIQUE INDEX addresses_main ON addresses (customer) WHERE kind = 'main';
CREATE INDEX addresses_pending ON addresses (check_after, customer, number) WHERE address_status = 'pending';
CREATE INDEX addresses_postcode ON addresses (postcode_key);
CREATE INDEX addresses_outcode ON addresses (outcode);
CREATE INDEX addresses_district ON addresses (district_key);
CREATE INDEX addresses_status ON addresses (address_status) WHERE address_status <> 'verified';
CREATE INDEX addresses_location ON addresses (latitude, longitude);

CREATE TABLE audit (
    seq         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    actor       TEXT,
    action      TEXT   NOT NULL,
    revision    BIGINT NOT NULL,
    changes     TEXT   NOT NULL
);
CREATE INDEX audit_customer ON audit (customer_id, seq);

CREATE TABLE idempotency (
    key         TEXT   NOT NULL PRIMARY KEY,
    request     TEXT   NOT NULL,
    customer_id TEXT   NOT NULL,
    number      BIGINT NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE INDEX idempotency_created ON idempotency (created_at);
CREATE INDEX idempotency_customer ON idempotency (customer_id);

CREATE TABLE recheck (
    fingerprint TEXT   NOT NULL,
    customer    BIGINT NOT NULL,
    number      BIGINT NOT NULL,
    done        BIGINT NOT NULL
);
