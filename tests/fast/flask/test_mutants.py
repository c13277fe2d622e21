"""The fuzzer sees a mistake in any of the lane's paths; else its silence would mean nothing."""

import importlib
import os
import pathlib

import pytest

from .mutants import MUTANTS
from .mutation import PACKAGE, mutated, replaced
from .twins import differences, frozen

APPS = 150
SAMPLE = ("a lax rule without a slash is forgotten", "a session is not saved", "HEAD has a body")

# Files of forms that Flask itself leaves open, where a view has left contexts behind.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


def first_difference(change):
    with mutated(change) as kind, frozen():
        for seed in range(APPS):
            for difference in differences(seed, kind):
                return seed, difference
    return None


@pytest.mark.skipif("FLASK_CLASS" in os.environ, reason="flask.Flask is carboy.Flask then")
def test_what_is_imported_anew_without_a_change_is_the_same():
    with mutated(None) as kind, frozen():
        for seed in range(3):
            assert next(differences(seed, kind), None) is None


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mistake_has_its_one_place_in_the_sources(name):
    change = MUTANTS[name]
    package = pathlib.Path(importlib.import_module(PACKAGE).__file__).parent
    text = (package / f"{change[0]}.py").read_text()
    assert replaced(text, change) != text


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in SAMPLE else pytest.mark.upstream) for name in MUTANTS],
)
def test_a_mistake_is_seen(name):
    assert first_difference(MUTANTS[name]), f"In {APPS} apps nobody noticed that {name}."
