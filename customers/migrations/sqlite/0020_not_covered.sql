-- The status of an address in an area that the data leaves out. Such addresses are looked up again now and then, like
-- pending ones, so they have a time too. SQLite can't change a CHECK, so the table is made again.
ALTER TABLE addresses RENAME TO addresses_before;
DROP INDEX addresses_main;
DROP INDEX addresses_pending;
DROP INDEX addresses_postcode;
DROP INDEX addresses_outcode;
DROP INDEX addresses_district;
DROP INDEX addresses_status;
DROP INDEX addresses_location;

CREATE TABLE addresses (
    customer       INTEGER NOT NULL REFERENCES customers (seq) ON DELETE CASCADE,
    number         INTEGER NOT NULL,
    kind           TEXT    NOT NULL CHECK (kind IN ('main', 'billing', 'delivery', 'previous', 'other')),
    postcode       TEXT    NOT NULL,
    -- Without its space, to be searched by any beginning.
    postcode_key   TEXT    NOT NULL,
    outcode        TEXT    NOT NULL,
    address_lines  TEXT    NOT NULL CHECK (json_valid(address_lines)),
    -- ISO 8601 dates.
    valid_from     TEXT,
    valid_to       TEXT,
    address_status TEXT    NOT NULL
        CHECK (address_status IN ('verified', 'pending', 'not_covered', 'terminated', 'unknown')),
    admin_district TEXT,
    -- The district's name in small letters.
    district_key   TEXT,
    region         TEXT,
    country        TEXT,
    latitude       REAL,
    longitude      REAL,
    -- When an address about which nothing is known is due to be looked up: it and the work to resolve it are one row.
    check_after    INTEGER CHECK ((check_after IS NOT NULL) = (address_status IN ('pending', 'not_covered'))),
    PRIMARY KEY (customer, number)
) STRICT;
INSERT INTO addresses
SELECT customer, number, kind, postcode, postcode_key, outcode, address_lines, valid_from, valid_to, address_status,
       admin_district, district_key, region, country, latitude, longitude, check_after
FROM addresses_before;
DROP TABLE addresses_before;

CREATE UNIQUE INDEX addresses_main ON addresses (customer) WHERE kind = 'main';
-- The work list of the resolver: small, because of few addresses nothing is known.
CREATE INDEX addresses_pending ON addresses (check_after, customer, number) WHERE check_after IS NOT NULL;
CREATE INDEX addresses_postcode ON addresses (postcode_key);
CREATE INDEX addresses_outcode ON addresses (outcode);
CREATE INDEX addresses_district ON addresses (district_key);
CREATE INDEX addresses_status ON addresses (address_status) WHERE address_status <> 'verified';
CREATE INDEX addresses_location ON addresses (latitude, longitude, customer);
