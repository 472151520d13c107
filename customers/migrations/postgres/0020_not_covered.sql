-- The status of an address in an area that the data leaves out. Such addresses are looked up again now and then, like
-- pending ones, so they have a time too.
ALTER TABLE addresses DROP CONSTRAINT addresses_address_status_check;
ALTER TABLE addresses ADD CONSTRAINT addresses_address_status_check
    CHECK (address_status IN ('verified', 'pending', 'not_covered', 'terminated', 'unknown'));
ALTER TABLE addresses DROP CONSTRAINT addresses_check;
ALTER TABLE addresses ADD CONSTRAINT addresses_check
    CHECK ((check_after IS NOT NULL) = (address_status IN ('pending', 'not_covered')));
DROP INDEX addresses_pending;
CREATE INDEX addresses_pending ON addresses (check_after, customer, number) WHERE check_after IS NOT NULL;
