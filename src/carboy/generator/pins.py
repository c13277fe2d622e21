"""What a project is pinned to: the versions and hashes that Carboy's own tests ran with.

The files beside this module are taken from the lock file of Carboy (``make pins``); a project is
pinned to them without asking the network.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PINS = Path(__file__).with_name("pins")
"""The pins of this version of Carboy."""


@dataclass(frozen=True)
class Pin:
    """One package in one version.

    :param name: as indexes normalise it (PEP 503).
    :param version: exact.
    :param marker: where it is needed (PEP 508); empty: everywhere.
    :param hashes: of every file that may be installed, ``sha256:…``.
    """

    name: str
    version: str
    marker: str = ""
    hashes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Lines of a requirements file."""
        marker = f" ; {self.marker}" if self.marker else ""
        first = f"{self.name}=={self.version}{marker}"
        return " \\\n    ".join([first, *(f"--hash={found}" for found in self.hashes)])


def pinned(features: Iterable[str], folder: Path = PINS) -> list[Pin]:
    """Everything that a project with these features installs beside Carboy.

    :param features: ``base``, extras of Carboy, ``model``, ``development``; one that the
        folder does not know adds nothing.
    :param folder: of this version, or of an older one.
    :return: pins in alphabetical order.
    """
    markers: dict[str, set[str]] = {}
    for feature in features:
        path = folder / f"{feature}.txt"
        lines = path.read_text("utf-8").splitlines() if path.is_file() else []
        for line in lines:
            package, _, marker = line.partition(";")
            markers.setdefault(package.strip(), set()).add(marker.strip())
    hashes = _hashes(folder / "hashes.txt")
    pins = []
    for package in sorted(markers):
        name, _, version = package.partition("==")
        pins.append(Pin(name, version, _either(markers[package]), hashes[package]))
    return pins


def names(folder: Path = PINS) -> frozenset[str]:
    """Name every package that a project may be pinned to, as Python would import it."""
    packages = _hashes(folder / "hashes.txt")
    return frozenset(package.partition("==")[0].replace("-", "_") for package in packages)


def _hashes(path: Path) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    package = ""
    for line in path.read_text("utf-8").splitlines():
        if line.startswith(" "):
            found[package] = (*found[package], line.strip())
        else:
            package = line.strip()
            found[package] = ()
    return found


def _either(markers: set[str]) -> str:
    """Where one of several features needs it; needed everywhere by one is everywhere."""
    if "" in markers:
        return ""
    if len(markers) == 1:
        return next(iter(markers))
    return " or ".join(f"({marker})" for marker in sorted(markers))
