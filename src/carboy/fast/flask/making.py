"""The request of a context, made when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from carboy.fast.flask.plan import Plan
    from carboy.fast.flask.rules import Route

__all__ = ["request_of"]

_new: Final = object.__new__


def request_of(context: Any) -> Any:
    """Make the request of *context*: what ``flask.Request(environ)`` makes, from what is known.

    For whoever knows that it was not made before.
    """
    environ: dict[str, Any] = context.environ
    path: str = context.path
    query: str | None = environ.get("QUERY_STRING")
    root: str | None = environ.get("SCRIPT_NAME")
    plan: Plan = context.plan
    own: dict[str, Any] = {
        "environ": environ,
        "method": environ["REQUEST_METHOD"],
        "path": path if path[:1] == "/" and path[1:2] != "/" else "/" + path.lstrip("/"),
        "scheme": environ["wsgi.url_scheme"],
        "remote_addr": environ.get("REMOTE_ADDR"),
        "query_string": query.encode("latin1") if query else b"",
        "root_path": _decoded(root).rstrip("/") if root else "",
        "shallow": False,
        "json_module": plan.json,
        "host": context.host,
    }
    if plan.trusted is not None:
        own["trusted_hosts"] = plan.trusted
    route: Route | None = context.route
    if route is not None:
        own["url_rule"] = route.rule
        own["view_args"] = context.values
    request: Any = _new(plan.request_kind)
    request.__dict__ = own
    context.made = context.request = request
    environ["werkzeug.request"] = None if context.token is None else request  # it is over
    return request


def _decoded(text: str) -> str:
    """Decode a string of WSGI (PEP 3333, "Unicode Issues")."""
    return text.encode("latin1").decode(errors="replace")
