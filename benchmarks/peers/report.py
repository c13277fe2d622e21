"""The figures as text: on the terminal, and between the marks of ``docs/performance.md``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from peers import chart
from peers.bars import ENGINES, compared, losses, verdicts
from peers.measuring import BY_CURSOR
from peers.results import MAIN, ONE_SERVER, Place, Results
from peers.roster import OWN, PEERS
from peers.scenarios import SCENARIOS

_MARKS = re.compile(r"(<!-- figures: make bench -->\n).*?(<!-- end of figures -->)", re.DOTALL)
_TITLES = {**{name: one.title for name, one in SCENARIOS.items()}, BY_CURSOR: "… by cursor"}
Shown = Callable[[Results, Place], str]


def rate(results: Results, place: Place) -> str:
    """Show requests a second with their spread."""
    value = results.middle(place, "per_s")
    if value is None:
        return _nothing(results, place)
    return f"{value:,.0f} ±{results.spread(place):.0%}"


def cpu(results: Results, place: Place) -> str:
    """Show the processor's time."""
    value = results.middle(place, "cpu_us")
    return _nothing(results, place) if value is None else f"{value:,.0f}"


def latency(results: Results, place: Place) -> str:
    """Show what half and what all but a hundredth of the requests took at most."""
    half, most = results.middle(place, "p50_ms"), results.middle(place, "p99_ms")
    if half is None or most is None:
        return _nothing(results, place)
    return f"{half:,.1f} / {most:,.1f}"


def _nothing(results: Results, place: Place) -> str:
    failed = results.failed(place)
    return f"void: {failed} failed" if failed else "–"


def table(results: Results, part: str, database: str, show: Shown) -> list[str]:
    """Make a table: a row per peer, a column per scenario."""
    places = [one for one in results.cells if (one.part, one.database) == (part, database)]
    present = {place.scenario for place in places}
    columns = [name for name in _TITLES if name in present]
    peers = [name for name in PEERS if any(place.peer == name for place in places)]
    lines = [
        "| | " + " | ".join(_TITLES[name] for name in columns) + " |",
        "|---|" + "---:|" * len(columns),
    ]
    for peer in peers:
        shown = [show(results, Place(part, database, name, peer)) for name in columns]
        lines.append(f"| {PEERS[peer].title} | " + " | ".join(shown) + " |")
    return lines


def summary(results: Results) -> str:
    """Make what is printed at the end of a run."""
    lines = []
    for part, database in _parts(results):
        lines += ["", f"{part}, {ENGINES[database]}: requests a second"]
        lines += table(results, part, database, rate)
        lines += ["", "CPU microseconds a request", *table(results, part, database, cpu)]
    lines += ["", *_closing(results)]
    return "\n".join(lines)


def _closing(results: Results) -> Iterator[str]:
    measured = {place.scenario for place in results.cells}
    yield from (str(verdict) for verdict in verdicts(results) if verdict.bar.scenario in measured)
    rows = list(compared(results))
    below = [one for one in rows if one[2].value < 1]
    if rows:
        lowest = min(rows, key=lambda one: one[2].value)
        yield (
            f"{'MISSED' if below else 'passed'}: no scenario below 1× the best peer: the lowest is "
            f"{lowest[2].value:.2f}× ({SCENARIOS[lowest[1]].title}, {ENGINES[lowest[0]]}, "
            f"{PEERS[lowest[2].best].title})"
        )
    lost = losses(results)
    yield f"Where Carboy loses: {'; '.join(lost) if lost else 'nowhere'}."
    for place, failed in results.void():
        yield f"Void: {place.peer}, {place.scenario}, {ENGINES[place.database]}: {failed} failed."


def _parts(results: Results) -> list[tuple[str, str]]:
    found = dict.fromkeys((place.part, place.database) for place in results.cells)
    return sorted(
        found, key=lambda one: ((MAIN, ONE_SERVER).index(one[0]), list(ENGINES).index(one[1]))
    )


def publish(results: Results, docs: Path) -> None:
    """Write figures and charts into the documentation."""
    page = docs / "performance.md"
    text = page.read_text()
    if not _MARKS.search(text):
        raise ValueError(f"{page} has no marks between which figures go.")
    figures = "\n".join(_figures(results, docs))
    page.write_text(_MARKS.sub(lambda marks: f"{marks[1]}\n{figures}\n\n{marks[2]}", text))


def _figures(results: Results, docs: Path) -> Iterator[str]:
    yield from (f"- {name}: {value}" for name, value in results.about.items())
    yield from ("", "### Bars", "")
    yield from (f"- {line}" for line in _closing(results))
    for part, database in _parts(results):
        where = f"{ENGINES[database]}, all on granian" if part == ONE_SERVER else ENGINES[database]
        yield from ("", f"### {where[0].upper()}{where[1:]}", "")
        if part == MAIN:
            name = f"performance-{database or 'plain'}.svg"
            (docs / name).write_text(_chart(results, database))
            yield from (f"![Requests a second, {where}]({name})", "")
        yield from ("Requests a second; ± is half of what lies between the rounds.", "")
        yield from table(results, part, database, rate)
        yield from ("", "CPU time of the service's processes, in microseconds a request.", "")
        yield from table(results, part, database, cpu)
        yield from ("", "Latency in milliseconds, p50 / p99.", "")
        yield from table(results, part, database, latency)


def _chart(results: Results, database: str) -> str:
    rates: dict[str, list[tuple[str, float, str]]] = {}
    for name in SCENARIOS:
        rows = list(_bars(results, database, name))
        if rows:
            rates[_TITLES[name]] = rows
    return chart.panels(f"Requests a second, {ENGINES[database]}", rates)


def _bars(results: Results, database: str, scenario: str) -> Iterator[tuple[str, float, str]]:
    for peer in PEERS.values():
        value = results.middle(Place(MAIN, database, scenario, peer.name), "per_s")
        if value is not None:
            yield (
                peer.title,
                value,
                "own" if peer.own else "peer" if peer.framework else "floor",
            )
    by_cursor = results.middle(Place(MAIN, database, BY_CURSOR, OWN), "per_s")
    if scenario == "page" and by_cursor is not None:
        yield "Carboy, by cursor", by_cursor, "own"
