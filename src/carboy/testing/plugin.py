"""The pytest plugin: what requests of test clients are answered, and what they ask the database.

``carboy_contract = true`` in the configuration of pytest holds every answer against the OpenAPI
document, and ``carboy_repeats = true`` fails where a request loads objects one by one. The fixtures
of the same names do it for some tests.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import pytest

# Whoever runs pytest without testing an app pays for none of what this needs: it is
# imported with the first check.
if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

    from carboy.testing.contract import Contract
    from carboy.testing.repeats import Repeats

_OPTION, _REPEATS = "carboy_contract", "carboy_repeats"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option to pytest's configuration file."""
    parser.addini(
        _OPTION,
        "Check every answer given to a test client of a Carboy app against its OpenAPI document.",
        type="bool",
        default=False,
    )
    parser.addini(
        _REPEATS,
        "Fail a test when a request runs one statement again and again, where one would do.",
        type="bool",
        default=False,
    )


class Checks:
    """Every contract that answers were held against in one test.

    :ivar count: how many answers were looked at.
    """

    def __init__(self) -> None:
        self.count = 0
        self._contracts: dict[int, tuple[Flask, Contract]] = {}
        self._is_on = True

    def pause(self) -> None:
        """Check no more in this test: for one that breaks the contract on purpose."""
        self._is_on = False

    def look(self, app: Flask, answer: TestResponse) -> None:
        """Check one answer, if *app* is a Carboy app.

        :raises ContractError: if it is not what the document says.
        """
        if not self._is_on or "carboy" not in app.extensions:
            return
        from carboy.testing.contract import Contract

        known = self._contracts.get(id(app))
        if known is None:
            known = self._contracts[id(app)] = app, Contract(app)
        self.count += 1
        known[1].check(answer)


@pytest.fixture
def carboy_contract(monkeypatch: pytest.MonkeyPatch) -> Checks:
    """Check every answer that a test client receives during the test."""
    from flask.testing import FlaskClient

    checks = Checks()
    monkeypatch.setattr(FlaskClient, "open", _checked(FlaskClient.open, checks))
    return checks


@pytest.fixture
def carboy_repeats(monkeypatch: pytest.MonkeyPatch) -> Repeats:
    """Fail when a request of a test client runs one statement again and again ("N+1")."""
    from flask.testing import FlaskClient

    from carboy.testing.repeats import Repeats

    repeats = Repeats()
    original = FlaskClient.open

    @wraps(original)
    def looked_at(client: Any, *args: Any, **kwargs: Any) -> TestResponse:
        answer = original(client, *args, **kwargs)
        try:
            repeats.look(client.application)
        except BaseException:
            answer.close()  # nobody else receives it
            raise
        return answer

    monkeypatch.setattr(FlaskClient, "open", looked_at)
    return repeats


@pytest.fixture(autouse=True)
def _carboy_repeats_everywhere(request: pytest.FixtureRequest) -> None:
    if request.config.getini(_REPEATS):
        request.getfixturevalue("carboy_repeats")


@pytest.fixture(autouse=True)
def _carboy_contract_everywhere(request: pytest.FixtureRequest) -> None:
    if request.config.getini(_OPTION):
        request.getfixturevalue("carboy_contract")


def _checked(original: Callable[..., TestResponse], checks: Checks) -> Callable[..., TestResponse]:
    @wraps(original)
    def checked(client: Any, *args: Any, **kwargs: Any) -> TestResponse:
        answer = original(client, *args, **kwargs)
        try:
            checks.look(client.application, answer)
        except BaseException:
            answer.close()  # nobody else receives it
            raise
        return answer

    return checked
