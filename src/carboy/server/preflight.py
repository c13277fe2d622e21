"""Try the app before it is served, in a process of its own.

The app is imported, its settings are read and its ``carboy.start`` callables run in a child
that ends afterwards. So a start fails early, once and with one message; the master never
imports the app, whatever the app opens while starting is not shared by forked workers, and
a reload brings new code into every worker.
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import SimpleNamespace
from typing import Any, cast

from carboy.errors import CarboyError
from carboy.server import discovery
from carboy.server.sharing import without_collections
from carboy.settings import Settings

_GROUPS = frozenset({"Server", "Logs"})
_LEAVE_TIMEOUT_S = 5.0
_SIGNALS = ("HUP", "QUIT", "INT", "TERM", "TTIN", "TTOU", "USR1", "USR2", "WINCH", "CHLD")


@dataclass(frozen=True)
class _Refused:
    message: str
    exit_status: int


class Preflight:
    """The app, loaded in a child process; made by :func:`preflight`."""

    def __init__(
        self, pipe: Connection, child: BaseProcess, meanwhile: Callable[[], None] | None
    ) -> None:
        self._pipe = pipe
        self._child = child
        self._meanwhile = meanwhile

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid or 0

    def settings(self) -> Settings:
        """Wait until the app is loaded and give what the server must know of its settings.

        :return: an object with the settings of the server and of the logs,
            ``APP_ENV`` and ``API_DOCS``.
        :raises CarboyError: as raised while the app was loaded.
        """
        return cast("Settings", SimpleNamespace(**self._answer()))

    def start(self) -> None:
        """Run the app's ``carboy.start`` callables in an application context.

        :raises CarboyError: as one of them raised it.
        """
        self._pipe.send("start")
        self._answer()

    def _answer(self) -> dict[str, Any]:
        try:
            while self._meanwhile is not None and not self._pipe.poll():
                self._meanwhile()
            answer = self._pipe.recv()
        except EOFError:
            self._child.join(_LEAVE_TIMEOUT_S)
            # A master that minds its workers may have taken the status before.
            known = self._child.exitcode is not None
            status = f" (status {self._child.exitcode})" if known else ""
            raise CarboyError(
                f"The app ended its process while it was loaded{status}. "
                "Run it alone to see why: python -c 'import YOUR_MODULE'"
            ) from None
        if isinstance(answer, _Refused):
            kind = type("StartRefused", (CarboyError,), {"exit_code": answer.exit_status})
            raise kind(answer.message)
        return cast("dict[str, Any]", answer)

    def leave(self) -> None:
        """End the child, whatever it does."""
        self._pipe.close()
        # Not is_alive(): that cannot tell when somebody else has reaped the child.
        if not wait([self._child.sentinel], _LEAVE_TIMEOUT_S):
            self._child.kill()
        self._child.join()


@contextmanager
def preflight(
    target: str | None, *, debug: bool, meanwhile: Callable[[], None] | None = None
) -> Iterator[Preflight]:
    """Start trying the app *target*; the child is gone when the block is left.

    :param target: as for :func:`carboy.server.discovery.find`.
    :param debug: write tracebacks to standard error.
    :param meanwhile: called again and again while the child has not answered; what it
        raises ends the trial. By default the caller waits.
    """
    fork = multiprocessing.get_context("fork")  # the child shall know what this process knows
    ours, theirs = fork.Pipe()
    # Held back until somebody ends the child: while it is forked Ctrl-C may be lost, or leave it.
    usual = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    given = (ours, theirs, target, debug, usual)
    child = fork.Process(target=_check, args=given, name="preflight")
    try:
        child.start()
    except BaseException:
        signal.pthread_sigmask(signal.SIG_SETMASK, usual)
        raise
    theirs.close()
    check = Preflight(ours, child, meanwhile)
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, usual)
        yield check
    except CarboyError:
        raise  # the child finds the pipe closed and ends
    except BaseException:
        child.terminate()
        raise
    finally:
        check.leave()


def _check(
    ours: Connection,
    theirs: Connection,
    target: str | None,
    debug: bool,  # noqa: FBT001 - multiprocessing passes by position
    signals: Iterable[int],
) -> None:
    ours.close()
    for name in _SIGNALS:
        signal.signal(getattr(signal, f"SIG{name}"), signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, signals)
    # Whoever reloads has set up logging already; the app shall set it up as in a worker.
    logging.getLogger().handlers.clear()
    try:
        with without_collections():
            app = discovery.load(target)
        carboy = app.extensions.get("carboy")
        settings = carboy.settings if carboy else Settings.load()
        theirs.send(_needed(settings, docs=carboy is not None and settings.API_DOCS))
        if not _told_to_go_on(theirs):
            return
        with app.app_context():
            for start in app.extensions.get("carboy.start", []):
                start()
        theirs.send({})
    except CarboyError as error:
        if debug:
            traceback.print_exc()
        theirs.send(_Refused(str(error), error.exit_code))
    except Exception as error:  # noqa: BLE001 - whatever it is, the master must tell
        if debug:
            traceback.print_exc()
        theirs.send(
            _Refused(
                f"The app refused to start: {type(error).__name__}: {error}. "
                "`carboy --debug …` shows the traceback.",
                1,
            )
        )


def _needed(settings: Settings, *, docs: bool) -> dict[str, Any]:
    """Take what the server uses: plain values, and no secret."""
    declared = Settings.declarations().items()
    names = [name for name, (_, setting) in declared if setting.group in _GROUPS]
    return {name: getattr(settings, name) for name in [*names, "APP_ENV"]} | {"API_DOCS": docs}


def _told_to_go_on(theirs: Connection) -> bool:
    try:
        return bool(theirs.recv())
    except EOFError:
        return False
