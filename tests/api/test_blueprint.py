"""What the decorators do to a view, and what they refuse."""

import functools
import inspect

import flask
import pytest
from flask.views import MethodView
from marshmallow import Schema, fields

import carboy
from carboy.api.blueprint import Blueprint
from carboy.api.envelope import JSend
from carboy.api.operation import operation_of


class UserIn(Schema):
    name = fields.String(required=True)


class UserOut(Schema):
    id = fields.Integer()
    name = fields.String()


class Own(JSend):
    def __init__(self, name):
        self.name = name

    def success(self, data, status):
        return {self.name: data}

    def error(self, error):
        return {self.name: error.code}


def before(view):
    """A decorator of someone else: refuse whoever does not say please."""

    @functools.wraps(view)
    def wrapped(*args, **kwargs):
        if "please" not in flask.request.args:
            flask.abort(401)
        return view(*args, **kwargs)

    return wrapped


class TestView:
    """A declared view is still the view."""

    def test_the_example_of_the_design(self, api, serve):
        @api.post("/users")
        @api.input(UserIn)
        @api.output(UserOut, 201)
        def create_user(data):
            return {"id": 1, **data}

        answer = serve(api).post("/users", json={"name": "Ada"})
        assert answer.status_code == 201
        assert answer.json == {"status": "success", "data": {"id": 1, "name": "Ada"}}

    def test_keeps_its_name_signature_and_docstring(self, api):
        @api.input(UserIn)
        @api.output(UserOut)
        def create_user(data: dict, *, loud: bool = False) -> dict:
            """Make a user."""

        assert create_user.__name__ == "create_user"
        assert create_user.__doc__ == "Make a user."
        assert list(inspect.signature(create_user).parameters) == ["data", "loud"]
        assert create_user.__wrapped__({"name": "x"}) is None

    def test_path_variables_arrive_as_in_flask(self, api, serve):
        @api.put("/users/<int:user_id>")
        @api.input(UserIn)
        @api.input({"loud": fields.Boolean()}, "query")
        def replace(user_id, data, query):
            return [user_id, data, query]

        answer = serve(api).put("/users/7?loud=1", json={"name": "Ada"})
        assert answer.json["data"] == [7, {"name": "Ada"}, {"loud": True}]

    @pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
    def test_every_method_has_a_decorator(self, api, serve, method):
        @getattr(api, method)("/", strict_slashes=False)
        def view():
            return {"method": flask.request.method}

        answer = getattr(serve(api), method)("/")
        assert answer.json["data"] == {"method": method.upper()}

    def test_one_view_may_have_two_routes(self, api, serve):
        @api.get("/a")
        @api.get("/b")
        def view():
            return {}

        client = serve(api)
        assert client.get("/a").json == client.get("/b").json == {"status": "success", "data": {}}

    def test_one_view_may_stand_on_two_blueprints(self, api, serve):
        other = Blueprint("other", __name__, url_prefix="/other", envelope=Own("other"))

        @other.get("/")
        @api.get("/")
        @api.output(UserOut)
        def view():
            return {"id": 1}

        client = serve(api, other)
        assert client.get("/").json == {"status": "success", "data": {"id": 1}}
        assert client.get("/other/").json == {"other": {"id": 1}}

    def test_a_class_based_view(self, api, serve):
        class Users(MethodView):
            def get(self):
                return []

            @api.input(UserIn)
            @api.output(UserIn, 201)
            def post(self, data):
                return data

        api.add_url_rule("/users", view_func=Users.as_view("users"))
        client = serve(api)
        assert client.get("/users").json["data"] == []
        assert client.post("/users", json={"name": "Ada"}).json["data"] == {"name": "Ada"}
        assert client.post("/users", json={}).status_code == 422
        assert client.put("/users").status_code == 405

    def test_a_coroutine_is_run_as_flask_would(self, api, serve):
        class App(flask.Flask):
            def async_to_sync(self, func):
                def run(*args, **kwargs):
                    try:
                        func(*args, **kwargs).send(None)
                    except StopIteration as done:
                        return done.value

                return run

        @api.post("/")
        @api.input(UserIn)
        async def view(data):
            return data

        @api.get("/")
        async def plain():
            return []

        client = serve(api, app=App(__name__))
        assert client.post("/", json={"name": "Ada"}).json["data"] == {"name": "Ada"}
        assert client.get("/").json["data"] == []

    def test_a_rule_without_a_view_is_flasks(self, api, serve):
        api.add_url_rule("/later", "later")
        app = flask.Flask(__name__)
        client = serve(api, app=app)
        app.view_functions["api.later"] = lambda: "text"
        assert client.get("/later").text == "text"

    def test_url_defaults_and_endpoint_names_are_flasks(self, api, serve):
        @api.get("/", endpoint="start", defaults={"page": 1})
        def view(page):
            return {"page": page, "url": flask.url_for("api.start")}

        assert serve(api).get("/").json["data"] == {"page": 1, "url": "/"}


