"""The same project for development: sources mounted, no nginx, an edit shows."""

from __future__ import annotations

import socket
import time

import pytest

pytestmark = pytest.mark.e2e

SOON_S = 60


@pytest.fixture
def development(built):
    """Run it beside the other stack, under a name of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        beside = built.beside(
            free.getsockname()[1],
            COMPOSE_PROJECT_NAME=f"{built.name}-development",
            COMPOSE_FILE="compose.yaml:compose.development.yaml",
        )
    try:
        beside.start()
        yield beside
    finally:
        beside.compose("down", "--volumes", "--timeout", "1", status=None)


def test_an_edit_is_served_without_another_build(development):
    assert development.request("GET", "/").status == 200
    services = development.compose("ps", "--services").split()
    assert sorted(services) == ["postgres", "redis", "web"]

    source = development.folder / development.name.replace("-", "_") / "api/custom.py"
    text = source.read_text()
    source.write_text(text.replace("Hello, {data", "Good day, {data"))
    try:
        until = time.monotonic() + SOON_S
        while True:
            answer = development.request("POST", "/api/v1/custom", {"name": "Ann"})
            if b"Good day, Ann!" in answer.said:
                break
            assert time.monotonic() < until
            time.sleep(0.2)
    finally:
        source.write_text(text)
