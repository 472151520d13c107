-- The row that /ready writes, to see whether writes work.
CREATE TABLE readiness (
    filler TEXT NOT NULL
);
INSERT INTO readiness (filler) VALUES ('');
