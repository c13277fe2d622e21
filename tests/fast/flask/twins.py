"""Twin apps, one of stock Flask's class and one of the class that is held against it."""

import contextlib
import contextvars
import re
from collections import Counter
from functools import lru_cache
from random import Random

import flask
import itsdangerous.timed

from . import apps, hooks
from .asking import Request
from .trace import KEPT, SEEN, contexts, note, text

REQUESTS = 80
"""To one pair of twins."""

REMEMBERED = 150
"""Stock apps whose outcomes are kept, for those who compare several classes with them."""

FROZEN_S = 1_700_000_000.0


@contextlib.contextmanager
def frozen():
    """Stop the clock of signatures, which would write another second into one of two cookies."""
    genuine = itsdangerous.timed.time

    class Stopped:
        time = staticmethod(lambda: FROZEN_S)

    itsdangerous.timed.time = Stopped
    try:
        yield
    finally:
        itsdangerous.timed.time = genuine


def header(name, value):
    """Give a header as it can be compared: sets have no order, and clocks go on."""
    if name.lower() == "allow":
        return name, ", ".join(sorted(value.split(", ")))
    if name == "Date":
        return name, "now"
    if name == "Set-Cookie":
        return name, re.sub(r"Expires=[^;]+", "Expires=later", value)
    return name, value


def read(answered, how):
    """Read an answer as servers do, or leave early."""
    chunks = []
    try:
        if how != "none":
            for chunk in answered:
                chunks.append(chunk)
                if how == "first":
                    break
    finally:
        note("read")
        if how != "not closed" and hasattr(answered, "close"):
            answered.close()
    return chunks


def outcome(app, request, jar):
    """Ask one app, and give all that can be observed of it; what it leaves behind ends here."""
    return contextvars.copy_context().run(_outcome, app, request, jar)


def _outcome(app, request, jar):
    SEEN.clear()
    KEPT.clear()
    environ = request.environ(jar.get("cookie", ""))
    started, chunks, left = [], [], None

    def start_response(status, headers, exc_info=None):
        note("start", contexts())
        if flask.has_request_context():
            asked = flask.request
            note("start", asked.url_rule, asked.view_args, asked.root_path, asked.path)
        started.append((status, type(headers), [header(*one) for one in headers], exc_info))
        for name, value in headers:
            if name == "Set-Cookie":
                jar["cookie"] = value.split(";")[0]
        return lambda data: note("written", data)

    if request.surrounded:
        app.app_context().push()
    try:
        chunks = read(app(environ, start_response), request.reading)
    except BaseException as error:  # noqa: BLE001 - whatever leaves the app
        left = text(error)
    left_there = contexts()
    note("environ", sorted(environ), environ.get("werkzeug.request", "absent"))
    note("route", environ.get(apps.ROUTE_KEY, "absent"))
    note("input", environ["wsgi.input"].tell(), environ["wsgi.errors"].getvalue())
    note("files", [one.closed for one in KEPT])
    note("app", app._got_first_request, left_there)
    return {"started": started, "chunks": chunks, "left": left, "seen": list(SEEN)}


@lru_cache(REMEMBERED)
def stock(seed):
    """Make an app of Flask's own class, ask it, and give what was asked and what it did.

    :return: the rules, what was refused, and steps: the seed of a change before it or ``None``,
        the request, and its outcome.
    """
    SEEN.clear()
    app, made = apps.make(Random(seed), apps.Stock)
    refused, steps, jar, random = list(SEEN), [], {}, Random(seed)
    restless = random.choices((0, 0.05, 0.3), (5, 3, 3))[0]
    request, rules = None, rules_of(app)
    for _ in range(REQUESTS):
        change = random.random() if random.random() < restless else None
        if change is not None:
            apps.change(Random(change), app, made)
            rules = rules_of(app)
        request = Request(random, rules, request)
        steps.append((change, request, outcome(app, request, jar)))
    hooks.disconnect(app)
    return made, refused, steps


def rules_of(app):
    return sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)


def differences(seed, kind, counted=None, during=contextlib.nullcontext):
    """Make the twin of a stock app, ask it the same, and write what differs first.

    *during* surrounds each request, such as with what counts lines.
    """
    counted = Counter() if counted is None else counted
    made, refused, steps = stock(seed)
    SEEN.clear()
    app, listed = apps.make(Random(seed), kind)
    jar = {}
    try:
        if refused != SEEN:
            yield f"seed {seed}: made otherwise: {refused} {SEEN}"
            return
        for number, (change, request, expected) in enumerate(steps):
            if change is not None:
                apps.change(Random(change), app, listed)
            with during():
                found = outcome(app, request, jar)
            counted["requests"] += 1
            if expected["started"]:
                counted[expected["started"][-1][0][:1]] += 1
            if expected != found:
                yield told(f"seed {seed}, request {number}", made, request, expected, found)
                return  # what the one twin remembers from here on, the other does not
    finally:
        hooks.disconnect(app)


def told(where, made, request, expected, found):
    """Write a difference so that it can be understood and repeated."""
    lines = [f"{where}: {request!r}", *made]
    for key, value in expected.items():
        if value != found[key]:
            lines += [f"{key}, stock: {value!r}", f"{key}, found: {found[key]!r}"]
    return "\n".join(lines)
