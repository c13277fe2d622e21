import pytest

from carboy.fast.schema import mould, sharing

from .generated import Hooked, Part


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Compile at once, so that compiled code is what is compared."""
    monkeypatch.setattr(sharing, "PATIENCE", 0)


@pytest.fixture(autouse=True)
def _forget():
    """Leave no code that was compiled for the classes that tests share: a mutant's, perhaps."""
    yield
    for kind in (Part, Hooked):
        if mould._KEY in vars(kind):
            delattr(kind, mould._KEY)
