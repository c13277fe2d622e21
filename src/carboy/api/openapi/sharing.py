"""Headers that many answers have: written once, and referred to."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator

from carboy.api.openapi.kinds import Schema

__all__ = ["share_headers"]

_NAME = re.compile(r"[A-Za-z0-9._-]+").fullmatch
_OFTEN = 10
"""From here on a header is worth a name of its own; below, a reader is served by seeing it."""


def share_headers(document: Schema) -> None:
    """Move the headers that are repeated often into ``components``, in place.

    Source: OpenAPI 3.1.0, sections 4.8.7 (Components Object) and 4.8.23 (Reference Object).
    """
    places = list(_headers(document))
    written = [_text(headers[name]) for headers, name in places]
    often = {text for text, times in Counter(written).items() if times >= _OFTEN}
    shared: dict[str, Schema] = {}
    named: dict[tuple[str, str], str] = {}
    for (headers, name), text in zip(places, written, strict=True):
        if text not in often or not _NAME(name):
            continue
        if (name, text) not in named:
            alike = sum(1 for known, _ in named if known == name)
            named[name, text] = f"{name}-{alike + 1}" if alike else name
            shared[named[name, text]] = headers[name]
        headers[name] = {"$ref": f"#/components/headers/{named[name, text]}"}
    if shared:
        document.setdefault("components", {})["headers"] = dict(sorted(shared.items()))


def _headers(document: Schema) -> Iterator[tuple[Schema, str]]:
    for item in document["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                for response in operation.get("responses", {}).values():
                    headers = response.get("headers", {})
                    yield from ((headers, name) for name in headers if "$ref" not in headers[name])


def _text(header: Schema) -> str:
    return json.dumps(header, sort_keys=True)
