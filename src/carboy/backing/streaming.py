"""Many rows of one statement, in constant memory and from one moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.orm import Session, sessionmaker

__all__ = ["Rows"]


class Rows(Iterator[list[Any]]):
    """The rows of a statement, in batches, on a session of their own.

    The first batch is fetched at once, so that what is wrong shows before anything is
    answered. The rows are those of one moment, whatever is written meanwhile, and so is
    what they load besides. The session refers to its objects weakly: a batch that nobody
    holds is gone.

    :param statement: entities, if it selects one; rows with names otherwise.
    :param options: of the connection: they make the snapshot.
    :param batch: rows that are held in memory.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        statement: Select[Any],
        options: dict[str, Any],
        batch: int,
    ) -> None:
        self._session = sessions(expire_on_commit=False)
        try:
            # Tests may have bound sessions to a connection inside a transaction of theirs.
            where = {"clause": statement}
            if not isinstance(self._session.get_bind(clause=statement), Connection):
                self._session.connection(bind_arguments=where, execution_options=options)
            self._found = found = self._session.execute(
                statement, execution_options={"yield_per": batch}
            )
            rows: Any = found.scalars() if _is_one_entity(statement) else found
            self._batches = rows.partitions(batch)
            self._first: list[Any] | None = next(self._batches, [])
        except BaseException:
            self._session.close()
            raise

    def __next__(self) -> list[Any]:
        if self._first is not None:
            batch, self._first = self._first, None
        else:
            batch = next(self._batches, [])
        if not batch:
            self.close()
            raise StopIteration
        return list(batch)

    def close(self) -> None:
        """Give the connection back; further calls do nothing."""
        self._batches = iter(())
        self._found.close()
        self._session.close()


def _is_one_entity(statement: Select[Any]) -> bool:
    described = statement.column_descriptions
    return len(described) == 1 and described[0]["expr"] is described[0].get("entity")
