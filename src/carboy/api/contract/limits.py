"""Comparing the keywords of a schema that bound a value."""

from __future__ import annotations

from typing import Any, Protocol

from carboy.api.contract.change import shown

Node = dict[str, Any]
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")


class Moved(Protocol):
    """Takes note that what is allowed became narrower or wider."""

    def __call__(self, kind: str, message: str, *, narrower: bool) -> None:
        """Note it."""
        ...


def compare_limits(old: Node, new: Node, moved: Moved) -> None:
    """Compare bounds, lengths, patterns and formats of two schemas."""
    for key in (*_LOWER, *_UPPER):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if before is None or after is None:
            narrower = before is None
        else:
            narrower = (after > before) == (key in _LOWER)
        moved("limit-changed", f"{key} {_from_to(before, after)}", narrower=narrower)
    for key in ("pattern", "format"):
        _compare_form(key, old.get(key), new.get(key), moved)
    _compare_multiple(old.get("multipleOf"), new.get("multipleOf"), moved)
    unique_before, unique = bool(old.get("uniqueItems")), bool(new.get("uniqueItems"))
    if unique_before != unique:
        words = "items may not repeat" if unique else "items may repeat"
        moved("limit-changed", words, narrower=unique)


def _compare_form(key: str, before: str | None, after: str | None, moved: Moved) -> None:
    if before == after:
        return
    message = f"the {key} {_from_to(before, after)}"
    if before is None or after is None:
        moved(f"{key}-changed", message, narrower=before is None)
        return
    # Two that differ are taken to overlap: something fits no more, and something new does.
    moved(f"{key}-changed", message, narrower=True)
    moved(f"{key}-changed", message, narrower=False)


def _compare_multiple(before: float | None, after: float | None, moved: Moved) -> None:
    if before == after:
        return
    narrower = after is not None and (before is None or bool(before % after))
    moved("limit-changed", f"multipleOf {_from_to(before, after)}", narrower=narrower)


def _from_to(before: Any, after: Any) -> str:
    if before is None:
        return f"is {shown(after)}, was not limited"
    if after is None:
        return f"is not limited any more, was {shown(before)}"
    return f"is {shown(after)}, was {shown(before)}"
