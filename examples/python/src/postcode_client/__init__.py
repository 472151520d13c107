"""A typed client of postcode-service. It needs nothing but the standard library."""

from .client import Answer, AsyncClient, Client, NotFound, PostcodeError, Verdict
from .frame import enrich
from .types import Codes, Place, Postcode

__all__ = [
    "Answer",
    "AsyncClient",
    "Client",
    "Codes",
    "NotFound",
    "Place",
    "Postcode",
    "PostcodeError",
    "Verdict",
    "enrich",
]
