"""What holds for every test."""

from collections.abc import Iterator

import pytest

from carboy.logs import current_ids


@pytest.fixture(autouse=True)
def _outside_of_any_request() -> Iterator[None]:
    """Begin outside of a request, even after a test that left an answer of its own unread."""
    current_ids.set(None)
    yield
    current_ids.set(None)
