"""Whether a service answers every scenario as all others do.

Answers are held against what the database was filled with, so equal to one another as well.
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Mapping
from html import unescape
from random import Random
from typing import Any

from peers.database import FORTUNES, Database
from peers.running import Service
from peers.scenarios import (
    ITEMS,
    LAST_PAGE,
    LIST_SIZE,
    PAGE_SIZE,
    QUERIES,
    SCENARIOS,
    UPLOAD_BYTES,
    WORLDS,
    Request,
    insertion,
    item_of,
    new_user,
    number_of,
    user_of,
)

LATE_FORTUNE = "Additional fortune added at request time."
# One thing wrong at a time.
WRONG: Mapping[str, Any] = {
    "name": "x" * 81,
    "email": "nobody",
    "age": 151,
    "city": "",
    "active": "perhaps",
    "born": "2001-02-30",
}


class Different(Exception):
    """A service answers other than the rest."""


def ask(service: Service, request: Request) -> tuple[int, str, bytes]:
    """Send a request; gives status, content type and body."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    try:
        connection.request(request.method, request.target, request.body, dict(request.headers))
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Content-Type", ""), answer.read()
    finally:
        connection.close()


class Check:
    """Ask a service for everything once.

    :raises Different: at the first answer that is not as it must be.
    """

    def __init__(self, service: Service, database: Database) -> None:
        self._service = service
        self._database = database

    def run(self, names: list[str]) -> None:
        """Check some scenarios."""
        for name in names:
            self._database.restore()
            getattr(self, f"_{name}")(name)
        self._database.restore()

    def _json(self, name: str) -> None:
        self._same(name, self._first(name), {"message": "Hello, World!"})

    def _upload(self, name: str) -> None:
        self._same(name, self._first(name), {"size": UPLOAD_BYTES})

    def _db(self, name: str) -> None:
        world = self._first(name)
        self._same(name, world, {"id": world["id"], "randomNumber": number_of(world["id"])})

    def _queries(self, name: str) -> None:
        worlds = self._first(name)
        keys = self._drawn(name, worlds)
        self._same(name, worlds, [{"id": key, "randomNumber": number_of(key)} for key in keys])

    def _updates(self, name: str) -> None:
        worlds = self._first(name)
        keys = self._drawn(name, worlds)
        kept = self._database.numbers(keys)
        self._same(name, worlds, [{"id": key, "randomNumber": kept[key]} for key in keys])
        if all(kept[key] == number_of(key) for key in keys):
            raise self._different(name, "nothing was changed")

    def _fortunes(self, name: str) -> None:
        status, kind, body = self._ask(SCENARIOS[name].requests()[0])
        self._same(name, (status, kind.lower()), (200, "text/html; charset=utf-8"))
        rows = re.findall(r"<tr><td>(\d+)</td><td>(.*?)</td></tr>", body.decode(), re.DOTALL)
        said = dict(enumerate(FORTUNES, 1)) | {0: LATE_FORTUNE}
        expected = sorted(((key, text) for key, text in said.items()), key=lambda pair: pair[1])
        if any("<" in shown for _, shown in rows):
            raise self._different(name, "something is not escaped")
        self._same(name, [(int(key), unescape(shown)) for key, shown in rows], expected)

    def _insert(self, name: str) -> None:
        before = self._database.users()
        data = new_user(Random(name))
        made = self._body(name, insertion(data), 201)
        self._same(name, made, {**data, "id": made["id"]})
        self._same(name, self._database.users(), before + 1)
        again = self._body(name, Request("GET", f"/users/{made['id']}"), 200)
        self._same(name, again, made)
        for field, value in WRONG.items():
            for wrong in ({**data, field: value}, {k: v for k, v in data.items() if k != field}):
                status, _, _ = self._ask(insertion(wrong))
                if status not in (400, 422):
                    raise self._different(name, f"{field} wrong or missing is answered {status}")
        self._same(name, self._database.users(), before + 1)

    def _read(self, name: str) -> None:
        for key in (1, 77, 10_000):
            self._same(name, self._body(name, Request("GET", f"/users/{key}"), 200), user_of(key))
        self._same(name, self._ask(Request("GET", "/users/99999999"))[0], 404)

    def _list(self, name: str) -> None:
        expected = [user_of(key) for key in range(1, LIST_SIZE + 1)]
        self._same(name, self._first(name)["items"], expected)

    def _page(self, name: str) -> None:
        answered = self._first(name)
        first = ITEMS - PAGE_SIZE + 1
        self._same(name, answered["items"], [item_of(key) for key in range(first, ITEMS + 1)])
        self._same(name, (answered["page"], answered["total"]), (LAST_PAGE, ITEMS))

    def _drawn(self, name: str, worlds: list[dict[str, int]]) -> list[int]:
        keys = [world["id"] for world in worlds]
        self._same(name, (len(keys), len(set(keys))), (QUERIES, QUERIES))
        self._same(name, all(1 <= key <= WORLDS for key in keys), True)  # noqa: FBT003
        return keys

    def _first(self, name: str) -> Any:
        return self._body(name, SCENARIOS[name].requests()[0], 200)

    def _ask(self, request: Request) -> tuple[int, str, bytes]:
        return ask(self._service, request)

    def _body(self, name: str, request: Request, status: int) -> Any:
        found, kind, body = self._ask(request)
        if (found, kind.partition(";")[0]) != (status, "application/json"):
            raise self._different(name, f"{found} {kind} {body[:300]!r}")
        return json.loads(body)

    def _same(self, name: str, found: Any, expected: Any) -> None:
        if found != expected:
            raise self._different(name, f"{str(found)[:300]} and not {str(expected)[:300]}")

    def _different(self, name: str, what: str) -> Different:
        return Different(f"{self._service.peer.title}, {name}: {what}")
