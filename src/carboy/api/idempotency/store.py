"""First answers in the database: found again, added, and removed when they are old."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Response, current_app
from sqlalchemy import Connection, Row, Table, and_, delete, insert, or_, select

__all__ = ["REPLAYED", "Identity", "Store"]

REPLAYED = "Idempotency-Replayed"
DAY_S = 86_400
PRUNED_PER_ANSWER = 10
"""Each answer that is added removes so many old ones at most: the table cannot grow for ever."""


@dataclass(frozen=True)
class Identity:
    """One request as the store knows it."""

    caller: str
    key: str
    operation: str
    fingerprint: str

    @property
    def name(self) -> str:
        """What is held while it is worked on."""
        return f"idempotency\0{self.caller}\0{self.key}"


class Store:
    """The table, seen from inside one transaction."""

    def __init__(self, table: Table, connection: Connection) -> None:
        self._table = table
        self._connection = connection
        ttl_s = current_app.config.get("IDEMPOTENCY_TTL_S", DAY_S)
        self._oldest = datetime.now(UTC) - timedelta(seconds=ttl_s)

    def find(self, identity: Identity) -> Row[Any] | None:
        """Give the first answer, unless it has expired: then it is forgotten."""
        columns = self._table.c
        its = and_(columns.caller == identity.caller, columns.key == identity.key)
        living = select(self._table).where(its, columns.created_at >= self._oldest)
        found = self._connection.execute(living).one_or_none()
        if found is None:
            self._connection.execute(delete(self._table).where(its))
        return found

    def add(self, identity: Identity, response: Response) -> None:
        """Keep *response* as the answer of the request.

        :raises sqlalchemy.exc.IntegrityError: if it has one.
        """
        self._connection.execute(
            insert(self._table).values(
                caller=identity.caller,
                key=identity.key,
                operation=identity.operation,
                fingerprint=identity.fingerprint,
                status=response.status_code,
                headers=json.dumps(list(response.headers)),
                body=response.get_data(),
                created_at=datetime.now(UTC),
            )
        )

    def prune(self, limit: int = PRUNED_PER_ANSWER) -> int:
        """Remove expired answers, oldest first, passing over what others are removing.

        :param limit: rows at most.
        :return: how many were removed.
        """
        columns = self._table.c
        expired = (
            select(columns.caller, columns.key)
            .where(columns.created_at < self._oldest)
            .order_by(columns.created_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = self._connection.execute(expired).all()
        if rows:
            self._connection.execute(delete(self._table).where(_any_of(self._table, rows)))
        return len(rows)


def replay(row: Row[Any]) -> Response:
    """Make the response again: status, headers and body are those of the first."""
    response = current_app.response_class(row.body, row.status)
    response.headers.clear()
    for name, value in json.loads(row.headers):
        response.headers.add(name, value)
    response.headers[REPLAYED] = "true"
    return response


def _any_of(table: Table, rows: Any) -> Any:
    return or_(*(and_(table.c.caller == row.caller, table.c.key == row.key) for row in rows))
