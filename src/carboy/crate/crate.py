"""The WSGI layer itself: runs every concern, in a fixed order, in one pass."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import perf_counter_ns
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from carboy.crate.access_log import AccessLog
from carboy.crate.answer import Answer
from carboy.crate.body import BodyLimit
from carboy.crate.cors import Cors
from carboy.crate.counting import Began
from carboy.crate.dressing import Dressing
from carboy.crate.ending import Ending
from carboy.crate.exchange import Exchange
from carboy.crate.headers import SecurityHeaders
from carboy.crate.health import Check, Health, Reply
from carboy.crate.hosts import Hosts
from carboy.crate.maintenance import Maintenance
from carboy.crate.metrics import Metrics
from carboy.crate.proxies import CLAIMS, Proxies
from carboy.crate.refusal import plain_json
from carboy.errors import ApiError, InternalError
from carboy.logs import current_ids, mark_records
from carboy.settings import Settings

_now_ns: Final = perf_counter_ns
_set_ids: Final = current_ids.set
_log: Final = logging.getLogger("carboy.crate")

Render = Callable[[ApiError, WSGIEnvironment], tuple[bytes, Any]]


class Crate:
    """Surrounds any WSGI application with what it takes to operate it.

    What the inside tells the outside goes through the environment: ``carboy.route``
    (rule of the route that matched) and ``carboy.policy`` (``page`` or ``api``).

    :param app: the application.
    :param settings: read once, here.
    :param instance_path: folder of the maintenance switch.
    :param checks: readiness checks by name; looked at whenever they run.
    :param render: writes the body of a refusal, and names its content type.
    :param status: tells which status is sent for that of a refusal.
    :param propagate: whether an exception of the app goes on to the server or the test.
    :raises SettingsError: for origins or host names that can never match.

    :ivar stopping: asked by ``/health/ready``; replace it to announce a stop.
    :ivar maintenance: the maintenance switch.
    :ivar metrics: ``None`` when METRICS is off.
    """

    def __init__(  # noqa: PLR0913 - what it surrounds and what it is told, each by name
        self,
        app: WSGIApplication,
        settings: Settings,
        *,
        instance_path: Path,
        checks: Mapping[str, Check],
        render: Render = plain_json,
        status: Callable[[int], int] = int,
        propagate: Callable[[], Any] = lambda: False,
    ) -> None:
        mark_records()
        self.stopping: Callable[[], Any] = lambda: False
        self.maintenance = Maintenance.from_settings(settings, instance_path)
        self.metrics = Metrics(settings) if settings.METRICS else None
        # Which methods there were, with what counts them.
        self._begins: dict[str, Began] = {} if self.metrics is None else self.metrics.begins
        self._app = app
        self._render = render
        self._status = status
        self._propagate = propagate
        self._proxies = Proxies(settings.TRUSTED_PROXIES)
        self._hosts = Hosts(settings.TRUSTED_HOSTS)
        self._cors = Cors(settings) if settings.CORS_ORIGINS else None
        self._guard = BodyLimit(settings.MAX_CONTENT_LENGTH).guard
        self._dressing = Dressing(SecurityHeaders(settings), self._cors)
        access = AccessLog() if settings.ACCESS_LOG else None
        self.finished = Ending(self.metrics, access).finished
        health = Health(settings, checks, self.maintenance, self._is_stopping)
        self._endpoints: dict[str, Callable[[WSGIEnvironment], Reply]] = {
            "/health": health.live,
            "/health/live": health.live,
            "/health/ready": health.ready,
        }
        if self.metrics is not None:
            self._endpoints["/metrics"] = self.metrics.serve
        # Probes call by address and must get through maintenance, also to an app's own.
        self._exempt = frozenset(self._endpoints)

    def release(self, path: str) -> bool:
        """Leave *path* to the app, when one of its own routes has the crate's place.

        :return: whether the crate would have answered it.
        """
        return self._endpoints.pop(path, None) is not None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        return self.serve(environ, start_response)

    def serve(  # noqa: C901 - see below
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer one request: a method is called more quickly than an object.

        Most requests are ordinary. They are told apart here, since each call costs more than
        what it would find out, most of all when other code has run in between.
        """
        started_ns = _now_ns()
        for claim in CLAIMS:
            if claim in environ:
                self._proxies.apply(environ)
                break
        exchange = environ["carboy.exchange"] = Exchange(environ, started_ns)
        answer = Answer(self, self._dressing, exchange, environ, start_response)
        metrics = self.metrics
        if metrics is not None:
            began = self._begins.get(exchange.method)
            if began is None:
                began = metrics.fly(exchange.method)
            began()
        try:
            if (
                environ.get("PATH_INFO", "") in self._exempt
                or environ.get("HTTP_HOST") not in self._hosts.accepted
                or exchange.method == "OPTIONS"
                or started_ns >= self.maintenance.off_until_ns
                or environ.get("CONTENT_LENGTH")
                or "HTTP_TRANSFER_ENCODING" in environ
                or environ.get("SERVER_PROTOCOL") != "HTTP/1.1"
            ):
                own = self._outside(exchange, environ)
                if own is not None:
                    return answer.reply(own)
            body = self._app(environ, answer.start)
            # A list of one chunk or none is complete: nothing is left to iterate over that could
            # fail, and nothing to close. The server gets the list itself; some, such as granian,
            # send one in a single step. The request ends here, as it would with its only chunk.
            if type(body) is not list or not exchange.status or len(body) > 1:
                return answer.carry(body)
            if body:
                if type(body[0]) is not bytes:
                    return answer.carry(body)
                exchange.bytes_sent += len(body[0])
        except Exception as error:  # noqa: BLE001 - becomes the answer, or is raised again there
            return answer.fail(error)
        except BaseException:
            answer.close()
            raise
        try:
            # What comes now is done by the server, which says whether the line may wait for others.
            self.finished(exchange, environ, environ.get("carboy.lines"))
        finally:
            _set_ids(answer.previous)
        return body

    def _is_stopping(self) -> bool:
        return bool(self.stopping())

    def _outside(self, exchange: Exchange, environ: WSGIEnvironment) -> Reply | None:
        """Answer what the app is not needed for; ``None``: the app's turn.

        :raises ApiError: the refusal of a request that does not get through.
        """
        path = environ.get("PATH_INFO", "")
        if path in self._exempt:
            endpoint = self._endpoints.get(path)
            if endpoint is not None:
                exchange.route = path
                return endpoint(environ)
        else:
            self._hosts.check(environ)
            # Before maintenance: a browser shows a page the 503 only after its preflight.
            if self._cors is not None and self._cors.is_preflight(environ):
                return 204, self._cors.preflight(environ), b""
            notice = self.maintenance.notice(exchange.started_ns)
            if notice is not None:
                raise notice.refusal()
        self._guard(environ)
        return None

    def refuse(self, error: Exception, environ: WSGIEnvironment) -> Reply:
        """Turn what was raised into an answer, in the app's envelope.

        :raises Exception: *error*, if it is no refusal and *propagate* says so.
        """
        if not isinstance(error, ApiError):
            _log.error("A request failed.", exc_info=error)
            if self._propagate():
                raise error
            error = InternalError()
        try:
            body, content_type = self._render(error, environ)
            status = self._status(error.status)
        except Exception:  # noqa: BLE001 - an envelope that fails must not fail the answer
            _log.exception("A refusal could not be written in the app's envelope.")
            body, content_type = plain_json(error, environ)
            status = error.status
        return status, [("Content-Type", content_type), *error.headers.items()], body
