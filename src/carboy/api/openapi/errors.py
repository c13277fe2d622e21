"""The bodies of failures, in every envelope that may write them."""

from __future__ import annotations

import json
from collections.abc import Iterable

from flask import Flask

from carboy.api.envelope import Envelope, JSend
from carboy.api.openapi.kinds import Schema
from carboy.api.openapi.routes import Route
from carboy.errors import for_status

__all__ = ["ERROR", "FAIL", "Body", "Errors"]

FAIL, ERROR = 400, 500
_DEFAULT = JSend()
Body = tuple[int, Envelope]
"""The status of an error, and the envelope that writes it."""


class Errors:
    """The bodies of failures, one component for all that look the same."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._of_app: Envelope = app.extensions.get("carboy.envelope", _DEFAULT)
        self._names: dict[str, str] = {}
        self.schemas: dict[str, Schema] = {}

    def envelope(self, route: Route) -> Envelope:
        """Find the envelope of *route*: the innermost blueprint's that has one, or the app's."""
        name = route.endpoint
        while "." in name:
            name = name.rpartition(".")[0]
            found = getattr(self._app.blueprints.get(name), "envelope", None)
            if found is not None:
                envelope: Envelope = found
                return envelope
        return self._of_app

    def content(self, bodies: Iterable[Body]) -> Schema:
        """Describe the body of an error that is any of *bodies*."""
        by_type: dict[str, list[Schema]] = {}
        for status, envelope in bodies:
            reference = {"$ref": self._component(envelope, status)}
            known = by_type.setdefault(envelope.error_media_type, [])
            if reference not in known:
                known.append(reference)
        return {
            media_type: {"schema": refs[0] if len(refs) == 1 else {"anyOf": refs}}
            for media_type, refs in by_type.items()
        }

    def outside(self, envelope: Envelope) -> list[Envelope]:
        """Name who may answer before a view is found: the app, and the blueprint for the rest."""
        return [envelope] if envelope is self._of_app else [envelope, self._of_app]

    def _component(self, envelope: Envelope, status: int) -> str:
        schema = envelope.error_schema(status)
        text = json.dumps(schema, sort_keys=True)
        if text not in self._names:
            name = next(
                name for name in _candidates(envelope, status, schema) if name not in self.schemas
            )
            self.schemas[name] = schema
            self._names[text] = f"carboy-error:{name}"
        return self._names[text]

    def references(self, taken: Iterable[str]) -> dict[str, str]:
        """Give the components their names among those *taken* by schemas of the app.

        :return: what every pending reference becomes; ``schemas`` is renamed with it.
        """
        occupied = set(taken)
        renamed: dict[str, Schema] = {}
        references: dict[str, str] = {}
        for name, schema in self.schemas.items():
            final = name
            while final in occupied:
                final += "Body"
            occupied.add(final)
            renamed[final] = schema
            references[f"carboy-error:{name}"] = f"#/components/schemas/{final}"
        self.schemas = renamed
        return references


def _candidates(envelope: Envelope, status: int, schema: Schema) -> Iterable[str]:
    if "title" in schema:
        yield "".join(str(schema["title"]).split())
    if schema == envelope.error_schema(ERROR):
        plain = "Error"
    elif schema == envelope.error_schema(FAIL):
        plain = "Fail"
    else:
        plain = type(for_status(status)).__name__
    yield plain
    named = f"{type(envelope).__name__}{plain}"
    yield named
    number = 2
    while True:
        yield f"{named}{number}"
        number += 1
