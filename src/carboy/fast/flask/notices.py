"""Being told by CPython that a class was changed.

Source: the C API, ``PyType_AddWatcher`` and ``PyType_Watch``, which are there since 3.12.
"""

from __future__ import annotations

import atexit
import ctypes
import sysconfig
from typing import Any

__all__ = ["Notices"]


class Notices:
    """Counts changes of the classes that it was told to follow.

    :ivar count: how many there were.
    :raises RuntimeError: if this Python gives no notice.
    """

    def __init__(self) -> None:
        self.count = 0
        if sysconfig.get_config_var("Py_GIL_DISABLED"):
            raise RuntimeError("Classes are locked while their watchers run.")
        api = ctypes.pythonapi
        self._watch: Any = api.PyType_Watch
        self._watch.argtypes = [ctypes.c_int, ctypes.py_object]
        # Kept: it is what the interpreter calls.
        self._callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(self._changed)
        self._number: int = api.PyType_AddWatcher(self._callback)
        if self._number < 0:
            raise RuntimeError("All watchers are taken.")
        # Classes are taken apart at the end of a process, when nobody should be called any more.
        atexit.register(api.PyType_ClearWatcher, self._number)

    def reach(self, kind: Any) -> bool:
        """Follow *kind*, and try whether its changes are noticed.

        CPython counts the changes of a class, and stops telling of them after a thousand.
        """
        if not isinstance(kind, type):
            return False
        self._watch(self._number, kind)
        count = self.count
        kind.tried = True  # type: ignore[attr-defined]
        hasattr(kind, "tried")  # gives the version that the next change takes
        return self.count == count + 1

    def _changed(self, kind: int | None) -> int:
        del kind
        self.count += 1
        return 0
