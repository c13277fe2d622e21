"""Importing: with what follows upon it, and without what nobody has asked for yet."""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["imported", "patterns_later", "when_imported"]


def imported(module: str) -> Any:
    """Import *module* without looking for garbage meanwhile: what modules define stays.

    :return: the module itself, also of a package.
    """
    kept = gc.get_threshold()
    if not kept[0]:  # nobody looks, or another thread is here
        return import_module(module)
    frozen = gc.get_freeze_count()
    gc.set_threshold(0)
    try:
        return import_module(module)
    finally:
        if not frozen:
            # Thereby it counts as old, without having been looked through as young.
            gc.freeze()
            gc.unfreeze()
        gc.set_threshold(*kept)


def when_imported(name: str, act: Callable[[], None]) -> None:
    """Call *act* right after the module *name* was imported; at once if it was already."""

    def run(load: Callable[[], None]) -> None:
        load()
        act()

    if name in sys.modules:
        act()
    else:
        sys.meta_path.insert(0, _Waiting(name, run))


@cache
def patterns_later(name: str, *classes: str) -> None:
    """Have regular expressions of a module compiled when somebody looks at them; once is enough.

    Meant are those that are attributes of classes. Whoever reads one gets what would have been
    there at once; nothing happens to a module that was imported before.

    :param name: of the module.
    :param classes: names of its classes.
    """

    def run(load: Callable[[], None]) -> None:
        genuine = re.compile

        def compile_later(pattern: Any, flags: int = 0) -> Any:
            asked = sys._getframe(1)  # noqa: SLF001
            if asked.f_code.co_name in classes and asked.f_globals.get("__name__") == name:
                return _Pattern(pattern, flags)
            return genuine(pattern, flags)

        re.compile = compile_later
        try:
            load()
        finally:
            re.compile = genuine

    if name not in sys.modules:
        sys.meta_path.insert(0, _Waiting(name, run))


class _Pattern:
    """Becomes the pattern that it stands for when it is looked at, wherever it stands."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self._given = pattern, flags
        self._places: list[tuple[type, str]] = []

    def __set_name__(self, owner: type, name: str) -> None:
        self._places.append((owner, name))

    def __get__(self, instance: object, owner: type) -> re.Pattern[Any]:
        pattern = re.compile(*self._given)
        for place, name in self._places:
            if vars(place).get(name) is self:
                setattr(place, name, pattern)
        return pattern


class _Waiting(MetaPathFinder):
    """Finds a module as it would be found, and has it loaded with what belongs to it."""

    def __init__(self, name: str, run: Callable[[Callable[[], None]], None]) -> None:
        self.name = name
        self.run = run

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Ask the other finders; somebody may only want to know whether there is such a module."""
        if fullname != self.name:
            return None
        for finder in sys.meta_path:
            if isinstance(finder, _Waiting) or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loading(spec.loader)
                return spec
        return None


class _Loading(Loader):
    """Loads as the module's own loader does, which it hands over before the module runs."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # a copy has none yet
            raise AttributeError(name)
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create it as its own loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run it, and what belongs to it by everybody who waited for it."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        load = partial(self._loader.exec_module, module)
        for finder in list(sys.meta_path):
            if isinstance(finder, _Waiting) and finder.name == module.__name__:
                sys.meta_path.remove(finder)
                load = partial(finder.run, load)
        load()
