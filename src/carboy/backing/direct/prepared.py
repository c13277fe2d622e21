"""A statement rendered once: its SQL, how values get in, and how rows come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Dialect, Insert, Select
from sqlalchemy.engine.interfaces import BindTyping
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.sql.functions import FunctionElement

from carboy.fast.schema.source import Source

__all__ = ["Bound", "Prepared", "maker_of", "processor_of"]

Row = tuple[Any, ...]
Maker = Callable[[list[Row]], list[Row]]

_HARMLESS = frozenset(
    {
        "abs", "avg", "ceil", "char_length", "coalesce", "concat", "count", "floor", "greatest",
        "least", "length", "lower", "ltrim", "max", "min", "nullif", "round", "rtrim", "substr",
        "substring", "sum", "trim", "upper",
    }
)  # fmt: skip
"""Functions that change nothing; of any other that is not known."""


class _Slot(NamedTuple):
    """Where one value goes.

    :param name: in the SQL.
    :param key: of the bind parameter; what is given under it wins.
    :param place: of the parameter among those of the statement; ``None``: rendering added it.
    :param own: the parameter in the statement that was rendered.
    """

    name: str
    key: str
    place: int | None
    own: BindParameter[Any]
    convert: Callable[[Any], Any] | None


class Prepared:
    """What all statements of one shape have in common.

    :ivar text: the SQL, in the driver's spelling.
    :ivar names: of the columns of a row.
    :ivar is_single: whether it may run outside of a transaction: it neither locks nor calls
        functions that might change something.
    :ivar sent: what the kind of database needs to know to run it without a cursor, once it was run
        by one; see :meth:`Policy.sent_by`.
    :raises NotImplementedError: if rendering alone does not tell all that SQLAlchemy would do.
    """

    __slots__ = (
        "_dialect", "_maker", "_positional", "_slots", "_types", "is_single", "names", "sent",
        "text",
    )  # fmt: skip

    def __init__(
        self,
        statement: Select[Any] | Insert,
        binds: Sequence[BindParameter[Any]],
        names: tuple[str, ...],
        dialect: Dialect,
    ) -> None:
        compiled = statement.compile(dialect=dialect)
        if not isinstance(compiled, SQLCompiler) or not _is_plain(compiled, len(names)):
            raise NotImplementedError
        self.text = compiled.string
        self.names = names
        self.sent: Any = None
        self.is_single = _is_harmless(statement)
        self._dialect = dialect
        self._positional = compiled.positional
        self._slots = _slots(compiled, binds, dialect)
        self._types = [entry.type for entry in compiled._result_columns]  # noqa: SLF001 - no public word
        self._maker: Maker | None = None

    def values(self, binds: Sequence[BindParameter[Any]], given: Mapping[str, Any]) -> Any:
        """Give what the driver takes beside the SQL.

        :param binds: of the statement at hand, in the order of the first one's.
        :param given: values by the keys of bind parameters.
        :raises TypeError: if a parameter without a value is not among them.
        """
        found: list[Any] = []
        for _, key, place, own, convert in self._slots:
            if key in given:
                value = given[key]
            else:
                bind = own if place is None else binds[place]
                if bind.required:
                    raise TypeError(f"The statement has a parameter {bind.key!r}; give its value.")
                value = bind.value if bind.callable is None else bind.callable()
            found.append(value if convert is None else convert(value))
        if self._positional:
            return tuple(found)
        return {slot.name: value for slot, value in zip(self._slots, found, strict=True)}

    def rows(self, cursor: Any) -> list[Row]:
        """Fetch all rows, their values as SQLAlchemy gives them."""
        return self.maker(cursor)(cursor.fetchall())

    def made(self, found: list[Row]) -> list[Row]:
        """Turn rows that came without a cursor, which it was run by before, into SQLAlchemy's."""
        maker: Any = self._maker
        made: list[Row] = maker(found)
        return made

    def maker(self, cursor: Any) -> Maker:
        """Give what turns rows of the driver into rows of SQLAlchemy; see :func:`maker_of`."""
        maker = self._maker
        if maker is None:
            maker = self._maker = maker_of(self._types, cursor, self._dialect)
        return maker


class Bound(NamedTuple):
    """A statement: its shape, and the parameters with its own values."""

    prepared: Prepared
    binds: Sequence[BindParameter[Any]]


def maker_of(types: Sequence[Any], cursor: Any, dialect: Dialect) -> Maker:
    """Make what turns rows of the driver into rows of SQLAlchemy.

    :param cursor: after the statement was executed; it knows the types of the database.
    """
    described = cursor.description
    if len(described) != len(types):
        raise NotImplementedError
    processors = [
        kind.dialect_impl(dialect).result_processor(dialect, column[1])
        for kind, column in zip(types, described, strict=True)
    ]
    if not any(processors):
        return _as_they_are
    source = Source()
    source.line(0, "def make(found):")
    taken = "".join(f"v{place}, " for place in range(len(types)))
    values = "".join(
        f"v{place}, " if each is None else f"{source.name(each)}(v{place}), "
        for place, each in enumerate(processors)
    )
    source.line(1, f"return [({values}) for {taken}in found]")
    return source.function("make")


def processor_of(bind: BindParameter[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """Find what turns a value of Python into one for the driver; ``None``: nothing has to."""
    return bind.type.dialect_impl(dialect).bind_processor(dialect)


def _as_they_are(found: list[Row]) -> list[Row]:
    return found


def _slots(
    compiled: SQLCompiler, binds: Sequence[BindParameter[Any]], dialect: Dialect
) -> tuple[_Slot, ...]:
    places = {bind.key: place for place, bind in enumerate(binds)}
    named = {name: bind for bind, name in compiled.bind_names.items()}
    order = compiled.positiontup if compiled.positional else list(named)
    slots = []
    for name in order or ():
        bind = named[name]
        if bind.type._is_tuple_type:  # noqa: SLF001 - as above
            raise NotImplementedError
        spelt = compiled.escaped_bind_names.get(name, name)
        convert = processor_of(bind, dialect)
        slots.append(_Slot(spelt, bind.key, places.get(bind.key), bind, convert))
    return tuple(slots)


def _is_plain(compiled: SQLCompiler, columns: int) -> bool:
    """Tell whether the text is final, and each of its columns stands where it was written."""
    return (
        compiled.dialect.bind_typing is not BindTyping.SETINPUTSIZES
        and not compiled.post_compile_params
        and not compiled.literal_execute_params
        and not compiled.insert_prefetch
        and not compiled.update_prefetch
        and not compiled._textual_ordered_columns  # noqa: SLF001
        and not compiled._ad_hoc_textual  # noqa: SLF001
        and len(compiled._result_columns) == columns  # noqa: SLF001
    )


def _is_harmless(statement: Select[Any] | Insert) -> bool:
    for element in visitors.iterate(statement):
        if isinstance(element, TextClause | UpdateBase):
            return False
        if isinstance(element, FunctionElement) and getattr(element, "name", "") not in _HARMLESS:
            return False
        if getattr(element, "_for_update_arg", None) is not None:
            return False
    return True
