"""``Carboy(app)``: fits a Flask app into its crate, in a fixed order."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, default_exceptions

from carboy import logs
from carboy.api import limits, openapi
from carboy.api.answers import answer, as_api_error, render
from carboy.api.envelope import Envelope, JSend, status_sent
from carboy.crate import Crate
from carboy.errors import ApiError, CarboyError
from carboy.fast.flask import Flask as FastFlask
from carboy.fast.flask.context import RequestContext, current
from carboy.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_log = logging.getLogger("carboy")
_KEY_BYTES = 48
_ROUTE = "carboy.route"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Carboy:
    """What operates a service, fitted around *app*.

    Afterwards ``app.extensions["carboy"]`` is this object, every setting is in
    ``app.config``, and ``app.wsgi_app`` passes through the crate. The app's own
    answers and error handlers stay as they are; errors nobody handles wear the
    envelope.

    :param app: any Flask app, with or without its routes.
    :param settings: a class derived from :class:`~carboy.settings.Settings`, one already
        loaded, or a mapping of explicit values; by default Carboy's own.
    :param envelope: how answers and errors are wrapped; by default
        :class:`~carboy.api.envelope.JSend`.
    :raises SettingsError: naming every setting that cannot be used.
    :raises CarboyError: if the app is in a crate already.
    """

    def __init__(
        self,
        app: Flask,
        settings: Settings | type[Settings] | Mapping[str, Any] | None = None,
        *,
        envelope: Envelope | None = None,
    ) -> None:
        if "carboy" in app.extensions:
            raise CarboyError("Carboy(app) was called twice for one app; keep the first call.")
        self.app = app
        self.settings = _load(app, settings)
        self.envelope: Envelope = envelope or JSend()
        app.extensions["carboy"] = self
        app.extensions["carboy.envelope"] = self.envelope
        app.extensions["carboy.read_only"] = _request_only_reads
        checks = app.extensions.setdefault("carboy.checks", {})
        for key in ("carboy.translators", "carboy.start"):
            app.extensions.setdefault(key, [])
        _configure(app, self.settings)
        logs.configure(self.settings)
        _keep_secret_key(app)
        _answer_errors(app)
        _label_routes(app)
        limits.init_app(app)
        openapi.init_app(app)
        self.crate = Crate(
            app.quickest if isinstance(app, FastFlask) else app.wsgi_app,
            self.settings,
            instance_path=Path(app.instance_path),
            checks=checks,
            render=self._render,
            status=lambda status: status_sent(self.envelope, status),
            propagate=self._propagates,
        )
        self._opening = Lock()
        self._opened = False
        app.wsgi_app = self._open  # type: ignore[method-assign]

    def _open(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer through the crate; at the first request all routes of the app are known."""
        with self._opening:
            if not self._opened:
                _leave_own_paths(self.app, self.crate)
                openapi.serve(self.app)
                logs.enable_again()
                self._opened = True
                if self.app.wsgi_app == self._open:
                    # A method is called more quickly than an object.
                    self.app.wsgi_app = self.crate.serve  # type: ignore[method-assign]
        return self.crate(environ, start_response)

    def _render(self, error: ApiError, environ: WSGIEnvironment) -> tuple[bytes, Any]:
        del environ
        return render(error, self.envelope)

    def _propagates(self) -> bool:
        chosen = self.app.config["PROPAGATE_EXCEPTIONS"]
        return bool(self.app.testing or self.app.debug if chosen is None else chosen)


def _load(app: Flask, given: Settings | type[Settings] | Mapping[str, Any] | None) -> Settings:
    if isinstance(given, Settings):
        return given
    fresh = app.make_config()
    own = {
        name: value
        for name, value in app.config.items()
        if value is not None and value != fresh.get(name)
    }
    kind = given if isinstance(given, type) else Settings
    explicit = {} if given is None or isinstance(given, type) else given
    settings = kind.load(config=own, **explicit)
    server = app.config["SERVER_NAME"]
    if server and settings.sources["TRUSTED_HOSTS"] in ("Development", "Testing"):
        # The app has said what it is called; outside Production that is word enough.
        own["TRUSTED_HOSTS"] = (*settings.TRUSTED_HOSTS, server.rpartition(":")[0] or server)
        settings = kind.load(config=own, **explicit)
    return settings


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(settings.as_config())
    if any("*" in host or "[" in host for host in settings.TRUSTED_HOSTS):
        # The crate has judged the host; Werkzeug's own list knows neither * nor IPv6.
        app.config["TRUSTED_HOSTS"] = None
    if settings.INSTANCE_PATH:
        app.instance_path = os.path.abspath(settings.INSTANCE_PATH)  # noqa: PTH100 - resolve() follows links


