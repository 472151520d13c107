-- The client's address, or its /64: clients without tokens may name any tenant. Empty for others, and when the job has ended.
ALTER TABLE postcode_jobs ADD COLUMN address TEXT NOT NULL DEFAULT '';
