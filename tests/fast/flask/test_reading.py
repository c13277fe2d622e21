"""Bodies and JSON are read, and JSON is written, as by Flask, whatever was replaced."""

import copy
import io
import json
import subprocess
import sys
from functools import partial

import flask
import pytest
import wrapt
from werkzeug.test import EnvironBuilder

import carboy
from carboy.fast.flask import json_bytes

BODY = b'{"a": [1, 2.5, "\\u00e9"]}'


def the_request():
    return flask.request._get_current_object()


def forced_by_hand():
    asked = the_request()
    asked.get_json = partial(asked.get_json, force=True)
    return {"read": flask.request.json}


def read_by_a_subclass():
    kind = type("Mine", (type(the_request()),), {"get_json": lambda self, **_: "mine"})
    return {"read": kind(flask.request.environ).json}


def read_with_own_data():
    asked, calls = the_request(), []
    asked.get_data = lambda cache: calls.append(cache) or (b'{"own": 1', b'["own"]')[len(calls) - 1]
    return {"read": asked.json, "calls": calls}


def read_with_own_loads():
    calls = []

    def loads(text):
        calls.append(len(text))
        raise ValueError

    flask.current_app.json.loads = loads
    answer = flask.request.get_json(silent=True)
    return {"read": answer, "calls": calls}


def loads_of_the_library():
    kept, json.loads = json.loads, lambda text, **_: "patched"
    try:
        return {"read": flask.request.json}
    finally:
        json.loads = kept


def with_an_attribute_of_its_own():
    asked = the_request()
    asked.body_length, asked.form_read = 3, False
    return {"form": flask.request.form.to_dict(), "kept": asked.body_length}


def written_by(name):
    def view():
        provider = flask.current_app.json
        if name == "dumps":
            provider.dumps = lambda value, **_: f"dumped {sorted(value)}"
        else:
            provider.response = lambda value: flask.Response(f"answered {sorted(value)}")
        return {"b": 1, "a": 2}

    return view


def written_by_a_subclass():
    app = flask.current_app
    kind = type("Mine", (type(app.json),), {"dumps": lambda self, value, **_: "dumped"})
    app.json = kind(app)
    return flask.jsonify(a=1)


def refused():
    try:
        flask.request.json  # noqa: B018 - raises
    except Exception as error:  # noqa: BLE001 - told
        chain = []
        while error is not None:
            chain.append(type(error).__name__)
            error = error.__context__
        return {"errors": chain}
    return {}


VIEWS = {
    "forced by a number": lambda: {"read": flask.request.get_json(force=1)},
    "not forced by nothing": lambda: {"read": flask.request.get_json(force=None)},
    "silent by a number": lambda: {"read": flask.request.get_json(force=1, silent=1)},
    "cached by no number": lambda: {"read": [flask.request.get_json(cache=n) for n in (1, 0)]},
    "data by numbers": lambda: {"read": flask.request.get_data(0, 1, 0)},
    "data, then JSON": lambda: [flask.request.get_data(as_text=True), flask.request.json],
    "JSON, then data": lambda: [flask.request.json, flask.request.get_data(as_text=True)],
    "JSON twice": lambda: [flask.request.json is flask.request.json, flask.request.get_json()],
    "a request within": lambda: {"read": type(the_request()).from_values(json={"n": 1}).json},
    "a request of the environment": lambda: {
        "read": type(the_request())(flask.request.environ).get_json()
    },
    "forced by hand": forced_by_hand,
    "by a subclass": read_by_a_subclass,
    "of data of its own": read_with_own_data,
    "loads of its own": read_with_own_loads,
    "loads of the library": loads_of_the_library,
    "silent in no way": lambda: {"read": flask.request.get_json(silent=None)},
    "with an attribute of its own": with_an_attribute_of_its_own,
    "dumps of the app": written_by("dumps"),
    "response of the app": written_by("response"),
    "dumps of a subclass": written_by_a_subclass,
    "refused": refused,
}  # fmt: skip


