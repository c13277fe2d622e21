"""Let pages of other origins call the service (Fetch Standard, section 3.2)."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from wsgiref.types import WSGIEnvironment

from carboy.errors import SettingsError
from carboy.settings import Settings

# Compiled, and kept by the standard library, where they are used.
_LISTED = r"[a-z][a-z0-9+.-]*://(?:[^\s/?#@*:\[\]]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
# What browsers serialise (RFC 6454, section 6.2): lower case, ASCII, nothing after the port.
_SENT = r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?"
_ONE_LABEL = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_HEADER_NAMES = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+(?:\s*,\s*[A-Za-z0-9!#$%&'*+.^_`|~-]+)*"
_WILDCARD = "://*."
# Origins that nobody lists. A pattern that matches one of them lets in whoever registers
# a name there, or anyone at all. ".invalid" is reserved (RFC 6761, section 6.4).
_STRANGERS = tuple(
    f"{scheme}://{host}"
    for scheme in ("https", "http")
    for host in (
        *(f"q7-nobodys-name.{domain}" for domain in ("invalid", "com", "net", "org", "io", "dev")),
        "a.q7-nobodys-name.com",
        "203.0.113.77",
    )
)

Header = tuple[str, str]


class Cors:
    """Which origins may call, and the headers that tell browsers so.

    :raises SettingsError: for an origin that no browser would ever send, and for a
        pattern that strangers match while pages may send cookies.
    """

    def __init__(self, settings: Settings) -> None:
        problems: list[str] = []
        self._any = "*" in settings.CORS_ORIGINS
        self._null = "null" in settings.CORS_ORIGINS
        self._exact: set[str] = set()
        self._patterns: list[re.Pattern[str]] = []
        for entry in settings.CORS_ORIGINS:
            if entry not in {"*", "null"}:
                self._add(entry, problems)
        self._credentials = settings.CORS_CREDENTIALS
        if self._credentials:
            problems += self._too_wide()
        if problems:
            raise SettingsError(problems)
        self._extra: list[Header] = []
        if settings.CORS_CREDENTIALS:
            self._extra.append(("Access-Control-Allow-Credentials", "true"))
        if settings.CORS_EXPOSE_HEADERS:
            exposed = ", ".join(settings.CORS_EXPOSE_HEADERS)
            self._extra.append(("Access-Control-Expose-Headers", exposed))
        self._any_header = "*" in settings.CORS_HEADERS
        self._headers = ", ".join(settings.CORS_HEADERS)
        self._preflight: list[Header] = [
            ("Access-Control-Allow-Methods", ", ".join(settings.CORS_METHODS)),
            ("Access-Control-Max-Age", str(settings.CORS_MAX_AGE_S)),
        ]

    def _add(self, entry: str, problems: list[str]) -> None:
        if entry.startswith("re:"):
            try:
                self._patterns.append(re.compile(entry.removeprefix("re:")))
            except re.error as error:
                problems.append(
                    f"CORS_ORIGINS has {entry!r}, which is no regular expression: {error}."
                )
            return
        lowered = entry.lower()
        wildcard = _WILDCARD in lowered
        if not re.fullmatch(_LISTED, lowered.replace(_WILDCARD, "://label.", 1)):
            problems.append(
                f"CORS_ORIGINS has {entry!r}, which is no origin. Write scheme and host and "
                "nothing after them, such as https://app.example.com."
            )
        elif wildcard:
            scheme, rest = lowered.split(_WILDCARD, 1)
            self._patterns.append(
                re.compile(f"{re.escape(scheme)}://{_ONE_LABEL}\\.{re.escape(rest)}")
            )
        else:
            self._exact.add(lowered)

    def _too_wide(self) -> Iterator[str]:
        for pattern in self._patterns:
            stranger = next(filter(pattern.fullmatch, _STRANGERS), None)
            if stranger is not None:
                yield (
                    f"CORS_ORIGINS has an entry that matches {stranger} ({pattern.pattern}) while "
                    "CORS_CREDENTIALS is on: any site could act for a signed-in visitor. "
                    "Name your own domain in it, or turn CORS_CREDENTIALS off."
                )

    def allows(self, origin: str) -> bool:
        """Tell whether pages of *origin* may call.

        ``null`` is what sandboxed frames, local files and redirects send, so anyone can
        send it: nothing but its own name in the list allows it.
        """
        if origin == "null":
            return self._null
        return (
            self._any
            or origin in self._exact
            or (
                bool(self._patterns)
                # "https://a/.example.com" is no origin, however an expression reads it.
                and re.fullmatch(_SENT, origin) is not None
                and any(pattern.fullmatch(origin) for pattern in self._patterns)
            )
        )

    def is_preflight(self, environ: WSGIEnvironment) -> bool:
        """Tell whether the browser asks before it sends the request proper."""
        return (
            environ["REQUEST_METHOD"] == "OPTIONS"
            and "HTTP_ORIGIN" in environ
            and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
        )

    def preflight(self, environ: WSGIEnvironment) -> list[Header]:
        """Answer a preflight request; the dressing adds what every answer gets."""
        headers = [
            ("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
        ]
        if not self.allows(environ["HTTP_ORIGIN"]):
            return headers
        headers += self._preflight
        # With credentials browsers take a * literally, so what was asked for is named.
        asked = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
        allowed = self._headers
        if self._any_header:
            allowed = asked if re.fullmatch(_HEADER_NAMES, asked) else ""
        if allowed:
            headers.append(("Access-Control-Allow-Headers", allowed))
        return headers

    def shown(self, origin: str) -> str:
        """Give the value that lets an allowed *origin* read an answer."""
        return "*" if self._any and not self._credentials else origin

    def shared(self, given: Container[str]) -> tuple[Header, ...] | None:
        """Give what an answer needs for other origins to read it, beside the origin.

        :param given: names of the headers the app sent, in lower case.
        :return: ``None`` when the app answers for itself.
        """
        if "access-control-allow-origin" in given:
            return None
        return tuple(header for header in self._extra if header[0].lower() not in given)
