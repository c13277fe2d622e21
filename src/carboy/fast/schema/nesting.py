"""Loading a value by its field's own code, with compiled code for what is nested in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from marshmallow import ValidationError, fields, missing
from marshmallow.fields import Field
from marshmallow.utils import is_collection

from carboy.fast.schema.stock import field_kind

__all__ = ["Deserializer", "deserializer"]

Deserializer = Callable[[Any, str, Any, Any], Any]
"""Called with a raw value, its key, the object it is in, and ``partial``."""


def deserializer(field: Field[Any], load: Callable[..., Any]) -> Deserializer:
    """Give a function that does what ``field.deserialize`` does.

    :param load: loads what is nested, with its schema.
    """
    kind = field_kind(field, loading=True)
    if kind is fields.Nested and type(field) is fields.Nested:
        return _Around(field, _nested(field, load))
    if kind is fields.List:
        inner = field.inner  # type: ignore[attr-defined]
        if field_kind(inner, loading=True) is fields.Nested and type(inner) is fields.Nested:
            return _Around(field, _listed(field, _Around(inner, _nested(inner, load))))
    return lambda raw, key, data, partial: field.deserialize(
        raw, key, data, **({} if partial is None else {"partial": partial})
    )


class _Around:
    """The steps of ``Field.deserialize`` around the conversion proper."""

    __slots__ = ("_convert", "_field")

    def __init__(self, field: Field[Any], convert: Callable[[Any, Any], Any]) -> None:
        self._field = field
        self._convert = convert

    def __call__(self, raw: Any, _key: str, _data: Any, partial: Any) -> Any:
        field = self._field
        field._validate_missing(raw)  # noqa: SLF001 - marshmallow's own steps, one by one
        if raw is missing:
            return field.load_default() if callable(field.load_default) else field.load_default
        for change in field.pre_load:
            raw = change(raw)
        if raw is None and field.allow_none:
            return None
        found = self._convert(raw, partial)
        field._validate(found)  # noqa: SLF001
        for change in field.post_load:
            found = change(found)
        return found


def _nested(field: fields.Nested, load: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    def convert(raw: Any, partial: Any) -> Any:
        field._test_collection(raw)  # noqa: SLF001
        try:
            return load(field.schema, raw, unknown=field.unknown, partial=partial)
        except ValidationError as error:
            raise ValidationError(error.messages, valid_data=error.valid_data) from error

    return convert


def _listed(field: Any, inner: _Around) -> Callable[[Any, Any], Any]:
    def convert(raw: Any, partial: Any) -> Any:
        if not is_collection(raw):
            raise field.make_error("invalid")
        found, errors = [], {}
        for place, each in enumerate(raw):
            try:
                found.append(inner(each, "", None, partial))
            except ValidationError as error:
                if error.valid_data is not None:
                    found.append(error.valid_data)
                errors[place] = error.messages
        if errors:
            raise ValidationError(errors, valid_data=found)
        return found

    return convert
