-- The row that /ready writes, to see whether writes work.
CREATE TABLE job_readiness (
    filler TEXT NOT NULL
);
INSERT INTO job_readiness (filler) VALUES ('');
