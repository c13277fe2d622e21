"""Find the Flask app that a command is about."""

from __future__ import annotations

import importlib
import os
import re
import sys
import traceback
from pathlib import Path
from typing import ClassVar

from flask import Flask
from flask.cli import NoAppException, find_app_by_string, find_best_app, prepare_import

from carboy.errors import CarboyError

_USUAL_NAMES = ("wsgi", "app")


class AppError(CarboyError):
    """The app cannot be found or imported; ``__cause__`` is what its code raised."""

    exit_code: ClassVar[int] = 2


def find(target: str | None = None) -> Flask | None:
    """Load the app, or give ``None`` when nobody named one and none lies here.

    :param target: ``MODULE``, ``MODULE:APP``, ``MODULE:FACTORY`` or
        ``MODULE:FACTORY("argument")``; by default ``FLASK_APP``, then ``wsgi.py`` and
        ``app.py`` in the current folder.
    :raises AppError: if what is named cannot be loaded.
    :raises CarboyError: as the app's own code raised it.
    """
    chosen = named(target)
    if chosen is None:
        return None
    path, name = split(chosen)
    try:
        module = prepare_import(path)
        return _load(module, name)
    except CarboyError:
        raise
    except NoAppException as error:
        raise AppError(f"{chosen}: {error.message} Name yours as MODULE:APP.") from error
    except (Exception, SystemExit) as error:
        raise AppError(_explain(chosen, error)) from error


def named(target: str | None) -> str | None:
    """Give what the app is called by; ``None`` when nobody named one and none lies here."""
    return target or os.environ.get("FLASK_APP") or _in_this_folder()


def split(name: str) -> tuple[str, str]:
    """Take ``MODULE:APP`` apart; a colon before a slash belongs to a Windows path."""
    path, _, app = re.sub(r":(?![\\/])", "\0", name, count=1).partition("\0")
    return path, app


def load(target: str | None = None) -> Flask:
    """Load the app; parameters and errors as for :func:`find`.

    :raises AppError: also when there is none.
    """
    app = find(target)
    if app is None:
        raise AppError(
            "No app was found. Put it into wsgi.py or app.py in this folder, "
            "or name it: carboy run MODULE:APP"
        )
    return app


def _in_this_folder() -> str | None:
    for name in _USUAL_NAMES:
        if Path(f"{name}.py").is_file() or Path(name, "__init__.py").is_file():
            return name
    return None


def _load(module: str, name: str) -> Flask:
    try:
        imported = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module}.".startswith(f"{error.name}."):
            raise AppError(
                f"There is no module {error.name!r} in this folder or on Python's path. "
                "Check the spelling and the folder, or name your app as MODULE:APP."
            ) from error
        raise
    return find_app_by_string(imported, name) if name else find_best_app(imported)


def _explain(named: str, error: BaseException) -> str:
    """Say in one line what the app's code raised and where."""
    reason = " ".join(str(error).split())
    if isinstance(error, SyntaxError):
        reason = error.msg
        place = f"{_shown(error.filename or named)}, line {error.lineno}"
    else:
        place = _place(error) or named
    raised = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
    return (
        f"The app {named!r} cannot be loaded: {raised} ({place}). "
        "Correct it or install what it misses; `carboy --debug …` shows the traceback."
    )


def _place(error: BaseException) -> str:
    """Name the last line of the project's own code that ran, else the last line of all."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename != __file__ and "importlib" not in frame.filename
    ]
    own = [
        frame
        for frame in frames
        if Path(frame.filename).is_relative_to(Path.cwd())
        and not Path(frame.filename).is_relative_to(sys.prefix)
    ]
    for frame in reversed(own or frames):
        return f"{_shown(frame.filename)}, line {frame.lineno}"
    return ""


def _shown(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