class Unusual(io.BytesIO):
    """A body as servers of one's own may give it: in pieces, and of other bytes."""

    def read(self, size=-1):
        return bytearray(super().read(min(size, 5) if size > 0 else size))


@pytest.mark.parametrize("body", [BODY, b'{"a": 1', b"[123456789012345678901]", b""])
@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
@pytest.mark.parametrize("view", VIEWS)
def test_json_is_read_as_flask_reads_it(view, content_type, body):
    answers = []
    for kind in (flask.Flask, carboy.Flask):
        app = kind(__name__)
        app.logger.disabled = True
        app.add_url_rule("/", "view", VIEWS[view], methods=["POST"])
        answer = app.test_client().post("/", data=body, content_type=content_type)
        answers.append((answer.status, answer.headers.to_wsgi_list(), answer.data))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("view", ["with an attribute of its own", "JSON twice"])
def test_forms_are_read_as_flask_reads_them(view):
    answers = []
    for kind in (flask.Flask, carboy.Flask):
        app = kind(__name__)
        app.add_url_rule("/", "view", VIEWS[view], methods=["POST"])
        answer = app.test_client().post("/", data={"a": "b"})
        answers.append((answer.status, answer.data))
    assert answers[0] == answers[1]


def test_a_body_may_come_in_other_bytes():
    answers = []
    for kind in (flask.Flask, carboy.Flask):
        app = kind(__name__)
        app.add_url_rule("/json", "json", lambda: flask.request.json, methods=["POST"])
        app.add_url_rule("/data", "data", lambda: repr(flask.request.get_data()), methods=["POST"])
        for path in ("/json", "/data"):
            environ = EnvironBuilder(path, method="POST", data=BODY).get_environ()
            environ |= {"wsgi.input": Unusual(BODY), "CONTENT_TYPE": "application/json"}
            answers.append(app.test_client().open(environ).data)
    assert answers[:2] == answers[2:]
    assert answers[1] == repr(BODY).encode()


METHODS = {
    "get_json": lambda self, **_: "mine",
    "get_data": lambda self, cache: b'"mine"',
    "json": property(lambda self: "mine"),
    "loads": lambda self, text: "mine",
    "dumps": lambda self, value, **_: '["mine"]',
    "response": lambda self, value: flask.Response('["mine"]'),
}


@pytest.mark.parametrize("by", ["function", "wrapt"])
@pytest.mark.parametrize("name", METHODS)
def test_a_method_that_a_class_is_given_later_is_called(name, by):
    app = carboy.Flask(__name__)
    app.add_url_rule("/", "view", lambda: [flask.request.json], methods=["POST"])
    seen = []
    app.before_request(lambda: seen.append(type(the_request())))
    client = app.test_client()
    assert client.post("/", json=1).json == [1]
    kind = next(one for one in (seen[0], type(app.json)) if hasattr(one, name))
    is_own, kept = name in vars(kind), getattr(kind, name)
    mine = METHODS[name]
    if by == "wrapt" and name != "json":  # whose wrappers equal what they wrap
        mine = wrapt.FunctionWrapper(
            kept, lambda wrapped, instance, args, more: METHODS[name](instance, *args, **more)
        )
    for _ in range(2):
        setattr(kind, name, mine)
        try:
            assert client.post("/", json=1).text.strip() == '["mine"]'
        finally:
            setattr(kind, name, kept) if is_own else delattr(kind, name)
        assert client.post("/", json=1).json == [1]


HOOKED = """
import flask
import wrapt

def replaced(module):
    getattr(module, NAME).CALLED = lambda self, *given, **more: VALUE

wrapt.register_post_import_hook(replaced, "carboy.fast.flask.MODULE")
import carboy

app = carboy.Flask(__name__)
app.add_url_rule("/", "view", lambda: [flask.request.json], methods=["POST"])
client = app.test_client()
print(client.post("/", json=1).text.strip(), client.post("/", json=1).text.strip())
"""


