"""Rows that belong to their users: one rule, for lists and for single rows."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from sqlalchemy import Select, false

from carboy.api.auth.current import current_user
from carboy.api.auth.permissions import check_pattern
from carboy.errors import Forbidden, NotFound

__all__ = ["Rule", "owned_by"]

Row = TypeVar("Row")


class Rule(Protocol):
    """Which rows the caller may reach."""

    def restrict(self, select: Select[Any]) -> Select[Any]:
        """Leave only the rows the caller may see."""
        ...

    def allows(self, row: Any) -> bool:
        """Say whether the caller may reach *row*."""
        ...

    def require(self, row: Row) -> Row:
        """Return *row* if the caller may reach it."""
        ...


class owned_by:  # noqa: N801 - reads as a declaration: rule = owned_by("user_id")
    """A row belongs to the caller whose id is in one of its columns.

    Others get 404, for a 403 would tell that the row exists. Where all may read what
    only the owner may change, *visible* says so: then nothing is left out of lists, and
    :meth:`require` is 403.

    :param column: name of the attribute that holds the owner's id.
    :param unless: permission with which a caller reaches the rows of others as well.
    :param visible: others may know of the row.
    """

    def __init__(self, column: str, *, unless: str | None = None, visible: bool = False) -> None:
        self.column = column
        self.unless = None if unless is None else check_pattern(unless)
        self.visible = visible

    def restrict(self, select: Select[Any]) -> Select[Any]:
        """Leave only the rows the caller may see; the model is the first one selected."""
        if self.visible or self._is_exempt():
            return select
        model = select.column_descriptions[0]["entity"]
        # An id that an issuer chose is nobody's here; comparing it could even fail on its type.
        mine = getattr(model, self.column) == current_user.id
        return select.where(mine if current_user.has_account else false())

    def allows(self, row: Any) -> bool:
        """Say whether *row* is the caller's, or they are exempt."""
        if self._is_exempt():
            return True
        owner = getattr(row, self.column)
        return current_user.has_account and owner is not None and owner == current_user.id

    def require(self, row: Row) -> Row:
        """Return *row* if it is the caller's, or they are exempt.

        :raises NotFound: otherwise (404).
        :raises Forbidden: the same, where others may know of it (403).
        """
        if self.allows(row):
            return row
        if self.visible:
            raise Forbidden("This belongs to somebody else.")
        raise NotFound

    def _is_exempt(self) -> bool:
        return self.unless is not None and current_user.can(self.unless)
