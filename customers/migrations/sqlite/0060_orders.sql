-- Listings can be sorted by name, email, last change and the postcode of the main address. SQLite adds the place to each index.
CREATE INDEX customers_name ON customers (name_key);
CREATE INDEX addresses_main_postcode ON addresses (postcode_key, customer) WHERE kind = 'main';
