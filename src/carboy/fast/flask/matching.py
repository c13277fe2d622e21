"""Which rule a path and a method belong to, when that is plain.

The walk is Werkzeug's own, over the same states, prepared once. It only ever says *yes*: what it
does not find, and what it finds and does not know (a redirect, an alias, a converter of the
project's own), is asked again of Werkzeug's matcher.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from werkzeug.routing import Rule

from carboy.fast.flask.rules import Route, converts_plainly, is_plain

__all__ = ["METHODS", "Routes"]

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_GROUP: Final = "__werkzeug_"
_DIGITS: Final = rf"(?P<{_GROUP}0>\d+)\Z"
_SEGMENT: Final = rf"(?P<{_GROUP}0>[^/]{{1,}})\Z"
_REMEMBERED: Final = 4096

Found = tuple["Rule", tuple[str, ...]]


class _Unsure(Exception):
    """Werkzeug's matcher would do more here than find a rule."""


class Routes:
    """The rules of a map as they were when this was made.

    :param url_map: ``None``: nothing is known, and Werkzeug is asked each time.

    :ivar domain: what Werkzeug's matcher is asked for beside the path.
    :ivar can_be_asked_twice: whether nothing of the project's own would notice.
    :ivar known: method → path → route, of paths without values that have matched.
    """

    def __init__(self, url_map: Any) -> None:
        self.known: dict[str, dict[str, Route]] = {method: {} for method in METHODS}
        self.domain = ""
        self.can_be_asked_twice = False
        self._start: _Node | None = None
        # By identity: rules are equal when their paths are.
        self._routes: Mapping[int, Route] = {}
        if url_map is None:
            return
        rules = list(url_map.iter_rules())
        self.domain = url_map.default_subdomain or ""
        self._start = _start(url_map)
        self._routes = {id(rule): Route(rule) for rule in rules if is_plain(rule, url_map)}
        self.can_be_asked_twice = self._start is not None and all(map(converts_plainly, rules))

    def find(self, path: str, method: str) -> tuple[Route, dict[str, Any]] | None:
        """Match *path*, which begins with exactly one slash.

        :return: ``None`` if Werkzeug is to be asked.
        """
        known = self.known.get(method)
        if self._start is None or known is None:
            return None
        parts = path.split("/")
        try:
            found = _walk(self._start, parts, 1, (), method)
            if found is None:
                return None
            route = self._routes.get(id(found[0]))
            if route is None:
                return None
            if route.plain:
                if len(known) < _REMEMBERED:
                    known[path] = route
                return route, {}
            return route, route.arguments(found[1])
        except (_Unsure, ValueError):
            return None


_Step = tuple[Callable[[str], Any], bool, bool, "_Node"]
# Tests of a part that has no slash in it.
_WHOLE: Final[tuple[Callable[[str], bool], ...]] = (bool, str.isdecimal)


class _Node:
    """One state of the matcher; the lists of rules are Werkzeug's, whose methods may change."""

    __slots__ = ("dynamic", "only", "rules", "slashed", "static")

    def __init__(self, state: Any) -> None:
        self.static = {part: _Node(inner) for part, inner in state.static.items()}
        self.dynamic: list[_Step] = [
            (_test(part), part.final, part.suffixed, _Node(inner)) for part, inner in state.dynamic
        ]
        self.only: tuple[Callable[[str], bool], _Node] | None = None
        if len(self.dynamic) == 1 and self.dynamic[0][0] in _WHOLE:
            self.only = self.dynamic[0][0], self.dynamic[0][3]
        self.rules: list[Any] = state.rules
        slashed = state.static.get("")
        self.slashed: list[Any] = [] if slashed is None else slashed.rules


def _start(url_map: Any) -> _Node | None:
    """Find the state where every path begins, after the domain and the first slash."""
    root = url_map._matcher._root
    domain = root.static.get(url_map.default_subdomain or "")
    if url_map.host_matching or root.dynamic or domain is None or domain.dynamic:
        return None
    first = domain.static.get("")
    return None if first is None else _Node(first)


def _test(part: Any) -> Callable[[str], Any]:
    """Prepare the test of a dynamic part: what it gives is false, true, or a match."""
    if part.content == _SEGMENT and not part.final:
        return bool  # parts have no slash in them
    if part.content == _DIGITS and not part.final:
        return str.isdecimal
    pattern = re.compile(part.content)
    names = sorted(
        (name for name in pattern.groupindex if name.startswith(_GROUP)),
        key=lambda name: int(name.removeprefix(_GROUP)),
    )

    def match(target: str) -> tuple[tuple[Any, ...], Any] | None:
        found = pattern.match(target)
        if found is None:
            return None
        groups = found.groups()
        return tuple(found[name] for name in names), groups[-1] if groups else None

    return match


def _walk(  # noqa: C901 - a call costs as much as the loop
    node: _Node, parts: list[str], at: int, values: tuple[str, ...], method: str
) -> Found | None:
    """Follow ``StateMachineMatcher.match``, straight on as long as there is one way only.

    :raises _Unsure: where it would redirect to the path with a slash at the end.
    """
    end = len(parts)
    while at < end:
        part = parts[at]
        child = node.static.get(part)
        if not part or (child is not None and node.dynamic):
            return _branch(node, parts, at, values, method)
        if child is None:
            if node.only is None:
                return _branch(node, parts, at, values, method) if node.dynamic else None
            test, child = node.only
            if not test(part):
                return None
            values = (*values, part)
        node = child
        at += 1
    for rule in node.rules:
        if (rule.methods is None or method in rule.methods) and not rule.websocket:
            return rule, values
    for rule in node.slashed:
        if (rule.methods is None or method in rule.methods) and not rule.websocket:
            if rule.strict_slashes:
                raise _Unsure
            return rule, values
    return None


def _branch(
    node: _Node, parts: list[str], at: int, values: tuple[str, ...], method: str
) -> Found | None:
    """Try every way on from *node*, in Werkzeug's order."""
    part = parts[at]
    child = node.static.get(part)
    if child is not None:
        found = _walk(child, parts, at + 1, values, method)
        if found is not None:
            return found
    for step in node.dynamic:
        found = _step(step, parts, at, values, method)
        if found is not None:
            return found
    if not part and at + 1 == len(parts):
        for rule in node.rules:
            if (
                not rule.strict_slashes
                and (rule.methods is None or method in rule.methods)
                and not rule.websocket
            ):
                return rule, values
    return None


def _step(
    step: _Step, parts: list[str], at: int, values: tuple[str, ...], method: str
) -> Found | None:
    test, final, suffixed, child = step
    target = "/".join(parts[at:]) if final else parts[at]
    found = test(target)
    if not found:
        return None
    if found is True:
        return _walk(child, parts, at + 1, (*values, target), method)
    groups, suffix = found
    rest = [] if final else parts[at + 1 :]
    if suffixed and suffix == "/":
        rest = [""]
    return _walk(child, rest, 0, values + groups, method)
