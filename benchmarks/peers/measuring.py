"""Rounds: in each, every scenario visits every peer, in an order that is drawn anew."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import SystemRandom
from urllib.parse import parse_qs, urlsplit

from peers import load
from peers.check import Check, ask
from peers.database import Database, filled
from peers.results import NO_DATABASE, Place, Results
from peers.roster import OWN, Peer
from peers.running import Service, ServiceError
from peers.scenarios import ITEMS, LAST_PAGE, PAGE_SIZE, SCENARIOS, Request, item_of

BY_CURSOR = "page-by-cursor"
_CHANGING = ("insert", "updates")
_STEP = 10_000


@dataclass(frozen=True)
class Plan:
    """What a part of a run measures.

    :param part: see :class:`~peers.results.Place`.
    :param url: a database on the server to use, or ``sqlite://``.
    :param folder: where services log.
    """

    part: str
    url: str
    peers: Sequence[Peer]
    scenarios: Sequence[str]
    rounds: int
    seconds: int
    folder: Path


@contextmanager
def serving(plan: Plan) -> Iterator[tuple[Database, list[Service]]]:
    """Start the service of every peer on one database, each held to its answers.

    :raises Different: if one answers other than the rest.
    :raises ServiceError: if one does not start.
    """
    with filled(plan.url) as database, ExitStack() as running:
        services = []
        for peer in plan.peers:
            service = running.enter_context(Service(peer, database, plan.folder))
            Check(service, database).run(list(plan.scenarios))
            services.append(service)
            print(f"  {peer.title} on {peer.server}: answers as it must", flush=True)
        yield database, services


def measure(plan: Plan, results: Results, kept: Callable[[], None]) -> None:
    """Measure a part and add it to the results.

    :param kept: called after each round, to keep what there is.
    """
    with serving(plan) as (database, services):
        results.about.setdefault(f"{database.kind} version", database.version)
        cursor = _cursor(services) if "page" in plan.scenarios else None
        for number in range(plan.rounds):
            for name in plan.scenarios:
                requests = SCENARIOS[name].requests()
                kind = database.kind if SCENARIOS[name].database else NO_DATABASE
                for service in SystemRandom().sample(services, len(services)):
                    place = Place(plan.part, kind, name, service.peer.name)
                    results.add(place, number, _one(service, name, requests, plan.seconds))
                    if name == "page" and cursor and service.peer.own:
                        place = replace(place, scenario=BY_CURSOR)
                        results.add(place, number, _one(service, name, [cursor], plan.seconds))
                    if name in _CHANGING:
                        database.restore()
            kept()
            print(f"  round {number + 1} of {plan.rounds} on {database.version}", flush=True)


def _one(service: Service, name: str, requests: Sequence[Request], seconds: int) -> load.Cell:
    scenario = SCENARIOS[name]
    longer = max(seconds, scenario.seconds_least)
    cell = load.put(service, requests, longer, scenario.connections)
    service.settle()
    if not service.alive():
        raise ServiceError(f"{service.peer.title} ended under load.\n{service.complaint()}")
    return cell


def _cursor(services: Sequence[Service]) -> Request | None:
    """Walk Carboy's list to where the last page begins."""
    service = next((one for one in services if one.peer.name == OWN), None)
    if service is None:
        return None
    left, cursor = (LAST_PAGE - 1) * PAGE_SIZE, ""
    while left:
        step = min(left, _STEP)
        _, _, body = ask(service, Request("GET", f"/items-by-cursor?limit={step}{cursor}"))
        onward = json.loads(body)["links"]["next"]
        cursor = f"&cursor={parse_qs(urlsplit(onward).query)['cursor'][0]}"
        left -= step
    request = Request("GET", f"/items-by-cursor?{cursor[1:]}")
    status, _, body = ask(service, request)
    expected = [item_of(key) for key in range(ITEMS - PAGE_SIZE + 1, ITEMS + 1)]
    if status != http.client.OK or json.loads(body)["items"] != expected:
        raise ServiceError("The page by cursor is not the page by number.")
    return request
