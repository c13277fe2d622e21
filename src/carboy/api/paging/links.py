"""Addresses of the other pages of a list."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

from carboy.api import cursors
from carboy.api.cursors import Place
from carboy.api.sorting import SortKey
from carboy.fast.flask.context import current

__all__ = ["address", "backward", "bound_to", "onward"]

_REMEMBERED = 128


def onward(last: Sequence[Any] | None, bound: str) -> str:
    """Write the address of the page behind a row.

    :param last: values of its sort keys; ``None``: everything before was deleted, and what is left
        begins at the start.
    :param bound: what the cursor is good for.
    """
    if last is None:
        return address()
    return address(cursor=cursors.write(Place(tuple(last)), bound))


def backward(first: Sequence[Any] | None, bound: str) -> str:
    """Write the address of the page before a row.

    :param first: values of its sort keys; ``None``: everything behind was deleted, and what is
        left ends at the end.
    """
    return address(cursor=cursors.write(Place(tuple(first or ()), backward=True), bound))


def _asked() -> list[tuple[str, str]]:
    """Give what was asked for beside the place in the list, in one order."""
    request = current().request
    if not request.environ.get("QUERY_STRING"):
        return []
    pairs = request.args.items(multi=True)
    return sorted((name, value) for name, value in pairs if name not in ("cursor", "page"))


def bound_to(keys: Sequence[SortKey]) -> str:
    """Say what list is at hand: its address, its order, its filters."""
    asked = tuple(pair for pair in _asked() if pair[0] not in ("limit", "sort"))
    return _bound_to(current().request.path, tuple(map(str, keys)), asked)


@lru_cache(maxsize=_REMEMBERED)
def _bound_to(path: str, keys: tuple[str, ...], asked: tuple[tuple[str, str], ...]) -> str:
    return cursors.bound_to([path, keys, asked])


def address(**place: Any) -> str:
    """Write the address of another page of the list at hand (RFC 3986, section 4.2).

    :param place: where in the list it is, in characters that need no quoting.
    """
    request, asked = current().request, _asked()
    path = _quoted(request.root_path + request.path)
    query = "&".join([f"{name}={value}" for name, value in place.items()])
    if asked:
        query = f"{urlencode(asked)}&{query}" if query else urlencode(asked)
    return f"{path}?{query}" if query else path


@lru_cache(maxsize=_REMEMBERED)
def _quoted(path: str) -> str:
    return quote(path, safe="/:@!$&'()*+,;=~")
