"""Request metrics for Prometheus, labelled by route rule and never by raw path."""

from __future__ import annotations

import hmac
import os
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from wsgiref.types import WSGIEnvironment

from carboy.crate.counting import BUCKETS_S, Began, Ended
from carboy.crate.health import Reply, demand_get
from carboy.crate.tally import Tallies
from carboy.errors import NotFound, Unauthorized
from carboy.settings import Settings

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

_OTHER_METHOD = "(other)"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})
_UNMATCHED = "(unmatched)"
_LABELS = ("method", "route", "status")
_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


class Metrics:
    """Counts requests, their durations and those in flight.

    Several worker processes are summed up when ``PROMETHEUS_MULTIPROC_DIR`` was set
    before ``prometheus_client`` was first imported, which ``carboy run`` sees to. Its
    files know no registry: two apps in one process then report their sums together.

    :ivar begins: method → what counts a request in flight; :meth:`fly` adds to it.
    :ivar registry: register metrics of your own here and ``/metrics`` shows them. What a
        collector with a ``collect()`` of its own says is that of the answering process.
    """

    def __init__(self, settings: Settings) -> None:
        # Whether values are shared between processes is decided when this is imported.
        import prometheus_client as client

        self.registry = client.CollectorRegistry()
        self._requests = client.Counter(
            "http_requests", "Requests answered.", _LABELS, registry=self.registry
        )
        self._durations = client.Histogram(
            "http_request_duration_seconds",
            "Time from taking a request to the end of its answer.",
            _LABELS,
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self._in_flight = client.Gauge(
            "http_requests_in_flight",
            "Requests being answered.",
            ("method",),
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self.begins: dict[str, Began] = {}
        self._tallies = Tallies()
        self._forgetting: list[Callable[[], object]] = []
        self._token = settings.METRICS_TOKEN.encode() if settings.METRICS_TOKEN else None
        self._closed = self._token is None and settings.APP_ENV == "Production"
        if hasattr(os, "register_at_fork"):  # Windows has no fork
            os.register_at_fork(after_in_child=_calls(weakref.WeakMethod(self._forget)))

    def began(self, method: str) -> None:
        """Count a request in flight."""
        (self.begins.get(method) or self.fly(method))()

    def ended(self, method: str, route: str, status: int) -> Ended:
        """Make what counts requests that were answered, and are no longer in flight.

        :param route: rule of the route; empty for requests that matched none.
        """
        method = method if method in METHODS else _OTHER_METHOD
        labels = (method, route or _UNMATCHED, str(status))
        return self._tallies.ended(
            self._requests.labels(*labels),
            self._durations.labels(*labels),
            self._in_flight.labels(method),
        )

    def at_forget(self, forget: Callable[[], object]) -> None:
        """Have *forget* called in a process that was forked: what was made counts elsewhere."""
        self._forgetting.append(forget)

    def _forget(self) -> None:
        """Begin anew: what was made counts in another process's files."""
        self.begins.clear()
        self._tallies = Tallies()
        for forget in self._forgetting:
            forget()

    def serve(self, environ: WSGIEnvironment) -> Reply:
        """Answer ``/metrics`` in the text format the scraper asks for.

        :raises NotFound: in Production without METRICS_TOKEN.
        :raises Unauthorized: when the bearer token is missing or wrong.
        """
        demand_get(environ)
        self._admit(environ)
        import prometheus_client as client
        from prometheus_client.exposition import choose_encoder

        registry = self.registry
        if _DIRECTORY in os.environ:
            registry = client.CollectorRegistry()
            registry.register(_AllProcesses(self.registry))
        encode, content_type = choose_encoder(environ.get("HTTP_ACCEPT", ""))
        return 200, [("Content-Type", content_type), ("Vary", "Accept")], encode(registry)

    def _admit(self, environ: WSGIEnvironment) -> None:
        if self._closed:
            raise NotFound
        if self._token is None:
            return
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        given = token.strip().encode("latin-1", "replace")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given, self._token):
            raise Unauthorized("The metrics ask for a token.", scheme='Bearer realm="metrics"')

    def fly(self, method: str) -> Began:
        """Make what counts requests in flight."""
        known = method if method in METHODS else _OTHER_METHOD
        made = self.begins.get(known) or self._tallies.began(self._in_flight.labels(known))
        self.begins[known] = made
        return made


def _calls(method: weakref.WeakMethod[Callable[[], None]]) -> Callable[[], None]:
    """Call what may be gone by then: what is registered at forks stays so for good."""

    def call() -> None:
        there = method()
        if there is not None:
            there()

    return call


class _AllProcesses:
    """What the files of all processes hold, and what collectors compute that use none."""

    def __init__(self, registry: CollectorRegistry) -> None:
        from prometheus_client.multiprocess import MultiProcessCollector

        self._registry = registry
        self._files = MultiProcessCollector(None)  # type: ignore[no-untyped-call]

    def collect(self) -> Iterator[Metric]:
        """Give every metric once; the sums in the files come first."""
        given = set()
        for metric in self._files.collect():  # type: ignore[no-untyped-call]
            given.add(metric.name)
            yield metric
        for metric in self._registry.collect():
            if metric.name not in given and metric.samples:
                yield metric
