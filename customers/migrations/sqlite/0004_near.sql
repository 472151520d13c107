-- With the customer in it, the index alone says who is near a place.
DROP INDEX addresses_location;
CREATE INDEX addresses_location ON addresses (latitude, longitude, customer);
