"""``Schema``: marshmallow's, whose methods are the compiled ones."""

from __future__ import annotations

from typing import Any

import marshmallow

from carboy.fast.schema.dumping import dump_or
from carboy.fast.schema.loading import load_or
from carboy.fast.schema.stock import COMPILED

__all__ = ["Schema"]


class Schema(marshmallow.Schema):
    """A :class:`marshmallow.Schema` with compiled ``dump``, ``dumps``, ``load`` and ``loads``.

    For schemas that are used outside of views; inside, any schema of marshmallow's is
    compiled. Parameters, results and errors are marshmallow's.
    """

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        """Serialise; see :meth:`marshmallow.Schema.dump`."""
        return dump_or(super().dump, self, obj, many)

    def load(self, data: Any, **given: Any) -> Any:
        """Deserialise and validate; see :meth:`marshmallow.Schema.load`."""
        return load_or(super().load, self, data, _NOTHING_GIVEN | given)


_NOTHING_GIVEN = {"many": None, "partial": None, "unknown": None}
for _method in (Schema.dump, Schema.load):
    setattr(_method, COMPILED, True)