@pytest.mark.parametrize(
    ("module", "kind", "method"),
    [("request", "Request", "get_json"), ("provider", "JSONProvider", "loads")],
)
def test_a_method_that_an_import_hook_replaces_is_called(module, kind, method):
    program = HOOKED.replace("NAME", repr(kind)).replace("CALLED", method)
    program = program.replace("MODULE", module).replace("VALUE", "'mine'")
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout == '["mine"] ["mine"]\n', done.stderr


SETTINGS = {
    "sort_keys": (False, '{"b":1,"a":"\\u00e9"}'),
    "ensure_ascii": (False, '{"a":"é","b":1}'),
    "mimetype": ("application/vnd.api+json", '{"a":"\\u00e9","b":1}'),
    "compact": (False, '{\n  "a": "\\u00e9",\n  "b": 1\n}'),
}


@pytest.mark.parametrize("place", [lambda app: app.json, lambda app: type(app.json)])
@pytest.mark.parametrize("view", [lambda: {"b": 1, "a": "é"}, lambda: flask.jsonify(b=1, a="é")])
@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_counts_from_the_next_request_on(monkeypatch, name, view, place):
    app = carboy.Flask(__name__)
    app.add_url_rule("/", "view", view)
    client = app.test_client()
    assert client.get("/").text == '{"a":"\\u00e9","b":1}\n'
    value, text = SETTINGS[name]
    with monkeypatch.context() as patched:
        patched.setattr(place(app), name, value)
        answer = client.get("/")
        assert answer.text == f"{text}\n"
        assert (answer.mimetype == value) is (name == "mimetype")
    assert client.get("/").text == '{"a":"\\u00e9","b":1}\n'
    assert copy.deepcopy(vars(app.json)[json_bytes.MANNER]) is False


def test_a_setting_may_be_computed_for_each_answer(monkeypatch):
    answers = []
    for kind in (flask.Flask, carboy.Flask):
        app = kind(__name__)
        app.add_url_rule("/", "view", lambda: {"b": 1, "a": 2})
        client = app.test_client()
        before = client.get("/").text
        with monkeypatch.context() as patched:
            asks = property(lambda _: "sorted" in flask.request.args)
            patched.setattr(type(app.json), "sort_keys", asks)
            answers.append([before, client.get("/?sorted=").text, client.get("/").text])
        answers[-1].append(client.get("/").text)
    assert answers[0] == answers[1]


def test_a_setting_is_not_lost_that_comes_while_they_are_looked_up():
    provider = carboy.Flask(__name__).json

    class Late:
        def __get__(self, instance, owner):
            vars(provider).pop("ensure_ascii", None)
            provider.sort_keys = False  # as another thread may
            return True

    kind = type(provider)
    kind.ensure_ascii = Late()
    try:
        assert json_bytes.manner_of(provider).sort is False
    finally:
        del kind.ensure_ascii
    assert json_bytes.manner_of(provider).sort is False
    del provider.sort_keys
    assert json_bytes.manner_of(provider).sort is True


def test_a_provider_of_another_app_writes_as_that_app_does():
    answers = []
    for kind in (flask.Flask, carboy.Flask):
        app, other = kind(__name__), kind(__name__)
        app.add_url_rule("/", "view", lambda: {"b": 1, "a": 2})
        app.add_url_rule("/jsonify", "jsonify", lambda: flask.jsonify(b=1))
        app.json = other.json
        other.debug = True
        client = app.test_client()
        answers.append([client.get(path).text for path in ("/", "/jsonify")])
    assert answers[0] == answers[1]


@pytest.mark.replaces
def test_what_changes_while_it_is_looked_at_is_left_to_the_encoder(monkeypatch):
    def changes(value):
        raise RuntimeError("dictionary changed size during iteration")

    provider = carboy.Flask(__name__).json
    body = partial(json_bytes.body_of, provider, json_bytes.manner_of(provider))
    assert body({"b": 1, "a": 2}) == b'{"a":2,"b":1}\n'
    monkeypatch.setattr(json_bytes, "is_plain", changes)
    assert body({"b": 1, "a": 2}) == b'{"a":2,"b":1}\n'
