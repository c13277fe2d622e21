"""Believe the proxies in front about the client, and nobody else."""

from __future__ import annotations

import functools
import ipaddress
from wsgiref.types import WSGIEnvironment

from carboy.crate.hosts import split_host

_CLAIMS = frozenset(
    {
        "HTTP_X_FORWARDED_FOR",
        "HTTP_X_FORWARDED_PROTO",
        "HTTP_X_FORWARDED_HOST",
        "HTTP_X_FORWARDED_PORT",
        "HTTP_X_FORWARDED_PREFIX",
        "HTTP_X_FORWARDED_SCHEME",
        "HTTP_X_FORWARDED_SERVER",
        "HTTP_X_FORWARDED_SSL",
        "HTTP_X_REAL_IP",
        "HTTP_FORWARDED",
    }
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}


class Proxies:
    """Takes what the trusted proxies say into the request, and drops the rest.

    :param trusted: how many proxies stand in front. Each appends to the headers, so
        the value of the outermost trusted one is that many from the right; whatever
        stands left of it was sent by somebody unknown. The semantics are those of
        Werkzeug's ``ProxyFix``, with every value checked and the claims that were not
        believed removed, so that an app reading them cannot be fooled either.
    """

    def __init__(self, trusted: int) -> None:
        self._trusted = trusted
        self._believers = (
            ("HTTP_X_FORWARDED_FOR", self._client),
            ("HTTP_X_FORWARDED_PROTO", self._scheme),
            ("HTTP_X_FORWARDED_HOST", self._host),
            ("HTTP_X_FORWARDED_PORT", self._port),
        )

    def apply(self, environ: WSGIEnvironment) -> None:
        """Rewrite client, scheme and host of *environ*."""
        claimed = environ.keys() & _CLAIMS
        if not claimed:
            return
        claims = {name: environ.pop(name) for name in claimed}
        if not self._trusted:
            return
        # In this order: which port goes without saying depends on the scheme.
        for name, believe in self._believers:
            if name in claims:
                believe(environ, claims[name])

    def _believed(self, header: str) -> str:
        values = header.split(",")
        return values[-self._trusted].strip() if len(values) >= self._trusted else ""

    def _client(self, environ: WSGIEnvironment, header: str) -> None:
        address = _address(self._believed(header))
        if address:
            environ["REMOTE_ADDR"] = address
            hops = header.split(",")[1 - self._trusted :] if self._trusted > 1 else []
            environ["HTTP_X_FORWARDED_FOR"] = ", ".join([address, *map(str.strip, hops)])

    def _scheme(self, environ: WSGIEnvironment, header: str) -> None:
        scheme = self._believed(header).lower()
        if scheme in _DEFAULT_PORTS:
            environ["wsgi.url_scheme"] = environ["HTTP_X_FORWARDED_PROTO"] = scheme

    def _host(self, environ: WSGIEnvironment, header: str) -> None:
        value = self._believed(header)
        parts = split_host(value)
        if parts is not None:
            name, port = parts
            environ["HTTP_HOST"] = environ["HTTP_X_FORWARDED_HOST"] = value
            environ["SERVER_NAME"] = name
            if port:
                environ["SERVER_PORT"] = port

    def _port(self, environ: WSGIEnvironment, header: str) -> None:
        port = self._believed(header)
        parts = split_host(f"port:{port}")
        if parts is None or not parts[1]:
            return
        environ["SERVER_PORT"] = environ["HTTP_X_FORWARDED_PORT"] = port
        host = split_host(environ.get("HTTP_HOST", ""))
        if host is not None:
            usual = _DEFAULT_PORTS.get(environ["wsgi.url_scheme"]) == port
            environ["HTTP_HOST"] = host[0] if usual else f"{host[0]}:{port}"


@functools.lru_cache(maxsize=1024)
def _address(text: str) -> str:
    """Read an address, with or without a port as some proxies add; empty if it is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    # The zone of an IPv6 address may be any text, and means nothing on another machine
    # (RFC 4007, section 6).
    if "%" in text:
        return ""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""
