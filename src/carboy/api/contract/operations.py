"""Comparing one operation: parameters, body, answers and who may call it."""

from __future__ import annotations

import re
from typing import Any

from carboy.api.contract.change import Report
from carboy.api.contract.references import References
from carboy.api.contract.schemas import Schemas
from carboy.api.contract.security import Security

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
Node = dict[str, Any]
Place = tuple[str, Node]
# OpenAPI 3.1, section 4.8.12.2: what is meant where nothing is said
_VARIABLE = re.compile(r"\{([^}]*)\}")
_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}


class Operations:
    """Compares operations of two documents."""

    def __init__(self, old: References, new: References, report: Report) -> None:
        self.report = report
        self._old = old
        self._new = new
        self._schemas = Schemas(old, new, report)
        self._security = Security(old.document, new.document, report)

    def compare(self, old_path: Place, new_path: Place, method: str) -> None:
        """Compare what *method* does at two places, each a path and its path item."""
        old, new = old_path[1][method], new_path[1][method]
        if new.get("deprecated") and not old.get("deprecated"):
            self.report.note("deprecated", "is deprecated")
        if old.get("operationId") != new.get("operationId"):
            self.report.note(
                "operation-id-changed",
                f"the operationId {old.get('operationId')} is {new.get('operationId')}: "
                "generated clients name their functions after it",
            )
        with self.report.at(part="security"):
            self._security.compare(old, new)
        self._parameters(
            _parameters(self._old, old_path, method), _parameters(self._new, new_path, method)
        )
        with self.report.at(part="request body"):
            self._body(
                self._old.follow(old.get("requestBody")), self._new.follow(new.get("requestBody"))
            )
        self._responses(old.get("responses", {}), new.get("responses", {}))

    def _parameters(
        self, old: dict[tuple[str, str], Node], new: dict[tuple[str, str], Node]
    ) -> None:
        for key, before in old.items():
            with self.report.at(part=" ".join(key)):
                if key in new:
                    self._parameter(before, new[key])
                else:
                    self.report.breaking("parameter-removed", "is not read any more")
        for key, after in new.items():
            with self.report.at(part=" ".join(key)):
                if key not in old and after.get("required"):
                    self.report.breaking("parameter-required", "is new and required")
                elif key not in old:
                    self.report.note("parameter-added", "is new")

    def _parameter(self, old: Node, new: Node) -> None:
        if new.get("required") and not old.get("required"):
            self.report.breaking("parameter-required", "is required")
        elif old.get("required") and not new.get("required"):
            self.report.note("parameter-optional", "is not required any more")
        if _written(old) != _written(new):
            self.report.breaking("parameter-style", "is written in another way")
        self._value(old, new, "request")

    def _value(self, old: Node, new: Node, direction: str) -> None:
        """Compare what a parameter or a header holds: a schema, or content of some type."""
        if "content" in old or "content" in new:
            self._content(old.get("content", {}), new.get("content", {}), direction)
        else:
            self._schemas.compare(old.get("schema", True), new.get("schema", True), direction)

    def _body(self, old: Node | None, new: Node | None) -> None:
        if old is None or new is None:
            if new is not None and new.get("required"):
                self.report.breaking("body-required", "is required")
            elif new is not None:
                self.report.note("body-added", "may be sent")
            elif old is not None:
                self.report.breaking("body-removed", "is not read any more")
            return
        if new.get("required") and not old.get("required"):
            self.report.breaking("body-required", "is required")
        elif old.get("required") and not new.get("required"):
            self.report.note("body-optional", "is not required any more")
        self._content(old["content"], new["content"], "request")

    def _content(self, old: Node, new: Node, direction: str) -> None:
        for media_type, before in old.items():
            if media_type not in new:
                self.report.breaking("content-type-removed", f"{media_type} is gone")
                continue
            self._schemas.compare(
                before.get("schema", True), new[media_type].get("schema", True), direction
            )
        for media_type in new:
            if media_type not in old:
                self.report.note("content-type-added", f"{media_type} is new")

    def _responses(self, old: Node, new: Node) -> None:
        for status, before in old.items():
            with self.report.at(part=f"response {status}"):
                if status not in new:
                    self.report.breaking("status-removed", "is not answered any more")
                    continue
                self._response(self._old.follow(before), self._new.follow(new[status]))
        for status in new:
            if status not in old:
                with self.report.at(part=f"response {status}"):
                    self.report.note("status-added", "is new")

    def _response(self, old: Node, new: Node) -> None:
        self._content(old.get("content", {}), new.get("content", {}), "response")
        after = {name.lower(): header for name, header in new.get("headers", {}).items()}
        before = {name.lower(): name for name in old.get("headers", {})}
        for name in old.get("headers", {}):
            self._header(name, self._old.follow(old["headers"][name]), after.get(name.lower()))
        for name in new.get("headers", {}):
            if name.lower() not in before:
                self.report.note("header-added", f"the header {name} is new")

    def _header(self, name: str, old: Node, new: Node | None) -> None:
        if new is None:
            self.report.breaking("header-removed", f"the header {name} is gone")
            return
        new = self._new.follow(new)
        if old.get("required") and not new.get("required"):
            self.report.breaking("header-optional", f"the header {name} may be missing")
        self._value(old, new, "response")


def _parameters(references: References, place: Place, method: str) -> dict[tuple[str, str], Node]:
    """Find parameters by place and name; those of the path by their order, whatever their name."""
    path, item = place
    variables = _VARIABLE.findall(path)
    listed = [*item.get("parameters", []), *item[method].get("parameters", [])]
    found: dict[tuple[str, str], Node] = {}
    for one in map(references.follow, listed):
        name = one["name"]
        if one["in"] == "header":  # RFC 9110, section 5.1
            name = name.lower()
        elif one["in"] == "path":
            name = f"variable {variables.index(name) + 1}"
        found[one["in"], name] = one
    return found


def _written(parameter: Node) -> tuple[Any, Any]:
    style = parameter.get("style", _STYLES[parameter["in"]])
    return style, parameter.get("explode", style == "form")
