"""What happens before every request: it is counted, or refused."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Request, Response, after_this_request, current_app

from carboy.api.limits.declaration import limit_given
from carboy.api.limits.headers import headers_of, wait_s
from carboy.api.limits.plan import EXTENSION, Plan, plan_of
from carboy.backing.counters import Circuit, CountersDown, open_counters
from carboy.errors import SettingsError, TooManyRequests, Unavailable
from carboy.fast.flask import Flask as FastFlask
from carboy.fast.flask.context import current

__all__ = ["Limiter", "init_app", "limiter"]

_UNKNOWN_METHODS = "OTHER"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})
RETRY_AFTER_S = 5


class Limiter:
    """The limits of one app; found at ``app.extensions["carboy.limits"]``.

    :ivar counters: where requests and attempts to sign in are counted.
    :ivar default: what ``RATE_LIMIT`` says.
    :raises SettingsError: if ``RATE_LIMIT`` or ``RATE_LIMIT_STORAGE`` cannot be read.
    """

    def __init__(self, app: Flask) -> None:
        config = app.config
        try:
            self.default = limit_given(config["RATE_LIMIT"])
        except ValueError as error:
            raise SettingsError(f"RATE_LIMIT: {error}") from None
        url = config["RATE_LIMIT_STORAGE"] or config["REDIS_URL"] or "sqlite://"
        folder = Path(app.instance_path)
        self.counters = Circuit(open_counters(url, folder=folder, prefix=f"carboy:{app.name}:"))
        self._plans: dict[tuple[str | None, str], Plan | None] = {}

    def check(self, request: Request) -> bool:
        """Count *request*, the one at hand.

        :return: whether requests of its rule and method are never counted.
        :raises TooManyRequests: if it is one too many (429).
        :raises Unavailable: if it cannot be counted and its limit refuses then (503).
        """
        rule = request.url_rule
        method = request.method if request.method in _METHODS else _UNKNOWN_METHODS
        which = (None if rule is None else rule.endpoint, method)
        try:
            plan = self._plans[which]
        except KeyError:
            app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
            plan = self._plans[which] = plan_of(app, *which)
        if plan is None:
            return True
        self._count(plan)
        return False

    def _count(self, plan: Plan) -> None:
        windows = [policy.window() for policy in plan.policies]
        try:
            fits, levels = self.counters.take(windows)
        except CountersDown:
            if plan.when_down == "allow":
                return
            raise Unavailable(retry_after_s=RETRY_AFTER_S) from None
        headers = headers_of(plan, levels)

        def tell(response: Response) -> Response:
            response.headers.update(headers)
            return response

        after_this_request(tell)
        if not fits:
            raise TooManyRequests(retry_after_s=wait_s([one.quota for one in windows], levels))


def init_app(app: Flask) -> None:
    """Count the requests of *app*, ahead of everything else that happens before them."""
    found = app.extensions[EXTENSION] = Limiter(app)
    if isinstance(app, FastFlask):
        app.guard = found.check
        return

    def check() -> None:
        found.check(current().request)

    app.before_request_funcs.setdefault(None, []).insert(0, check)


def limiter() -> Limiter:
    """Find the limiter of the app at hand."""
    found: Limiter = current_app.extensions[EXTENSION]
    return found
