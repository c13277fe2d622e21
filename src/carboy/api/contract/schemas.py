"""Comparing two schemas, in the direction in which values travel.

What is sent must keep being accepted, so a request may only become wider; what is answered
must keep being understood, so a response may only become narrower.
Keywords: JSON Schema 2020-12, Validation and Applicator vocabularies.
"""

from __future__ import annotations

import json
from typing import Any

from carboy.api.contract.change import Report, shown
from carboy.api.contract.limits import compare_limits
from carboy.api.contract.references import References

Node = dict[str, Any]
_NAME_MAX = 60
_TYPES = frozenset({"null", "boolean", "object", "array", "number", "string", "integer"})
_ALTERNATIVES = ("anyOf", "oneOf")
# Whatever else a schema says is compared as a whole: nobody can tell which way it moved.
_UNDERSTOOD = frozenset({
    "type", "enum", "const", "format", "pattern", "multipleOf", "uniqueItems", "properties",
    "required", "additionalProperties", "items", "prefixItems", "allOf", *_ALTERNATIVES,
    "minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties",
    "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties",
})  # fmt: skip
_ANNOTATIONS = frozenset({
    "title", "description", "default", "examples", "example", "deprecated", "readOnly",
    "writeOnly", "externalDocs", "xml", "discriminator", "$comment", "$id", "$schema", "$ref",
    "$defs",
})  # fmt: skip


class Schemas:
    """Compares schemas of two documents."""

    def __init__(self, old: References, new: References, report: Report) -> None:
        self._old = old
        self._new = new
        self._report = report
        self._open: set[tuple[str, str]] = set()

    def compare(self, old: Any, new: Any, direction: str, pointer: str = "") -> None:
        """Compare two schemas.

        :param direction: ``request`` or ``response``.
        :param pointer: place of the value inside what is compared.
        """
        pair = _identity(old), _identity(new)
        if pair in self._open:  # a schema that contains itself
            return
        self._open.add(pair)
        try:
            before, after = _node(self._old.follow(old)), _node(self._new.follow(new))
            _Comparison(self, direction, pointer).run(before, after)
        finally:
            self._open.remove(pair)

    def is_same(self, old: Any, new: Any) -> bool:
        """Say whether two alternatives are the same one, by name or by what they say."""
        names = [one.get("$ref") if isinstance(one, dict) else None for one in (old, new)]
        if names[0] is not None and names[0] == names[1]:
            return True
        return _text(self._old.follow(old)) == _text(self._new.follow(new))

    @property
    def report(self) -> Report:
        """Where differences are noted."""
        return self._report


