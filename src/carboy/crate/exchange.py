"""One request as it is seen from outside the app."""

from __future__ import annotations

import os
import re
from typing import Final
from wsgiref.types import WSGIEnvironment

from carboy.crate.request_ids import new_id

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._~-]{1,128}").fullmatch
_TRACEPARENT: Final = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
).fullmatch


class Exchange:
    """One request and what became of it; found at ``environ["carboy.exchange"]``.

    ``method``, ``path`` (decoded, with the prefix the app is mounted under), ``client``
    (address), ``scheme`` and ``host`` are as the trusted proxies tell them. ``request_id``
    is the caller's, when well-formed, else made here. ``trace_id`` is that of the
    caller's ``traceparent``, or empty. ``status`` is 0 until the answer starts,
    ``bytes_sent`` counts its body. ``started_ns`` is of :func:`time.perf_counter_ns`.
    """

    __slots__ = (
        "bytes_sent",
        "client",
        "flags",
        "host",
        "method",
        "path",
        "request_id",
        "route",
        "scheme",
        "started_ns",
        "status",
        "trace_id",
    )

    def __init__(self, environ: WSGIEnvironment, started_ns: int) -> None:
        get = environ.get
        self.started_ns = started_ns
        self.method: str = environ["REQUEST_METHOD"]
        path: str = get("PATH_INFO", "")
        mounted_at = get("SCRIPT_NAME")
        if mounted_at:
            path = mounted_at + path
        self.path = path if path.isascii() else decoded(path)
        self.client: str = get("REMOTE_ADDR") or ""
        self.scheme: str = environ["wsgi.url_scheme"]
        self.host: str = get("HTTP_HOST") or ""
        given = get("HTTP_X_REQUEST_ID")
        if given is not None and _REQUEST_ID(given):
            self.request_id: str = given
        else:
            # The app reads the id that the log shows, never a malformed one.
            self.request_id = environ["HTTP_X_REQUEST_ID"] = new_id()
        self.trace_id = ""
        self.flags = 0
        parent = get("HTTP_TRACEPARENT")
        if parent is not None:
            self._continue(parent)
        self.status = 0
        self.bytes_sent = 0
        self.route = ""

    def _continue(self, traceparent: str) -> None:
        found = _TRACEPARENT(traceparent)
        if found is None or (found[1] == "00" and found[5] is not None):
            return
        self.trace_id = found[2]
        self.flags = int(found[4], 16) & 1

    def traceparent(self) -> str:
        """Give the ``traceparent`` header of a call made on behalf of this request.

        The trace of the caller goes on under a new parent id; without one, a trace is
        begun, and log records carry its id from then on.
        Source: W3C Trace Context, section 3.
        """
        if not self.trace_id:
            self.trace_id = os.urandom(16).hex()
        return f"00-{self.trace_id}-{os.urandom(8).hex()}-{self.flags:02x}"


def decoded(text: str) -> str:
    """Decode what WSGI passes as Latin-1 (PEP 3333, "Unicode Issues"); never fails."""
    return text.encode("latin-1", "replace").decode("utf-8", "replace")
