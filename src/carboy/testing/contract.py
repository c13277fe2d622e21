"""Hold answers against the OpenAPI document of the app that gave them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_options_header
from werkzeug.routing import MapAdapter

from carboy.api.openapi import document_of
from carboy.api.openapi.routes import path_of

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

__all__ = ["Contract", "ContractError"]

_HERE = "urn:openapi"
_ERRORS_FROM = 400
_PARTIAL = 206
_SHOWN_MAX = 8
_VALUE_MAX = 200
_JSON_TYPE = re.compile(r"application/(?:[\w.!#$&^-]+\+)?json").fullmatch
_JSON_LINES = ("application/jsonl", "application/x-ndjson")
# RFC 3339, section 5.6; fromisoformat takes far more
_DATE_TIME = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt]"
    r"(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)"
).fullmatch
# RFC 3986, appendix A: the letters of an address
_ADDRESS = re.compile(r"(?:[!#-;=?-\[\]_a-z~]|%[0-9A-Fa-f]{2})*", re.IGNORECASE).fullmatch
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*").fullmatch
_FORMATS = ("date", "email", "ipv4", "ipv6", "uuid")


class ContractError(AssertionError):
    """An answer is not what the OpenAPI document says; the text names every difference."""


class Contract:
    """The OpenAPI document of *app*, as what its answers have to fulfil.

    :raises ModuleNotFoundError: without the extra ``testing``.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._document = document_of(app)
        self._validator = _validator(self._document)

    def check(self, answer: TestResponse) -> None:
        """Compare *answer* with what is declared for the operation that gave it.

        Status, content type, required headers, the headers' values, and a body of JSON, lines
        of JSON or text are looked at; of a part (206) all but the body. An answer of what is not
        in the document (another path, a method that is not declared, ``OPTIONS``) is none of
        its business.

        :param answer: what a test client received.
        :raises ContractError: naming method, path, status and where in the body.
        """
        method = answer.request.method
        found = self._operation(method, answer.request.environ)
        if found is None:
            return
        path, pointer, operation = found
        problems = list(self._problems(method, pointer, operation, answer))
        if problems:
            listed = problems[:_SHOWN_MAX]
            if len(problems) > _SHOWN_MAX:
                listed.append(f"and {len(problems) - _SHOWN_MAX} more.")
            lines = "\n".join(f"  - {problem}" for problem in listed)
            raise ContractError(
                f"{method} {path} answered {answer.status_code}, which differs from the OpenAPI "
                f"document:\n{lines}"
            )

    def _operation(
        self, method: str, environ: dict[str, Any]
    ) -> tuple[str, str, dict[str, Any]] | None:
        try:
            adapter = self._app.create_url_adapter(self._app.request_class(dict(environ)))
            rule, _ = cast("MapAdapter", adapter).match(method=method, return_rule=True)
        except HTTPException:  # unknown, another method, a redirect, a host that is refused
            return None
        path = path_of(rule)
        name = "get" if method == "HEAD" else method.lower()
        operation = self._document.get("paths", {}).get(path, {}).get(name)
        if operation is None:
            return None
        return path, f"#/paths/{_escaped(path)}/{name}", operation

    def _problems(
        self, method: str, pointer: str, operation: dict[str, Any], answer: TestResponse
    ) -> Iterator[str]:
        responses = operation["responses"]
        status = str(answer.status_code)
        if status not in responses:
            status = "default" if answer.status_code >= _ERRORS_FROM else status
        described = responses.get(status)
        if described is None:
            known = ", ".join(sorted(responses))
            yield (
                f"status: {answer.status_code} is not declared, only {known}. Declare it with "
                "output(…, status) or doc(errors=…)."
            )
            return
        at = f"{pointer}/responses/{status}"
        yield from self._headers(at, described.get("headers", {}), answer)
        if "content" in described and method != "HEAD":
            yield from self._content(at, described["content"], answer)

    def _headers(self, at: str, headers: dict[str, Any], answer: TestResponse) -> Iterator[str]:
        for name, given in headers.items():
            place, described = self._followed(f"{at}/headers/{_escaped(name)}", given)
            value = answer.headers.get(name)
            if value is None:
                if described.get("required"):
                    yield f"header {name}: is required and missing."
                continue
            schema = f"{place}/schema"
            typed = _typed(value, described.get("schema", {}))
            yield from (f"header {name}{said}" for said in self._mismatches(schema, typed))

    def _followed(self, place: str, given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Give a header and where it is written, also where many answers refer to one."""
        reference = given.get("$ref")
        if reference is None:
            return place, given
        name = reference.rpartition("/")[2]
        return reference, self._document["components"]["headers"][name]

    def _content(self, at: str, content: dict[str, Any], answer: TestResponse) -> Iterator[str]:
        sent, _ = parse_options_header(answer.headers.get("Content-Type", ""))
        # The declared type that says most about the one that was sent (RFC 9110, section 12.5.1)
        ranges = (sent, f"{sent.partition('/')[0]}/*", "*/*")
        declared = next((one for one in ranges if one in content), None)
        if declared is None:
            yield f"content type: {sent or 'none'}, declared is {', '.join(sorted(content))}."
            return
        read = _reader_of(sent)
        if read is None or answer.status_code == _PARTIAL:
            return
        try:
            body = read(answer.get_data())
        except ValueError:
            kind = "text in UTF-8" if read is bytes.decode else "JSON"
            yield f"body: {_short(answer.get_data().decode(errors='replace'))} is not {kind}."
            return
        if "schema" in content[declared]:
            schema = f"{at}/content/{_escaped(declared)}/schema"
            yield from (f"body{said}" for said in self._mismatches(schema, body))

    def _mismatches(self, pointer: str, value: Any) -> Iterator[str]:
        from jsonschema.exceptions import best_match  # type: ignore[import-untyped]

        for error in self._validator.evolve(schema={"$ref": _HERE + pointer}).iter_errors(value):
            # Of several alternatives, what is wrong with the one that fits best says most.
            deepest = best_match([error]) or error
            where = "".join(f"/{_pointer_part(part)}" for part in deepest.absolute_path)
            yield f"{f' at {where}' if where else ''}: {_short(deepest.message)}."


def _reader_of(media_type: str) -> Callable[[bytes], Any] | None:
    """Find how a body is turned into what its schema describes; ``None``: it has no such form."""
    if _JSON_TYPE(media_type):
        return json.loads
    if media_type in _JSON_LINES:
        return lambda body: [json.loads(line) for line in body.splitlines()]
    return bytes.decode if media_type.startswith("text/") else None


def _validator(document: dict[str, Any]) -> Any:
    try:
        from jsonschema import (  # type: ignore[import-untyped]
            Draft202012Validator,
            FormatChecker,
        )
        from referencing import Registry
        from referencing.jsonschema import DRAFT202012
    except ModuleNotFoundError as error:  # pragma: no cover - development has the extra
        raise ModuleNotFoundError(
            "Checking answers needs jsonschema. Install it with: pip install 'carboy[testing]'",
            name=error.name,
        ) from error
    resource = DRAFT202012.create_resource(document)
    registry: Any = Registry().with_resource(_HERE, resource)
    return Draft202012Validator(
        {}, registry=registry, format_checker=_formats(FormatChecker(_FORMATS))
    )


def _formats(checker: Any) -> Any:
    """Add formats for which the validator would need packages of their own."""
    checker.checks("date-time")(lambda value: _fits(_DATE_TIME, value))
    checker.checks("uri-reference")(lambda value: _fits(_ADDRESS, value))
    checker.checks("uri", raises=ValueError)(
        lambda value: (
            _fits(_ADDRESS, value)
            and (not isinstance(value, str) or bool(_SCHEME(urlsplit(value).scheme)))
        )
    )
    return checker


def _fits(pattern: Any, value: object) -> bool:
    return not isinstance(value, str) or pattern(value) is not None


def _typed(value: str, schema: dict[str, Any]) -> Any:
    """Read a header as the type its schema names; what is none stays text."""
    kinds: dict[str, Callable[[str], Any]] = {
        "integer": int,
        "number": float,
        "boolean": {"true": True, "false": False}.__getitem__,
    }
    read = kinds.get(schema.get("type", ""))
    try:
        return value if read is None else read(value)
    except (ValueError, KeyError):
        return value


def _escaped(part: str) -> str:
    """Write a key as part of a JSON pointer in a URI fragment (RFC 6901, section 6)."""
    return quote(_pointer_part(part), safe="~")


def _pointer_part(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def _short(text: str) -> str:
    return text if len(text) <= _VALUE_MAX else f"{text[:_VALUE_MAX]}…"