class _Comparison:
    """One pair of schemas at one place."""

    def __init__(self, schemas: Schemas, direction: str, pointer: str) -> None:
        self._schemas = schemas
        self._direction = direction
        self._is_request = direction == "request"
        self._pointer = pointer

    def run(self, old: Node, new: Node) -> None:
        if any(key in node for node in (old, new) for key in _ALTERNATIVES):
            self._alternatives(old, new)
            shared = all(any(key in node for key in _ALTERNATIVES) for node in (old, new))
            if not shared:
                return
        if not self._types(old, new):
            return
        self._values(old, new)
        compare_limits(old, new, self._moved)
        self._properties(old, new)
        self._further_properties(old, new)
        self._items(old, new)
        self._all_of(old, new)
        self._rest(old, new)

    def _moved(self, kind: str, message: str, *, narrower: bool, pointer: str = "") -> None:
        """Note that what is allowed became narrower or wider: one of them breaks callers."""
        self._schemas.report.note(
            kind, message, self._pointer + pointer, breaking=narrower == self._is_request
        )

    def _types(self, old: Node, new: Node) -> bool:
        before, after = _types(old), _types(new)
        gone, come = before - after, after - before
        if gone and come:
            self._schemas.report.breaking(
                "type-changed", f"the type {_listed(before)} is {_listed(after)}", self._pointer
            )
            return False
        if gone:
            self._moved("type-narrowed", f"is not {_listed(gone)} any more", narrower=True)
        elif come:
            self._moved("type-widened", f"may also be {_listed(come)}", narrower=False)
        return True

    def _values(self, old: Node, new: Node) -> None:
        before, after = _enumerated(old), _enumerated(new)
        if before is None and after is None:
            return
        if before is None or after is None:
            words = "only certain values are left" if before is None else "any value may occur"
            self._moved("enum-changed", words, narrower=before is None)
            return
        if before and after and not set(before) & set(after):
            message = f"{', '.join(before)} is {', '.join(after)}"
            self._schemas.report.breaking("enum-changed", message, self._pointer)
            return
        for value in before:
            if value not in after:
                self._moved("enum-value-removed", f"{value} is gone", narrower=True)
        for value in after:
            if value not in before:
                # New values are expected of an enumeration that is read: it breaks nobody.
                self._schemas.report.note("enum-value-added", f"{value} is new", self._pointer)

    def _properties(self, old: Node, new: Node) -> None:
        before, after = old.get("properties", {}), new.get("properties", {})
        needed_before, needed = set(old.get("required", ())), set(new.get("required", ()))
        for name in before:
            if name not in after:
                self._property_gone(name, new)
                continue
            self._requirement(name, was=name in needed_before, is_now=name in needed)
            self._schemas.compare(before[name], after[name], self._direction, self._inside(name))
        for name in [*after, *sorted(needed - set(after) - needed_before)]:
            if name not in before:
                self._property_new(name, is_required=name in needed)

    def _property_gone(self, name: str, new: Node) -> None:
        is_ignored = self._is_request and new.get("additionalProperties", True) is not False
        self._schemas.report.note(
            "property-removed",
            f"{name} is ignored" if is_ignored else f"{name} is gone",
            self._pointer,
            breaking=True,
        )

    def _property_new(self, name: str, *, is_required: bool) -> None:
        if is_required and self._is_request:
            self._schemas.report.breaking(
                "property-required", f"{name} is new and required", self._pointer
            )
        else:
            self._schemas.report.note("property-added", f"{name} is new", self._pointer)

    def _requirement(self, name: str, *, was: bool, is_now: bool) -> None:
        if was == is_now:
            return
        words = "is required" if is_now else "may be missing"
        kind = "property-required" if is_now else "property-optional"
        self._moved(kind, f"{name} {words}", narrower=is_now)

    def _further_properties(self, old: Node, new: Node) -> None:
        before, after = (node.get("additionalProperties", True) for node in (old, new))
        if before is not False and after is False:
            self._moved("more-properties", "other properties are refused", narrower=True)
        elif before is False and after is not False:
            self._moved("more-properties", "other properties may occur", narrower=False)
        elif before is not False:
            self._schemas.compare(before, after, self._direction, self._inside("*"))

    def _items(self, old: Node, new: Node) -> None:
        first, second = old.get("prefixItems", []), new.get("prefixItems", [])
        for number in range(max(len(first), len(second))):
            before = first[number] if number < len(first) else old.get("items", True)
            after = second[number] if number < len(second) else new.get("items", True)
            self._schemas.compare(before, after, self._direction, self._inside(str(number)))
        self._schemas.compare(
            old.get("items", True), new.get("items", True), self._direction, self._inside("*")
        )

    def _alternatives(self, old: Node, new: Node) -> None:
        """Compare ``anyOf`` and ``oneOf``; a schema without either is its only alternative."""
        before, after = _alternatives(old), _alternatives(new)
        gone = [one for one in before if not any(self._schemas.is_same(one, b) for b in after)]
        come = [one for one in after if not any(self._schemas.is_same(b, one) for b in before)]
        for one in before:
            for other in after:
                if self._schemas.is_same(one, other):
                    self._schemas.compare(one, other, self._direction, self._pointer)
        if len(gone) == len(come) == 1:
            self._schemas.compare(gone[0], come[0], self._direction, self._pointer)
            return
        for one in gone:
            self._moved("alternative-removed", f"{_named(one)} is gone", narrower=True)
        for one in come:
            self._moved("alternative-added", f"{_named(one)} is possible", narrower=False)

    def _all_of(self, old: Node, new: Node) -> None:
        before, after = old.get("allOf", []), new.get("allOf", [])
        for one, other in zip(before, after, strict=False):
            self._schemas.compare(one, other, self._direction, self._pointer)
        for one in before[len(after) :]:
            self._moved("condition-removed", f"{_named(one)} need not hold", narrower=False)
        for one in after[len(before) :]:
            self._moved("condition-added", f"{_named(one)} must hold too", narrower=True)

    def _rest(self, old: Node, new: Node) -> None:
        for key in sorted({*old, *new} - _UNDERSTOOD - _ANNOTATIONS):
            if key.startswith("x-") or _text(old.get(key)) == _text(new.get(key)):
                continue
            self._schemas.report.breaking(
                "keyword-changed",
                f"{key} says something else, and which way it moved cannot be told",
                self._pointer,
            )
        if self._is_request and _text(old.get("default")) != _text(new.get("default")):
            self._schemas.report.note(
                "default-changed",
                f"the default {shown(old.get('default'))} is {shown(new.get('default'))}",
                self._pointer,
            )

    def _inside(self, name: str) -> str:
        return f"{self._pointer}/{name.replace('~', '~0').replace('/', '~1')}"


def _node(schema: Any) -> Node:
    """Write the schemas ``true`` and ``false`` as objects."""
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    return dict(schema)


def _types(node: Node) -> frozenset[str]:
    given = node.get("type", None)
    if given is None:
        return _TYPES
    found = {given} if isinstance(given, str) else set(given)
    return frozenset(found | ({"integer"} if "number" in found else set()))


def _listed(types: frozenset[str]) -> str:
    if types == _TYPES:
        return "anything"
    return " or ".join(sorted(types - ({"integer"} if "number" in types else set())))


def _enumerated(node: Node) -> list[str] | None:
    if "const" in node:
        return [_text(node["const"])]
    return [_text(value) for value in node["enum"]] if "enum" in node else None


def _alternatives(node: Node) -> list[Any]:
    for key in _ALTERNATIVES:
        if key in node:
            return list(node[key])
    return [node]


def _named(schema: Any) -> str:
    if isinstance(schema, dict):
        if "$ref" in schema:
            return str(schema["$ref"]).rpartition("/")[2]
        if "title" in schema:
            return str(schema["title"])
    text = _text(schema)
    return text if len(text) <= _NAME_MAX else f"{text[:_NAME_MAX]}…"


def _identity(schema: Any) -> str:
    """Tell schemas apart that are being compared: by name, else by what they say."""
    return _text(schema)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
