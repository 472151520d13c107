"""The clients, synchronous and asynchronous."""

import asyncio
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .types import Place, Postcode

# What a server takes in one request, unless its operator allows more.
BATCH = 100
# How many requests of an asynchronous client run at once.
AT_ONCE = 8
# An error of a server is shown up to this length.
LONGEST_ERROR = 10_000


class PostcodeError(Exception):
    """An error of the server, or no answer from it."""

    def __init__(self, message: str, status: int | None = None, code: str | None = None, retryable: bool = False):
        super().__init__(message)
        self.status = status
        self.code = code
        self.retryable = retryable


class NotFound(PostcodeError):
    """There is no such thing. `code` says what: postcode_not_found, invalid_postcode, not_covered, …"""


@dataclass(frozen=True)
class Answer:
    """The answer to one postcode of many. `status` is live, terminated, unknown, not_covered or invalid."""

    query: str
    status: str
    record: Postcode | None


@dataclass(frozen=True)
class Verdict:
    """Whether a text is a postcode in use, and if not, why."""

    valid: bool
    status: str
    postcode: str | None
    reason: str | None


class Client:
    """Asks a server. Safe to share between threads."""

    def __init__(self, url: str, token: str | None = None, timeout: float = 30.0):
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"{url!r} has no scheme: write http://{url}")
        self.url = url.rstrip("/")
        self.timeout = timeout
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def lookup(self, postcode: str, keys: Sequence[str] = ()) -> Postcode:
        """Returns a live postcode, or only some of its keys. Raises NotFound for any other."""
        return self._get(f"/postcodes/{_quoted(postcode)}", extended="true", filter=",".join(keys))

    def lookup_many(self, postcodes: Iterable[str], keys: Sequence[str] = ()) -> Iterator[Answer]:
        """Looks up any number of postcodes, a hundred a request. Yields the answers in their order."""
        for batch in _batches(postcodes):
            found = self._post("/postcodes", {"postcodes": batch}, extended="true", filter=",".join(keys))
            for item in found:
                yield Answer(item["query"], item["status"], item["result"])

    def validate(self, text: str) -> Verdict:
        """Returns whether a text is a postcode in use. The reason says what was probably meant."""
        found = self._get(f"/postcodes/{_quoted(text)}/validate", extended="true")
        return Verdict(found["valid"], found["status"], found["postcode"], found.get("reason"))

    def complete(self, beginning: str, limit: int = 10) -> list[str]:
        """Returns live postcodes that begin with a text, in order."""
        path = f"/postcodes/{_quoted(beginning)}/autocomplete"
        return self._get(path, order="prefix", limit=str(limit)) or []

    def nearest(self, postcode: str, radius: float = 500, limit: int = 10) -> list[Postcode]:
        """Returns the live postcodes around one, with their distance in metres."""
        path = f"/postcodes/{_quoted(postcode)}/nearest"
        return self._get(path, extended="true", radius=str(radius), limit=str(limit)) or []

    def nearest_to(self, latitude: float, longitude: float, radius: float = 500, limit: int = 10) -> list[Postcode]:
        """Returns the live postcodes around a point."""
        query = {"lat": str(latitude), "lon": str(longitude), "radius": str(radius), "limit": str(limit)}
        return self._get("/postcodes", extended="true", **query) or []

    def places(self, text: str, limit: int = 10) -> list[Place]:
        """Returns places by their name, if the server's data has any."""
        return [found["place"] for found in self._get("/find/places", q=text, limit=str(limit))]

    def info(self) -> dict[str, Any]:
        """Returns edition, attribution and counts of the data that answers."""
        return self._get("/dataset/info")

    def enrich_csv(self, rows: bytes, columns: Sequence[str], postcode_column: str | None = None) -> bytes:
        """Sends CSV with a header, and returns it with columns added."""
        query = {"columns": ",".join(columns), "postcode_column": postcode_column or ""}
        return self._send("/enrich", query, rows, "text/csv")

    def _get(self, path: str, **query: str) -> Any:
        return json.loads(self._send(path, query))["result"]

    def _post(self, path: str, body: Any, **query: str) -> Any:
        return json.loads(self._send(path, query, json.dumps(body).encode(), "application/json"))["result"]

    def _send(self, path: str, query: dict[str, str], body: bytes | None = None, kind: str | None = None) -> bytes:
        given = urllib.parse.urlencode({name: value for name, value in query.items() if value})
        headers = {**self._headers, **({"Content-Type": kind} if kind else {})}
        request = urllib.request.Request(f"{self.url}{path}?{given}", data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as response:
                return response.read()
        except urllib.error.HTTPError as error:
            raise _error(error.code, error.read(LONGEST_ERROR)) from None
        except OSError as error:
            raise PostcodeError(f"{self.url} does not answer: {error}", retryable=True) from error


class AsyncClient:
    """The same with await. The calls run on threads, eight at once."""

    def __init__(self, url: str, token: str | None = None, timeout: float = 30.0):
        self._client = Client(url, token, timeout)
        self._places = asyncio.Semaphore(AT_ONCE)

    async def lookup(self, postcode: str, keys: Sequence[str] = ()) -> Postcode:
        return await self._run(self._client.lookup, postcode, keys)

    async def lookup_many(self, postcodes: Iterable[str], keys: Sequence[str] = ()) -> list[Answer]:
        """Looks up many, several requests at once. The answers come in the order of the postcodes."""
        ask = lambda batch: list(self._client.lookup_many(batch, keys))
        found = await asyncio.gather(*(self._run(ask, batch) for batch in _batches(postcodes)))
        return [answer for answers in found for answer in answers]

    async def validate(self, text: str) -> Verdict:
        return await self._run(self._client.validate, text)

    async def complete(self, beginning: str, limit: int = 10) -> list[str]:
        return await self._run(self._client.complete, beginning, limit)

    async def nearest(self, postcode: str, radius: float = 500, limit: int = 10) -> list[Postcode]:
        return await self._run(self._client.nearest, postcode, radius, limit)

    async def nearest_to(
        self, latitude: float, longitude: float, radius: float = 500, limit: int = 10
    ) -> list[Postcode]:
        return await self._run(self._client.nearest_to, latitude, longitude, radius, limit)

    async def places(self, text: str, limit: int = 10) -> list[Place]:
        return await self._run(self._client.places, text, limit)

    async def info(self) -> dict[str, Any]:
        return await self._run(self._client.info)

    async def _run(self, call: Any, *given: Any) -> Any:
        async with self._places:
            return await asyncio.to_thread(call, *given)


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")


def _batches(postcodes: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for postcode in postcodes:
        batch.append(postcode)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _error(status: int, body: bytes) -> PostcodeError:
    try:
        told = json.loads(body)
    except ValueError:
        told = {}
    if not isinstance(told, dict):
        told = {}
    message = str(told.get("error") or f"the server answered {status}")
    if told.get("advice"):
        message += f": {told['advice']}"
    kind = NotFound if status == 404 else PostcodeError
    return kind(message, status, told.get("code"), bool(told.get("retryable")))
