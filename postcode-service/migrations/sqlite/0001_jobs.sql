-- Jobs: rows that come in, are cut into parts, and go out enriched. Times are milliseconds since 1970.
CREATE TABLE postcode_jobs (
    id TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    -- receiving, queued, running, succeeded, failed, cancelled
    state TEXT NOT NULL,
    format TEXT NOT NULL,
    -- JSON: what to add and how the rows are to be read.
    plan TEXT NOT NULL,
    priority BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    callback_url TEXT,
    parts BIGINT NOT NULL DEFAULT 0,
    -- How many of the parts have been put in the queue.
    next_part BIGINT NOT NULL DEFAULT 0,
    parts_done BIGINT NOT NULL DEFAULT 0,
    total BIGINT NOT NULL DEFAULT 0,
    done BIGINT NOT NULL DEFAULT 0,
    -- Of the rows that came in.
    bytes BIGINT NOT NULL DEFAULT 0,
    -- Attempts at a part that failed in a row, of all its parts.
    failures BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    touched_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    reason TEXT
);

CREATE INDEX jobs_by_state ON postcode_jobs (state, touched_at);

CREATE INDEX jobs_by_tenant ON postcode_jobs (tenant, state);

CREATE TABLE job_parts (
    job TEXT NOT NULL,
    number BIGINT NOT NULL,
    first_line BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    -- What goes before the output: the header.
    head BLOB NOT NULL,
    -- Until it is done.
    input BLOB,
    -- When it is done, its head included.
    output BLOB,
    output_length BIGINT,
    -- The task in the queue.
    task TEXT,
    PRIMARY KEY (job, number)
);

-- A request that is sent again is the same job.
CREATE TABLE job_keys (
    tenant TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    job TEXT NOT NULL,
    -- The SHA-256 of what was asked.
    request TEXT NOT NULL,
    PRIMARY KEY (tenant, idempotency_key)
);

CREATE INDEX job_keys_by_job ON job_keys (job);

-- Start-time fair queueing: up to which virtual time a flow has had its share,
CREATE TABLE job_flows (
    tenant TEXT NOT NULL,
    priority BIGINT NOT NULL,
    finish BIGINT NOT NULL,
    PRIMARY KEY (tenant, priority)
);

-- and what time it is: that of the last slice that was begun. A new epoch begins when the times are set back.
CREATE TABLE job_clock (
    id BIGINT NOT NULL PRIMARY KEY,
    now BIGINT NOT NULL,
    epoch BIGINT NOT NULL
);

INSERT INTO job_clock (id, now, epoch) VALUES (1, 0, 0);

CREATE TABLE job_callbacks (
    -- The webhook-id, which stays the same over all attempts.
    id TEXT NOT NULL PRIMARY KEY,
    job TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    url TEXT NOT NULL,
    -- pending, delivered, dead
    state TEXT NOT NULL,
    body TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    ended_at BIGINT,
    error TEXT,
    task TEXT
);

CREATE INDEX job_callbacks_by_state ON job_callbacks (state, next_at);
