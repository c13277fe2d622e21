"""Putting a function together as text, and compiling it once for all schemas that need the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import CodeType
from typing import Any

__all__ = ["Source"]

_REMEMBERED = 512


class Source:
    """Lines of Python, and the objects that they name.

    Names of fields get into the text as literals only (``repr``), so nothing that a schema
    says can become code.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._named: dict[str, Any] = {}

    def line(self, depth: int, text: str) -> None:
        """Add a line, *depth* steps in."""
        self._lines.append(f"{' ' * depth}{text}")

    def name(self, value: Any) -> str:
        """Give *value* a name that lines can use."""
        for name, known in self._named.items():
            if known is value:
                return name
        name = f"x{len(self._named)}"
        self._named[name] = value
        return name

    def function(self, name: str) -> Callable[..., Any]:
        """Compile what was added, and give the function *name* of it."""
        scope = dict(self._named)
        exec(_compiled("\n".join(self._lines)), scope)  # noqa: S102 - written here, of literals
        made: Callable[..., Any] = scope[name]
        return made


@lru_cache(maxsize=_REMEMBERED)
def _compiled(text: str) -> CodeType:
    """Compile *text*: the dearest part, and the same for every instance of a schema class."""
    return compile(text, "<compiled schema>", "exec")
