-- Bytes of the rows of an import that wait or failed, and who sent it: a caller, or an address. Empty if not known.
ALTER TABLE imports ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE imports ADD COLUMN owner TEXT NOT NULL DEFAULT '';
UPDATE imports SET bytes = (SELECT coalesce(sum(coalesce(octet_length(said), 0) + coalesce(octet_length(original), 0)), 0)
    FROM import_rows WHERE import = imports.seq);
-- Each upload writes this row, so that of two at once the second counts what the first has stored.
CREATE TABLE import_turn (
    turn INTEGER NOT NULL
) STRICT;
INSERT INTO import_turn (turn) VALUES (0);
