"""The requirements files of a project: complete, with versions and hashes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from packaging.version import Version

from carboy.generator.answers import Answers
from carboy.generator.distribution import Carboy
from carboy.generator.pins import PINS, Pin, pinned

RUNTIME = "requirements.txt"
DEVELOPMENT = "requirements-development.txt"


def features_of(answers: Answers, *, development: bool) -> list[str]:
    """Name the pins that a project needs; see :func:`carboy.generator.pins.pinned`."""
    features = ["base", *answers.extras]
    if answers.starter == "model":
        features.append("model")
    return [*features, "development"] if development else features


def requirements(answers: Answers, carboy: Carboy, folder: Path = PINS) -> dict[str, str]:
    """Write the requirements files: text by file name.

    :param carboy: what the project is pinned to.
    :param folder: the pins of this version of Carboy, or of an older one.
    """
    texts = {}
    # Its extras are in pyproject.toml; what they stand for is listed.
    itself = Pin("carboy", carboy.version, "", carboy.hashes)
    for name in (RUNTIME, DEVELOPMENT):
        features = features_of(answers, development=name == DEVELOPMENT)
        texts[name] = _text([itself, *pinned(features, folder)], carboy)
    return texts


def merged(own: str, old: str, new: str) -> str:
    """Bring the newer pins into a file that was changed since it was generated.

    Packages of the project's own stay, and so does a version that was raised beyond the newer one.

    :param own: the file as it is.
    :param old: as it was generated.
    :param new: as it would be generated now.
    """
    if own in {old, new}:
        return new
    theirs, before, after = _blocks(own), _blocks(old), _blocks(new)
    added = theirs.keys() - before.keys()
    for name, block in theirs.items():
        if name not in after:
            # What a package of their own stands on may be something that Carboy needed before.
            keep = bool(added)
        else:
            keep = block != before.get(name) and _version(block) > _version(after[name])
        if keep and name != "carboy":
            after[name] = block
    options = [line for line in new.splitlines() if line.startswith("-")]
    options += [line for line in own.splitlines() if line.startswith("-") and line not in options]
    blocks = ["\n".join(after[name]) for name in sorted(after)]
    return "\n".join([*options, *([""] if options else []), *blocks]) + "\n"


def repinned(own: str, before: str, carboy: Carboy) -> str:
    """Bring the newer Carboy into a requirements file that somebody else keeps.

    :param own: the file as it is; what does not pin Carboy to *before* stays.
    :param before: version that the project was pinned to.
    """
    block = rf"(?m)^(carboy(?:\[[^\]]*\])?)=={re.escape(before)}((?:.*\\\n)*.*)$"
    hashes = "".join(f" \\\n    --hash={found}" for found in carboy.hashes)

    def pinned_anew(found: re.Match[str]) -> str:
        return f"{found[1]}=={carboy.version}" + (hashes if "--hash" in found[2] else "")

    return re.sub(block, pinned_anew, own)


def _text(pins: Iterable[Pin], carboy: Carboy) -> str:
    """Write it as uv does, so that `make lock` changes nothing that need not change."""
    wheels = "--find-links wheels\n\n" if carboy.wheel else ""
    in_order = sorted(pins, key=lambda pin: (pin.name, Version(pin.version)))
    return wheels + "".join(f"{pin}\n" for pin in in_order)


def _blocks(text: str) -> dict[str, list[str]]:
    """Split a requirements file: blocks of lines by package; one may have several versions."""
    found: dict[str, list[str]] = {}
    block: list[str] | None = None
    for line in text.splitlines():
        if line.startswith((" ", "\t")) and block is not None:
            block.append(line)
        elif named := re.match(r"[A-Za-z0-9][\w.-]*", line):
            block = found.setdefault(re.sub(r"[-_.]+", "-", named[0]).lower(), [])
            block.append(line)
        else:
            block = None
    return found


def _version(block: list[str]) -> Version:
    versions = re.findall(r"^\S+==([\w.!+-]+)", "\n".join(block), re.MULTILINE)
    return max((Version(found) for found in versions), default=Version("0"))
