"""A resource of things with every method, and what it is asked to be different."""

import pytest

from carboy.api.resource import Resource
from carboy.backing.direct.execution import Execution


@pytest.fixture
def resource(things):
    def make(**members):
        base = {"model": things.Thing, "schema": things.Out, "writable": things.In}
        return type("Things", (Resource,), {**base, **members})

    return make


@pytest.fixture
def seen_in_execution(monkeypatch):
    """Have the calls of methods of the short way written down, by name."""

    def watch(*names):
        seen = []
        for name in names:
            genuine = getattr(Execution, name)

            def counted(self, *given, genuine=genuine, name=name):
                seen.append(name)
                return genuine(self, *given)

            monkeypatch.setattr(Execution, name, counted)
        return seen

    return watch
