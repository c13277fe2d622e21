"""What a load test found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from carboy.load.plan import Limits


@dataclass(frozen=True)
class Figures:
    """What was measured of one route, or of all.

    :param failed: answered with a status of 400 or more, not at all, or found wrong by
        the locustfile; their times are in the percentiles, too.
    :param p50_ms: half of the requests took no longer. Exact, as the other percentiles.
    """

    method: str = ""
    route: str = ""
    requests: int = 0
    failed: int = 0
    requests_per_s: float = 0.0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    max_ms: float = 0.0

    @property
    def error_rate_percent(self) -> float:
        """Share of requests that failed."""
        return 100 * self.failed / self.requests if self.requests else 0.0


@dataclass(frozen=True)
class Broken:
    """A limit that was not kept.

    :param limit: name of the option that stated it.
    """

    limit: str
    allowed: float
    measured: float
    message: str


@dataclass(frozen=True)
class Outcome:
    """Figures and whatever stands in the way of believing them.

    :param exceptions: what the locustfile raised: ``{"count", "error", "where"}``.
    :param generator_was_busy: the processor that sent the requests was at its limit, so the
        figures say as much about it as about the service.
    :param interrupted: number of the signal that ended the test early, else 0.
    """

    target: str
    users: int
    duration_s: float
    total: Figures
    routes: list[Figures] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    exceptions: list[dict[str, Any]] = field(default_factory=list)
    generator_was_busy: bool = False
    interrupted: int = 0
    report: str | None = None

    def broken(self, limits: Limits) -> list[Broken]:
        """Judge the figures."""
        found = []
        allowed, rate = limits.max_error_rate_percent, self.total.error_rate_percent
        if allowed is not None and rate > allowed:
            text = (
                f"{rate:.3g} % of the requests failed ({self.total.failed} of "
                f"{self.total.requests}); --max-error-rate allows {allowed:g} %."
            )
            found.append(Broken("max-error-rate", allowed, round(rate, 4), text))
        slowest, p99_ms = limits.max_p99_ms, self.total.p99_ms
        if slowest is not None and p99_ms > slowest:
            text = f"The p99 is {p99_ms:.1f} ms; --max-p99 allows {slowest:g} ms."
            found.append(Broken("max-p99", slowest, p99_ms, text))
        return found

    def as_json(self, limits: Limits) -> dict[str, Any]:
        """Give everything as plain values, for programs."""
        plain = asdict(self)
        for figures, row in ((self.total, plain["total"]), *zip(self.routes, plain["routes"])):  # noqa: B905 - of the same list
            row["error_rate_percent"] = round(figures.error_rate_percent, 4)
        for name in ("method", "route"):
            del plain["total"][name]
        plain["broken"] = [asdict(broken) for broken in self.broken(limits)]
        return plain
