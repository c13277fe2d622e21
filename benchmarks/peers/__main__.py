"""``make bench``: see ``docs/performance.md``.

Exit statuses: 0 when everything was measured, 1 when a service failed or answered otherwise
than the rest, 2 when something is missing.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

from peers import load
from peers.check import Different
from peers.database import Unreachable, server
from peers.machine import about
from peers.measuring import Plan, measure, serving
from peers.report import publish, summary
from peers.results import MAIN, ONE_SERVER, Results
from peers.roster import PEERS
from peers.running import ServiceError
from peers.scenarios import SCENARIOS

_ROOT = Path(__file__).parents[2]
_KEPT = _ROOT / "build" / "bench" / "results.json"
_ONE_SERVER_SCENARIOS = ("json", "read")


def main() -> int:
    """Measure what was asked for."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # stops the services on the way out
    given = _arguments()
    if problem := "" if given.check or given.render else load.missing():
        print(problem, file=sys.stderr)
        return 2
    if given.render:
        return _finish(Results.read(_KEPT), whole=True)
    try:
        return _run(given)
    except (Different, ServiceError) as error:
        print(f"Failed: {error}", file=sys.stderr)
        return 1


def _run(given: argparse.Namespace) -> int:
    results = Results()
    if not given.check:
        results.about = about(given.peers, given.rounds, given.seconds)
    _KEPT.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="carboy-bench-") as folder:
        for plan in _plans(given, Path(folder)):
            print(f"{plan.part}, {plan.url.partition(':')[0]}", flush=True)
            if given.check:
                with serving(plan):
                    continue
            measure(plan, results, lambda: results.write(_KEPT))
    if given.check:
        return 0
    whole = (given.peers, given.scenarios) == (list(PEERS), list(SCENARIOS))
    whole = whole and given.databases == ["sqlite", "postgresql"]
    return _finish(results, whole=whole and given.parts == [MAIN, ONE_SERVER] and not given.server)


def _plans(given: argparse.Namespace, folder: Path) -> list[Plan]:
    plans = []
    peers = [PEERS[name] for name in given.peers]
    if given.server:
        peers = [peer.on(given.server) if peer.interface == "wsgi" else peer for peer in peers]
    names = list(given.scenarios)
    urls = []
    if "sqlite" in given.databases:
        urls.append("sqlite://")
    if "postgresql" in given.databases:
        try:
            urls.append(server(os.environ.get("DATABASE_URL", "")))
        except Unreachable as error:
            print(f"Skipped: everything on PostgreSQL, which cannot be reached. {error}")
            given.databases.remove("postgresql")
    for number, url in enumerate(urls if MAIN in given.parts else ()):
        asked = [name for name in names if SCENARIOS[name].database or not number]
        plans.append(Plan(MAIN, url, peers, asked, given.rounds, given.seconds, folder))
    moved = [peer.on("granian") for peer in peers if peer.server == "gunicorn"]
    asked = [name for name in _ONE_SERVER_SCENARIOS if name in names]
    alone = given.check or given.server
    if ONE_SERVER in given.parts and not alone and moved and asked and urls:
        there = [
            peer for peer in peers if "granian" in (peer.server, dict(peer.settings).get("SERVER"))
        ]
        peers = there + moved
        plans.append(Plan(ONE_SERVER, urls[-1], peers, asked, given.rounds, given.seconds, folder))
    return plans


def _finish(results: Results, *, whole: bool) -> int:
    print(summary(results))
    if whole:
        publish(results, _ROOT / "docs")
        print("Written: docs/performance.md and its charts.")
    else:
        print("docs/performance.md is left as it is, since only a part was measured.")
    return 1 if any(True for _ in results.void()) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--peers", type=_names(PEERS), default=list(PEERS))
    parser.add_argument("--scenarios", type=_names(SCENARIOS), default=list(SCENARIOS))
    databases = ("sqlite", "postgresql")
    parser.add_argument("--databases", type=_names(databases), default=list(databases))
    parts = (MAIN, ONE_SERVER)
    parser.add_argument("--parts", type=_names(parts), default=list(parts))
    parser.add_argument("--server", choices=("granian", "gunicorn"), help="for all WSGI peers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=1, help="of each scenario in each round")
    parser.add_argument("--full", action="store_true", help="7 rounds of 3 seconds: two hours")
    parser.add_argument("--check", action="store_true", help="compare answers, put no load")
    parser.add_argument(
        "--render", action="store_true", help="write the last run's figures anew, measure nothing"
    )
    given = parser.parse_args()
    if given.full:
        given.rounds, given.seconds = 7, 3
    return given


def _names(known: object) -> object:
    def read(text: str) -> list[str]:
        names = text.split(",")
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(
                f"there is no {', '.join(unknown)}; there are {', '.join(known)}"
            )
        return [name for name in known if name in names]

    return read


if __name__ == "__main__":
    sys.exit(main())
