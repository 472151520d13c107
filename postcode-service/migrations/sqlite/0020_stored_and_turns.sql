-- Results count as stored bytes, as rows that came in do: of the rows only while they are kept.
ALTER TABLE postcode_jobs ADD COLUMN output_bytes BIGINT NOT NULL DEFAULT 0;

UPDATE postcode_jobs SET
    bytes = (SELECT COALESCE(SUM(LENGTH(input)), 0) FROM job_parts WHERE job = postcode_jobs.id),
    output_bytes = (SELECT COALESCE(SUM(output_length), 0) FROM job_parts WHERE job = postcode_jobs.id);

-- Has all that the sums need.
CREATE INDEX jobs_by_stored ON postcode_jobs (tenant, state, bytes, output_bytes);

-- Callbacks take turns by tenant and host. Whoever sends one has it until then.
ALTER TABLE job_callbacks ADD COLUMN host TEXT NOT NULL DEFAULT '';
ALTER TABLE job_callbacks ADD COLUMN leased_until BIGINT NOT NULL DEFAULT 0;
-- Since when it is to be delivered: of one that is tried again since then.
ALTER TABLE job_callbacks ADD COLUMN pending_since BIGINT NOT NULL DEFAULT 0;

UPDATE job_callbacks SET pending_since = created_at;

CREATE INDEX job_callbacks_by_host ON job_callbacks (host, state, next_at);

-- They are no tasks of the queue any more.
DELETE FROM Jobs WHERE job_type = 'postcode-callbacks';
