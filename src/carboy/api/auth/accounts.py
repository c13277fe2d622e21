"""Accounts: found by what people sign in with, their passwords, their permissions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, or_, select, update

from carboy.api.auth.caller import Caller, Method
from carboy.api.auth.permissions import Permissions
from carboy.api.auth.transactions import reading
from carboy.backing.database import Database

__all__ = ["Account", "Accounts"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Account:
    """What is needed of an account while no transaction is open."""

    id: Any
    password_hash: str
    email: str
    email_confirmed_at: datetime | None
    disabled: bool
    names: tuple[str, ...]


class Accounts:
    """The accounts of one ``Auth``.

    :param login: columns that hold what people sign in with; where two accounts match,
        that of the column named first.
    :param fold: how a name is reduced to what those columns hold.
    :param email: column with the address.
    :param roles: role → permissions.
    :param default_role: role of whoever has none.
    """

    def __init__(  # noqa: PLR0913 - the configuration of Auth
        self,
        db: Database,
        model: type[Any],
        *,
        login: Sequence[str],
        fold: Callable[[str], str],
        email: str,
        roles: Mapping[str, Iterable[str]],
        default_role: str | None,
    ) -> None:
        self.model = model
        self._db = db
        self._login = tuple(login)
        self._fold = fold
        self._email = email
        self._roles = {name: Permissions(granted) for name, granted in roles.items()}
        self._default_role = default_role
        for name in (*self._login, email, "id", "password_hash", "disabled_at"):
            if not hasattr(model, name):
                raise TypeError(
                    f"{model.__name__} has no column {name!r}. Derive it from UserMixin, and "
                    "name its own columns with login= and email=."
                )
        unknown = {default_role} - {None, *self._roles}
        if unknown:
            raise ValueError(f"default_role {default_role!r} is not among the roles.")

    def by_name(self, name: str) -> Account | None:
        """Find an account by a user name or an e-mail address."""
        wanted = self._fold(name)
        matches = [getattr(self.model, column) == wanted for column in self._login]
        with reading(self._db) as session:
            rows = session.scalars(select(self.model).where(or_(*matches))).all()
            for column in self._login:
                for row in rows:
                    if getattr(row, column) == wanted:
                        return self._account(row)
        return None

    def by_id(self, number: Any) -> Account | None:
        """Find an account by its primary key, a value or the text of one."""
        try:
            key = self.model.id.type.python_type(number)
        except (TypeError, ValueError, OverflowError):
            return None
        with reading(self._db) as session:
            row = session.get(self.model, key)
            return None if row is None else self._account(row)

    def row(self, number: Any) -> Any:
        """Load the row of an account in the session of the request; ``None`` if it is gone."""
        return self._db.session.get(self.model, number)

    def change(self, account: Account, **values: Any) -> bool:
        """Set columns if the password is still the one *account* was read with.

        Part of the transaction at hand, which is not committed.

        :return: whether it was; ``False`` when somebody else was first.
        """
        return self._update(self.model.password_hash == account.password_hash, account, values)

    def confirm(self, account: Account, when: datetime) -> bool:
        """Note that the address is the owner's, if it is still the one, and not confirmed yet."""
        unchanged = (getattr(self.model, self._email) == account.email) & (
            self.model.email_confirmed_at.is_(None)
        )
        return self._update(unchanged, account, {"email_confirmed_at": when})

    def caller(self, row: Any, method: Method, **more: Any) -> Caller:
        """Make the caller of a row of the model."""
        return Caller(
            row.id,
            method=method,
            permissions=self.permissions(row),
            load=partial(self.row, row.id),
            **more,
        )

    def permissions(self, row: Any) -> Permissions:
        """Collect what the roles of an account permit."""
        named = getattr(row, "roles", None)
        if named is None:
            role = getattr(row, "role", None)
            named = [] if role is None else [role]
        names = list(named) or [self._default_role]
        unknown = [name for name in names if name is not None and name not in self._roles]
        if unknown:
            _log.warning("Account %s has a role that Auth does not know: %s.", row.id, unknown)
        held = [self._roles[name] for name in names if name in self._roles]
        return held[0] if len(held) == 1 else Permissions(one for each in held for one in each)

    def _update(
        self, condition: ColumnElement[bool], account: Account, values: Mapping[str, Any]
    ) -> bool:
        statement = update(self.model).where(self.model.id == account.id, condition)
        result = self._db.session.execute(statement.values(**values))
        return isinstance(result, CursorResult) and result.rowcount == 1

    def _account(self, row: Any) -> Account:
        return Account(
            id=row.id,
            password_hash=row.password_hash or "",
            email=getattr(row, self._email) or "",
            email_confirmed_at=getattr(row, "email_confirmed_at", None),
            disabled=row.disabled_at is not None,
            names=tuple(filter(None, (getattr(row, column) for column in self._login))),
        )
