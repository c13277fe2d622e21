"""Which route a request belongs to, and which routes may be asked without knowing more."""

import pytest

from carboy.load.routes import RouteNames, paths_of, public_paths

PATHS = ["/users/{id}", "/users/me", "/users", "/users/{id}/orders/{order}", "/", "/f.{ext}"]


@pytest.mark.parametrize(("address", "route"), [
    pytest.param("/users/12", "/users/{id}", id="a parameter stands for what was sent"),
    pytest.param("/users/me", "/users/me", id="what is written out wins"),
    pytest.param("/users?page=2", "/users", id="the query is left out"),
    pytest.param("/users/1/orders/2", "/users/{id}/orders/{order}", id="two parameters"),
    pytest.param("/f.txt", "/f.{ext}", id="a parameter within a segment; the dot is a dot"),
    pytest.param("/f-txt", "/f-txt", id="no template matches"),
    pytest.param("/", "/", id="the front door"),
    pytest.param("/users/", "/users/", id="a slash more is another path"),
    pytest.param("/x/12/y", "/x/{}/y", id="unlisted: numbers"),
    pytest.param("/x/8e03978e-40d5-43e8-bc93-6894a57f9324", "/x/{}", id="unlisted: UUIDs"),
    pytest.param("/x/deadbeefdeadbeef", "/x/{}", id="unlisted: long hexadecimal ids"),
    pytest.param("/x/v1/decade", "/x/v1/decade", id="unlisted: words stay"),
])  # fmt: skip
@pytest.mark.parametrize("base", ["http://127.0.0.1:8080", "https://example.com/mounted"])
def test_a_request_is_named_after_its_route(base, address, route):
    assert RouteNames(PATHS, base).of(base + address) == route


def test_no_path_is_the_front_door():
    assert RouteNames(PATHS, "http://h").of("http://h?a=b") == "/"


def test_another_host_is_part_of_the_name():
    names = RouteNames(["/users"], "http://127.0.0.1:8080")
    assert names.of("http://127.0.0.1:9090/users/7") == "127.0.0.1:9090/users/{}"


def test_the_order_in_which_templates_are_listed_does_not_matter():
    for paths in (["/{any}/x", "/a/{id}"], ["/a/{id}", "/{any}/x"]):
        names = RouteNames([*paths, "/{any}/{other}"], "http://h")
        assert names.of("http://h/b/y") == "/{any}/{other}"
        assert names.of("http://h/a/y") == "/a/{id}"


def operation(**more):
    return {"get": {"responses": {}, **more}}


@pytest.mark.parametrize(("item", "listed"), [
    pytest.param(operation(), True, id="nothing is asked for"),
    pytest.param({"post": {}}, False, id="no GET"),
    pytest.param(operation(deprecated=True), False, id="deprecated"),
    pytest.param(operation(security=[{"key": []}]), False, id="signed in only"),
    pytest.param(operation(security=[{"key": []}, {}]), True, id="signed in or not"),
    pytest.param(operation(parameters=[{"in": "query"}]), True, id="an optional parameter"),
    pytest.param(operation(parameters=[{"required": True}]), False, id="a required parameter"),
    pytest.param(operation(parameters=[{"$ref": "#/components/parameters/Needed"}]), False,
                 id="a required parameter elsewhere"),
    pytest.param({**operation(), "parameters": [{"required": True}]}, False,
                 id="a required parameter of the path"),
])  # fmt: skip
def test_a_public_path_answers_a_bare_get(item, listed):
    parameters = {"Needed": {"required": True}}
    document = {"paths": {"/x": item}, "components": {"parameters": parameters}}
    assert public_paths(document) == (["/x"] if listed else [])


def test_a_document_may_demand_a_caller_everywhere():
    paths = {"/open": operation(security=[]), "/closed": operation()}
    assert public_paths({"paths": paths, "security": [{"key": []}]}) == ["/open"]


def test_a_path_with_a_parameter_is_not_public():
    assert public_paths({"paths": {"/users/{id}": operation()}}) == []


@pytest.mark.parametrize("document", [None, {}, {"paths": []}, {"paths": {"x-note": {}}}])
def test_what_is_no_document_lists_nothing(document):
    assert (paths_of(document), public_paths(document)) == ([], [])
