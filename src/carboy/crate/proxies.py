"""Believe the proxies in front about the client, and nobody else."""

from __future__ import annotations

import ipaddress
from wsgiref.types import WSGIEnvironment

from carboy.crate.hosts import split_host

_CLAIMS = (
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

    def apply(self, environ: WSGIEnvironment) -> None:
        """Rewrite client, scheme and host of *environ*."""
        if environ.keys().isdisjoint(_CLAIMS):
            return
        claims = {name: environ.pop(name) for name in _CLAIMS if name in environ}
        if self._trusted:
            self._client(environ, claims.get("HTTP_X_FORWARDED_FOR", ""))
            self._scheme(environ, self._believed(claims.get("HTTP_X_FORWARDED_PROTO", "")))
            self._host(environ, self._believed(claims.get("HTTP_X_FORWARDED_HOST", "")))
            self._port(environ, self._believed(claims.get("HTTP_X_FORWARDED_PORT", "")))

    def _believed(self, header: str) -> str:
        values = header.split(",")
        return values[-self._trusted].strip() if len(values) >= self._trusted else ""

    def _client(self, environ: WSGIEnvironment, header: str) -> None:
        address = _address(self._believed(header))
        if address:
            environ["REMOTE_ADDR"] = address
            hops = [hop.strip() for hop in header.split(",")[-self._trusted :]]
            environ["HTTP_X_FORWARDED_FOR"] = ", ".join([address, *hops[1:]])

    def _scheme(self, environ: WSGIEnvironment, value: str) -> None:
        scheme = value.lower()
        if scheme in _DEFAULT_PORTS:
            environ["wsgi.url_scheme"] = environ["HTTP_X_FORWARDED_PROTO"] = scheme

    def _host(self, environ: WSGIEnvironment, value: str) -> None:
        parts = split_host(value)
        if parts is not None:
            name, port = parts
            environ["HTTP_HOST"] = environ["HTTP_X_FORWARDED_HOST"] = value
            environ["SERVER_NAME"] = name
            if port:
                environ["SERVER_PORT"] = port

    def _port(self, environ: WSGIEnvironment, port: str) -> None:
        parts = split_host(f"port:{port}")
        if parts is None or not parts[1]:
            return
        environ["SERVER_PORT"] = environ["HTTP_X_FORWARDED_PORT"] = port
        host = split_host(environ.get("HTTP_HOST", ""))
        if host is not None:
            usual = _DEFAULT_PORTS.get(environ["wsgi.url_scheme"]) == port
            environ["HTTP_HOST"] = host[0] if usual else f"{host[0]}:{port}"


def _address(text: str) -> str:
    """Read an address, with or without a port as some proxies add; empty if it is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""
