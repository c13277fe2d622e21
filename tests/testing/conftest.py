"""The plugin under test, also where it is not installed as an entry point."""

from carboy.testing.plugin import carboy_contract

__all__ = ["carboy_contract"]
