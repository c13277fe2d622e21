"""A package imported anew, with one place of its sources changed."""

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import pathlib
import sys

PACKAGE = "carboy.fast.flask"


def replaced(text, change):
    """Give *text* with the one place changed that *change* names."""
    name, old, new = change
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {name}.py"
    return text.replace(old, new)


class _Mutated(importlib.machinery.SourceFileLoader):
    """Loads a module from a changed text; the rest of the package as it is, but anew."""

    def __init__(self, name, path, change):
        super().__init__(name, path)
        self._change = change

    def get_code(self, fullname):
        path = pathlib.Path(self.path)
        text = path.read_text()
        if self._change is not None and path.stem == self._change[0]:
            text = replaced(text, self._change)
        return compile(text, self.path, "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, change):
        self._change = change

    def find_spec(self, fullname, path, target=None):
        if fullname != PACKAGE and not fullname.startswith(f"{PACKAGE}."):
            return None
        found = importlib.machinery.PathFinder.find_spec(fullname, path)
        # From its sources, also where it runs as machine code.
        source = pathlib.Path(found.origin)
        if source.suffix != ".py":
            source = source.with_name(f"{fullname.rpartition('.')[2]}.py")
            found = importlib.util.spec_from_file_location(fullname, source)
        found.loader = _Mutated(fullname, str(source), self._change)
        return found


@contextlib.contextmanager
def mutated(change):
    """Give the class of the package in whose module *change* replaced a text.

    *change* is the name of a module, a text that it has once, and what stands there instead.
    """
    parent = importlib.import_module("carboy.fast")
    genuine = importlib.import_module(PACKAGE)
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if name.startswith(PACKAGE)}
    finder = _Finder(change)
    sys.meta_path.insert(0, finder)
    try:
        yield importlib.import_module(PACKAGE).Flask
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
            del sys.modules[name]
        sys.modules.update(kept)
        parent.flask = genuine
