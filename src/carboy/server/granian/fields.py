"""Header fields of answers, as granian takes them."""

from __future__ import annotations

Header = tuple[str, str]
Field = tuple[bytes, bytes]

_KNOWN_MAX = 1000
_LENGTH = "content-length"


class Fields:
    """Writes headers as bytes, and remembers those that come again.

    Most of an answer's headers are the same in every answer. A header is remembered when
    it comes the second time, so that request ids and dates push nothing out.
    """

    def __init__(self) -> None:
        self._known: dict[Header, Field] = {}
        self._once: set[Header] = set()

    def encoded(self, headers: list[Header]) -> list[Field]:
        """Write *headers*, in their order.

        :raises UnicodeEncodeError: for a character that HTTP cannot carry (PEP 3333, "Unicode
            Issues").
        """
        known = self._known.get
        return [known(header) or self._encode(header) for header in headers]

    def _encode(self, header: Header) -> Field:
        name, value = header
        field = name.lower().encode("latin-1"), value.encode("latin-1")
        once = self._once
        if header in once and len(self._known) < _KNOWN_MAX:
            self._known[name, value] = field
        else:
            if len(once) >= _KNOWN_MAX:
                once.clear()
            once.add((name, value))
        return field


def announced_length(headers: list[Header]) -> int:
    """Give the Content-Length of an answer; -1: it has none."""
    for name, value in headers:
        if len(name) == len(_LENGTH) and name.lower() == _LENGTH:
            return int(value) if value.isdecimal() else -1
    return -1
