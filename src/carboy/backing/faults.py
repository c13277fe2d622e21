"""What an error of the database means to the caller of a request.

The text of a statement, its values and the server's words stay in the log.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from sqlalchemy import MetaData
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from carboy.errors import ApiError, Conflict, Invalid, Unavailable

RETRY_AFTER_S = 1

# PostgreSQL, "Error Codes": connection exceptions (class 08), transaction rollbacks that a
# retry cures, too many connections, lock not available, read-only standby, shutdown.
_TRANSIENT = frozenset(
    {"40001", "40P01", "53300", "55P03", "25006", "57P01", "57P02", "57P03", "57P05"}
)
_UNIQUE, _FOREIGN_KEY = "23505", "23503"
# Text too long, number or date out of range, characters the database cannot hold. What else is in
# class 22, such as a division by zero, is a fault of the code.
_UNFIT = frozenset({"22001", "22003", "22008", "22021", "22P05"})
_PSYCOPG_NUL = "NUL (0x00)"
_SQLITE_TOO_LARGE = "to SQLite INTEGER"

# SQLite, "Result and Error Codes": primary codes, the low byte.
_BUSY = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_FULL,
    }
)
_SQLITE_UNIQUE = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})
_SQLITE_COLUMN = re.compile(r"(\w+)\.(\w+)")
_POSTGRESQL_COLUMNS = re.compile(r"\(([^()]*)\)=\(")


def translate(error: Exception, metadata: MetaData) -> ApiError | None:
    """Turn an error nobody handled into an answer, or ``None``: it is a fault of the code.

    :param metadata: tables whose columns may be named to the caller.
    :return: :class:`Unavailable` for a lost connection, an exhausted pool, a lock or a
        serialization failure; :class:`Conflict` for a duplicate or a broken reference;
        :class:`Invalid` for a value that no column of its type could hold.
    """
    if isinstance(error, PoolExhausted):
        return Unavailable(retry_after_s=RETRY_AFTER_S)
    if _does_not_fit(error):
        return Invalid("A value is too large or too long, or has characters that cannot be kept.")
    if not isinstance(error, DBAPIError):
        return None
    if error.connection_invalidated or _passes(error):
        return Unavailable(retry_after_s=RETRY_AFTER_S)
    if isinstance(error, IntegrityError):
        return _conflict(error.orig, metadata)
    return None


def _passes(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.OperationalError):
        code = getattr(error.orig, "sqlite_errorcode", None)
        return code is not None and code & 0xFF in _BUSY
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # nobody answered: psycopg has no code of its own for that
        return isinstance(error, OperationalError) and hasattr(error.orig, "diag")
    return state in _TRANSIENT or state.startswith("08")


def _does_not_fit(error: Exception) -> bool:
    if isinstance(error, OverflowError):  # of the module sqlite3, before any statement runs
        return _SQLITE_TOO_LARGE in str(error)
    if not isinstance(error, DataError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    # psycopg refuses a NUL by itself: no server has seen it, so there is no state.
    return state in _UNFIT if state is not None else _PSYCOPG_NUL in str(error.orig)


def _conflict(cause: Any, metadata: MetaData) -> Conflict | None:
    if isinstance(cause, sqlite3.IntegrityError):
        code = cause.sqlite_errorcode
        if code in _SQLITE_UNIQUE:
            return _duplicate(_sqlite_columns(str(cause), metadata))
        return _dangling() if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY else None
    state = getattr(cause, "sqlstate", None)
    if state == _UNIQUE:
        return _duplicate(_postgresql_columns(cause.diag, metadata))
    return _dangling() if state == _FOREIGN_KEY else None


def _duplicate(columns: list[str]) -> Conflict:
    if not columns:
        return Conflict("There is one like this already.")
    return Conflict(
        f"There is one with this {' and '.join(columns)} already.",
        data={name: ["Is taken."] for name in columns},
    )


def _dangling() -> Conflict:
    return Conflict("This refers to something that does not exist, or is still referred to.")


def _sqlite_columns(message: str, metadata: MetaData) -> list[str]:
    found = _SQLITE_COLUMN.findall(message)
    tables = {table for table, _ in found}
    return _known(next(iter(tables), None), [column for _, column in found], metadata)


def _postgresql_columns(diagnosis: Any, metadata: MetaData) -> list[str]:
    """Read ``(a, b)=(1, 2)``, the part of the detail that no translation changes."""
    found = _POSTGRESQL_COLUMNS.search(diagnosis.message_detail or "")
    names = [name.strip().strip('"') for name in found[1].split(",")] if found else []
    return _known(diagnosis.table_name, names, metadata)


def _known(table_name: str | None, names: list[str], metadata: MetaData) -> list[str]:
    """Give the names if all are columns of that table: an expression is nobody's business."""
    for table in metadata.tables.values():
        if table.name == table_name:
            return names if all(name in table.columns for name in names) else []
    return []
