"""From ``DATABASE_URL`` to the policy for the database it names."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from flask.globals import _cv_app
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from carboy.backing.policy import Limits, Policy
from carboy.backing.postgresql import PostgreSQL
from carboy.backing.sqlite import SQLite
from carboy.errors import CarboyError, SettingsError
from carboy.fast.flask.context import AppContext

READING = "carboy_reading"
_NEEDED = ("DATABASE_URL", "DATABASE_POOL_SIZE", "DATABASE_TIMEOUT_S", "GUNICORN_THREADS")


def has_settings(app: Flask) -> bool:
    """Tell whether the settings have reached ``app.config`` yet."""
    return all(name in app.config for name in _NEEDED)


def policy_for(app: Flask) -> Policy:
    """Choose the policy for the database of an app.

    :raises CarboyError: when ``Carboy(app)`` has not run, or a driver is missing.
    :raises SettingsError: when ``DATABASE_URL`` cannot be read.
    """
    if not has_settings(app):
        raise CarboyError(
            f"The database of {app.name} is used before its settings are known. "
            "Call Carboy(app, settings) where the app is made."
        )
    limits = Limits(
        pool_size=app.config["DATABASE_POOL_SIZE"] or app.config["GUNICORN_THREADS"],
        timeout_s=app.config["DATABASE_TIMEOUT_S"],
        probe_timeout_s=app.config.get("HEALTH_TIMEOUT_S", app.config["DATABASE_TIMEOUT_S"]),
        hide_parameters=not app.debug,
    )
    folder = Path(app.config.get("INSTANCE_PATH") or app.instance_path)
    url = _parsed(app.config["DATABASE_URL"] or f"sqlite:///{app.name}.sqlite3")
    if url.get_backend_name() != "sqlite":
        return PostgreSQL(url, limits, app.name)
    app_ref = weakref.ref(app)  # engines are kept under a weak reference to the app

    def asked() -> bool:
        app = app_ref()
        return app is not None and reads_only(app)

    return SQLite(url, limits, app.name, folder=folder, reads_only=asked)


def reads_only(app: Flask) -> bool:
    """Tell whether the work at hand promises not to write: a GET request, a shell."""
    held = globals_touched()
    if held is not None and READING in held:
        return True
    asked = app.extensions.get("carboy.read_only")
    return callable(asked) and bool(asked())


def globals_touched() -> Any:
    """Give ``flask.g``, or ``None`` where there is none or nothing can be in it."""
    context: Any = _cv_app.get(None)
    if context is None:
        return None
    held = vars(context).get("g")
    # The lane makes it when it is asked for; of another context it is not known where it is.
    return held if held is not None or type(context) is AppContext else context.g


def the_app() -> Flask:
    """Give the current app itself."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    return app


def reads_now() -> bool:
    """Tell whether the work at hand promises not to write to the current app's database."""
    return reads_only(_cv_app.get().app)


def import_driver(text: str) -> None:
    """Import what speaks to the database that a ``DATABASE_URL`` names; open nothing.

    :raises SettingsError: when it cannot be read.
    :raises ImportError: when the driver is not installed.
    """
    url = _parsed(text)
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    url.get_dialect().import_dbapi()


def _parsed(text: str) -> URL:
    """Read a URL; a message must not repeat it, for it may hold a password."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise SettingsError(
            [
                (
                    "DATABASE_URL is not a URL. Write sqlite:///FILE or "
                    "postgresql://USER:PASSWORD@HOST/NAME; "
                    "in a password, write @ : / as %40 %3A %2F."
                )
            ]
        ) from None
    if url.drivername == "postgres":  # how some platforms spell it
        url = url.set(drivername="postgresql")
    if url.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg"):
        raise SettingsError(
            [f"DATABASE_URL begins with {url.drivername}://. Use sqlite:// or postgresql://."]
        )
    return url
