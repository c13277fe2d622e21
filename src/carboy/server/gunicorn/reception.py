"""Where clients wait and threads take what has arrived, one request after the other.

gunicorn's threaded worker has one thread that waits for clients and others that are handed
what it finds. Each request changes hands twice, which takes longer than many a view. Here
every thread does both: it waits, reads, runs the app, answers, and waits again. While one
keeps up the others rest (see :class:`carboy.server.crew.Crew`), so that a request meets no
other thread at all.

A client that is still sending, or that does not take its answer, waits without a thread.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Final

from carboy.server.crew import Crew
from carboy.server.gunicorn.desk import Desk
from carboy.server.gunicorn.lobby import Lobby
from carboy.server.gunicorn.sender import Sender

_log: Final = logging.getLogger("gunicorn.error")

# So many clients are looked after before the next are asked for, by a thread that is alone.
_AT_ONCE: Final = 64
_TICK_S: Final = 0.01
_PAUSE_S: Final = 0.1


class Reception:
    """The threads of one worker.

    :param cfg: gunicorn's options.
    :param lobby: where clients wait.
    :param desk: where they are served.
    :param sender: sends what the desk has gathered.
    :param crew: says how many threads take requests.
    """

    def __init__(self, cfg: Any, *, lobby: Lobby, desk: Desk, sender: Sender, crew: Crew) -> None:
        self._lobby = lobby
        self._desk = desk
        self._sender = sender
        self._crew = crew
        self._over = False
        # Nobody waits for a thread whose request outlasts the worker.
        self._threads = [
            threading.Thread(target=self._work, name=f"request-{number}", daemon=True)
            for number in range(cfg.threads)
        ]

    def begin(self) -> None:
        """Accept connections and serve them."""
        self._lobby.begin()
        for thread in self._threads:
            thread.start()
        self._crew.start()

    def look_after(self) -> None:
        """Mind slow clients; to be called a few times a second."""
        self._lobby.look_after()
        # Whoever took them may be busy for long.
        if self._desk.ready or self._sender.has_gathered():
            self._lobby.rouse()

    def is_idle(self) -> bool:
        """Whether there is nobody to serve and nothing left to do."""
        return not (self._lobby.open or self._crew.busy)

    def begun(self) -> int:
        """Count the requests that are not done: their answers may be on their way."""
        return max(self._lobby.begun(), len(self._crew.busy))

    def end(self, patience_s: float) -> bool:
        """Let the threads go.

        :return: whether all of them did.
        """
        self._over = True
        self._crew.dismiss()
        until = time.monotonic() + patience_s
        for thread in self._threads:
            while thread.is_alive() and time.monotonic() < until:
                self._lobby.rouse()
                thread.join(_TICK_S)
        if any(thread.is_alive() for thread in self._threads):
            return False
        self._lobby.close()
        return True

    def _work(self) -> None:
        while not self._over:
            try:
                self._serve()
            except BaseException:  # noqa: BLE001 - a worker must not lose its threads one by one
                _log.exception("Clients cannot be waited for.")
                time.sleep(_PAUSE_S)

    def _serve(self) -> None:
        ready, crew, sender = self._desk.ready, self._crew, self._sender
        crew.rest()  # which counts this thread, too
        while not self._over:
            if not ready:
                if sender.has_gathered() and crew.is_single():
                    # Who came meanwhile is answered together with those.
                    ready += self._lobby.take(_AT_ONCE, wait=False)
                    if ready:
                        continue
                sender.send_gathered()
                crew.rest()
                sender.send_gathered()  # what one that is stuck has left
                if not (ready or crew.is_crowded()):
                    # Others that wait for clients do not see what one has taken.
                    ready += self._lobby.take(_AT_ONCE if crew.is_single() else 1)
                continue
            try:
                connection = ready.popleft()
            except IndexError:  # another thread was quicker
                continue
            try:
                self._desk.attend(connection)
            except BaseException:  # noqa: BLE001 - nobody above could say it
                _log.exception("A connection failed.")
                self._lobby.drop(connection)
            sender.send_due()
