"""Reading and comparing whole documents."""

from __future__ import annotations

import json
import re
from typing import Any

from carboy.api.contract.change import Change, Report
from carboy.api.contract.operations import METHODS, Operations, Place
from carboy.api.contract.references import References
from carboy.errors import CarboyError

_VARIABLES = re.compile(r"\{[^}]*\}")

Paths = dict[str, Place]


class DocumentError(CarboyError):
    """What was given is no OpenAPI document that can be compared."""

    exit_code = 2


def parsed(text: str | bytes, name: str) -> dict[str, Any]:
    """Read an OpenAPI 3.1 document from JSON.

    :param name: what to call it in messages.
    :raises DocumentError: if it is none, with the reason.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DocumentError(
            f"{name} is not JSON ({error}). Write the document with: flask openapi -o FILE"
        ) from error
    version = document.get("openapi") if isinstance(document, dict) else None
    if not isinstance(version, str) or not version.startswith("3.1"):
        raise DocumentError(
            f"{name} is not an OpenAPI 3.1 document: its member `openapi` is {version!r}. "
            "Write one with: flask openapi -o FILE"
        )
    return dict(document)


def compare(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Name every difference that callers can notice, breaking ones first.

    :param old: the document callers rely on.
    :param new: what is to replace it.
    :raises DocumentError: if a document is not built as OpenAPI says, or refers to another
        file.
    """
    report = Report()
    try:
        _compare(old, new, report)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise DocumentError(
            f"The documents cannot be compared: {error}. Check them with openapi-spec-validator."
        ) from error
    return sorted(report.changes, key=lambda change: not change.breaking)


def _compare(old: dict[str, Any], new: dict[str, Any], report: Report) -> None:
    operations = Operations(References(old), References(new), report)
    old_paths, new_paths = _paths(old), _paths(new)
    for shape, (path, item) in old_paths.items():
        if shape not in new_paths:
            with report.at(path):
                report.breaking("path-removed", "the path is gone")
            continue
        _compare_path((path, item), new_paths[shape], operations)
    for shape, (path, _) in new_paths.items():
        if shape not in old_paths:
            with report.at(path):
                report.note("path-added", "the path is new")


def _compare_path(old: Place, new: Place, operations: Operations) -> None:
    report = operations.report
    for method in METHODS:
        with report.at(f"{method.upper()} {old[0]}"):
            if method in old[1] and method not in new[1]:
                report.breaking("method-removed", "the method is gone")
            elif method in new[1] and method not in old[1]:
                report.note("method-added", "the method is new")
            elif method in old[1]:
                operations.compare(old, new, method)


def _paths(document: dict[str, Any]) -> Paths:
    """Find every path by its fixed parts: renaming a variable changes nothing for callers."""
    return {
        _VARIABLES.sub("{}", path): (path, item) for path, item in document.get("paths", {}).items()
    }
