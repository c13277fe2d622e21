"""An app of either class is asked the same, and must do the same, to the last hook.

The same numbers make the same apps. Longer, and elsewhere:
``FUZZ_APPS=5000 FUZZ_FIRST=1000 pytest -o faulthandler_timeout=0 -k both`` and this file.
"""

import os
import pathlib
import sys
from collections import Counter

import pytest

from carboy.fast import flask as package
from carboy.fast.flask import Flask

from .lines import Lines
from .twins import differences, frozen

APPS = int(os.environ.get("FUZZ_APPS", "40"))
FIRST = int(os.environ.get("FUZZ_FIRST", "0"))
FOLDER = pathlib.Path(package.__file__).parent

# What runs as machine code has no lines.
COMPILED = {path.name.partition(".")[0] for path in FOLDER.iterdir() if path.suffix == ".so"}

# Module, how a line begins, and the share of requests in which it must at least have run.
SHARES = {
    "taken": ("lane", "app_token = app_context.token =", 0.5),
    "left to Flask": ("lane", "return plan.genuinely(app).wsgi_app(", 0.15),
    "found where it was found before": ("lane", "context.route, context.values = route", 0.02),
    "found by the matcher": ("lane", "context.route, context.values = found", 0.2),
    "found with values": ("matching", "return route, route.arguments(found[1])", 0.15),
    "matched with slashes to spare": ("matching", "not rule.strict_slashes", 0.03),
    "matched by a slash that is missing": ("matching", "for rule in node.slashed:", 0.03),
    "nothing found at once": ("lane", "request.routing_exception = NotFound()", 0.02),
    "matched by Werkzeug": ("lane", "context.match_request()", 0.2),
    "a view called at once": ("lane", "answer = view(**values) if values", 0.2),
    "nothing stands before the view": ("lane", "guard = plan.guard", 0.05),
    "dispatched": ("lane", "answer = _dispatch(app, plan, context.request)", 0.1),
    "sent without a response": ("answering", "LINES.get(code) or status_line(code),", 0.04),
    "a page for what was not found": ("answering", '"404 NOT FOUND",', 0.03),
    "a response made in short": ("answering", "response = plain(body, code, content_type)", 0.05),
    "a response sent in short": ("response", "start_response(response._status, sent)", 0.05),
    "JSON written by orjson": ("json_bytes", "return body", 0.05),
    "JSON written by the standard library's encoder": ("json_bytes", 'text = "".join(manner', 0.03),
    "JSON written after all by json": ("json_bytes", "text = provider.dumps(value", 0.0005),
    "JSON read": ("json_bytes", "return _loads(data)", 0.015),
    "a body read at once": ("reading", 'own["_carboy_length"] = length', 0.008),
    "a session opened": ("context", "session = interface.open_session(", 0.15),
    "hooks before": ("hooks", "answer = callable_of(app, plan, function)()", 0.05),
    "hooks after": ("hooks", "response = callable_of(app, plan, function)(response)", 0.05),
    "hooks that tear down": ("hooks", "for function in reversed(functions):", 0.04),
    "signals": ("hooks", "request_finished.send(", 0.002),
    "looked at anew": ("flask", "plan = Plan(app, Flask)", 0.015),
}  # fmt: skip


# Files of forms that Flask itself leaves open, where a view has left contexts behind.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(autouse=True)
def _frozen():
    with frozen():
        yield


def test_both_do_the_same_and_the_lane_was_asked():
    """Without the shares, both would be the same wherever Flask's own code was asked twice."""
    lines, counted = Lines(FOLDER), Counter()
    for seed in range(FIRST, FIRST + APPS):
        for difference in differences(seed, Flask, counted, lines.request):
            pytest.fail(difference)
    shares = {
        what: lines.share(module, text)
        for what, (module, text, _) in SHARES.items()
        if module not in COMPILED  # the same requests are counted where the sources run
    }
    if sys.version_info >= (3, 13):
        # Unseen: too deep for the function that traces.
        shares.pop("JSON written after all by json", None)
    rare = {what: share for what, share in shares.items() if share < SHARES[what][2]}
    assert not rare, counted
