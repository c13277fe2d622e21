"""Answer only to the host names the service is known by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from wsgiref.types import WSGIEnvironment

from carboy.errors import BadRequest, SettingsError

_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?", re.ASCII).fullmatch
_PORT_MAX = 65535
_REMEMBERED_MAX = 256


def split_host(host: str) -> tuple[str, str] | None:
    """Take ``name:port`` apart; the port may be missing (empty).

    :return: ``None`` when *host* is malformed (RFC 9110, section 7.2).
    """
    found = _HOST(host)
    if found is None:
        return None
    port = found[2] or ""
    return None if port and not 0 < int(port) <= _PORT_MAX else (found[1], port)


class Hosts:
    """The allow-list; a forged ``Host`` would end up in links, redirects and caches.

    :param trusted: names this service answers to; ``.example.com`` covers that name and
        every subdomain, ``*`` any name, and so does an empty list. Ports do not matter.
    :raises SettingsError: for an entry that is no host name.

    :ivar accepted: headers seen before and let through, so that the usual one costs a lookup.
    """

    def __init__(self, trusted: Sequence[str]) -> None:
        self._any = not trusted or "*" in trusted
        self._exact: set[str] = set()
        suffixes: list[str] = []
        problems: list[str] = []
        for entry in trusted:
            if entry == "*":
                continue
            name = _normal(entry.removeprefix("."))
            if name is None:
                problems.append(
                    f"TRUSTED_HOSTS has {entry!r}, which is no host name. Write a bare name "
                    "such as api.example.com, or .example.com for every subdomain."
                )
                continue
            self._exact.add(name)
            if entry.startswith("."):
                suffixes.append(f".{name}")
        if problems:
            raise SettingsError(problems)
        self._suffixes = tuple(suffixes)
        self.accepted: set[str | None] = set()

    def check(self, environ: WSGIEnvironment) -> None:
        """Let the request through or refuse it.

        :raises BadRequest: for a host that is malformed, missing or not on the list.
        """
        host = environ.get("HTTP_HOST")
        if host in self.accepted:
            return
        if not host:
            # Only HTTP/1.0 may leave it out (RFC 9112, section 3.2).
            if environ.get("SERVER_PROTOCOL") != "HTTP/1.0":
                raise BadRequest("The Host header is missing.", code="bad_host")
            host = environ["SERVER_NAME"]
        parts = split_host(host)
        if parts is None:
            raise BadRequest("The Host header is malformed.", code="bad_host")
        name = parts[0].lower()
        if not (self._any or name in self._exact or name.endswith(self._suffixes)):
            raise BadRequest(
                "This service does not answer to that host name. "
                "If it should, its operator adds the name to TRUSTED_HOSTS.",
                code="bad_host",
            )
        if len(self.accepted) < _REMEMBERED_MAX:
            self.accepted.add(host)


def _normal(entry: str) -> str | None:
    """Bring an entry of the list into the form a browser sends: ASCII, lower case, no port."""
    try:
        ascii_only = entry if entry.isascii() else entry.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    parts = split_host(ascii_only)
    return None if parts is None else parts[0].lower()
