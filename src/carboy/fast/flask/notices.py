"""Being told by CPython that a class was changed.

Source: the C API, ``PyType_AddWatcher`` and ``PyType_Watch``, which are there since 3.12.
"""

from __future__ import annotations

import atexit
import ctypes
import sysconfig
from threading import Lock
from typing import Any

__all__ = ["Notices", "notices"]


class Notices:
    """Counts changes of the classes that it was told to follow.

    :ivar count: how many there were.
    :raises RuntimeError: if this Python gives no notice.
    """

    def __init__(self) -> None:
        self.count = 0
        self._tried: int | None = None
        self._trying = Lock()
        if sysconfig.get_config_var("Py_GIL_DISABLED"):
            raise RuntimeError("Classes are locked while their watchers run.")
        api = ctypes.pythonapi
        self._watch: Any = api.PyType_Watch
        self._watch.argtypes = [ctypes.c_int, ctypes.py_object]
        self._callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(self._changed)
        self._number: int = api.PyType_AddWatcher(self._callback)
        if self._number < 0:
            raise RuntimeError("All watchers are taken.")
        # Classes are taken apart at the end of a process, when nobody should be called any more.
        # Until then this keeps the callback, which the interpreter has no reference to.
        atexit.register(self._end)

    def reach(self, kind: Any) -> bool:
        """Follow *kind*, and try whether its changes are noticed.

        CPython counts the changes of a class, and stops telling of them after a thousand.
        """
        if not isinstance(kind, type):
            return False
        self._watch(self._number, kind)
        with self._trying:
            self._tried = id(kind)
            kind.tried = True  # type: ignore[attr-defined]
            noticed = self._tried is None
        hasattr(kind, "tried")  # gives the version that the next change takes
        return noticed

    def _changed(self, kind: int | None) -> int:
        self.count += 1
        if kind == self._tried:
            self._tried = None
        return 0

    def _end(self) -> None:
        ctypes.pythonapi.PyType_ClearWatcher(self._number)


notices = Notices()
"""The one of this process: a module is imported once, by however many threads."""
