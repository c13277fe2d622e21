"""Put one Copier template together from the folders that the answers call for."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).with_name("templates")
"""The templates of this version of Carboy."""


def chosen(answers: Mapping[str, Any], templates: Path = TEMPLATES) -> list[str]:
    """Name the layers for these answers, lowest first.

    :param answers: ``starter`` (``none`` for an app that was there before) and ``deploy``.
    :param templates: folder with ``layers.toml``.
    """
    declared = tomllib.loads((templates / "layers.toml").read_text("utf-8"))
    layers: list[str] = []
    if answers["starter"] != "none":
        layers += declared["project"]["always"]
        layers += declared["starter"][answers["starter"]]
    layers += declared["deployment"]["always"]
    for target in answers["deploy"]:
        # An older template knows fewer targets.
        layers += declared["deployment"].get(target, [])
    return layers


def assemble(layers: Iterable[str], into: Path, templates: Path = TEMPLATES) -> None:
    """Lay the folders over each other; a file of a later one replaces that of an earlier one.

    :param layers: folders below *templates*; what is missing holds no files.
    :param into: folder that is made or emptied into a Copier template.
    """
    inner = into / "template"
    inner.mkdir(parents=True)
    shutil.copyfile(templates / "copier.yml", into / "copier.yml")
    for layer in layers:
        for source in sorted((templates / layer).rglob("*")):
            if not source.is_file() or "__pycache__" in source.parts:
                continue
            target = inner / source.relative_to(templates / layer)
            target.parent.mkdir(parents=True, exist_ok=True)
            _other_form(target).unlink(missing_ok=True)
            shutil.copyfile(source, target)
            target.chmod(0o755 if _is_script(source) else 0o644)


def _is_script(file: Path) -> bool:
    """Tell by the first line: a wheel, from which templates may come, keeps no permissions."""
    with file.open("rb") as opened:
        return opened.read(2) == b"#!"


def _other_form(target: Path) -> Path:
    """Name the file that gives the same name when rendered: ``a`` for ``a.jinja``, and back."""
    if target.suffix == ".jinja":
        return target.with_suffix("")
    return target.with_name(f"{target.name}.jinja")
