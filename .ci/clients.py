"""All calls of ukpostcodeio, with what postcodes.io answers over the same data."""

import sys

from ukpostcodeio import UKPostCodeIO
from ukpostcodeio.exceptions import PostcodesIOHTTPError

UKPostCodeIO.BASE_URL = sys.argv[1]
LONGITUDE, LATITUDE = -2.096923, 57.14959

tried = set()


class Tried:
    """The client, with a note of what was called."""

    def __init__(self, client):
        self.client = client

    def __getattr__(self, name):
        tried.add(name)
        return getattr(self.client, name)


def refused(call, status, error):
    try:
        call()
    except PostcodesIOHTTPError as raised:
        assert (raised.status_code, raised.error_message) == (status, error), raised
    else:
        raise AssertionError(f"an answer where {status} {error!r} is due")


with UKPostCodeIO() as real:
    client = Tried(real)
    assert client.lookup_postcode("AB10 1AB")["admin_district"] == "Aberdeen City"
    refused(lambda: client.lookup_postcode("ZZ99 9ZZ"), 404, "Postcode not found")
    bulk = client.bulk_lookup_postcodes(["AB10 1AB", "nonsense"])
    assert [one["query"] for one in bulk] == ["AB10 1AB", "nonsense"] and bulk[1]["result"] is None
    filtered = client.bulk_lookup_postcodes(["AB10 1AB"], filter="postcode,latitude")
    assert list(filtered[0]["result"]) == ["postcode", "latitude"]
    assert client.reverse_geocode(LONGITUDE, LATITUDE, limit=2)[0]["distance"] >= 0
    point = {"longitude": LONGITUDE, "latitude": LATITUDE, "limit": 1}
    assert len(client.bulk_reverse_geocode([point])[0]["result"]) == 1
    assert list(client.bulk_reverse_geocode([point], filter="postcode")[0]["result"][0]) == ["postcode"]
    assert len(client.query_postcode("AB10 1", limit=3)) == 3
    assert client.validate_postcode("AB10 1AB") is True and client.validate_postcode("AB1 0AA") is False
    assert len(client.nearest_postcodes("AB10 1AB", limit=3, radius=1000)) == 3
    assert all(one.startswith("AB10") for one in client.autocomplete_postcode("AB10"))
    assert client.random_postcode()["postcode"]
    assert client.random_postcode("AB10")["outcode"] == "AB10"
    assert client.lookup_outcode("AB10")["outcode"] == "AB10"
    assert client.reverse_geocode_outcode(LONGITUDE, LATITUDE)[0]["outcode"] == "AB11"
    assert [one["outcode"] for one in client.nearest_outcodes("AB10", limit=2)] == ["AB10", "AB11"]
    constituency = client.scottish_postcode_lookup("G13 3AE")["scottish_parliamentary_constituency"]
    assert constituency == "Glasgow Anniesland"
    refused(
        lambda: client.scottish_postcode_lookup("JE2 4WD"), 404, "Postcode exists in ONSPD but not in SPD"
    )
    assert client.terminated_postcode_lookup("AB1 0AA")["year_terminated"] == 1996
    assert client.lookup_place("osgb4000000074551019")["name_1"] == "Stirling"
    assert client.query_place("kirbister", limit=1)[0]["name_1"] == "Kirbister"
    assert client.random_place()["code"]

untried = {name for name in vars(UKPostCodeIO) if not name.startswith("_")} - tried - {"close"}
untried = {name for name in untried if callable(getattr(UKPostCodeIO, name))}
assert not untried, f"calls that are not tried: {untried}"
print(f"ok: ukpostcodeio, {len(tried)} methods")
