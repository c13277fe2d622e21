"""What holds for every test."""

import os
from collections.abc import Iterator
from functools import wraps

import flask
import pytest

from carboy.compiled import is_compiled
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out, where there is machine code, what replaces a part of it."""
    if is_compiled():
        fixed = pytest.mark.skip(reason="this part of a compiled Carboy cannot be replaced")
        for item in items:
            if item.get_closest_marker("replaces"):
                item.add_marker(fixed)


@pytest.fixture(autouse=True)
def _outside_of_any_request() -> Iterator[None]:
    """Begin outside of a request, even after a test that left an answer of its own unread."""
    current_ids.set(None)
    yield
    current_ids.set(None)
