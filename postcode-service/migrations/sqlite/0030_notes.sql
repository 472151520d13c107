-- What was found out about the file of a job, and what was left out of its columns: an array of texts.
ALTER TABLE postcode_jobs ADD COLUMN notes TEXT NOT NULL DEFAULT '[]';
