"""One client for tests that run in this process and against a service that runs already."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask
from werkzeug.datastructures import Headers

_Exchange = Callable[[str, str, bytes | None, dict[str, str]], "Answer"]


@dataclass(frozen=True)
class Answer:
    """What came back.

    :param status: HTTP status.
    :param headers: of the answer; names in any case.
    :param body: as it was sent, decoded of nothing.
    """

    status: int
    headers: Headers
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        """What a success carries in the default envelope.

        :raises AssertionError: if it is none; the message is the body.
        """
        if not self.is_json or self.json.get("status") != "success":
            raise AssertionError(f"{self.status}: {self.text}")
        return self.json["data"]

    @property
    def is_json(self) -> bool:
        """Whether the body says it is JSON."""
        return self.headers.get("Content-Type", "").partition(";")[0] == "application/json"


class Client:
    """Send requests to an app in this process, or over HTTP; answers are alike.

    No cookie is kept from one request to the next.

    ::

        client = Client.at(os.environ["BASE_URL"])
        answer = client.post("/api/v1/users", json={"username": "renee"})
        assert answer.status == 201
    """

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    @classmethod
    def of(cls, app: Flask) -> Client:
        """Send to *app* in this process, through its test client."""

        def exchange(method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
            client = app.test_client(use_cookies=False)
            with client.open(path, method=method, data=body, headers=headers) as answer:
                return Answer(answer.status_code, Headers(answer.headers), answer.data)

        return cls(exchange)

    @classmethod
    def at(cls, base_url: str, *, timeout_s: float = 60) -> Client:
        """Send to the service at *base_url* over HTTP.

        :param base_url: such as ``https://staging.example.com``; may have a path.
        :param timeout_s: for connecting and for each read (seconds).
        """
        place = urlsplit(base_url)
        secure = place.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection

        def exchange(method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
            with contextlib.closing(kind(place.netloc, timeout=timeout_s)) as connection:
                connection.request(method, place.path.rstrip("/") + path, body, headers)
                answer = connection.getresponse()
                return Answer(answer.status, Headers(answer.getheaders()), answer.read())

        return cls(exchange)

    def request(  # noqa: PLR0913 - a request has as many parts
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Send one request.

        :param json: sent as JSON; ``None`` sends *body*.
        :param query: appended to *path*.
        """
        sent = dict(headers or {})
        if json is not None:
            body = _dumps(json)
            sent.setdefault("Content-Type", "application/json")
        if query:
            path = f"{path}?{urlencode(query, doseq=True)}"
        return self._exchange(method, path, body, sent)

    def get(self, path: str, **rest: Any) -> Answer:
        """Send a GET; see :meth:`request`."""
        return self.request("GET", path, **rest)

    def post(self, path: str, **rest: Any) -> Answer:
        """Send a POST; see :meth:`request`."""
        return self.request("POST", path, **rest)

    def put(self, path: str, **rest: Any) -> Answer:
        """Send a PUT; see :meth:`request`."""
        return self.request("PUT", path, **rest)

    def patch(self, path: str, **rest: Any) -> Answer:
        """Send a PATCH; see :meth:`request`."""
        return self.request("PATCH", path, **rest)

    def delete(self, path: str, **rest: Any) -> Answer:
        """Send a DELETE; see :meth:`request`."""
        return self.request("DELETE", path, **rest)


def _dumps(value: Any) -> bytes:
    # Beside a parameter that is called json.
    return json.dumps(value).encode()