def _keep_secret_key(app: Flask) -> None:
    """Outside Production, use one key for all workers and restarts without being told it."""
    if app.config["SECRET_KEY"]:
        return
    if app.testing:
        app.config["SECRET_KEY"] = secrets.token_urlsafe(_KEY_BYTES)
        return
    file = Path(app.instance_path) / "secret_key"
    try:
        app.config["SECRET_KEY"] = _kept_key(file) or _made_key(file)
    except OSError as error:
        _log.warning("No secret key can be kept in %s (%s): sessions end with this process.",
                     file.parent, error.strerror)  # fmt: skip
        app.config["SECRET_KEY"] = secrets.token_urlsafe(_KEY_BYTES)


def _kept_key(file: Path) -> str | None:
    try:
        key = file.read_bytes()
        open_to_others = file.stat().st_mode & 0o077
    except FileNotFoundError:
        return None
    if len(key) < _KEY_BYTES or not key.isascii() or open_to_others:
        _log.warning("%s is damaged or readable by others: another key takes its place.", file)
        file.unlink()
        return None
    return key.decode("ascii").strip()


def _made_key(file: Path) -> str:
    """Write a new key as a whole; the first of several processes wins."""
    file.parent.mkdir(parents=True, exist_ok=True)
    made = file.with_name(f"secret_key.{os.getpid()}.{secrets.token_hex(4)}")
    made.touch(mode=0o600)
    made.write_text(secrets.token_urlsafe(_KEY_BYTES), encoding="ascii")
    with contextlib.suppress(FileExistsError):
        os.link(made, file)
    made.unlink()
    return file.read_text(encoding="ascii")


def _answer_errors(app: Flask) -> None:
    """Give what nobody handles the envelope, and leave every handler of the app its turn."""
    own_handlers = app.error_handler_spec[None][None]
    if ApiError not in own_handlers:
        app.register_error_handler(
            ApiError, lambda error: app.handle_http_exception(_as_http(error))
        )

    def unhandled(e: Exception) -> Any:
        return _translated(app, e)

    if isinstance(app, FastFlask):
        app.error_response = _error_response
        app.unhandled = unhandled
        return
    flasks_make_response = app.make_response
    flasks_handle_user_exception = app.handle_user_exception

    def make_response(rv: Any) -> Response:
        response = _error_response(rv) if isinstance(rv, HTTPException) else None
        return flasks_make_response(rv) if response is None else response

    def handle_user_exception(e: Exception) -> Any:
        try:
            return flasks_handle_user_exception(e)
        except Exception as raised:
            answer = unhandled(e) if raised is e else None
            if answer is None:
                raise
            return answer

    app.make_response = make_response  # type: ignore[method-assign]
    app.handle_user_exception = handle_user_exception  # type: ignore[method-assign]


def _error_response(exception: HTTPException) -> Response | None:
    """Give an error that no handler took the envelope; ``None``: it is not an error."""
    error = getattr(exception, "api_error", None) or as_api_error(exception)
    return None if error is None else answer(error)


def _translated(app: Flask, e: Exception) -> Any:
    """Ask what an exception means to the caller; ``None``: nobody knows."""
    for translate in app.extensions["carboy.translators"]:
        meaning = translate(e)
        if meaning is not None:
            # One line: an outage would bury the log under its tracebacks.
            reason = (str(e).splitlines() or [""])[0]
            _log.warning("Answered %d: %s: %s", meaning.status, type(e).__name__, reason)
            _log.debug("What was answered %d.", meaning.status, exc_info=e)
            return app.handle_http_exception(_as_http(meaning))
    return None


def _as_http(error: ApiError) -> HTTPException:
    """Dress *error* as Werkzeug's exception of its status, so that ``errorhandler(404)`` fits."""
    kind = default_exceptions.get(error.status, HTTPException)
    dressed = kind(description=error.message)
    dressed.code = error.status
    dressed.api_error = error  # type: ignore[attr-defined]
    return dressed


def _label_routes(app: Flask) -> None:
    """Tell the crate which rule matched, before anything of the app runs."""
    if isinstance(app, FastFlask):
        app.route_key = _ROUTE
        return

    def label(endpoint: str | None, values: dict[str, Any] | None) -> None:
        del endpoint, values
        if request.url_rule is not None:
            request.environ[_ROUTE] = request.url_rule.rule

    app.url_value_preprocessors.setdefault(None, []).insert(0, label)


def _leave_own_paths(app: Flask, crate: Crate) -> None:
    for rule in app.url_map.iter_rules():
        if crate.release(rule.rule):
            _log.info("%s is answered by the app itself (%s).", rule.rule, rule.endpoint)


def _request_only_reads() -> bool:
    context = current()
    # The lane's own context tells the method without making the request.
    asked = context if type(context) is RequestContext else context and context.request
    return asked is not None and asked.method in _SAFE
