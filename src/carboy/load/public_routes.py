"""The journeys of users who have none: each asks one public route after another.

A locustfile, loaded by Locust in the process of ``driver``; no other module imports it.
"""

from __future__ import annotations

import json
import os
import random

from locust import FastHttpUser, task

VARIABLE = "CARBOY_LOAD_PATHS"


class PublicRoutes(FastHttpUser):
    """Asks as fast as it is answered, in random order, and follows no redirect."""

    network_timeout = connection_timeout = 30.0
    paths = json.loads(os.environ.get(VARIABLE, '["/"]'))

    @task
    def ask(self) -> None:
        """Make one request."""
        self.client.get(random.choice(self.paths), allow_redirects=False)  # noqa: S311 - no secret
