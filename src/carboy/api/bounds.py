"""Keep a small request from costing much work or a large answer.

Marshmallow loads every item of a list before it looks at the list's length, and reports
every item that is wrong: a megabyte of empty objects would keep a worker busy for ten
seconds and be answered with a body many times its size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

ERRORS_MAX = 100
"""Most wrong fields, or items of a list, that are named at one place of an answer."""

Errors = dict[Any, Any]


class Bounds:
    """The lists of a schema that may only be so long, wherever they are nested.

    :param outer: schemas that contain this one; a schema inside itself is followed once.
    """

    def __init__(self, schema: Schema, outer: tuple[type[Schema], ...] = ()) -> None:
        self._lists: list[tuple[str, validate.Length]] = []
        self._inner: list[tuple[str, Bounds]] = []
        for key, field in schema.load_fields.items():
            name = key if field.data_key is None else field.data_key
            self._lists += ((name, length) for length in _lengths(field))
            nested = field.inner if isinstance(field, fields.List) else field
            if isinstance(nested, fields.Nested) and outer.count(type(nested.schema)) < 1:
                inner = Bounds(nested.schema, (*outer, type(schema)))
                if inner:
                    self._inner.append((name, inner))

    def __bool__(self) -> bool:
        return bool(self._lists or self._inner)

    def exceeded(self, raw: Any) -> Errors:
        """Name the lists in *raw* that are too long, in marshmallow's shape and words."""
        if isinstance(raw, list):
            return _some(
                (index, wrong) for index, item in enumerate(raw) if (wrong := self.exceeded(item))
            )
        if not isinstance(raw, dict):
            return {}
        errors: Errors = {}
        for name, length in self._lists:
            value = raw.get(name)
            if isinstance(value, list) and length.max is not None and len(value) > length.max:
                try:
                    length(value)
                except ValidationError as error:
                    errors[name] = error.messages
        for name, inner in self._inner:
            if name in raw and name not in errors and (wrong := inner.exceeded(raw[name])):
                errors[name] = wrong
        return errors


def shortened(errors: Any) -> Any:
    """Keep the first :data:`ERRORS_MAX` entries of each object of errors."""
    if not isinstance(errors, dict):
        return errors
    return _some((key, shortened(value)) for key, value in errors.items())


def _some(entries: Iterator[tuple[Any, Any]]) -> Errors:
    return {key: value for (key, value), _ in zip(entries, range(ERRORS_MAX), strict=False)}


def _lengths(field: Any) -> Iterator[validate.Length]:
    if isinstance(field, fields.List) or getattr(field, "many", False):
        for rule in field.validators:
            if isinstance(rule, validate.And):
                yield from (r for r in rule.validators if isinstance(r, validate.Length))
            elif isinstance(rule, validate.Length):
                yield rule
