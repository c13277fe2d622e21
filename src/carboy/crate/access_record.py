"""The log record of a request, for handlers and filters of a project's own."""

from __future__ import annotations

import functools
import time
from json.encoder import encode_basestring_ascii as quoted

from carboy.crate.access_line import about_answer, about_method, line_of
from carboy.logs import NO_ID, SelfWritten, printable

_COLOURS = {1: "36", 2: "32", 3: "36", 4: "33", 5: "31"}
_US_PER_MS = 1000


class AccessRecord(SelfWritten):
    """The log record of one request; its fields are attributes, as with ``extra``.

    The query string is not among them: tokens and personal data travel in it.
    """

    request_id: str
    trace_id: str
    client: str
    method: str
    path: str
    route: str
    status: int
    duration_ms: float
    bytes: int
    user_agent: str

    def getMessage(self) -> str:  # noqa: N802 - the name of the standard library
        """Give the text for handlers that format by themselves."""
        return (
            f"{printable(self.method)} {printable(self.path)} {self.status} "
            f"{self.duration_ms:.1f} ms {self.bytes} B {printable(self.client) or '-'}"
        )

    def as_json(self) -> str:
        """Write the fields; text of the caller is quoted, so nothing can break out."""
        line = line_of(
            self.created,
            round(self.duration_ms * _US_PER_MS),
            self.request_id,
            self.trace_id if self.trace_id != NO_ID else "",
            self.client,
            about_method(self.method),
            self.path,
            about_answer(self.route, self.status),
            self.bytes,
            quoted(self.user_agent),
        )
        return line.removesuffix("\n")

    def as_text(self, *, colour: bool) -> str:
        """Write the line for a person: when, what, how it went, how long, who."""
        status = str(self.status)
        if colour:
            status = f"\x1b[{_COLOURS.get(self.status // 100, '31')}m{status}\x1b[0m"
        trace = f" trace {self.trace_id}" if self.trace_id != NO_ID else ""
        return (
            f"{_local_second(int(self.created))} {status} {printable(self.method)} "
            f"{printable(self.path)} {self.duration_ms:.1f} ms {self.bytes} B "
            f"from {printable(self.client) or '-'} by {printable(self.route) or '-'} "
            f"[{self.request_id}{trace}] {printable(self.user_agent)}".rstrip()
        )


@functools.lru_cache(maxsize=2)
def _local_second(second: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(second))
