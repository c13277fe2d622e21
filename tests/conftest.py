"""What holds for every test."""

import os
from collections.abc import Iterator
from functools import wraps

import flask
import pytest

from carboy.logs import current_ids

# Here and not in a fixture: the modules of tests take the class when they are imported.
if os.environ.get("FLASK_CLASS") == "carboy.Flask":
    from carboy import Flask

    flask.Flask = Flask  # type: ignore[misc]

# Requests of tests run in the main thread; they shall go the way that those of a server go.
if os.environ.get("DATABASE_URL", "").startswith("postgres"):
    from carboy.backing import libpq

    @wraps(libpq.takes_signals)
    def _never() -> bool:
        return False

    libpq.takes_signals = _never


@pytest.fixture(autouse=True)
def _outside_of_any_request() -> Iterator[None]:
    """Begin outside of a request, even after a test that left an answer of its own unread."""
    current_ids.set(None)
    yield
    current_ids.set(None)
