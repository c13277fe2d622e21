"""What was measured, kept as JSON and asked for medians."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from peers.load import Cell

MAIN = "recommended"
ONE_SERVER = "granian"
NO_DATABASE = ""


@dataclass(frozen=True)
class Place:
    """Where a cell belongs.

    :param part: :data:`MAIN` or :data:`ONE_SERVER`.
    :param database: ``sqlite``, ``postgresql``, or :data:`NO_DATABASE`.
    """

    part: str
    database: str
    scenario: str
    peer: str


@dataclass
class Results:
    """The cells of a run, and what it ran on.

    :param about: what is stated: machine, versions, how long, how often.
    """

    about: dict[str, str] = field(default_factory=dict)
    cells: dict[Place, dict[int, Cell]] = field(default_factory=dict)

    def add(self, place: Place, number: int, cell: Cell) -> None:
        """Keep the cell of a round."""
        self.cells.setdefault(place, {})[number] = cell

    def failed(self, place: Place) -> int:
        """Count what failed; a single failure makes the figures of a place void."""
        return sum(cell.failed for cell in self.cells.get(place, {}).values())

    def middle(self, place: Place, name: str) -> float | None:
        """Give the median over the rounds of one figure; ``None``: not measured, or void."""
        if place not in self.cells or self.failed(place):
            return None
        return median(getattr(cell, name) for cell in self.cells[place].values())

    def spread(self, place: Place) -> float:
        """Give half of what lies between the lowest and the highest rate, against the median."""
        rates = [cell.per_s for cell in self.cells[place].values()]
        return (max(rates) - min(rates)) / 2 / median(rates)

    def ratio(self, place: Place, others: Iterable[str], name: str = "per_s") -> Ratio | None:
        """Hold a place against the best of other peers, round by round.

        :param name: ``per_s``, where more is better, or ``cpu_us``, where less is.
        :return: the median of the rounds' ratios, above 1 where *place* is the better one.
        """
        if self.middle(place, name) is None:
            return None
        rivals = [Place(place.part, place.database, place.scenario, peer) for peer in others]
        rivals = [rival for rival in rivals if self.middle(rival, name) is not None]
        if not rivals:
            return None
        ratios = []
        for number, cell in self.cells[place].items():
            own = getattr(cell, name)
            theirs = [getattr(self.cells[rival][number], name) for rival in rivals]
            ratios.append(own / max(theirs) if name == "per_s" else min(theirs) / own)
        pick = max if name == "per_s" else min
        best = pick(rivals, key=lambda rival: self.middle(rival, name) or 0)
        return Ratio(median(ratios), min(ratios), max(ratios), best.peer)

    def write(self, path: Path) -> None:
        """Keep everything in a file."""
        rows = [
            {**asdict(place), "round": number, **asdict(cell)}
            for place, rounds in self.cells.items()
            for number, cell in rounds.items()
        ]
        path.write_text(json.dumps({"about": self.about, "cells": rows}, indent=1))

    @classmethod
    def read(cls, path: Path) -> Results:
        """Read a file that :meth:`write` wrote."""
        kept: dict[str, Any] = json.loads(path.read_text())
        results = cls(kept["about"])
        for row in kept["cells"]:
            place = Place(*(row.pop(name) for name in ("part", "database", "scenario", "peer")))
            results.add(place, row.pop("round"), Cell(**row))
        return results

    def void(self) -> Iterator[tuple[Place, int]]:
        """List places in which something failed."""
        for place in self.cells:
            if failed := self.failed(place):
                yield place, failed


@dataclass(frozen=True)
class Ratio:
    """How many times better one is than the best of others.

    :param best: who that is, by the medians.
    """

    value: float
    lowest: float
    highest: float
    best: str
