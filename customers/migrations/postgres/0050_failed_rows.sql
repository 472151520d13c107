-- Rows that fail can be fetched as they came, to be mended and sent again: the headings of the file, and the cells of each
-- row, as arrays of texts. They are removed when the row's account is made.
ALTER TABLE imports ADD COLUMN headings TEXT;
ALTER TABLE import_rows ADD COLUMN original TEXT;
-- Whose data a row is: it is removed when the account with this address is erased.
ALTER TABLE import_rows ADD COLUMN email_key TEXT;
CREATE INDEX import_rows_email ON import_rows (email_key) WHERE email_key IS NOT NULL;
