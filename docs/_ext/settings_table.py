"""The directive ``settings-table``: every setting of Carboy, read from the code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from carboy.settings import Development, Production, Setting, Settings, Testing
from carboy.settings.declaration import REQUIRED

_HEADINGS = ("Name", "Type", "Default", "Meaning")
_WIDTHS = (24, 12, 20, 44)
_WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "on or off",
    Path: "path",
}


class SettingsTable(SphinxDirective):
    """One section with a table for each group of settings, in the order of their declaration."""

    def run(self) -> list[nodes.Node]:
        declared = Settings.declarations()
        groups = groupby(declared.items(), key=lambda item: item[1][1].group)
        return [self._section(group, items) for group, items in groups]

    def _section(self, group: str, items: Iterable[tuple[str, tuple[Any, Setting]]]) -> nodes.Node:
        section = nodes.section(ids=[f"settings-{nodes.make_id(group)}"], names=[group.lower()])
        section += nodes.title(text=group)
        body = nodes.tbody()
        for name, (annotation, setting) in items:
            row = nodes.row(ids=[nodes.make_id(name)])
            row += nodes.entry("", nodes.paragraph("", "", nodes.literal(text=name)))
            row += nodes.entry("", nodes.paragraph(text=describe(annotation)))
            row += nodes.entry("", *_defaults(name, setting))
            row += nodes.entry("", nodes.paragraph("", "", *self._meaning(setting)))
            body += row
        table = nodes.table(classes=["settings"])
        group_node = nodes.tgroup(cols=len(_WIDTHS))
        group_node += [nodes.colspec(colwidth=width) for width in _WIDTHS]
        head = nodes.row()
        head += [nodes.entry("", nodes.paragraph(text=heading)) for heading in _HEADINGS]
        group_node += [nodes.thead("", head), body]
        table += group_node
        section += table
        return section

    def _meaning(self, setting: Setting) -> list[nodes.Node]:
        parsed, _ = self.parse_inline(setting.doc, lineno=self.lineno)
        extra = list(_limits(setting))
        if setting.env:
            extra.append(f"Read from {', then '.join(setting.env)}.")
        if setting.secret:
            extra.append("Secret.")
        return [*parsed, nodes.Text("".join(f" {sentence}" for sentence in extra))]


def describe(annotation: Any) -> str:
    """Say a setting's type in words."""
    kind = annotation
    if get_origin(annotation) in (Union, UnionType):
        kind = next(item for item in get_args(annotation) if item is not NoneType)
    if get_origin(kind) is tuple:
        return f"list of {describe(get_args(kind)[0])}"
    if get_origin(kind) is Literal:
        return " or ".join(str(choice) for choice in get_args(kind))
    return _WORDS.get(kind, getattr(kind, "__name__", str(kind)))


def _limits(setting: Setting) -> Iterator[str]:
    if setting.min is not None and setting.max is not None:
        yield f"{setting.min} to {setting.max}."
    elif setting.min is not None:
        yield f"At least {setting.min}."


def _defaults(name: str, setting: Setting) -> Iterator[nodes.Node]:
    yield nodes.paragraph("", "", *_shown(setting.default))
    for profile in (Development, Testing, Production):
        if name in vars(profile):
            yield nodes.paragraph("", f"{profile.profile}: ", *_shown(vars(profile)[name]))


def _shown(value: Any) -> list[nodes.Node]:
    if value is REQUIRED:
        return [nodes.Text("must be set")]
    if value is None or value in ("", ()):
        return [nodes.Text("—")]
    if isinstance(value, bool):
        return [nodes.Text("on" if value else "off")]
    if isinstance(value, tuple):
        return [nodes.literal(text=",".join(str(item) for item in value))]
    return [nodes.literal(text=str(value))]


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("settings-table", SettingsTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
