"""Which place a URL names."""

from __future__ import annotations

from pathlib import Path

from carboy.backing.counters.window import Counters
from carboy.errors import SettingsError

__all__ = ["open_counters"]

_FILE = "limits.sqlite3"
_SERVERS = ("redis", "rediss", "unix")


def open_counters(url: str, *, folder: Path, prefix: str) -> Counters:
    """Make the counters that *url* names; nothing is opened or connected yet.

    :param url: ``memory://``, ``sqlite://`` for a file in *folder*, ``sqlite:///FILE``
        (relative to *folder*; ``sqlite:////FILE`` is absolute), or a Redis URL.
    :param folder: where files are.
    :param prefix: of the keys on a server.
    :raises SettingsError: for any other.
    """
    scheme, found, rest = url.partition("://")
    if found and scheme == "memory":
        from carboy.backing.counters.memory import MemoryCounters  # each where it is wanted

        return MemoryCounters()
    if found and scheme == "sqlite" and rest[:1] in ("", "/"):
        from carboy.backing.counters.sqlite import SQLiteCounters

        return SQLiteCounters(folder / (rest[1:] or _FILE))
    if found and scheme in _SERVERS:
        from carboy.backing.counters.redis import RedisCounters

        return RedisCounters(url, prefix=prefix)
    raise SettingsError(  # without the URL, which may hold a password
        "RATE_LIMIT_STORAGE names no place for counters. Use memory://, sqlite:///FILE or "
        "redis://:PASSWORD@HOST:6379/0."
    )