class TestPlaceOfOtherDecorators:
    """What stands between is done between."""

    def test_above_the_inputs_it_comes_first(self, api, serve):
        @api.post("/")
        @before
        @api.input(UserIn)
        def view(data):
            return data

        client = serve(api)
        assert client.post("/", json={}).status_code == 401
        assert client.post("/?please", json={}).status_code == 422
        assert client.post("/?please", json={"name": "a"}).json["data"] == {"name": "a"}

    def test_below_the_inputs_it_comes_after(self, api, serve):
        @api.post("/")
        @api.input(UserIn)
        @before
        @api.output(UserIn)
        def view(data):
            return data

        client = serve(api)
        assert client.post("/", json={}).status_code == 422
        assert client.post("/", json={"name": "a"}).status_code == 401
        assert client.post("/?please", json={"name": "a"}).json["data"] == {"name": "a"}


class TestEnvelope:
    """The innermost one that was named applies."""

    def test_of_the_app(self, api, serve):
        api.get("/")(dict)
        assert serve(api, envelope=Own("app")).get("/").json == {"app": {}}

    def test_of_the_blueprint(self, serve):
        own = Blueprint("own", __name__, envelope=Own("blueprint"))
        own.get("/")(dict)
        own.get("/error", endpoint="error")(lambda: flask.abort(409))
        client = serve(own)
        assert client.get("/").json == {"blueprint": {}}
        assert client.get("/error").json == {"blueprint": "conflict"}
        assert client.get("/nowhere").json["code"] == "not_found"

    def test_of_the_outer_blueprint(self, api, serve):
        outer = Blueprint("outer", __name__, url_prefix="/outer", envelope=Own("outer"))
        inner = Blueprint("inner", __name__, url_prefix="/inner", envelope=Own("inner"))
        stock = flask.Blueprint("stock", __name__, url_prefix="/stock")
        for blueprint in (outer, inner, api):
            blueprint.get("/")(dict)
        stock.get("/")(lambda: {"mine": 1})
        stock.get("/error", endpoint="error")(lambda: flask.abort(409))
        for blueprint in (inner, stock):
            outer.register_blueprint(blueprint)
        outer.register_blueprint(api, url_prefix="/api")
        client = serve(outer)
        assert client.get("/outer/").json == {"outer": {}}
        assert client.get("/outer/inner/").json == {"inner": {}}
        assert client.get("/outer/api/").json == {"outer": {}}
        assert client.get("/outer/stock/").json == {"mine": 1}
        assert client.get("/outer/stock/error").json == {"outer": "conflict"}

    def test_a_stock_blueprint_beside_it_is_left_alone(self, api, serve):
        stock = flask.Blueprint("stock", __name__, url_prefix="/stock")
        api.get("/")(dict)
        stock.get("/")(lambda: {"mine": 1})
        client = serve(api, stock)
        assert client.get("/stock/").json == {"mine": 1}
        assert client.get("/").json["data"] == {}


class TestDocumentation:
    """What the decorators say about a view is found on it."""

    def test_everything_is_on_the_operation(self, api):
        @api.get("/")
        @api.doc(summary="One", errors={404: "No such user."}, security=["token"], x_extra=1)
        @api.input({"page": fields.Integer()}, "query", argument="paging", example={"page": 1})
        @api.input(UserIn)
        @api.output(UserOut, 201, description="Made.", headers={"Location": "Where."}, example={})
        @api.doc(
            description="More.", operation_id="users", deprecated=True, hidden=True, tags=["U"]
        )
        def view(data, paging):
            """Nothing."""

        found = operation_of(view)
        assert [(part.location, part.argument) for part in found.inputs] == [
            ("query", "paging"),
            ("json", "data"),
        ]
        assert found.inputs[0].example == {"page": 1}
        assert (found.output.status, found.output.description) == (201, "Made.")
        assert (found.output.headers, found.output.example) == ({"Location": "Where."}, {})
        assert (found.summary, found.description) == ("One", "More.")
        assert (found.operation_id, found.deprecated, found.hidden) == ("users", True, True)
        assert (found.errors, found.security) == ({404: "No such user."}, ["token"])
        assert (found.tags, found.extra) == (["U"], {"x_extra": 1})

    def test_tags_of_the_blueprint_are_those_of_its_views(self):
        api = Blueprint("api", __name__, tags=["Users"])

        class Users(MethodView):
            @api.output(UserOut)
            def get(self):
                return {}

            def post(self):
                return {}

        @api.get("/a")
        def plain():
            return {}

        @api.get("/b")
        @api.doc(tags=["Own"])
        def own():
            return {}

        users = Users.as_view("users")
        api.add_url_rule("/users", view_func=users)
        registered = {view.__name__: function for view, function in api._endpoints.items()}
        assert operation_of(registered["plain"]).tags == ["Users"]
        assert operation_of(registered["own"]).tags == ["Own"]
        assert operation_of(Users.get).tags == operation_of(registered["users"]).tags == ["Users"]


