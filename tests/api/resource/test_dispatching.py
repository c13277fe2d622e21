"""The lane calls the function of a method itself; whoever would notice notices nothing."""

from functools import wraps

import flask
import flask.app
import pytest
from flask.views import MethodView

import carboy
from carboy.backing.repeats import Watch
from carboy.fast.flask.plan import plan_of

pytestmark = pytest.mark.skipif(
    flask.Flask is not flask.app.Flask, reason="FLASK_CLASS leaves only one class to compare"
)

ROWS = [{"name": "Jar", "weight": 3}, {"name": "Pot", "weight": 5}]
CLASSES = pytest.mark.parametrize("kind", [flask.app.Flask, carboy.Flask])
ASKED = [
    pytest.param("GET", "/things/1", {}, id="a row"),
    pytest.param("HEAD", "/things/1", {}, id="the head of a row"),
    pytest.param("OPTIONS", "/things/1", {}, id="what may be done"),
    pytest.param("GET", "/things/9", {}, id="no such row"),
    pytest.param("GET", "/things", {}, id="a list"),
    pytest.param("HEAD", "/things?limit=1", {}, id="the head of a page"),
    pytest.param("GET", "/things?limit=1", {}, id="a page"),
    pytest.param("GET", "/things?limit=x", {}, id="a wrong parameter"),
    pytest.param("PUT", "/things", {}, id="a method that is not there"),
    pytest.param("GET", "/things/1", {"If-None-Match": "*"}, id="what the caller has"),
    pytest.param("GET", "/things/1", {"If-None-Match": '"x"'}, id="what the caller has not"),
    pytest.param("GET", "/things/1", {"If-Match": '"x"'}, id="another state"),
]


@pytest.fixture
def asking(shelf, resource, monkeypatch):
    """Serve things with an app of a class, and give a client."""

    def put_up(kind, **members):
        monkeypatch.setattr(flask, "Flask", kind)
        return shelf(resource(**members), rows=ROWS, SECRET_KEY="k" * 32)

    return put_up


@pytest.fixture
def stock(asking):
    return asking(flask.app.Flask)


def told(response):
    ids = {"X-Request-ID"}
    headers = [pair for pair in response.headers if pair[0] not in ids]
    return response.status, headers, response.data


@pytest.mark.parametrize(("method", "path", "headers"), ASKED)
@pytest.mark.parametrize("hook", [False, True], ids=["alone", "with a hook"])
def test_answers_are_the_same_to_the_byte(stock, method, path, headers, hook):
    fast = carboy.Flask(__name__, instance_path=stock.app.instance_path)
    carboy.Carboy(fast, {"APP_ENV": "Testing", "DATABASE_URL": stock.url, "SECRET_KEY": "k" * 32})
    stock.db.init_app(fast)
    fast.register_blueprint(stock.app.blueprints["api"])
    if hook:
        for app in (stock.app, fast):
            app.after_request(lambda response: response)
    one = stock.app.test_client().open(path, method=method, headers=headers)
    other = fast.test_client().open(path, method=method, headers=headers)
    assert told(one) == told(other)
    with fast.app_context():
        stock.db.engine.dispose()


def test_a_read_needs_no_request(asking, monkeypatch):
    monkeypatch.setattr(Watch, "saw", lambda *statement: None)  # in production there is none
    served = asking(carboy.Flask)
    served.client.get("/things/1")
    plan_of(served.app).request_kind = None  # so none can be made
    assert served.client.get("/things/1").headers["ETag"]
    with pytest.raises(TypeError):
        served.client.get("/things?limit=1")


@CLASSES
def test_hooks_see_the_response(asking, kind):
    seen = []

    def look(response):
        seen.append((response.headers["ETag"], response.get_json()["data"]["name"]))
        response.headers["X-Seen"] = "yes"
        return response

    served = asking(kind)
    served.app.after_request(look)
    answer = served.client.get("/things/1")
    assert answer.headers["X-Seen"] == "yes"
    assert seen == [(answer.headers["ETag"], "Jar")]


@CLASSES
def test_what_stands_around_a_method_gets_the_view(asking, kind):
    views = []

    def around(function):
        @wraps(function)
        def called(*given, **more):
            views.extend(given)
            return function(*given, **more)

        return called

    client = asking(kind, guards={"read": [around]}).client
    assert client.get("/things/1").json["data"]["name"] == "Jar"
    assert client.get("/things").status_code == 200
    assert [isinstance(view, MethodView) for view in views] == [True]


@CLASSES
def test_a_hook_may_turn_the_method_of_a_request(asking, kind):
    served = asking(kind)

    def turn():
        flask.request.method = "GET"

    served.app.before_request(turn)
    answer = served.client.patch("/things/1", data="no JSON")
    assert (answer.status_code, "ETag" in answer.headers) == (200, True)
