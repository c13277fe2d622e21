"""Statements that psycopg has prepared, run by libpq's own function in place of a cursor.

A cursor takes a statement apart, looks it up, sends it, waits for the answer step by step and
describes it, each time anew. What has been prepared on a connection needs none of that. psycopg
remains in charge: it prepares statements after a few runs, gives them up (at rollbacks, or when
there are too many) and turns values into theirs and back. What it has not prepared, or somebody
wants to watch, is left to its cursors.

Source: PostgreSQL, "Command Execution Functions", ``PQexecPrepared``.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, MutableMapping, Sequence
from itertools import chain
from operator import attrgetter
from threading import get_ident
from types import FunctionType
from typing import Any, NamedTuple

from psycopg import Connection, Cursor, OperationalError, errors, pq, waiting
from psycopg.adapt import PyFormat, Transformer
from psycopg.rows import tuple_row

__all__ = ["Sent", "fetched", "sent_by"]

Rows = list[tuple[Any, ...]]
_TRANSFORMER = "carboy_transformer"
_NONE = None, None
_ROWS_KEPT_MAX = 100
_OK = pq.ConnStatus.OK
_TUPLES_OK = pq.ExecStatus.TUPLES_OK
# As psycopg wrote them: whoever replaces one, as tracing agents do, is noticed.
_CURSOR, _CONNECTION = attrgetter("execute", "fetchall"), attrgetter("cursor", "wait")
_WRITTEN = _CURSOR(Cursor), _CONNECTION(Connection)
# It is another where waiting must not hold up the thread, as with gevent.
_WAIT = getattr(waiting, "wait_c", None)
# By these of a session text becomes values, and values text.
_SETTINGS = (b"TimeZone", b"DateStyle", b"IntervalStyle", b"client_encoding")
# The implementation that is not compiled gains nothing; nor may whoever came before be passed over.
_IS_USUAL = pq.__impl__ in ("c", "binary") and all(
    type(each) is FunctionType and each.__globals__["__name__"].startswith("psycopg.")
    for each in chain(*_WRITTEN)
)


class Sent(NamedTuple):
    """A statement as it goes to the server.

    :param text: with numbered parameters.
    :param order: names of the parameters, the first one's first.
    :param formats: how each value is written: as psycopg likes best.
    """

    text: bytes
    order: Sequence[str]
    formats: Sequence[PyFormat]


def sent_by(cursor: Any) -> Sent | None:
    """Tell what a cursor has sent for the first time; ``None``: it always takes one."""
    query = getattr(cursor, "_query", None)
    text, order = getattr(query, "query", None), getattr(query, "_order", ())
    known = getattr(getattr(cursor.connection, "_prepared", None), "_names", None)
    if not (_IS_USUAL and isinstance(text, bytes) and isinstance(known, OrderedDict)):
        return None
    names = tuple(order or ())
    return Sent(text, names, (PyFormat.AUTO,) * len(names))


def fetched(
    driver: Any, kept: MutableMapping[str, Any], sent: Sent, values: Mapping[str, Any]
) -> Rows | None:
    """Run a statement on an idle connection that commits each, and give its rows.

    :param kept: what belongs to the connection.
    :return: ``None`` if psycopg has not prepared it, or somebody would notice.
    :raises psycopg.Error: as a cursor does; of a connection that was lost without its SQLSTATE.
    """
    if not _is_stock(driver) or takes_signals():
        return None
    pgconn = driver.pgconn
    settings = [*map(pgconn.parameter_status, _SETTINGS)]
    transformer, fitting = kept.get(_TRANSFORMER, _NONE)
    if fitting != settings:
        transformer = Transformer(driver)
        kept[_TRANSFORMER] = transformer, settings
    text, order, formats = sent
    given: Any = None
    types: tuple[int, ...] = ()
    if order:
        given = transformer.dump_sequence([values[name] for name in order], formats)
        types = transformer.types or ()
    known = driver._prepared._names  # noqa: SLF001 - no public word
    name = known.get((text, types))
    if name is None:
        return None
    known.move_to_end((text, types))  # so that others are given up first
    result = pgconn.exec_prepared(name, given, transformer.formats if order else None)
    if pgconn.notify_handler is not None:
        while (notice := pgconn.notifies()) is not None:
            pgconn.notify_handler(notice)
    if result.status != _TUPLES_OK:
        raise _error(driver, result)
    transformer.set_pgresult(result)
    rows: Rows = transformer.load_rows(0, result.ntuples, tuple)
    if len(rows) > _ROWS_KEPT_MAX:
        transformer.set_pgresult(None)  # it would hold what it read until the next statement
    return rows


def takes_signals() -> bool:
    """Tell whether signals are for this thread: Ctrl-C would wait as libpq does, until the end."""
    return get_ident() == threading.main_thread().ident


def _is_stock(driver: Any) -> bool:
    return (
        type(driver) is Connection
        and driver.cursor_factory is Cursor
        and driver.row_factory is tuple_row
        and (_CURSOR(Cursor), _CONNECTION(Connection)) == _WRITTEN
        and waiting.wait is _WAIT
    )


def _error(driver: Any, result: Any) -> Exception:
    encoding: str = driver.info.encoding
    if driver.pgconn.status != _OK:
        return OperationalError(pq.error_message(driver.pgconn, encoding))
    return errors.error_from_result(result, encoding=encoding)
