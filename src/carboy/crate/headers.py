"""Security headers, worked out once at start-up.

Source: OWASP Secure Headers Project and its REST Security Cheat Sheet.
"""

from __future__ import annotations

from collections.abc import Container

from carboy.settings import Settings

_API_CSP = "default-src 'none'; frame-ancestors 'none'"
_PAGE_CSP = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_FEATURES = (
    "accelerometer",
    "autoplay",
    "camera",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "publickey-credentials-get",
    "screen-wake-lock",
    "usb",
    "xr-spatial-tracking",
)
# No Cross-Origin-Embedder-Policy: it would break every page that loads one foreign image.
_COMMON = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("X-Permitted-Cross-Domain-Policies", "none"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", ", ".join(f"{feature}=()" for feature in _FEATURES)),
)

Header = tuple[str, str]


class SecurityHeaders:
    """Chooses the header list of an answer: of the API or a page, over TLS or not."""

    def __init__(self, settings: Settings) -> None:
        self._default = settings.SECURITY_POLICY
        hsts: tuple[Header, ...] = ()
        if settings.HSTS_MAX_AGE_S:
            value = f"max-age={settings.HSTS_MAX_AGE_S}; includeSubDomains"
            hsts = (("Strict-Transport-Security", value),)
        api = (
            *_COMMON,
            ("Content-Security-Policy", _API_CSP),
            ("Referrer-Policy", "no-referrer"),
        )
        page = (
            *_COMMON,
            ("Content-Security-Policy", settings.CONTENT_SECURITY_POLICY or _PAGE_CSP),
            # Under no-referrer, browsers send forms with "Origin: null".
            ("Referrer-Policy", "strict-origin-when-cross-origin"),
        )
        no_store: tuple[Header, ...] = (("Cache-Control", "no-store"),)
        self._api, self._api_tls = api, api + hsts
        self._api_fresh, self._api_fresh_tls = api + no_store, api + hsts + no_store
        self._page, self._page_tls = page, page + hsts

    def choose(
        self, policy: str | None, scheme: str, given: Container[str], *, unchanged: bool
    ) -> tuple[Header, ...]:
        """Give the headers to add to an answer.

        :param policy: ``api`` or ``page``; ``None``: what SECURITY_POLICY says.
        :param given: names of the headers the app sent, in lower case; these win. An answer
            that can be revalidated or says how to cache it is not forbidden to be stored.
        :param unchanged: whether the answer is 304; then what is stored stays valid.
        """
        tls = scheme == "https"
        if (policy or self._default) == "page":
            chosen = self._page_tls if tls else self._page
        elif unchanged or "etag" in given or "cache-control" in given:
            chosen = self._api_tls if tls else self._api
        else:
            chosen = self._api_fresh_tls if tls else self._api_fresh
        return tuple(header for header in chosen if header[0].lower() not in given)
