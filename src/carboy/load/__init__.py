"""Load tests of a service that runs, or of an app that is started for it; Locust underneath.

Locust replaces parts of the standard library on import, so it runs in a process of its own:
``driver`` imports it with ``hook`` and ``public_routes``, and no other module imports these.
"""

from __future__ import annotations

from carboy.load.outcome import Broken, Figures, Outcome
from carboy.load.plan import Limits, LoadError, Plan, PlanError
from carboy.load.session import run

__all__ = ["Broken", "Figures", "Limits", "LoadError", "Outcome", "Plan", "PlanError", "run"]
