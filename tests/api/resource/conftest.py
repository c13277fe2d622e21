"""A resource of things with every method, and what it is asked to be different."""

import pytest

from carboy.api.resource import Resource


@pytest.fixture
def resource(things):
    def make(**members):
        base = {"model": things.Thing, "schema": things.Out, "writable": things.In}
        return type("Things", (Resource,), {**base, **members})

    return make
