-- Names are searched without accents, and with one kind of apostrophe. How far the keys of older names are made again: up to
-- this account. The program does it when it starts, because SQL can't.
CREATE TABLE folding (
    done INTEGER NOT NULL
) STRICT;
INSERT INTO folding (done) VALUES (0);
