"""The command line: ``carboy …``."""

from carboy.cli.group import main

__all__ = ["main"]
