"""Comparing who may call an operation."""

from __future__ import annotations

from typing import Any

from carboy.api.contract.change import Report

Node = dict[str, Any]
_WORDS = ("description", "summary", "bearerFormat")


class Security:
    """Compares security requirements of two documents (OpenAPI 3.1, section 4.8.30)."""

    def __init__(self, old: Node, new: Node, report: Report) -> None:
        self._old = old
        self._new = new
        self._report = report

    def compare(self, old: Node, new: Node) -> None:
        """Compare two operations: whoever could call the old one can call the new one."""
        before = _alternatives(self._old, old)
        after = _alternatives(self._new, new)
        for one in before:
            if not any(_covers(one, other) for other in after):
                asked = " or ".join(map(_shown, after))
                self._report.breaking(
                    "security-required", f"{_shown(one)} is not enough any more: {asked}"
                )
        for one in after:
            if not any(_covers(one, other) for other in before):
                self._report.note("security-added", f"{_shown(one)} is enough")
        for name in sorted(
            {name for one in before for name in one} & {n for o in after for n in o}
        ):
            if _scheme(self._old, name) != _scheme(self._new, name):
                self._report.breaking(
                    "security-scheme-changed", f"{name} is sent in another way than before"
                )


def _alternatives(document: Node, operation: Node) -> list[dict[str, list[str]]]:
    """List what will do; nothing at all is an alternative too."""
    listed = operation.get("security", document.get("security", []))
    return listed or [{}]


def _covers(given: dict[str, list[str]], asked: dict[str, list[str]]) -> bool:
    """Say whether a caller with everything in *given* has what is *asked*."""
    return all(name in given and set(scopes) <= set(given[name]) for name, scopes in asked.items())


def _scheme(document: Node, name: str) -> Node:
    described = document.get("components", {}).get("securitySchemes", {}).get(name, {})
    return {key: value for key, value in described.items() if key not in _WORDS}


def _shown(requirement: dict[str, list[str]]) -> str:
    if not requirement:
        return "no sign-in"
    return " and ".join(
        f"{name} ({', '.join(scopes)})" if scopes else name for name, scopes in requirement.items()
    )
