"""Every setting of Carboy: type, default, meaning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal, Self

from carboy.errors import SettingsError
from carboy.settings.auth import AuthSettings
from carboy.settings.declaration import setting
from carboy.settings.files import FileSettings
from carboy.settings.limits import LimitSettings
from carboy.settings.server import ServerSettings


class Settings(ServerSettings, AuthSettings, FileSettings, LimitSettings):
    """What an app can be told from outside; subclass it to add your own.

    Names are the ecosystem's. Values come from, in this order: explicit arguments,
    the environment (``NAME``, or ``NAME_FILE`` naming a file that holds the value),
    ``.env`` in Development, what the app's own code put into ``app.config``, the
    profile class, the default.
    """

    profile: ClassVar[str] = ""
    combined: ClassVar[bool] = False

    APP_ENV: str = setting(
        "Development",
        "Which profile applies: Development, Production or Testing; short forms such as dev work.",
        group="Application",
    )
    SECRET_KEY: str | bytes | None = setting(
        None,
        "Signs sessions, cursors and links; in Production at least 32 characters. Make one with "
        "`carboy secret`. "
        "Outside Production one is made and kept in the instance folder.",
        secret=True,
        group="Application",
    )
    SECRET_KEY_FALLBACKS: tuple[str | bytes, ...] = setting(
        (),
        "Earlier keys that are still accepted while they are being replaced.",
        secret=True,
        group="Application",
    )
    DEBUG: bool = setting(
        False,
        "Flask's debug mode: tracebacks in answers. Refused in Production.",
        group="Application",
    )
    TESTING: bool = setting(
        False, "Flask's testing mode: exceptions reach the test.", group="Application"
    )
    INSTANCE_PATH: str = setting(
        "",
        "Folder for what the service keeps on disk (database, switches); empty: Flask's choice.",
        group="Application",
    )

    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = setting(
        "INFO", "Least severe level that is written.", group="Logs"
    )
    LOG_FORMAT: Literal["text", "json"] = setting(
        "text", "text for people, json for programs: one object a line.", group="Logs"
    )
    ACCESS_LOG: bool = setting(True, "Write one line per request.", group="Logs")

    TRUSTED_PROXIES: int = setting(
        0,
        "How many proxies stand in front and may be believed about X-Forwarded-For, -Proto and "
        "-Host; whatever lies beyond them is ignored.",
        min=0, max=16, group="Crate",
    )  # fmt: skip
    TRUSTED_HOSTS: tuple[str, ...] = setting(
        (),
        "Host names this service answers to; .example.com covers every subdomain, * any host.",
        group="Crate",
    )
    MAX_CONTENT_LENGTH: int = setting(
        16 * 1024 * 1024, "Largest request body, in bytes.", min=1, group="Crate"
    )
    CORS_ORIGINS: tuple[str, ...] = setting(
        (),
        "Origins whose pages may call this service: https://app.example.com, one label as "
        "https://*.example.com, a regular expression as re:https://pr-\\d+\\.example\\.com, or *.",
        group="Crate",
    )
    CORS_METHODS: tuple[str, ...] = setting(
        ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
        "Methods such pages may use.",
        group="Crate",
    )
    CORS_HEADERS: tuple[str, ...] = setting(
        ("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match",
         "X-Request-ID"),
        "Request headers such pages may send.",
        group="Crate",
    )  # fmt: skip
    CORS_EXPOSE_HEADERS: tuple[str, ...] = setting(
        ("Accept-Ranges", "Content-Disposition", "Content-Range", "Deprecation", "ETag",
         "Idempotency-Replayed", "Link", "Location", "RateLimit", "RateLimit-Limit",
         "RateLimit-Policy", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After", "Sunset",
         "WWW-Authenticate", "X-Request-ID"),
        "Response headers such pages may read.",
        group="Crate",
    )  # fmt: skip
    CORS_CREDENTIALS: bool = setting(
        False, "Let such pages send cookies; needs named origins.", group="Crate"
    )
    CORS_MAX_AGE_S: int = setting(
        600, "Seconds a browser may remember a preflight answer.", min=0, group="Crate"
    )
    SECURITY_POLICY: Literal["api", "page"] = setting(
        "api",
        "Security headers of answers that declare none: api (strict) or page (own scripts, styles "
        "and images may load).",
        group="Crate",
    )
    CONTENT_SECURITY_POLICY: str = setting(
        "", "Content-Security-Policy of pages, when the built-in one does not fit.", group="Crate"
    )
    HSTS_MAX_AGE_S: int = setting(
        31_536_000,
        "Seconds a browser must use TLS after an answer over TLS; 0 sends no such header.",
        min=0, group="Crate",
    )  # fmt: skip
    MAINTENANCE_FILE: str = setting(
        "", "Switch file of the maintenance mode; empty: maintenance.json in the instance folder.",
        group="Crate",
    )  # fmt: skip
    HEALTH_TIMEOUT_S: float = setting(
        2.0, "Seconds each readiness check gets.", min=0.01, group="Crate"
    )
    HEALTH_CACHE_S: float = setting(
        1.0, "Seconds the outcome of the readiness checks is reused.", min=0, group="Crate"
    )
    METRICS: bool = setting(True, "Serve /metrics.", group="Crate")
    METRICS_TOKEN: str | None = setting(
        None,
        "Bearer token that /metrics asks for. Production serves /metrics only with one.",
        secret=True,
        group="Crate",
    )

    API_TITLE: str = setting(
        "", "Title of the OpenAPI document; empty: the app's name.", group="API"
    )
    API_VERSION: str = setting("1.0.0", "Version of the API in the OpenAPI document.", group="API")
    API_DESCRIPTION: str = setting("", "Text at the head of the OpenAPI document.", group="API")
    API_DOCS: bool = setting(True, "Serve /openapi.json and /docs.", group="API")
    JSON_MAX_LENGTH: int = setting(
        1024 * 1024,
        "Largest JSON body of a view with an input, in bytes; checking one takes far longer than "
        "storing a file of its size.",
        min=1,
        group="API",
    )
    JSON_MAX_DEPTH: int = setting(
        64, "Deepest nesting of lists and objects in a JSON body.", min=1, max=500, group="API"
    )

    IDEMPOTENCY_TTL_S: int = setting(
        86_400,
        "Seconds for which the answer of an Idempotency-Key is kept and given again.",
        min=1, group="API",
    )  # fmt: skip

    DATABASE_URL: str = setting(
        "",
        "Where the data is: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME; "
        "empty: a SQLite file in the instance folder.",
        secret=True,
        group="Database",
    )
    DATABASE_POOL_SIZE: int = setting(
        0, "Connections each worker may hold; 0: one per thread.", min=0, group="Database"
    )
    DATABASE_TIMEOUT_S: float = setting(
        5.0,
        "Seconds to wait for a connection, for the server to accept one, or for SQLite's lock.",
        min=0.1, group="Database",
    )  # fmt: skip
    DATABASE_UPGRADE: bool = setting(
        False, "Apply pending migrations when `carboy run` starts.", group="Database"
    )
    DATABASE_ALLOW_NEWER: bool = setting(
        False,
        "Start although the database has migrations this code does not know, as after a rollback.",
        group="Database",
    )

    @classmethod
    def for_environment(cls, name: str) -> type[Self]:
        """Choose the class that applies in the environment *name*.

        :param name: value of ``APP_ENV``, long or short, any case; empty: Development.
        :return: this class when it is a profile already; else the subclass of it and the
            profile that the project wrote; else the two combined.
        :raises SettingsError: for an unknown name, or two classes for one profile.
        """
        if cls.profile:
            return cls
        from carboy.settings.profiles import BY_NAME  # profiles are built on this class

        profile = BY_NAME.get(name.strip().lower())
        if profile is None:
            raise SettingsError(
                [f"APP_ENV is {name!r}. Use Development, Production or Testing (dev, prod, test)."]
            )
        if issubclass(profile, cls):
            return profile
        written: list[type[Any]] = [
            kind for kind in _descendants(cls) if issubclass(kind, profile) and _is_written(kind)
        ]
        if len(written) > 1:
            names = " and ".join(kind.__name__ for kind in written)
            raise SettingsError([f"{names} are both for {profile.__name__}. Keep one of them."])
        name = f"{cls.__name__}In{profile.__name__}"
        fitting: type[Self] = (
            written[0] if written else type(name, (cls, profile), {"combined": True})
        )
        return fitting

    def problems(self) -> Iterator[str]:
        """Say what is wrong with the values taken together, a sentence each with its remedy.

        Override it to add checks of your own, and yield from ``super().problems()``.
        """
        yield from super().problems()
        if "*" in self.CORS_ORIGINS and self.CORS_CREDENTIALS:
            yield (
                "CORS_ORIGINS is * while CORS_CREDENTIALS is on: any site could act for a "
                "signed-in visitor. Name the origins, or turn CORS_CREDENTIALS off."
            )


def _descendants(kind: type[Any]) -> Iterator[type[Any]]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


def _is_written(kind: type[Any]) -> bool:
    """Say whether the project wrote *kind* and nothing more specific than it."""
    return not kind.combined and all(child.combined for child in kind.__subclasses__())
