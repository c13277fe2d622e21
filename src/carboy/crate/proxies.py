"""Believe the proxies in front about the client, and nobody else."""

from __future__ import annotations

import ipaddress
from wsgiref.types import WSGIEnvironment

from carboy.crate.hosts import split_host

# What nobody is believed about, however many proxies there are.
_NEVER_BELIEVED = frozenset(
    {
        "HTTP_X_FORWARDED_PREFIX",
        "HTTP_X_FORWARDED_SCHEME",
        "HTTP_X_FORWARDED_SERVER",
        "HTTP_X_FORWARDED_SSL",
        "HTTP_X_REAL_IP",
        "HTTP_FORWARDED",
    }
)
CLAIMS = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
    *_NEVER_BELIEVED,
)
"""Headers about which there is something to do; a request without any of them stays as it is."""
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_REMEMBERED_MAX = 1024
_REMEMBERED_LENGTH_MAX = 128


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
        self._clients: dict[str, tuple[str, str]] = {}

    def apply(self, environ: WSGIEnvironment) -> None:
        """Rewrite client, scheme and host of *environ*."""
        take = environ.pop
        hops = take("HTTP_X_FORWARDED_FOR", None)
        scheme = take("HTTP_X_FORWARDED_PROTO", None)
        host = take("HTTP_X_FORWARDED_HOST", None)
        port = take("HTTP_X_FORWARDED_PORT", None)
        if not environ.keys().isdisjoint(_NEVER_BELIEVED):
            for name in environ.keys() & _NEVER_BELIEVED:
                del environ[name]
        if not self._trusted:
            return
        # In this order: which port goes without saying depends on the scheme.
        if hops is not None:
            address, kept = self._clients.get(hops) or self._client(hops)
            if address:
                environ["REMOTE_ADDR"], environ["HTTP_X_FORWARDED_FOR"] = address, kept
        if scheme is not None:
            if scheme not in _DEFAULT_PORTS or self._trusted > 1:
                scheme = _believed(scheme, self._trusted).lower()
            if scheme in _DEFAULT_PORTS:
                environ["wsgi.url_scheme"] = environ["HTTP_X_FORWARDED_PROTO"] = scheme
        if host is not None or port is not None:
            self._place(environ, host, port)

    def _client(self, header: str) -> tuple[str, str]:
        """Read who calls, empty if that is no address, and what is left of the header."""
        address = _address(_believed(header, self._trusted))
        hops = header.split(",")[1 - self._trusted :] if self._trusted > 1 else []
        made = address, ", ".join([address, *map(str.strip, hops)])
        # Callers call again; anyone can send more than addresses, in any number.
        if len(header) <= _REMEMBERED_LENGTH_MAX:
            if len(self._clients) >= _REMEMBERED_MAX:
                self._clients.clear()
            self._clients[header] = made
        return made

    def _place(self, environ: WSGIEnvironment, host: str | None, port: str | None) -> None:
        if host is not None:
            self._host(environ, host)
        if port is not None:
            self._port(environ, port)

    def _host(self, environ: WSGIEnvironment, header: str) -> None:
        value = _believed(header, self._trusted)
        parts = split_host(value)
        if parts is not None:
            name, port = parts
            environ["HTTP_HOST"] = environ["HTTP_X_FORWARDED_HOST"] = value
            environ["SERVER_NAME"] = name
            if port:
                environ["SERVER_PORT"] = port

    def _port(self, environ: WSGIEnvironment, header: str) -> None:
        port = _believed(header, self._trusted)
        parts = split_host(f"port:{port}")
        if parts is None or not parts[1]:
            return
        environ["SERVER_PORT"] = environ["HTTP_X_FORWARDED_PORT"] = port
        host = split_host(environ.get("HTTP_HOST", ""))
        if host is not None:
            usual = _DEFAULT_PORTS.get(environ["wsgi.url_scheme"]) == port
            environ["HTTP_HOST"] = host[0] if usual else f"{host[0]}:{port}"


def _believed(header: str, trusted: int) -> str:
    values = header.split(",")
    return values[-trusted].strip() if len(values) >= trusted else ""


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
