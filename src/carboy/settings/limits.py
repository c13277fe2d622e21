"""The settings of rate limits."""

from __future__ import annotations

from carboy.settings.declaration import setting
from carboy.settings.loading import Loaded


class LimitSettings(Loaded):
    """What :class:`~carboy.api.limits.enforcement.Limiter` reads."""

    RATE_LIMIT: str = setting(
        "",
        "Requests that each client may make to all views without a limit of their own, such as "
        "100/minute; several with commas; empty: any number.",
        group="Limits",
    )
    RATE_LIMIT_STORAGE: str = setting(
        "",
        "Where requests and attempts to sign in are counted: memory:// (each process by itself), "
        "sqlite:///FILE or redis://HOST; empty: REDIS_URL, else a SQLite file in the instance "
        "folder.",
        secret=True,
        group="Limits",
    )
    REDIS_URL: str = setting(
        "",
        "Redis or Valkey server, such as redis://:PASSWORD@HOST:6379/0: what is counted on it is "
        "exact for all machines.",
        secret=True,
        group="Backing services",
    )
