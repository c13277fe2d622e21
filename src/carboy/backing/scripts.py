"""Where an app's migrations are and whose turn it is to apply them, known without Alembic."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from carboy.backing.policy import Policy

_log = logging.getLogger(__name__)
_RETRY_S = 0.05


def usual_folder(app: Flask) -> Path:
    """Give the folder of migrations beside the app's package or module."""
    folder = Path(app.root_path)
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder / "migrations"


def may_exist(app: Flask) -> bool:
    """Tell whether there are migrations, or Alembic was told of another place for them."""
    told = app.config.get("ALEMBIC", {})
    usual = usual_folder(app)
    return told.get("script_location", str(usual)) != str(usual) or usual.is_dir()


@contextmanager
def turn(policy: Policy) -> Iterator[None]:
    """Wait until no other instance migrates the database, and let none begin meanwhile."""
    with policy.lock() as taken:
        if not taken():
            _log.info("Another instance migrates the database; waiting for it.")
            while not taken():
                time.sleep(_RETRY_S)
        yield
