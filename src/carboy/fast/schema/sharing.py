"""Which code a schema uses: its class's, its own or, until that pays, none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

import marshmallow

from carboy.fast.schema.late import mould_in
from carboy.fast.schema.mould import Arguments, Mould, has_moulds, mould_of, names_of
from carboy.fast.schema.plain import are_fields_alike, is_field_shared
from carboy.fast.schema.stock import METHODS, dict_of

__all__ = ["Codes"]

PATIENCE = 40
"""How many objects marshmallow treats before code is compiled, which costs about as much."""

_Code = TypeVar("_Code")
_NEVER = object()


class _Known:
    """What is known of the code of one schema; a copy of the schema starts without it.

    :ivar of: the fields that it is for.
    :ivar length: how many these were.
    :ivar size: how many attributes the schema had.
    :ivar uses: without code.
    :ivar looked: how many uses it takes until others' code is looked at.
    """

    __slots__ = ("code", "length", "looked", "of", "size", "uses")

    def __init__(self, of: Any, size: int) -> None:
        self.of = of
        self.length = len(of)
        self.size = size
        self.code: Any = None
        self.uses = 0
        self.looked = 1

    def __reduce__(self) -> tuple[type[bool], tuple[()]]:
        return bool, ()


class Codes(Generic[_Code]):
    """The code for one direction: dumping or loading.

    :param name: of the direction.
    :param compiled: compiles for a schema.
    :param is_understood: whether there is anything to compile.
    """

    def __init__(
        self,
        name: str,
        compiled: Callable[[marshmallow.Schema], _Code],
        is_understood: Callable[[marshmallow.Schema], bool],
    ) -> None:
        self._key = f"_carboy_{name}"
        self._fields = f"{name}_fields"
        self._loading = name == "load"
        self._compiled = compiled
        self._is_understood = is_understood

    def of(self, schema: marshmallow.Schema, weight: int = 1) -> _Code | None:
        """Give the code that a schema is to use; ``None``: marshmallow's own.

        :param weight: how many objects it is for.
        """
        own = dict_of(schema)
        known = own.get(self._key)
        if (
            type(known) is _Known
            and known.code is not None
            and known.code is not _NEVER
            and known.length == len(known.of)
            and known.of is own.get(self._fields)
            and known.size == len(own)
        ):
            return cast("_Code", known.code)  # nothing has changed since it was last used
        mould = mould_in(schema)
        if mould is not None:
            shared: Any = mould.code.get(self._key) or self._of_mould(mould, weight)
            if shared is not _NEVER:
                return cast("_Code | None", shared)
        fields = getattr(schema, self._fields)
        known = own.get(self._key)
        if type(known) is not _Known or known.of is not fields or known.length != len(fields):
            own[self._key] = None
            known = own[self._key] = _Known(fields, len(own))
        elif known.size != len(own):
            known.size = len(own)
            if not self._is_understood(schema):
                known.code = _NEVER
        if known.code is None:
            known.uses += weight
            if known.uses > PATIENCE:
                known.code = self._found(schema, fields)
            elif known.uses > known.looked:
                # To compare fields takes as long as to dump an object.
                known.looked = PATIENCE
                known.code = self._shared(schema, fields)
        return None if known.code is _NEVER else cast("_Code | None", known.code)

    def _found(self, schema: marshmallow.Schema, fields: Any) -> Any:
        """Give the code of a schema that is used again and again."""
        if not self._is_understood(schema):
            return _NEVER
        mould = _mould_like(schema)
        if mould is not None and self._key not in mould.code:
            self._of_mould(mould, PATIENCE + 1)
        return self._shared(schema, fields) or self._compiled(schema)

    def _shared(self, schema: marshmallow.Schema, fields: Any) -> Any:
        """Give the code that others like this schema use already; ``None``: none do."""
        if not has_moulds(type(schema)) or not METHODS.isdisjoint(dict_of(schema)):
            return None
        mould = _mould_like(schema)
        code = None if mould is None else mould.code.get(self._key)
        if mould is None or code in (None, _NEVER):
            return None
        alike = are_fields_alike(fields, getattr(mould.pattern, self._fields))
        return code if alike else None

    def _of_mould(self, mould: Mould, weight: int) -> Any:
        """Give the code that all schemas of a mould share; ``None``: none yet."""
        pattern = mould.pattern
        uses = mould.uses[self._key] = mould.uses.get(self._key, 0) + weight
        if uses == weight and not (
            self._is_understood(pattern)
            and all(
                is_field_shared(field, loading=self._loading)
                for field in getattr(pattern, self._fields).values()
            )
        ):
            mould.code[self._key] = _NEVER
        elif uses > PATIENCE:
            mould.code[self._key] = self._compiled(pattern)
        return mould.code.get(self._key)


def _mould_like(schema: marshmallow.Schema) -> Mould | None:
    """Find the mould of schemas that are made with the arguments that this one was made with."""
    only = None if schema.only is None else names_of(schema.only)
    exclude, load_only, dump_only = (
        names_of(of) for of in (schema.exclude, schema.load_only, schema.dump_only)
    )
    if exclude is None or load_only is None or dump_only is None:
        return None
    if only is None and schema.only is not None:
        return None
    return mould_of(type(schema), Arguments(only, exclude, load_only, dump_only), at_once=True)
