"""The names a user imports from carboy."""

import subprocess
import sys

import pytest

import carboy


@pytest.mark.parametrize("name", carboy.__all__)
def test_every_public_name_is_there_and_documented(name):
    thing = getattr(carboy, name)
    assert thing.__doc__
    assert name in dir(carboy)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Crate'"):
        carboy.Crate  # noqa: B018 - the access is the test


def test_importing_the_package_imports_nothing_heavy():
    code = "import carboy, sys; print([m for m in ('flask', 'sqlalchemy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
