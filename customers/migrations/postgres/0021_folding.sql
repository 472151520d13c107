-- Names are searched without accents, and with one kind of apostrophe. How far the keys of older names are made again: up to
-- this account. The program does it when it starts, because SQL can't.
CREATE TABLE folding (
    done BIGINT NOT NULL
);
INSERT INTO folding (done) VALUES (0);
