"""Making what a schema consists of when somebody looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from threading import RLock
from typing import Any

import marshmallow
from marshmallow.fields import Field

from carboy.fast.schema.mould import Mould, construct
from carboy.fast.schema.plain import MADE_LATE
from carboy.fast.schema.stock import dict_of

__all__ = ["MOULD", "Late", "complete", "mould_in"]

MOULD = "_carboy_mould"
"""Where a schema has its mould as long as it is not complete."""

_SET_AT_ONCE = 5
_MATTERS = frozenset(dir(marshmallow.Schema)) - {"error_messages"} | {*MADE_LATE}
_making = RLock()


class Late:
    """An attribute of schemas that is made on first sight, with the others of its kind."""

    # Without __set__: once it is made, the schema's own comes first, as quickly as ever.

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, schema: marshmallow.Schema | None, kind: type) -> Any:
        if schema is not None:
            complete(schema)
            made = dict_of(schema)
            if self._name in made:
                return made[self._name]
        of = f"type object {kind.__name__!r}" if schema is None else f"{kind.__name__!r} object"
        raise AttributeError(f"{of} has no attribute {self._name!r}", name=self._name, obj=schema)


def mould_in(schema: marshmallow.Schema) -> Mould | None:
    """Give the mould whose code a schema may use; ``None``: it has become its own."""
    own = dict_of(schema)
    mould: Mould | None = own.get(MOULD)
    if mould is not None and len(own) > _SET_AT_ONCE and not _MATTERS.isdisjoint(own):
        complete(schema)
        return None
    return mould


def complete(schema: marshmallow.Schema) -> None:
    """Make all that marshmallow's constructor makes, unless it is there."""
    own = dict_of(schema)
    if MOULD not in own:
        return
    with _making:
        mould: Mould | None = own.get(MOULD)
        if mould is None:
            return  # another thread was quicker
        made = object.__new__(type(schema))
        kept = dict_of(made)
        kept["_declared_fields"] = _Copied(_fields(schema, mould))
        construct(made, mould.arguments, many=schema.many)
        del kept["_declared_fields"]
        # At one stroke, since another thread may be looking. What was set in between stays.
        own.update({**kept, **own})
        del own[MOULD]


class _Copied(dict[str, Field[Any]]):
    """Fields that were copied already, for the constructor that copies deeply."""

    def __deepcopy__(self, memo: Mapping[int, Any]) -> dict[str, Field[Any]]:
        return dict(self)


def _fields(schema: marshmallow.Schema, mould: Mould) -> dict[str, Field[Any]]:
    """Copy the declared fields as marshmallow does, in a fraction of the time."""
    copies = {}
    for name, field in mould.declared.items():
        copies[name] = copy = object.__new__(type(field))
        own = vars(copy)
        own.update(vars(field))
        if name in mould.pattern.fields:
            # Binding keeps these, and would else name the schema that is made for its parts.
            own["parent"] = own["parent"] or schema
            own["root"] = own["root"] or (
                own["parent"].root if isinstance(own["parent"], Field) else own["parent"]
            )
    return copies
