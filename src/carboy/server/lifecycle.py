"""How a worker lives and ends, whichever server it belongs to."""

from __future__ import annotations

import os
import select
import signal
import time
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import Any

from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.util import make_fail_app  # type: ignore[import-untyped]
from gunicorn.workers.base import Worker as BaseWorker  # type: ignore[import-untyped]

from carboy.api.answers import render
from carboy.api.envelope import JSend
from carboy.errors import ApiError, CarboyError
from carboy.server import freed

DISMISSAL = signal.SIGUSR2
"""What the master sends to a worker that shall finish its requests and leave."""


class Lifecycle(BaseWorker):  # type: ignore[misc]
    """The part of a worker that deals with its master; ``app`` is the server's ``Service``."""

    sockets: list[Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.born = time.monotonic()

    def init_process(self) -> None:
        """Begin as a process of its own."""
        freed.keep()
        super().init_process()

    def load_wsgi(self) -> None:
        """Load the app; if it fails say why in one line, and under reload wait for a change."""
        try:
            self.wsgi = self.app.wsgi()
        except CarboyError as error:
            show = self.cfg.reload or self.app.debug
            self.log.error("%s", error, exc_info=error.__cause__ if show else None)  # noqa: TRY400
            if not self.cfg.reload:
                raise SystemExit(Arbiter.APP_LOAD_ERROR) from error
            for file in set(_files_of(error)):
                self.reloader.add_extra_file(file)
            self.wsgi = make_fail_app(f"{error}\n")

    def init_signals(self) -> None:
        """Leave at the master's word alone: SIGTERM may have been sent to the whole group."""
        super().init_signals()
        # No SIG_IGN: what the app starts would inherit it, and a signal that is pending
        # when it is set is reported as lost.
        signal.signal(signal.SIGTERM, _pay_no_heed)
        signal.signal(DISMISSAL, self.handle_exit)
        signal.siginterrupt(DISMISSAL, False)  # noqa: FBT003 - the standard library's signature

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Finish what was accepted and leave; before serving at once, unless somebody waits."""
        if not self.booted and not any(map(has_waiting, self.sockets)):
            os._exit(0)
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """Leave at once; Ctrl-C reaches a worker twice, from the terminal and the master."""
        if not self.booted:
            os._exit(0)  # SystemExit would look like a failure of the code being imported
        for further in (signal.SIGINT, signal.SIGQUIT, DISMISSAL):
            signal.signal(further, _pay_no_heed)
        super().handle_quit(sig, frame)

    def refusal(self, error: ApiError) -> tuple[bytes, str]:
        """Write what the server itself refuses, in the app's envelope.

        :return: the body and its content type.
        """
        app = getattr(self, "wsgi", None)
        envelope = getattr(app, "extensions", {}).get("carboy.envelope") or JSend()
        return render(error, envelope)

    def tell_cut_off(self, requests: int) -> None:
        """Say how many requests outlasted the graceful timeout."""
        self.log.warning(
            "GUNICORN_GRACEFUL_TIMEOUT (%d s) is over: requests cut off: %d.",
            self.cfg.graceful_timeout,
            requests,
        )


def has_waiting(listener: Any) -> bool:
    """Whether a connection waits to be accepted."""
    queue = select.poll()
    queue.register(listener.fileno(), select.POLLIN)
    return bool(queue.poll(0))


def _pay_no_heed(_sig: int, _frame: FrameType | None) -> None:
    """Handle a signal by doing nothing."""


def _files_of(error: BaseException | None) -> Iterator[str]:
    """Every source file that took part in a failure."""
    while error is not None:
        if isinstance(error, SyntaxError) and error.filename:
            yield error.filename
        for frame in traceback.extract_tb(error.__traceback__):
            yield frame.filename
        error = error.__cause__ or error.__context__
