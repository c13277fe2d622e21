"""What is asked of every service, and what each must answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

HOST = "api.example.com"
ORIGIN = "https://app.example.com"
WORLDS = 10_000
USERS = 10_000
ITEMS = 1_000_000
LIST_SIZE = 50
PAGE_SIZE = 100
QUERIES = 20
UPLOAD_BYTES = 1024 * 1024
VARIANTS = 500
_BOUNDARY = "peers-bench-7MA4YWxkTrZu0gW"


@dataclass(frozen=True)
class Request:
    """One request, as every peer gets it.

    :param target: path and query.
    """

    method: str
    target: str
    body: bytes = b""
    kind: str = "application/json"

    @property
    def headers(self) -> Mapping[str, str]:
        """What a page in a browser would send, so that CORS has something to do."""
        sent = {"Host": HOST, "Accept": "*/*", "Origin": ORIGIN, "User-Agent": "peers/1"}
        if self.method == "POST":
            sent |= {"Content-Type": self.kind, "Content-Length": str(len(self.body))}
        return sent

    @property
    def raw(self) -> bytes:
        """The request as it goes over the wire."""
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True)
class Scenario:
    """Work that is measured.

    :param make: makes one of the requests, from a source of chance.
    :param variants: how many different ones are sent in turn.
    :param database: whether it needs one; what needs none is measured once, not per database.
    :param connections: kept alive; few where the database needs long for each request.
    :param seconds_least: below which too few requests would be answered.
    """

    name: str
    title: str
    make: Callable[[Random], Request]
    variants: int = 1
    database: bool = True
    connections: int = 16
    seconds_least: int = 1

    def requests(self) -> list[Request]:
        """Make all requests, the same ones for every peer."""
        chance = Random(self.name)
        return [self.make(chance) for _ in range(self.variants)]


def user_of(key: int) -> dict[str, Any]:
    """Say which user the database has under an id."""
    return {
        "id": key,
        "name": f"User {key}",
        "email": f"user{key}@example.com",
        "age": key % 90,
        "city": f"City {key % 50}",
        "active": key % 2 == 0,
        "born": (date(1970, 1, 1) + timedelta(days=key % 10_000)).isoformat(),
    }


def number_of(key: int) -> int:
    """Say which number a world has until it is changed."""
    return key * 7919 % WORLDS + 1


def item_of(key: int) -> dict[str, Any]:
    """Say which item the database has under an id."""
    return {"id": key, "name": f"Item {key}", "value": key * 31 % 1_000_003}


def new_user(chance: Random) -> dict[str, Any]:
    """Make a user that does not exist yet."""
    made = user_of(chance.randint(1, USERS))
    del made["id"]
    return made


def _get(target: str) -> Callable[[Random], Request]:
    return lambda _: Request("GET", target)


def _upload(chance: Random) -> Request:
    content = chance.randbytes(UPLOAD_BYTES)  # as a picture has them
    head = (
        f"--{_BOUNDARY}\r\nContent-Disposition: form-data; "
        'name="file"; filename="data.bin"\r\nContent-Type: application/octet-stream\r\n\r\n'
    )
    body = head.encode() + content + f"\r\n--{_BOUNDARY}--\r\n".encode()
    return Request("POST", "/upload", body, f"multipart/form-data; boundary={_BOUNDARY}")


def insertion(data: Mapping[str, Any]) -> Request:
    """Make the request that creates a user."""
    return Request("POST", "/users", json.dumps(data).encode())


LAST_PAGE = ITEMS // PAGE_SIZE
SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("json", "JSON", _get("/json"), database=False),
        Scenario("upload", "1 MB upload", _upload, database=False),
        Scenario("db", "single query", _get("/db")),
        Scenario("queries", "20 queries", _get(f"/queries?queries={QUERIES}")),
        Scenario("fortunes", "fortunes", _get("/fortunes")),
        Scenario("updates", "20 updates", _get(f"/updates?queries={QUERIES}")),
        Scenario("insert", "insert", lambda chance: insertion(new_user(chance)), VARIANTS),
        Scenario(
            "read",
            "read by id",
            lambda chance: Request("GET", f"/users/{chance.randint(1, USERS)}"),
            VARIANTS,
        ),
        Scenario("list", "list of 50", _get("/users")),
        Scenario(
            "page",
            "page 10,000",
            _get(f"/items?page={LAST_PAGE}"),
            connections=4,
            seconds_least=2,
        ),
    )
}
