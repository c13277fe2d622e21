"""Which schemas become components, and what they are called.

Names must not depend on chance: equal schemas of one name share one component, and
different ones are told apart by their module, by what they are for, then by number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from marshmallow import Schema as Marshmallow

from carboy.api.openapi.kinds import Schema

if TYPE_CHECKING:
    from carboy.api.openapi.schemas import Scope

_PENDING = "carboy-pending:"
_NAMELESS = "Generated"


@dataclass
class Entry:
    """One schema in one direction, before it has its final name."""

    number: int
    base: str
    module: str
    direction: str
    is_partial: bool
    schema: Schema = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """What ``$ref`` says until the names are given."""
        return f"{_PENDING}{self.number}"


class Registry:
    """Every schema of a document, in the order of first use."""

    def __init__(self) -> None:
        self._entries: dict[tuple[Any, ...], Entry] = {}

    def entry(self, schema: Marshmallow, scope: Scope) -> tuple[Entry, bool]:
        """Find the entry of *schema*; the second value tells that it was not there yet."""
        key = (
            type(schema),
            scope.direction,
            scope.partial,
            schema.unknown,
            *(_frozen(getattr(schema, name)) for name in ("only", "exclude")),
            *(_frozen(getattr(schema, name)) for name in ("load_only", "dump_only")),
        )
        found = self._entries.get(key)
        if found is not None:
            return found, False
        name = component_name(type(schema))
        made = Entry(
            number=len(self._entries),
            base=scope.base if name == _NAMELESS and scope.base else name,
            module=type(schema).__module__,
            direction=scope.direction,
            is_partial=scope.partial is not False,
        )
        self._entries[key] = made
        return made, True

    def named(self) -> tuple[dict[str, Schema], dict[str, str]]:
        """Give every component its name.

        :return: name → schema, and what every pending reference becomes.
        """
        groups = _same(list(self._entries.values()))
        names = _names(groups)
        references = {
            entry.reference: f"#/components/schemas/{name}"
            for group, name in zip(groups, names, strict=True)
            for entry in group
        }
        schemas = {name: group[0].schema for group, name in zip(groups, names, strict=True)}
        return schemas, references


def resolve(node: Any, references: dict[str, str]) -> Any:
    """Copy *node* with every pending reference replaced."""
    if isinstance(node, dict):
        return {
            key: references.get(value, value)
            if key == "$ref" and isinstance(value, str)
            else resolve(value, references)
            for key, value in node.items()
        }
    if isinstance(node, list | tuple):
        return [resolve(one, references) for one in node]
    return node


def component_name(kind: type[Marshmallow]) -> str:
    """Name a schema's component after its class: ``UserSchema`` is ``User``."""
    name = kind.__name__
    return re.sub(r"[^A-Za-z0-9._-]", "", name.removesuffix("Schema") or name)


def camel(name: str) -> str:
    """Write ``line_items`` as ``LineItems``."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name))


def _frozen(value: Any) -> Any:
    return frozenset(value) if isinstance(value, Iterable) else value


def _same(entries: list[Entry]) -> list[list[Entry]]:
    """Group entries that say the same, references followed (partition refinement)."""
    group_of = dict.fromkeys((entry.reference for entry in entries), "")
    for entry in entries:
        group_of[entry.reference] = entry.base
    count = 0
    while True:
        groups: dict[str, list[Entry]] = {}
        for entry in entries:
            text = json.dumps(resolve(entry.schema, group_of), sort_keys=True, default=str)
            groups.setdefault(f"{group_of[entry.reference]}\n{entry.base}\n{text}", []).append(
                entry
            )
        group_of = {
            entry.reference: str(number)
            for number, group in enumerate(groups.values())
            for entry in group
        }
        if len(groups) == count:
            return list(groups.values())
        count = len(groups)


def _names(groups: list[list[Entry]]) -> list[str]:
    modules: dict[str, set[str]] = {}
    for group in groups:
        modules.setdefault(group[0].base, set()).add(group[0].module)
    # A response's component keeps the plain name; a whole one comes before a partial one.
    order = sorted(range(len(groups)), key=lambda index: _rank(groups[index]))
    taken: dict[str, int] = {}
    for index in order:
        first = groups[index][0]
        stem = f"{_told_apart(first.module, modules[first.base])}{first.base}"
        taken[next(name for name in _candidates(stem, groups[index]) if name not in taken)] = index
    named = {index: name for name, index in taken.items()}
    return [named[index] for index in range(len(groups))]


def _rank(group: list[Entry]) -> tuple[bool, bool]:
    return group[0].is_partial, all(entry.direction == "request" for entry in group)


def _candidates(stem: str, group: list[Entry]) -> Iterable[str]:
    yield stem
    if group[0].is_partial:
        yield f"{stem}Partial"
    elif group[0].direction == "request":
        yield f"{stem}Request"
    number = 2
    while True:
        yield f"{stem}{number}"
        number += 1


def _told_apart(module: str, modules: set[str]) -> str:
    """Find the first part of the module's name that its rivals do not share."""
    if len(modules) == 1:
        return ""
    parts = module.split(".")
    for place, part in enumerate(parts):
        if any(other.split(".")[place : place + 1] != [part] for other in modules):
            return camel(part)
    return ""
