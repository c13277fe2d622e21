"""What changes the values of prometheus_client, see :mod:`carboy.crate.tally`."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, Final

# A value of prometheus_client, the numbers of the file that it is in, and its place there.
Place = tuple[Any, Any, int]

BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_place_of: Final = bisect_left


class Began:
    """Counts a request in flight, by the methods of prometheus_client."""

    def __init__(self, flying: Any) -> None:
        self._flying = flying

    def __call__(self) -> None:
        """Count one."""
        self._flying.inc()


class BeganInMemory(Began):
    """Counts a request in flight, where the value is this process's alone."""

    def __call__(self) -> None:
        """Count one."""
        self._flying._value += 1.0  # noqa: SLF001


class BeganInFiles(Began):
    """Counts a request in flight, where the value is in a file, too."""

    def __init__(self, place: Place) -> None:
        super().__init__(place[0])
        self._doubles = place[1]
        self._at = place[2]

    def __call__(self) -> None:
        """Count one."""
        self._doubles[self._at] = self._flying._value = self._flying._value + 1.0  # noqa: SLF001


class Ended:
    """Counts a request that was answered, by the methods of prometheus_client."""

    def __init__(self, requests: Any, total: Any, flying: Any) -> None:
        self._requests = requests
        self._total = total
        self._flying = flying

    def __call__(self, seconds: float) -> None:
        """Count one that took so long."""
        self._requests.inc()
        self._total.observe(seconds)
        self._flying.dec()


class EndedInMemory(Ended):
    """Counts a request that was answered, where the values are this process's alone."""

    def __init__(self, requests: Any, flying: Any, total: Any, *buckets: Any) -> None:
        super().__init__(requests, total, flying)
        self._buckets = buckets

    def __call__(self, seconds: float) -> None:
        """Count one that took so long."""
        bucket = self._buckets[_place_of(BUCKETS_S, seconds)]
        self._requests._value += 1.0  # noqa: SLF001
        self._flying._value -= 1.0  # noqa: SLF001
        self._total._value += seconds  # noqa: SLF001
        bucket._value += 1.0  # noqa: SLF001


class EndedInFiles(Ended):
    """Counts a request that was answered, where the values are in files, too."""

    def __init__(self, requests: Place, flying: Place, total: Place, *buckets: Place) -> None:
        super().__init__(requests[0], total[0], flying[0])
        self._ones, self._one_at = requests[1], requests[2]
        self._flies, self._fly_at = flying[1], flying[2]
        self._sums, self._sum_at = total[1], total[2]
        self._buckets = buckets

    def __call__(self, seconds: float) -> None:
        """Count one that took so long."""
        bucket, doubles, at = self._buckets[_place_of(BUCKETS_S, seconds)]
        one, fly, sum_ = self._requests, self._flying, self._total
        self._ones[self._one_at] = one._value = one._value + 1.0  # noqa: SLF001
        self._flies[self._fly_at] = fly._value = fly._value - 1.0  # noqa: SLF001
        self._sums[self._sum_at] = sum_._value = sum_._value + seconds  # noqa: SLF001
        doubles[at] = bucket._value = bucket._value + 1.0  # noqa: SLF001
