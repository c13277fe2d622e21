"""Every request of a test, and the figures made of them."""

from __future__ import annotations

import math
import time
from array import array
from collections import Counter
from collections.abc import Callable
from typing import Any

# A test that asks for ever new paths, or fails with ever new words, ends in a row of its own.
ROUTES_MAX = 500
ERRORS_MAX = 200
OTHER = "(other)"


class Recorder:
    """Keeps the time of every request, so that percentiles are exact: 8 bytes a request.

    :param clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        """Forget everything and begin anew."""
        self._began = self._last = self._clock()
        self._times: dict[tuple[str, str], array[float]] = {}
        self._failed: Counter[tuple[str, str]] = Counter()
        self._errors: Counter[tuple[str, str, str]] = Counter()

    def named(self, method: str, route: str) -> str:
        """Give the name to record a request by: *route* itself while there are not too many."""
        if (method, route) in self._times or len(self._times) < ROUTES_MAX:
            return route
        return OTHER

    def add(self, method: str, route: str, time_ms: float, error: str | None = None) -> None:
        """Record a request.

        :param time_ms: from sending it to the last byte of the answer, or to the failure.
        :param error: what was wrong, ``None`` if nothing was.
        """
        key = (method, self.named(method, route))
        self._times.setdefault(key, array("d")).append(time_ms)
        self._last = self._clock()
        if error is not None:
            self._failed[key] += 1
            if (*key, error) not in self._errors and len(self._errors) >= ERRORS_MAX:
                error = OTHER
            self._errors[(*key, error)] += 1

    @property
    def requests(self) -> int:
        """How many requests there were."""
        return sum(len(times) for times in self._times.values())

    @property
    def failed(self) -> int:
        """How many of them failed."""
        return self._failed.total()

    def summary(self) -> dict[str, Any]:
        """Make the figures: of every route, of all, and the errors by how often they came."""
        duration_s = self._last - self._began
        everything = array("d")
        routes = []
        for (method, route), times in self._times.items():
            everything.extend(times)
            row = _figures(times, self._failed[method, route], duration_s)
            routes.append({"method": method, "route": route, **row})
        return {
            "duration_s": round(duration_s, 3),
            "total": _figures(everything, self.failed, duration_s),
            "routes": sorted(routes, key=lambda row: (-row["requests"], row["route"])),
            "errors": [
                {"method": method, "route": route, "error": error, "count": count}
                for (method, route, error), count in self._errors.most_common()
            ],
        }


def percentile(ordered: list[float], percent: float) -> float:
    """Give the smallest value that at least *percent* of all do not exceed.

    :param ordered: ascending, at least one value.

    The nearest rank: a time that a request really took. Source: Hyndman and Fan, "Sample
    Quantiles in Statistical Packages", definition 1.
    """
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def _figures(times: array[float], failed: int, duration_s: float) -> dict[str, float | int]:
    if not times:
        return {}
    ordered = sorted(times)
    return {
        "requests": len(ordered),
        "failed": failed,
        "requests_per_s": round(len(ordered) / duration_s, 2) if duration_s > 0 else 0.0,
        **{f"p{percent}_ms": round(percentile(ordered, percent), 3) for percent in (50, 95, 99)},
        "max_ms": round(ordered[-1], 3),
    }
