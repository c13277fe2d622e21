"""Which part of a file a request asks for, if it needs any.

Source: RFC 9110, sections 13 (conditional requests) and 14 (ranges).
"""

from __future__ import annotations

import re
from datetime import datetime

from werkzeug.datastructures import Headers
from werkzeug.http import parse_date, parse_etags, unquote_etag

from carboy.errors import PreconditionFailed, for_status

__all__ = ["Selection", "select"]

_RANGE = re.compile(r"bytes=\s*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))\s*", re.ASCII | re.IGNORECASE)
_OK, _PARTIAL, _NOT_MODIFIED, _UNSATISFIABLE = 200, 206, 304, 416


class Selection:
    """What is sent: all of a file, a part of it, or nothing new.

    :ivar status: 200, 206 or 304.
    :ivar start: first byte.
    :ivar end: behind the last byte.
    """

    def __init__(self, status: int, start: int, end: int) -> None:
        self.status = status
        self.start = start
        self.end = end

    @property
    def length(self) -> int:
        """How many bytes are sent."""
        return self.end - self.start


def select(method: str, headers: Headers, *, etag: str, modified: datetime, size: int) -> Selection:
    """Evaluate the preconditions and the range of a request, in the order of section 13.2.2.

    Several ranges at once, other units and what cannot be read are ignored, as the RFC
    allows: all of the file is sent.

    :param etag: of the file, in quotes.
    :raises PreconditionFailed: when the file is not the one that the caller expects (412).
    :raises ApiError: when the range lies outside of the file (416).
    """
    modified = modified.replace(microsecond=0)  # dates of HTTP have seconds
    if not _is_expected(headers, etag, modified):
        raise PreconditionFailed("The file has changed; read it again.")
    if _is_known(headers, etag, modified):
        return Selection(_NOT_MODIFIED, 0, 0)
    found = _RANGE.fullmatch(headers.get("Range", "")) if method == "GET" else None
    if found is None or not _is_continued(headers.get("If-Range", ""), etag, modified):
        return Selection(_OK, 0, size)
    return _part(found, size)


def _part(found: re.Match[str], size: int) -> Selection:
    first, last, suffix = found.groups()
    if suffix is not None:
        start, end = max(0, size - int(suffix)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return Selection(_OK, 0, size)
    if start >= end:
        raise for_status(
            _UNSATISFIABLE,
            f"The file has {size} bytes; the range lies outside.",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return Selection(_PARTIAL, start, end)


def _is_expected(headers: Headers, etag: str, modified: datetime) -> bool:
    if "If-Match" in headers:
        return parse_etags(headers["If-Match"]).contains(unquote_etag(etag)[0])
    date = parse_date(headers.get("If-Unmodified-Since"))
    return date is None or modified <= date


def _is_known(headers: Headers, etag: str, modified: datetime) -> bool:
    if "If-None-Match" in headers:
        return parse_etags(headers["If-None-Match"]).contains_weak(unquote_etag(etag)[0])
    date = parse_date(headers.get("If-Modified-Since"))
    return date is not None and modified <= date


def _is_continued(if_range: str, etag: str, modified: datetime) -> bool:
    """Tell whether the caller's first part is of this very file."""
    return if_range in ("", etag) or parse_date(if_range) == modified