class TestSchema:
    """A schema may be given in three ways, and is made once."""

    @pytest.mark.parametrize(
        "schema",
        [UserIn, UserIn(), {"name": fields.String(required=True)}],
        ids=["a class", "an instance", "fields by name"],
    )
    def test_may_be_given_as(self, api, serve, schema):
        @api.post("/")
        @api.input(schema)
        @api.output(schema)
        def view(data):
            return data

        client = serve(api)
        assert client.post("/", json={"name": "a"}).json["data"] == {"name": "a"}
        assert client.post("/", json={"other": "a"}).status_code == 422

    def test_is_made_once(self, api, serve):
        made = []

        class Counted(Schema):
            def __init__(self, *args, **kwargs):
                made.append(self)
                super().__init__(*args, **kwargs)

        api.post("/")(api.input(Counted)(api.output(Counted)(lambda data: data)))
        client = serve(api)
        assert [client.post("/", json={}).status_code for _ in range(3)] == [200] * 3
        assert len(made) == 2

    def test_partial_requires_nothing(self, api, serve):
        api.patch("/")(api.input(UserIn, partial=True)(lambda data: data))
        client = serve(api)
        assert client.patch("/", json={}).json["data"] == {}
        assert client.patch("/", json={"name": 1}).status_code == 422


def declared(*decorators):
    def view(data=None, query=None):
        return {}

    for decorate in reversed(decorators):
        view = decorate(view)
    return view


INPUT = {"name": fields.String()}


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        pytest.param(lambda api: api.input(INPUT, "body"), "no location 'body'",
                     id="a location that does not exist"),
        pytest.param(lambda api: api.input(INPUT, "headers", unknown="raise"), "leave out unknown=",
                     id="unknown headers"),
        pytest.param(lambda api: api.input(UserIn(), partial=True), "UserIn(partial=True)",
                     id="partial for an instance"),
        pytest.param(lambda api: declared(api.input(INPUT), api.input(INPUT, "query",
                     argument="data")), "two inputs named 'data'", id="two inputs of one name"),
        pytest.param(lambda api: declared(api.input(INPUT), api.input(INPUT, argument="query")),
                     "takes json and json", id="two JSON bodies"),
        pytest.param(lambda api: declared(api.input(INPUT), api.input(INPUT, "form",
                     argument="query")), "takes form and json", id="a form and JSON"),
        pytest.param(lambda api: declared(api.input(INPUT, "files", argument="query"),
                     api.input(INPUT)), "takes json and files", id="JSON and files"),
        pytest.param(lambda api: declared(api.input(INPUT, "cookies")), "no parameter 'cookies'",
                     id="a view without the parameter"),
        pytest.param(lambda api: declared(api.output(UserOut), api.output(None)), "two outputs",
                     id="two outputs"),
        pytest.param(lambda api: api.get("/<query>")(declared(api.input(INPUT, "query"))),
                     "'query' is a variable of /<query>", id="a path variable of the same name"),
        pytest.param(lambda api: api.input(INPUT)(api.post("/")(declared())),
                     "place @api.input below", id="an input above the route"),
        pytest.param(lambda api: api.output(None)(api.post("/")(declared())),
                     "place @api.output below", id="an output above the route"),
    ],
)  # fmt: skip
def test_a_contradiction_is_refused_at_the_start(api, declare, message):
    with pytest.raises(TypeError) as caught:
        declare(api)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("decorated", "hooked"),
    [
        pytest.param(False, False, id="nobody looks at it"),
        pytest.param(True, False, id="a decorator of the project's own expects a response"),
        pytest.param(False, True, id="a hook after the request expects a response"),
    ],
)
def test_an_answer_is_a_response_for_whom_it_is_made(decorated, hooked):
    app = carboy.Flask(__name__)
    api = Blueprint("api", __name__)
    seen = []

    def looked_at(response):
        seen.append(response.get_json())
        return response

    @api.output({"id": fields.Integer()}, 202)
    def view():
        return {"id": 7}

    @functools.wraps(view)
    def around():
        return looked_at(view())

    api.add_url_rule("/", "view", around if decorated else view)
    if hooked:
        app.after_request(looked_at)
    app.register_blueprint(api)
    for _ in range(2):  # what is called is remembered
        answer = app.test_client().get("/")
        assert (answer.status_code, answer.json["data"]) == (202, {"id": 7})
    assert seen == [{"status": "success", "data": {"id": 7}}] * 2 * (decorated or hooked)
