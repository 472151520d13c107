-- Customer accounts. Times are microseconds since 1970 UTC, which PostgreSQL's bigint holds too.
CREATE TABLE customers (
    -- Given out in the order of commits: what a listing is sorted by and a cursor points into.
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,
    id             TEXT    NOT NULL UNIQUE,
    name           TEXT    NOT NULL,
    email          TEXT    NOT NULL,
    postcode       TEXT    NOT NULL,
    address_lines  TEXT    NOT NULL CHECK (json_valid(address_lines)),
    address_status TEXT    NOT NULL CHECK (address_status IN ('verified', 'pending', 'terminated', 'unknown')),
    admin_district TEXT,
    region         TEXT,
    country        TEXT,
    latitude       REAL,
    longitude      REAL,
    -- When a pending address is due to be looked up again; NULL unless it is pending.
    check_after    INTEGER CHECK ((check_after IS NOT NULL) = (address_status = 'pending')),
    -- One more with every change: what a change is conditional on.
    revision       INTEGER NOT NULL DEFAULT 1,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
) STRICT;

-- The work list of the resolver: small, because few addresses are pending.
CREATE INDEX customers_pending ON customers (check_after, seq) WHERE address_status = 'pending';
