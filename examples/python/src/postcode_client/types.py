"""The objects of the API, as they come in JSON. A value that the data does not have is None."""

from typing import TypedDict


class Codes(TypedDict, total=False):
    """The codes of the areas of a postcode."""

    admin_district: str | None
    admin_county: str | None
    admin_ward: str | None
    parish: str | None
    parliamentary_constituency: str | None
    nuts: str | None
    lsoa: str | None
    msoa: str | None
    oa21: str | None
    country: str | None
    region: str | None


class Postcode(TypedDict, total=False):
    """A postcode. All keys are there unless `filter` left them out, and more than these."""

    postcode: str
    outcode: str
    incode: str
    quality: int | None
    eastings: int | None
    northings: int | None
    longitude: float | None
    latitude: float | None
    country: str | None
    region: str | None
    admin_district: str | None
    admin_county: str | None
    admin_ward: str | None
    parish: str | None
    parliamentary_constituency: str | None
    lsoa: str | None
    msoa: str | None
    date_of_introduction: str | None
    codes: Codes
    # With extended=true, as this client asks.
    status: str
    date_of_termination: str | None
    # Of neighbours.
    distance: float


class Place(TypedDict, total=False):
    """A place with a name."""

    code: str
    name_1: str
    local_type: str
    outcode: str | None
    county_unitary: str | None
    country: str | None
    longitude: float | None
    latitude: float | None
