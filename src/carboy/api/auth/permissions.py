"""Permissions: words such as ``orders:read``, granted one by one or with a wildcard."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

__all__ = ["PATTERN", "Permissions", "check_pattern"]

_WORD = r"[A-Za-z0-9_.-]+"
PATTERN = rf"(?:{_WORD}:)*(?:{_WORD}|\*)"
"""A permission or a pattern, from its first character to its last."""

_fits = re.compile(PATTERN).fullmatch


class Permissions(AbstractSet[str]):
    """A set of permissions in which ``*`` as the last part stands for everything below.

    ``orders:*`` contains ``orders:read``, ``orders:lines:read`` and ``orders:*``; ``*``
    contains whatever may be asked. A wildcard that is asked for is contained only where a
    wildcard as wide is granted.

    :param granted: permissions and patterns.
    :raises ValueError: if one of them is not a permission.
    """

    def __init__(self, granted: Iterable[str] = ()) -> None:
        self._granted = frozenset(check_pattern(one) for one in granted)

    def __contains__(self, permission: object) -> bool:
        if not isinstance(permission, str):
            return False
        return permission in self._granted or any(
            one[-1] == "*" and permission.startswith(one[:-1]) for one in self._granted
        )

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._granted))

    def __len__(self) -> int:
        return len(self._granted)

    def __hash__(self) -> int:
        return hash(self._granted)

    def __repr__(self) -> str:
        return f"Permissions({list(self)!r})"

    def __le__(self, other: AbstractSet[object]) -> bool:
        """Say whether *other* contains all of these, wildcards included."""
        return all(one in other for one in self._granted)

    def limited_to(self, scopes: Iterable[str]) -> Permissions:
        """Give what is in both: of a pattern and what it covers, the narrower."""
        other = Permissions(scopes)
        return Permissions(
            [one for one in self._granted if one in other]
            + [one for one in other._granted if one in self]
        )


def check_pattern(text: str) -> str:
    """Return *text* if it can be a permission or a pattern.

    :raises ValueError: saying how one is written.
    """
    if not isinstance(text, str) or _fits(text) is None:
        raise ValueError(
            f"{text!r} is no permission. Write words between colons, orders:read; "
            "* may stand for the last one."
        )
    return text
