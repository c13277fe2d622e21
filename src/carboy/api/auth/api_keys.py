"""API keys: for programs, with scopes, shown once."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.exc import OperationalError

from carboy.api.auth.accounts import Accounts
from carboy.api.auth.caller import Caller
from carboy.api.auth.permissions import Permissions
from carboy.api.auth.sessions import TOUCH_S
from carboy.api.auth.tables import NAME_MAX_CHARS, now
from carboy.api.auth.tokens import KEY_PREFIX, digest, make, shown
from carboy.api.auth.transactions import reading
from carboy.backing.database import Database

__all__ = ["ApiKeys", "Issued"]

_log = logging.getLogger(__name__)


class Issued(NamedTuple):
    """A key that was made: its text, shown this once, and its row."""

    key: str
    row: Any


class ApiKeys:
    """The API keys of one ``Auth``."""

    def __init__(self, db: Database, model: type[Any], accounts: Accounts) -> None:
        self._db = db
        self._model = model
        self._accounts = accounts

    def create(
        self, user_id: Any, name: str, scopes: Iterable[str], *, expires_at: datetime | None = None
    ) -> Issued:
        """Make a key, and commit.

        :param scopes: permissions it may use of those its owner has at the time.
        :raises ValueError: if a scope is no permission, or there is none.
        """
        granted = Permissions(scopes)
        if not granted:
            raise ValueError("A key without scopes can do nothing; name at least one.")
        key = make(KEY_PREFIX)
        row = self._model(
            user_id=user_id,
            name=name[:NAME_MAX_CHARS],
            token_hash=digest(key),
            prefix=shown(key),
            scopes=" ".join(granted),
            created_at=now(),
            expires_at=expires_at,
        )
        self._db.session.add(row)
        self._db.session.commit()
        return Issued(key, row)

    def caller(self, key: str) -> Caller | None:
        """Find whose key this is; ``None`` if it has expired or never was."""
        model, user, when = self._model, self._accounts.model, now()
        found = (
            select(model, user)
            .join(user, user.id == model.user_id)
            .where(model.token_hash == digest(key))
        )
        nested = self._db.session.in_transaction()
        with reading(self._db) as session:
            row = session.execute(found).one_or_none()
            if row is None or _ended(row[0], when) or row[1].disabled_at is not None:
                return None
            caller = self._accounts.caller(row[1], "key", credential=row[0].id)
            caller.permissions = caller.permissions.limited_to(row[0].scopes.split())
            last = row[0].last_used_at
        if not nested and (last is None or last < when - timedelta(seconds=TOUCH_S)):
            self._touch(str(caller.credential), when)
        return caller

    def of(self, user_id: Any) -> list[Any]:
        """List the keys of an account, latest first."""
        model = self._model
        return list(
            self._db.session.scalars(
                select(model)
                .where(model.user_id == user_id)
                .order_by(model.created_at.desc(), model.id)
            )
        )

    def revoke(self, key_id: str, *, user_id: Any = None) -> bool:
        """Remove a key, and commit.

        :param user_id: only if it belongs to this account.
        :return: whether there was one.
        """
        gone = delete(self._model).where(self._model.id == key_id)
        if user_id is not None:
            gone = gone.where(self._model.user_id == user_id)
        result: Any = self._db.session.execute(gone)
        self._db.session.commit()
        return bool(result.rowcount)

    def _touch(self, key_id: str, when: datetime) -> None:
        model = self._model
        try:
            with self._db.writing() as session:
                session.execute(update(model).where(model.id == key_id).values(last_used_at=when))
        except OperationalError as error:
            _log.warning("The last use of an API key was not noted: %s", error.orig)


def _ended(row: Any, when: datetime) -> bool:
    return row.expires_at is not None and row.expires_at <= when
