-- Listings can be sorted by name, email, last change and the postcode of the main address. Names and emails are compared byte by
-- byte, whatever the database's language: as SQLite does.
ALTER TABLE customers ALTER COLUMN name_key TYPE TEXT COLLATE "C", ALTER COLUMN email_key TYPE TEXT COLLATE "C";
CREATE INDEX customers_name ON customers (name_key, seq);
DROP INDEX customers_updated;
CREATE INDEX customers_updated ON customers (updated_at, seq);
CREATE INDEX addresses_main_postcode ON addresses (postcode_key, customer) WHERE kind = 'main';
