"""Sessions: opaque tokens that end when unused, at the latest after a fixed time.

Source: OWASP Session Management Cheat Sheet, on idle and absolute expiration.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask import current_app
from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.exc import OperationalError

from carboy.api.auth.accounts import Accounts
from carboy.api.auth.caller import Caller
from carboy.api.auth.tables import AGENT_MAX_CHARS, now
from carboy.api.auth.tokens import SESSION_PREFIX, digest, make
from carboy.api.auth.transactions import reading
from carboy.backing.database import Database

__all__ = ["TOUCH_S", "Sessions", "Started"]

TOUCH_S = 60
"""The time of last use is written at most this often, in seconds."""
LISTED_MAX = 100
_log = logging.getLogger(__name__)


class Started(NamedTuple):
    """A session that began, or went on under another token; the token is not kept here."""

    token: str
    id: str
    expires_at: datetime


class Sessions:
    """The sessions of one ``Auth``."""

    def __init__(self, db: Database, model: type[Any], accounts: Accounts) -> None:
        self._db = db
        self._model = model
        self._accounts = accounts

    def start(self, user_id: Any, *, user_agent: str = "", address: str = "") -> Started:
        """Begin a session, and remove those of the account that have ended.

        Part of the transaction at hand, which is not committed.
        """
        model, when, token = self._model, now(), make(SESSION_PREFIX)
        self._db.session.execute(
            delete(model).where(model.user_id == user_id, model.expires_at <= when)
        )
        row = model(
            user_id=user_id,
            token_hash=digest(token),
            created_at=when,
            last_used_at=when,
            expires_at=_end(when, when),
            user_agent=user_agent[:AGENT_MAX_CHARS],
            address=address,
        )
        self._db.session.add(row)
        self._db.session.flush()
        return Started(token, row.id, row.expires_at)

    def caller(self, token: str) -> Caller | None:
        """Find whose session *token* belongs to; ``None`` if it has ended or never was."""
        model, user, when = self._model, self._accounts.model, now()
        found = (
            select(model, user)
            .join(user, user.id == model.user_id)
            .where(model.token_hash == digest(token))
        )
        nested = self._db.session.in_transaction()
        with reading(self._db) as session:
            row = session.execute(found).one_or_none()
            if row is None or row[0].expires_at <= when or row[1].disabled_at is not None:
                return None
            caller = self._accounts.caller(row[1], "session", credential=row[0].id)
            stale = row[0].last_used_at < when - timedelta(seconds=TOUCH_S)
            created_at = row[0].created_at
        if stale and not nested:
            self._touch(str(caller.credential), created_at, when)
        return caller

    def rotate(self, session_id: str, token: str) -> Started | None:
        """Replace the token of a session; the end of its longest life stays.

        :return: ``None`` if another request replaced it first.
        """
        model, when, fresh = self._model, now(), make(SESSION_PREFIX)
        row = self._db.session.get(model, session_id)
        if row is None:
            return None
        expires_at = _end(row.created_at, when)
        result = self._db.session.execute(
            update(model)
            .where(model.id == session_id, model.token_hash == digest(token))
            .values(token_hash=digest(fresh), last_used_at=when, expires_at=expires_at)
        )
        self._db.session.commit()
        return Started(fresh, session_id, expires_at) if _changed(result) else None

    def of(self, user_id: Any) -> list[Any]:
        """List the sessions of an account, the hundred used last, latest first."""
        model = self._model
        return list(
            self._db.session.scalars(
                select(model)
                .where(model.user_id == user_id, model.expires_at > now())
                .order_by(model.last_used_at.desc(), model.id)
                .limit(LISTED_MAX)
            )
        )

    def end(self, user_id: Any, session_id: str) -> bool:
        """End one session of an account, and commit.

        :return: whether there was one.
        """
        model = self._model
        result = self._db.session.execute(
            delete(model).where(model.user_id == user_id, model.id == session_id)
        )
        self._db.session.commit()
        return _changed(result)

    def end_all(self, user_id: Any, *, keep: str | None = None) -> None:
        """End the sessions of an account; part of the transaction at hand.

        :param keep: id of one that goes on.
        """
        model = self._model
        gone = delete(model).where(model.user_id == user_id)
        self._db.session.execute(gone if keep is None else gone.where(model.id != keep))

    def prune(self) -> int:
        """Remove all that have ended, and commit.

        :return: how many.
        """
        result = self._db.session.execute(
            delete(self._model).where(self._model.expires_at <= now())
        )
        self._db.session.commit()
        return result.rowcount if isinstance(result, CursorResult) else 0

    def _touch(self, session_id: str, created_at: datetime, when: datetime) -> None:
        model = self._model
        try:
            with self._db.writing() as session:
                session.execute(
                    update(model)
                    .where(model.id == session_id)
                    .values(last_used_at=when, expires_at=_end(created_at, when))
                )
        except OperationalError as error:
            # Nobody is refused for it; the next request tries again.
            _log.warning("The last use of a session was not noted: %s", error.orig)


def _end(created_at: datetime, used_at: datetime) -> datetime:
    idle = timedelta(seconds=current_app.config["AUTH_SESSION_IDLE_S"])
    longest = timedelta(seconds=current_app.config["AUTH_SESSION_MAX_S"])
    return min(used_at + idle, created_at + longest)


def _changed(result: Any) -> bool:
    return bool(result.rowcount)
