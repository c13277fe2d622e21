import pytest

from carboy.fast.schema import sharing


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Compile at once, so that compiled code is what is compared."""
    monkeypatch.setattr(sharing, "PATIENCE", 0)
