"""Reading the declared inputs of one request, all problems at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal, TypedDict

from flask import Request
from marshmallow import EXCLUDE, Schema, ValidationError, fields
from marshmallow.error_store import merge_errors
from marshmallow.exceptions import SCHEMA

from carboy.api.bounds import Bounds, shortened
from carboy.api.operation import Input, Location
from carboy.errors import ContentTooLarge, Invalid, UnsupportedMediaType
from carboy.fast.flask.context import current
from carboy.fast.json import loads
from carboy.fast.schema import load

__all__ = ["Reading", "Unknown", "read_all"]

DECIMAL_MAX_EXPONENT = 308
"""Largest power of ten a decimal may have, that of a double: 1e999999999 is eleven characters
to send and a gigabyte to calculate with."""

_DEFAULT_DEPTH = 64
_DEFAULT_LENGTH = 1024 * 1024
_LENGTH_DIGITS = 18
_UTF_8 = frozenset({"utf-8", "utf8"})
_JSON_TYPE = re.compile(r"application/(?:json|[\w.!#$&^-]+\+json)")
_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
_BODIES: frozenset[Location] = frozenset({"json", "form"})
_NUL_MESSAGE = "May not contain the NUL character."
_ARGS = Request.args
Errors = dict[Any, Any]
Unknown = Literal["exclude", "include", "raise"]


class _LoadOptions(TypedDict, total=False):
    unknown: Unknown


class Reading:
    """One declared input, prepared once and read in every request.

    :param unknown: what becomes of fields the schema does not have, one of marshmallow's
        words; by default the schema decides for bodies, and other places ignore them.
    """

    def __init__(self, declared: Input, unknown: Unknown | None = None) -> None:
        self.argument = declared.argument
        self._wrap = declared.wrap
        self._declared = declared.schema
        self._raw = _SOURCES[declared.location]
        if unknown is None and declared.location not in _BODIES:
            unknown = EXCLUDE
        self._load_options: _LoadOptions = {} if unknown is None else {"unknown": unknown}

    @cached_property
    def schema(self) -> Schema:
        """The schema, guarded; at the first request, since a nested one may be declared later."""
        _guard_decimals(self._declared, ())
        return self._declared

    @cached_property
    def _bounds(self) -> Bounds:
        return Bounds(self.schema)

    @cached_property
    def repeated(self) -> frozenset[str]:
        """Names that may occur several times and are read as a list."""
        return frozenset(
            _name(field, key)
            for key, field in self.schema.load_fields.items()
            if getattr(field, "is_multiple", isinstance(field, (fields.List, fields.Tuple)))
        )

    def read(self, request: Request, errors: Errors) -> Any:
        """Read and check this input; what is wrong with it is added to *errors*.

        :raises BadRequest: if the body cannot be read (400).
        :raises UnsupportedMediaType: if the body is of another type (415).
        """
        raw, wrong = self._raw(self, request)
        if self._bounds and (too_long := self._bounds.exceeded(raw)):
            _add(wrong, too_long)
            _add(errors, wrong)
            return None
        try:
            value = load(self.schema, raw, **self._load_options)
            if self._wrap:
                value = value[self._wrap]
        except ValidationError as error:
            _add(wrong, error.messages)
            value = None
        _add(errors, wrong)
        return value


def read_all(readings: Iterable[Reading], request: Request) -> dict[str, Any]:
    """Read every input of a request.

    :return: value of each input by the name of the view's argument.
    :raises Invalid: with the problems of all fields of all inputs (422).
    """
    errors: Errors = {}
    values = {reading.argument: reading.read(request, errors) for reading in readings}
    if errors:
        raise Invalid(data=shortened(errors))
    return values


def _add(errors: Errors, more: Any) -> None:
    if more:
        # A hook of a schema may raise with a bare list.
        by_field = more if isinstance(more, dict) else {SCHEMA: more}
        errors.update(merge_errors(dict(errors), by_field))  # type: ignore[no-untyped-call]


def _from_json(_: Reading, request: Request) -> tuple[Any, Errors]:
    if request.environ.get("CONTENT_TYPE") != "application/json":
        _refuse_other_than_json(request)
    config = current().app.config
    limit = config.get("JSON_MAX_LENGTH", _DEFAULT_LENGTH)
    if _announced(request) > limit or len(body := request.get_data()) > limit:
        raise ContentTooLarge(f"The JSON body is larger than {limit} bytes.")
    raw = loads(body, max_depth=config.get("JSON_MAX_DEPTH", _DEFAULT_DEPTH))
    return raw, _nul_errors(raw) if b"\\u0000" in body else {}


def _announced(request: Request) -> int:
    """Give the length of the body, in bytes, as far as it is known."""
    length = request.environ.get("CONTENT_LENGTH")
    if length and length.isascii() and length.isdecimal() and len(length) < _LENGTH_DIGITS:
        return int(length)
    return request.content_length or 0


def _refuse_other_than_json(request: Request) -> None:
    if _JSON_TYPE.fullmatch(request.mimetype) is None:
        raise UnsupportedMediaType("Send the body as application/json.")
    if request.mimetype_params.get("charset", "utf-8").lower() not in _UTF_8:
        raise UnsupportedMediaType("Send the JSON body in UTF-8.")


def _from_query(reading: Reading, request: Request) -> tuple[Any, Errors]:
    if type(request).args is _ARGS and not request.environ.get("QUERY_STRING"):
        return {}, {}
    return _from_pairs(reading, request.args)


def _from_form(reading: Reading, request: Request) -> tuple[Any, Errors]:
    if request.mimetype not in _FORM_TYPES:
        raise UnsupportedMediaType(f"Send the body as {' or '.join(_FORM_TYPES)}.")
    return _from_pairs(reading, request.form)


def _from_files(reading: Reading, request: Request) -> tuple[Any, Errors]:
    if request.mimetype != _FORM_TYPES[1]:
        raise UnsupportedMediaType(f"Send the files as {_FORM_TYPES[1]}.")
    return _from_pairs(reading, request.files)


def _from_cookies(reading: Reading, request: Request) -> tuple[Any, Errors]:
    return _from_pairs(reading, request.cookies)


def _from_headers(reading: Reading, request: Request) -> tuple[Any, Errors]:
    # Header names ignore case (RFC 9110, section 5.1): look up those the schema names.
    headers = request.headers
    repeated = reading.repeated
    raw: dict[str, Any] = {}
    for key, field in reading.schema.load_fields.items():
        name = _name(field, key)
        if name in headers:
            raw[name] = headers.getlist(name) if name in repeated else headers[name]
    return raw, {}


def _from_pairs(reading: Reading, pairs: Any) -> tuple[Any, Errors]:
    repeated = reading.repeated
    raw: dict[str, Any] = {
        name: pairs.getlist(name) if name in repeated else pairs[name] for name in pairs
    }
    return raw, _nul_errors(raw)


_SOURCES: Mapping[Location, Callable[[Reading, Request], tuple[Any, Errors]]] = {
    "json": _from_json,
    "query": _from_query,
    "form": _from_form,
    "files": _from_files,
    "headers": _from_headers,
    "cookies": _from_cookies,
}


def _nul_errors(raw: Any) -> Errors:
    """Refuse NUL wherever it stands: databases and file systems fail on it.

    :return: messages in marshmallow's shape, nested as *raw* is.
    """
    errors: Errors = {}
    pending: list[tuple[tuple[Any, ...], Any]] = [((), raw)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, str):
            if "\0" in value:
                _put(errors, path or (SCHEMA,))
        elif isinstance(value, dict):
            pending.extend(((*path, key), item) for key, item in value.items())
            pending.extend(((*path, key), key) for key in value if "\0" in key)
        elif isinstance(value, list):
            pending.extend(((*path, index), item) for index, item in enumerate(value))
    return errors


def _put(errors: Errors, path: tuple[Any, ...]) -> None:
    for step in path[:-1]:
        inner = errors.setdefault(step, {})
        if not isinstance(inner, dict):  # the name of that object is refused already
            return
        errors = inner
    errors[path[-1]] = [_NUL_MESSAGE]


def _name(field: fields.Field[Any], key: str) -> str:
    return key if field.data_key is None else field.data_key


def _guard_decimals(schema: Schema, outer: tuple[type[Schema], ...]) -> None:
    """Give every decimal field of the schema and those inside it an upper bound.

    A schema that contains itself is followed once.
    """
    kind = type(schema)
    if outer.count(kind) > 1:
        return
    for field in schema.load_fields.values():
        for part in _parts(field):
            if isinstance(part, fields.Decimal) and not _is_guarded(part):
                part.validators.append(_within_double_range)
            elif isinstance(part, fields.Nested):
                _guard_decimals(part.schema, (*outer, kind))


def _parts(field: Any) -> Iterator[Any]:
    yield field
    inner = [getattr(field, name, None) for name in ("inner", "key_field", "value_field")]
    for part in (*inner, *getattr(field, "tuple_fields", ())):
        if part is not None:
            yield from _parts(part)


def _is_guarded(field: fields.Decimal) -> bool:
    return _within_double_range in field.validators


def _within_double_range(value: Decimal) -> None:
    if value.is_finite() and abs(value.adjusted()) > DECIMAL_MAX_EXPONENT:
        raise ValidationError("Number too large.")
