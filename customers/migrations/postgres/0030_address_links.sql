-- The entry of the address data that an address was chosen from, such as udprn:12345678, and whether the data still has it.
ALTER TABLE addresses ADD COLUMN address_id TEXT;
ALTER TABLE addresses ADD COLUMN address_id_status TEXT
    CHECK (address_id_status IN ('pending', 'listed', 'other_postcode', 'not_listed', 'not_covered'));
CREATE INDEX addresses_linked ON addresses (customer, number) WHERE address_id IS NOT NULL;
CREATE INDEX addresses_link_pending ON addresses (customer, number) WHERE address_id_status = 'pending';

-- Addresses are checked against the address data too, and each check has its progress.
ALTER TABLE recheck ADD COLUMN subject TEXT NOT NULL DEFAULT 'postcodes';
