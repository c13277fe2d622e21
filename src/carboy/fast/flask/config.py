"""A configuration that tells when it changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask

__all__ = ["READ", "Config"]

READ = frozenset(
    {
        "DEBUG",
        "SECRET_KEY",
        "SECRET_KEY_FALLBACKS",
        "SERVER_NAME",
        "SESSION_COOKIE_NAME",
        "TRAP_BAD_REQUEST_ERRORS",
        "TRAP_HTTP_EXCEPTIONS",
        "TRUSTED_HOSTS",
    }
)
"""What a plan has read; every other key is looked up when it is needed."""


class Config(flask.Config):
    """A :class:`flask.Config` whose changes reach the plan of the app at once."""

    _watchers: tuple[Callable[[], None], ...] = ()

    def watch(self, changed: Callable[[], None]) -> None:
        """Call *changed* whenever a key that plans read gets another value."""
        if changed not in self._watchers:
            self._watchers = (*self._watchers, changed)

    def _tell(self) -> None:
        for changed in self._watchers:
            changed()

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        if key in READ:
            self._tell()

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self._tell()

    def __ior__(self, other: Any) -> Any:  # type: ignore[misc]
        self.update(other)
        return self

    def update(self, *args: Any, **values: Any) -> None:
        """See :meth:`dict.update`."""
        super().update(*args, **values)
        self._tell()

    def setdefault(self, key: str, default: Any = None) -> Any:
        """See :meth:`dict.setdefault`."""
        value = super().setdefault(key, default)
        self._tell()
        return value

    def pop(self, *args: Any) -> Any:
        """See :meth:`dict.pop`."""
        try:
            return super().pop(*args)
        finally:
            self._tell()

    def popitem(self) -> tuple[str, Any]:
        """See :meth:`dict.popitem`."""
        try:
            return super().popitem()
        finally:
            self._tell()

    def clear(self) -> None:
        """See :meth:`dict.clear`."""
        super().clear()
        self._tell()

    def __getstate__(self) -> dict[str, Any]:
        # A copy, also one in another process, belongs to no app yet.
        return {key: value for key, value in vars(self).items() if key != "_watchers"}
