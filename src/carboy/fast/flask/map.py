"""A map of URLs that keeps what was prepared from it, until it changes."""

from __future__ import annotations

from typing import Any

from werkzeug import routing

from carboy.fast.flask.matching import Routes

__all__ = ["Map"]


class Map(routing.Map):
    """A :class:`werkzeug.routing.Map` that drops its :class:`Routes` when anything is assigned.

    Adding a rule assigns, too: it asks for the rules to be sorted again.
    """

    prepared: Routes | None = None
    _changes = 0

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        vars(self)["_changes"] = self._changes + 1
        vars(self)["prepared"] = None

    def prepare(self) -> Routes:
        """Prepare the rules as they are.

        While another thread adds some, every request asks Werkzeug.
        """
        try:
            self.update()
            changes = self._changes
            routes = Routes(self)
        except (RuntimeError, ValueError):  # what was gone through or sorted has grown meanwhile
            return Routes(None)
        vars(self)["prepared"] = routes
        if changes != self._changes:
            vars(self)["prepared"] = None
            return Routes(None)
        return routes
