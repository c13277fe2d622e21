"""Tests fail when a request loads one by one what one statement could give."""

from __future__ import annotations

from typing import Any

from carboy.backing.repeats import WATCH, Repeat

__all__ = ["RepeatedStatements", "Repeats"]


class RepeatedStatements(AssertionError):
    """A request ran the same statement again and again; the message says which and the remedy."""


class Repeats:
    """Looks at the statements of each request that a test client makes.

    :ivar found: of the requests that were let pass.
    """

    def __init__(self) -> None:
        self.found: list[Repeat] = []
        self._is_on = True

    def pause(self) -> None:
        """Let pass what comes in this test: for one that repeats statements on purpose."""
        self._is_on = False

    def look(self, app: Any) -> None:
        """Look at what the last request of *app* did.

        :raises RepeatedStatements: if it ran a statement again and again.
        """
        watch = app.extensions.get(WATCH)
        if watch is None or not watch.found:
            return
        found = list(watch.found)
        watch.found.clear()
        if self._is_on:
            raise RepeatedStatements("\n".join(map(str, found)))
        self.found += found
