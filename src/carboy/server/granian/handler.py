"""What granian calls with every request."""

from __future__ import annotations

import itertools
import logging
import sys
import threading
import time
import uuid
from collections.abc import Callable
from io import BytesIO
from threading import get_ident
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

from carboy.errors import ApiError, for_status
from carboy.server.crew import Crew
from carboy.server.granian.body import Arrival, LiveBody
from carboy.server.granian.drain import Drain
from carboy.server.granian.environ import Environments, HeadTooLong
from carboy.server.granian.fields import Fields
from carboy.server.granian.reply import ClientGone, Reply
from carboy.server.granian.turns import Turns
from carboy.server.pace import Pace

_log = logging.getLogger("gunicorn.error")

_Job = tuple[Any, WSGIEnvironment]
_DIGITS_MAX = 18


class Handler:
    """Takes a request when its head is there, and runs the app when the app can go on.

    :param app: the application.
    :param environments: makes the WSGI environments.
    :param pace: how slowly bodies may come.
    :param body_limit: what is announced to be longer is not waited for: the app refuses it.
    :param threads: how many requests the app works on at once.
    :param is_last: asked whether a connection shall end with its next answer.
    :param refusal: writes a refusal of the server; gives body and content type.
    :param enough: after how many requests *replace* is called, once.

    :ivar under_way: the requests that are not answered yet.
    :ivar crew: says which of granian's threads take requests.
    """

    def __init__(  # noqa: PLR0913 - each by name
        self,
        app: WSGIApplication,
        *,
        environments: Environments,
        pace: Pace,
        body_limit: int,
        threads: int,
        is_last: Callable[[], bool],
        refusal: Callable[[ApiError], tuple[bytes, str]],
        enough: int,
        replace: Callable[[], object],
    ) -> None:
        self._app = app
        self._environments = environments
        self._pace = pace
        self._body_limit = body_limit
        self._is_last = is_last
        self._refusal = refusal
        self._turns: Turns[_Job] = Turns(threads, self._answer)
        self._arrivals: set[Arrival] = set()
        self._drains: set[Drain] = set()
        self._numbers = itertools.count(1)
        self._fields = Fields()
        self._enough = enough
        self._replace = replace
        self.under_way: set[Any] = set()
        # One more than may run the app, so that one is always free to bring what they wait for.
        self.crew = Crew(threads + 1)

    def __call__(self, call: Any) -> None:
        """Take one request; *call* has granian's ``scope``, ``proto`` and ``done``."""
        self.under_way.add(call)
        try:
            if next(self._numbers) == self._enough:
                self._replace()
            environ = self._environments.make(call.scope)
            length = environ.get("CONTENT_LENGTH", "")
            if length in ("", "0") and "HTTP_TRANSFER_ENCODING" not in environ:
                environ["wsgi.input"] = BytesIO()
                self._turns.take((call, environ))
            else:
                self._take_body(call, environ, length)
        except HeadTooLong as error:
            self._refuse(call, error)
        except BaseException:  # noqa: BLE001 - nobody above could say it
            _log.exception("A request could not be taken.")
            self._end(call)
        else:
            # granian lets go of a request when this returns: nobody rests with one that is open.
            if call not in self.under_way and type(environ["wsgi.input"]) is BytesIO:
                self.crew.rest()

    def cut_off_late(self) -> None:
        """Wait no longer for bodies that come, or are taken, too slowly."""
        now = time.monotonic()
        transfers: list[Arrival | Drain] = [*self._arrivals.copy(), *self._drains.copy()]
        for transfer in transfers:
            if transfer.is_late(now):
                transfer.cut_off()

    @property
    def is_waiting(self) -> bool:
        """Whether a body is on its way, in or out, without a thread."""
        return bool(self._arrivals or self._drains)

    def _take_body(self, call: Any, environ: WSGIEnvironment, length: str) -> None:
        """Wait for the body, unless the app may not want it."""
        known = int(length) if length.isdecimal() and len(length) <= _DIGITS_MAX else None
        receive = call.proto.receive
        too_long = known is not None and known > self._body_limit
        if too_long or "HTTP_EXPECT" in environ:
            environ["wsgi.input"] = LiveBody(receive, known, self._pace)
            self._turns.take((call, environ))
            return

        def hand_over(body: Any) -> None:
            self._arrivals.discard(arrival)
            environ["wsgi.input"] = body
            self._turns.take((call, environ))

        arrival = Arrival(receive, known, self._pace, hand_over)
        self._arrivals.add(arrival)
        arrival.proceed()

    def _answer(self, job: _Job) -> None:
        """Run the app for one request, in one of the bounded number of threads."""
        call, environ = job
        crew, me = self.crew, get_ident()
        crew.busy[me] = call
        if crew.dozing:
            crew.rouse()
        reply = Reply(call.proto, environ["wsgi.input"], self._fields, self._is_last)
        try:
            body = self._app(environ, reply.start)
            try:
                reply.carry(body)
            finally:
                if hasattr(body, "close"):
                    body.close()
        except ClientGone:
            pass
        except BaseException:  # noqa: BLE001 - SystemExit of a view ends no worker, either
            _log.exception("Error handling request %s", environ.get("PATH_INFO"))
        finally:
            if reply.rest:
                self._drain(call, reply.rest)
            else:
                self._end(call)
            crew.busy.pop(me, None)

    def _drain(self, call: Any, data: bytes) -> None:
        def ended(drain: Drain) -> None:
            self._drains.discard(drain)
            self._end(call)

        drain = Drain(call.proto.send, data, ended)
        self._drains.add(drain)
        drain.proceed()

    def _end(self, call: Any) -> None:
        # granian answers 500 where there is no answer, breaks off one that is not whole, and
        # gives up the rest of a body that nobody reads.
        call.done()
        self.under_way.discard(call)

    def _refuse(self, call: Any, reason: HeadTooLong) -> None:
        error = for_status(reason.status)
        _log.warning("Answered %d to %s.", error.status, call.scope["client"][0])
        body, content_type = self._refusal(error)
        reply = Reply(call.proto, None, self._fields, lambda: True)
        headers = [
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
            ("X-Request-ID", uuid.uuid4().hex),
        ]
        reply.start(f"{error.status} ", headers)
        reply.carry((body,))
        self._end(call)


def seen_by_tracers(handler: Callable[[Any], None]) -> Callable[[Any], None]:
    """Let debuggers and coverage look into granian's threads, as into Python's own."""
    trace = threading.gettrace()
    if trace is None:
        return handler

    def traced(call: Any) -> None:
        if sys.gettrace() is None:
            sys.settrace(trace)
        handler(call)

    return traced
