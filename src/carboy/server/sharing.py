"""What every process of the service needs, imported by the master before it forks them.

Preflight and workers then have these libraries when they begin, in memory that they share, so
that they start sooner and together take less. The master reads which ones the files of the app
import; it does not run those files, since a reload brings new code into every worker.
"""

from __future__ import annotations

import gc
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import resolve_name
from pathlib import Path

from flask.cli import prepare_import

from carboy.server import discovery

# While they are imported these start no thread and open nothing that a fork must not share.
# Of Carboy the public names, which bring the rest.
_LIBRARIES = frozenset({"flask", "flask_sqlalchemy_lite", "marshmallow", "sqlalchemy"})
_CARBOY = "carboy"
_STATEMENT = re.compile(
    r"^(?P<indent>[ \t]*)"
    r"(?:from[ \t]+(?P<origin>[.\w]+)[ \t]+import[ \t]+(?P<names>\([^)]*\)|[^\n]*)"
    r"|import[ \t]+(?P<modules>[^\n]*))",
    re.MULTILINE,
)
_COMMENT = re.compile(r"#[^\n]*")

Import = tuple[str, tuple[str, ...]]


def share(target: str | None) -> None:
    """Import the libraries that the app *target* imports, and leave its own code alone.

    What cannot be found or imported is left for the app, whose import tells what is wrong.

    :param target: as for :func:`carboy.server.discovery.find`.
    """
    with without_collections():
        for module, names in sorted(set(_needed(target))):
            _import(module, names)
        with suppress(Exception):
            _import_what_follows()


@contextmanager
def without_collections() -> Iterator[None]:
    """Collect no garbage meanwhile, and leave what then exists out of every later collection.

    Modules stay as long as their process. To look through them for garbage takes tens of
    milliseconds each time, and unshares the memory of forked processes.
    """
    kept = gc.get_threshold()
    gc.set_threshold(0)  # not gc.disable(): that is left to the app
    try:
        yield
    finally:
        gc.freeze()
        if gc.get_threshold()[0] == 0:
            gc.set_threshold(*kept)


def _needed(target: str | None) -> Iterator[Import]:
    """Tell what of libraries the app's files import when they are imported themselves."""
    module, path = _place(target)
    waiting, seen = [module], set[str]()
    while waiting:
        module = waiting.pop()
        if not module or module in seen:
            continue
        seen.add(module)
        waiting.append(module.rpartition(".")[0])  # packages are imported before what is in them
        file = _file(module, path)
        if file is None:
            continue
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        for indented, origin, names in _statements(file, package):
            root = origin.partition(".")[0]
            if root == module.partition(".")[0] or _file(root, path[:1]) is not None:
                waiting += [origin, *(f"{origin}.{name}" for name in names)]
            elif not indented and (origin == _CARBOY or root in _LIBRARIES):
                yield origin, names


def _place(target: str | None) -> tuple[str, list[str]]:
    """Give the app's module and where to look for it; the path itself stays as it is."""
    named = discovery.named(target)
    if named is None:
        return "", []
    kept = list(sys.path)
    try:
        return prepare_import(discovery.split(named)[0]), list(sys.path)
    except Exception:  # noqa: BLE001 - the app's own import will say what is wrong
        return "", []
    finally:
        sys.path[:] = kept


def _file(module: str, path: list[str]) -> Path | None:
    """Find the file of one of the app's modules without importing its package."""
    root, _, rest = module.partition(".")
    found = PathFinder.find_spec(root, path)
    if found is None or not found.origin or not found.origin.endswith(".py"):
        return None
    if not rest:
        return Path(found.origin)
    inside = Path(found.origin).parent.joinpath(*rest.split("."))
    files = (inside.with_name(f"{inside.name}.py"), inside / "__init__.py")
    return next(filter(Path.is_file, files), None)


def _statements(file: Path, package: str) -> Iterator[tuple[bool, str, tuple[str, ...]]]:
    """Read the import statements of a file; a text that looks like one does no harm."""
    with suppress(OSError):
        for found in _STATEMENT.finditer(file.read_text(encoding="utf-8", errors="replace")):
            indented = bool(found["indent"])
            if found["modules"]:
                for module in _listed(found["modules"]):
                    yield indented, module, ()
                continue
            with suppress(ImportError):  # more dots than there are packages
                yield indented, resolve_name(found["origin"], package), _listed(found["names"])


def _listed(text: str) -> tuple[str, ...]:
    """Split ``(a, b as c,  # why``."""
    parts = _COMMENT.sub("", text).strip("() \t\r\n").split(",")
    return tuple(words[0] for words in map(str.split, parts) if words)


def _import(module: str, names: tuple[str, ...]) -> None:
    with suppress(Exception):
        imported = import_module(module)
        for name in names:
            if not hasattr(imported, name) and hasattr(imported, "__path__"):
                import_module(f"{module}.{name}")


def _import_what_follows() -> None:
    """Import what Carboy itself imports once the app is made and its settings are known."""
    if "carboy.app" in sys.modules:
        import_module("prometheus_client")
    if "carboy.backing.database" in sys.modules:
        from carboy.backing.address import import_driver  # SQLAlchemy takes its time

        import_driver(os.environ.get("DATABASE_URL") or "sqlite://")
