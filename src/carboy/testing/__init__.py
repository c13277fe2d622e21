"""For the tests of a project: a client, a database for each, every answer checked.

The names are loaded on first use: the pytest plugin is in here too, and every run of
pytest loads it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from carboy.testing.client import Answer, Client
    from carboy.testing.contract import Contract, ContractError
    from carboy.testing.database import fresh_database

__all__ = ["Answer", "Client", "Contract", "ContractError", "fresh_database"]

_HOMES = {
    "Answer": "carboy.testing.client",
    "Client": "carboy.testing.client",
    "Contract": "carboy.testing.contract",
    "ContractError": "carboy.testing.contract",
    "fresh_database": "carboy.testing.database",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return value
    raise AttributeError(f"module 'carboy.testing' has no attribute {name!r}")
