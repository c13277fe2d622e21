"""Where the rows of a resource are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from flask import Flask, url_for

from carboy.fast.flask.context import current

__all__ = ["Addresses"]

_KEYS = (1, 23)
_KNOWN_MAX = 16
_METHODS = attrgetter("url_for", "inject_url_defaults", "create_url_adapter")
_WRITTEN = _METHODS(Flask)
Prefixes = dict[tuple[str, str], str | None]


class Addresses:
    """Gives the address of a row, in the request at hand.

    :param name: endpoint of a row, within its blueprint; ``None``: rows cannot be read.
    :param key: variable of the address that names it.
    """

    def __init__(self, name: str | None, key: str) -> None:
        self._endpoint = None if name is None else f".{name}"
        self._key = key
        self._known: WeakKeyDictionary[Flask, Prefixes] = WeakKeyDictionary()

    def of(self, path: Mapping[str, Any]) -> Written:
        """Prepare the addresses of rows.

        :param path: the other variables of the address.
        """
        if self._endpoint is None:
            return Written(None, certain=True)
        prefix = None if path else self._prefix()
        if prefix is None:
            return Written(partial(self._built, path), certain=False)
        return Written(partial("{}{}".format, prefix), certain=True)

    def _built(self, path: Mapping[str, Any], key: Any) -> str:
        assert self._endpoint is not None  # noqa: S101 - asked before
        return url_for(self._endpoint, **{**path, self._key: key})

    def _prefix(self) -> str | None:
        """Give what stands before the key; ``None``: an address is more than the two."""
        context = current()
        app, request = context.app, context.request
        if app.url_default_functions or _METHODS(type(app)) != _WRITTEN:
            return None
        known = self._known.setdefault(app, {})
        shape = request.endpoint, request.root_path
        if shape not in known and len(known) < _KNOWN_MAX:
            known[shape] = self._learned()
        return known.get(shape)

    def _learned(self) -> str | None:
        one, other = (self._built({}, key) for key in _KEYS)
        prefix = one.removesuffix(str(_KEYS[0]))
        # One with a host is for the host of this request only.
        is_plain = prefix.startswith("/") and other == f"{prefix}{_KEYS[1]}" != one
        return prefix if is_plain else None


class Written(NamedTuple):
    """How the address of a row is written.

    :param of: gives that of a key; ``None``: it has none.
    :param certain: whether it is known beforehand but for the key.
    """

    of: Callable[[Any], str] | None
    certain: bool
