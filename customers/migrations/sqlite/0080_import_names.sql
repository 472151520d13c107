-- The name that the file of an import has where it comes from, if the sender gave it.
ALTER TABLE imports ADD COLUMN name TEXT;
