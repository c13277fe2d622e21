"""Text for a person, in which nothing that was logged can forge a line or steer a terminal."""

from __future__ import annotations

import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO

_FOR_RENDERER = frozenset({"exc_info", "stack_info"})
_BLOCKS = frozenset({"exception", "stack"})  # written below the line
_HARMLESS = (bool, int, float, type(None))

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def printable(text: str) -> str:
    """Escape whatever could steer a terminal or forge a line.

    That is every character Unicode calls not printable: C0 and C1 controls, escape,
    line and paragraph separators, and the marks that turn the writing direction.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def unforgeable(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Escape controls in names and values; several lines are indented as the record's own."""
    safe: dict[str, Any] = {}
    for name, value in event.items():
        if isinstance(value, str):
            kept: Any = _indented(value)
            if name in _BLOCKS:
                kept = f"    {kept}"
        elif name in _FOR_RENDERER or isinstance(value, _HARMLESS):
            kept = value
        else:
            # A repr of somebody's own may hold anything; an escaped one stays one line.
            kept = printable(repr(value))
        safe[name if name.isprintable() else printable(name)] = kept
    return safe


def write_traceback(out: TextIO, exc_info: ExcInfo) -> None:
    """Write a traceback whose message cannot pass for lines of the log."""
    kind, error, trace = exc_info
    text = "".join(traceback.format_exception(kind, error, trace)).removesuffix("\n")
    out.write("\n    " + _indented(text))


def _indented(text: str) -> str:
    return "\n    ".join(printable(line) for line in text.split("\n"))
