"""What was promised, held against what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from peers.results import MAIN, NO_DATABASE, Place, Ratio, Results
from peers.roster import OWN, PEERS
from peers.scenarios import SCENARIOS

ENGINES = {NO_DATABASE: "no database", "sqlite": "SQLite", "postgresql": "PostgreSQL"}
FRAMEWORKS = [peer.name for peer in PEERS.values() if peer.framework and not peer.own]
FLOOR = [peer.name for peer in PEERS.values() if not peer.framework]
# Two servers that are equally quick differ by this much from run to run.
LEVEL = 0.95


@dataclass(frozen=True)
class Bar:
    """A ratio of requests a second that must be reached.

    :param rivals: one peer, or all: then the best of them in each round.
    """

    database: str
    scenario: str
    rivals: Sequence[str]
    least: float


BARS = (
    Bar(NO_DATABASE, "json", ["litestar"], 2.2),
    Bar(NO_DATABASE, "json", ["fastapi"], 3.5),
    Bar(NO_DATABASE, "json", ["flask"], 8),
    Bar(NO_DATABASE, "json", ["falcon"], LEVEL),
    Bar("postgresql", "read", FRAMEWORKS, 2.5),
    Bar("postgresql", "list", FRAMEWORKS, 2.5),
    Bar("postgresql", "insert", FRAMEWORKS, 1.8),
)


@dataclass(frozen=True)
class Verdict:
    """A bar and the ratio that was seen, ``None`` where it could not be measured."""

    bar: Bar
    rate: Ratio | None
    cpu: Ratio | None

    @property
    def passed(self) -> bool:
        """Whether the bar was reached."""
        return self.rate is not None and self.rate.value >= self.bar.least

    def __str__(self) -> str:
        bar = self.bar
        what = f"{SCENARIOS[bar.scenario].title}, {ENGINES[bar.database]}"
        if self.rate is None:
            return f"not measured: {what}; bar ≥ {bar.least:g}×"
        rival = PEERS[bar.rivals[0] if len(bar.rivals) == 1 else self.rate.best].title
        best = "" if len(bar.rivals) == 1 else "the best peer, "
        cpu = f"; {self.cpu.value:.2f}× by CPU" if self.cpu else ""
        return (
            f"{'passed' if self.passed else 'MISSED'}: {what}: "
            f"{self.rate.value:.2f}× {best}{rival} "
            f"({self.rate.lowest:.2f}–{self.rate.highest:.2f}{cpu}); bar ≥ {bar.least:g}×"
        )


def verdicts(results: Results) -> list[Verdict]:
    """Judge every bar."""
    return [
        Verdict(bar, against(results, bar.database, bar.scenario, bar.rivals), by_cpu)
        for bar in BARS
        for by_cpu in [against(results, bar.database, bar.scenario, bar.rivals, "cpu_us")]
    ]


def against(
    results: Results, database: str, scenario: str, rivals: Sequence[str], name: str = "per_s"
) -> Ratio | None:
    """Hold Carboy against the best of some peers."""
    return results.ratio(Place(MAIN, database, scenario, OWN), rivals, name)


def compared(results: Results) -> Iterator[tuple[str, str, Ratio]]:
    """Give each scenario with Carboy's ratio to the best framework."""
    for database in ENGINES:
        for scenario in SCENARIOS:
            if ratio := against(results, database, scenario, FRAMEWORKS):
                yield database, scenario, ratio


def losses(results: Results) -> list[str]:
    """Say where Carboy answers fewer requests than somebody else, the floor included."""
    lost = []
    for database, engine in ENGINES.items():
        for scenario in SCENARIOS.values():
            ratios = [
                (ratio.value, PEERS[rival].title)
                for rival in (*FRAMEWORKS, *FLOOR)
                if (ratio := against(results, database, scenario.name, [rival])) and ratio.value < 1
            ]
            if ratios:
                told = ", ".join(f"{value:.2f}× {title}" for value, title in sorted(ratios))
                lost.append(f"{scenario.title}, {engine}: {told}")
    return lost
