"""marshmallow's ``dump`` and ``load``, compiled into plain Python per schema.

:func:`dump` and :func:`load` give what the methods of the same names give, to the letter: what
the compiled code does not expect (a value of another type, a field or validator of the
project's own, a hook) is left to marshmallow, field by field where that is enough.
:class:`Schema` has them as its own methods; :func:`rows_dumper` dumps
tuples from a database.
"""

from __future__ import annotations

from carboy.fast.schema.compiled import Schema
from carboy.fast.schema.dumping import dump, rows_dumper
from carboy.fast.schema.loading import load

__all__ = ["Schema", "dump", "load", "rows_dumper"]
