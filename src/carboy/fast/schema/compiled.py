"""``Schema``: marshmallow's, whose methods are the compiled ones."""

from __future__ import annotations

from typing import Any

import marshmallow

from carboy.fast.schema.dumping import dumpers_of
from carboy.fast.schema.late import Late, complete
from carboy.fast.schema.loading import load_or
from carboy.fast.schema.mould import NO_ARGUMENTS, Arguments, Mould, mould_of, names_of
from carboy.fast.schema.plain import MADE_LATE
from carboy.fast.schema.stock import COMPILED, dict_of

__all__ = ["Schema"]

_NO_NAMES: tuple[str, ...] = ()
_LEFT = object()


class Schema(marshmallow.Schema):
    """A :class:`marshmallow.Schema` with compiled ``dump``, ``dumps``, ``load`` and ``loads``.

    For schemas that are used outside of views; inside, any schema of marshmallow's is
    compiled. Parameters, results and errors are marshmallow's. To make one costs next to nothing:
    its fields are copied and bound when somebody looks at them, and schemas of one class share
    what is compiled. So declare the fields of a class before its first schema is made.
    """

    def __init__(  # noqa: PLR0913 - marshmallow's
        self,
        *,
        only: Any = None,
        exclude: Any = _NO_NAMES,
        many: bool | None = None,
        load_only: Any = _NO_NAMES,
        dump_only: Any = _NO_NAMES,
        partial: Any = None,
        unknown: Any = None,
    ) -> None:
        if only is None and exclude is load_only is dump_only is _NO_NAMES:
            mould = mould_of(type(self), NO_ARGUMENTS)
        else:
            mould = _mould(type(self), only, exclude, load_only, dump_only)
        if mould is None:
            super().__init__(
                only=only,
                exclude=exclude,
                many=many,
                load_only=load_only,
                dump_only=dump_only,
                partial=partial,
                unknown=unknown,
            )
            return
        opts = self.opts
        self._carboy_mould = mould
        self.many = opts.many if many is None else many
        self.partial = partial
        self.unknown = opts.unknown if unknown is None else unknown
        self.error_messages = mould.messages.copy()

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        complete(self)
        return dict_of(self)

    def __getstate__(self) -> Any:
        complete(self)
        return super().__getstate__()

    def __delattr__(self, name: str) -> None:
        complete(self)
        super().__delattr__(name)

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        """Serialise; see :meth:`marshmallow.Schema.dump`."""
        every = self.many if many is None else many
        dumpers = dumpers_of(self, obj, many=every)
        if dumpers is None:
            return super().dump(obj, many=many)
        return dumpers.many(obj) if every else dumpers.one(obj)

    def load(
        self, data: Any, *, many: bool | None = None, partial: Any = None, unknown: Any = None
    ) -> Any:
        """Deserialise and validate; see :meth:`marshmallow.Schema.load`."""
        loaded = load_or(_LEFT, self, data, many, partial, unknown)
        if loaded is _LEFT:
            return super().load(data, many=many, partial=partial, unknown=unknown)
        return loaded


def _mould(kind: type[Schema], only: Any, *others: Any) -> Mould | None:
    """Find the mould of schemas made with these arguments, if they are what they should be."""
    names: list[Any] = [None if only is None else names_of(only), *map(names_of, others)]
    if None in names[only is None :]:
        return None
    return mould_of(kind, Arguments(*names))


for _method in (Schema.__init__, Schema.__delattr__, Schema.dump, Schema.load):
    setattr(_method, COMPILED, True)
for _name in MADE_LATE:
    setattr(Schema, _name, Late(_name))
