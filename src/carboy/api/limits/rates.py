"""How a rate is written: ``100/minute``."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Rate", "rates_of"]

_WRITTEN = re.compile(r"(\d+) ?(?:/|per) ?(\d*) ?(second|minute|hour|day)s?").fullmatch
_LENGTHS_S = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


class Rate(NamedTuple):
    """So many requests in any stretch of so many seconds."""

    quota: int
    length_s: int


def rates_of(*texts: str) -> tuple[Rate, ...]:
    """Read rates: ``"100/minute"``, ``"20 per 10 minutes"``, or several with commas.

    :raises ValueError: naming what cannot be read.
    """
    written = [one.strip() for text in texts for one in text.split(",")]
    return tuple(_rate(one) for one in written)


def _rate(text: str) -> Rate:
    found = _WRITTEN(text)
    quota, times = (int(found[1]), int(found[2] or 1)) if found else (0, 0)
    if found is None or not quota or not times:
        raise ValueError(
            f"{text!r} is no rate. Write 100/minute or 20/10 minutes; the units are second, "
            "minute, hour and day."
        )
    return Rate(quota, times * _LENGTHS_S[found[3]])
