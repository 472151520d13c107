-- Many customers at once: a file that was handed over, and what became of each of its rows. The same tables as in
-- migrations/postgres.
CREATE TABLE imports (
    -- The order in which they are worked on.
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT    NOT NULL UNIQUE,
    state       TEXT    NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'cancelled')),
    total       INTEGER NOT NULL,
    created     INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    actor       TEXT,
    -- What the sender gave, so that the same file sent again is the same import; and a digest of the file.
    key         TEXT    UNIQUE,
    request     TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;
CREATE INDEX imports_open ON imports (seq) WHERE state IN ('queued', 'running');

CREATE TABLE import_rows (
    import      INTEGER NOT NULL REFERENCES imports (seq) ON DELETE CASCADE,
    -- Of the file; the header is on line 1.
    line        INTEGER NOT NULL,
    -- What the row says, until it is worked on: then the person's data is in the account, and not here.
    said        TEXT,
    -- NULL until then.
    outcome     TEXT    CHECK (outcome IN ('created', 'failed')),
    customer_id TEXT,
    message     TEXT,
    PRIMARY KEY (import, line)
) STRICT;
CREATE INDEX import_rows_waiting ON import_rows (import, line) WHERE outcome IS NULL;
-- For the erasure of an account.
CREATE INDEX import_rows_customer ON import_rows (customer_id) WHERE customer_id IS NOT NULL;
