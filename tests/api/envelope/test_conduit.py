"""A whole published API, held against what is published and against its own document."""

import pytest
from openapi_spec_validator import validate as validate_document

from carboy.api import openapi
from carboy.testing import fresh_database

from . import conduit

ARTICLE = {"title": "How to train", "description": "Ever wonder?", "body": "Believe.",
           "tagList": ["training", "dragons"]}  # fmt: skip


@pytest.fixture
def call(carboy_contract):
    with fresh_database() as url:
        app = conduit.create_app({"APP_ENV": "Testing", "DATABASE_URL": url})
        client = app.test_client()
        with app.app_context():
            conduit.Model.metadata.create_all(conduit.db.engine)

        def call(method, path, sent=None, token=None):
            headers = {"Authorization": f"Token {token}"} if token else {}
            return client.open(f"/api{path}", method=method, json=sent, headers=headers)

        call.app = app
        yield call
        with app.app_context():
            conduit.db.engine.dispose()


def register(call, name):
    sent = {"user": {"username": name, "email": f"{name}@example.com", "password": "pw " + name}}
    answer = call("POST", "/users", sent)
    assert answer.status_code == 201
    return answer.json["user"]["token"]


@pytest.fixture
def ann(call):
    return register(call, "ann")


@pytest.fixture
def bob(call):
    return register(call, "bob")


@pytest.fixture
def article(call, ann):
    return call("POST", "/articles", {"article": ARTICLE}, ann).json["article"]


def body(*lines):
    return {"errors": {"body": list(lines)}}


def test_who_registered_is_signed_in_and_signs_in_again(call, ann):
    mine = call("GET", "/user", token=ann)
    assert mine.json == {
        "user": {"email": "ann@example.com", "token": ann, "username": "ann", "bio": None,
                 "image": None}
    }  # fmt: skip
    sent = {"user": {"email": "ann@example.com", "password": "pw ann"}}
    again = call("POST", "/users/login", sent).json["user"]
    assert again["token"] != ann
    assert call("GET", "/user", token=again["token"]).json["user"] == again


@pytest.mark.parametrize(("path", "user", "status", "said"), [
    pytest.param("/users", {"username": "ann", "email": "x@example.com", "password": "p"}, 422,
                 "username has already been taken", id="a name that is taken"),
    pytest.param("/users", {"username": "", "email": "x@example.com", "password": "p"}, 422,
                 "username Length must be between 1 and 200.", id="an empty name"),
    pytest.param("/users/login", {"email": "ann@example.com", "password": "wrong"}, 401,
                 None, id="a wrong password"),
])  # fmt: skip
def test_a_refusal_is_a_list_of_lines(call, ann, path, user, status, said):  # noqa: PLR0917 - a column each
    answer = call("POST", path, {"user": user})
    assert answer.status_code == status
    (line,) = answer.json["errors"]["body"]
    assert said is None or line == said


def test_without_a_token_the_scheme_is_named(call):
    answer = call("GET", "/user")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Token"
    assert list(answer.json) == ["errors"]


def test_an_account_is_changed(call, ann):
    changed = call("PUT", "/user", {"user": {"bio": "I work", "password": "another"}}, ann)
    assert changed.json["user"]["bio"] == "I work"
    sent = {"user": {"email": "ann@example.com", "password": "another"}}
    assert call("POST", "/users/login", sent).status_code == 200


def test_people_follow_each_other_and_see_it_in_their_feed(call, ann, bob, article):
    assert call("GET", "/profiles/ann", token=bob).json["profile"]["following"] is False
    followed = call("POST", "/profiles/ann/follow", token=bob).json
    assert followed == {
        "profile": {"username": "ann", "bio": None, "image": None, "following": True}
    }
    seen = call("GET", "/articles/feed?limit=5", token=bob).json
    assert seen["articlesCount"] == 1
    assert seen["articles"][0]["author"]["following"] is True
    assert "body" not in seen["articles"][0]
    assert call("DELETE", "/profiles/ann/follow", token=bob).json["profile"]["following"] is False
    assert call("GET", "/articles/feed", token=bob).json == {"articles": [], "articlesCount": 0}


def test_an_article_is_written_read_changed_and_removed(call, ann, bob, article):
    path = f"/articles/{article['slug']}"
    assert {name: article[name] for name in ("title", "description", "body")} == {
        name: ARTICLE[name] for name in ("title", "description", "body")
    }
    assert article["tagList"] == ["dragons", "training"]
    assert (article["favorited"], article["favoritesCount"]) == (False, 0)
    assert call("GET", path).json["article"] == article
    assert call("PUT", path, {"article": {"title": "Mine"}}, bob).status_code == 403
    changed = call("PUT", path, {"article": {"title": "Changed"}}, ann).json["article"]
    assert (changed["title"], changed["body"]) == ("Changed", article["body"])
    assert call("DELETE", path, token=bob).status_code == 403
    assert call("DELETE", path, token=ann).status_code == 204
    assert call("GET", path).json == body("article not found")


@pytest.mark.parametrize(("query", "count"), [
    ("", 1), ("?tag=dragons", 1), ("?tag=cats", 0), ("?author=ann", 1), ("?author=bob", 0),
    ("?favorited=bob", 1), ("?favorited=ann", 0), ("?offset=1", 1), ("?limit=0", None),
])  # fmt: skip
def test_articles_are_found(call, ann, bob, article, query, count):  # noqa: PLR0917 - a column each
    favored = call("POST", f"/articles/{article['slug']}/favorite", token=bob).json["article"]
    assert (favored["favorited"], favored["favoritesCount"]) == (True, 1)
    found = call("GET", f"/articles{query}")
    assert found.status_code == (422 if count is None else 200)
    assert found.json.get("articlesCount") == count


def test_a_favourite_is_given_up(call, bob, article):
    path = f"/articles/{article['slug']}/favorite"
    call("POST", path, token=bob)
    call("POST", path, token=bob)
    given_up = call("DELETE", path, token=bob).json["article"]
    assert (given_up["favorited"], given_up["favoritesCount"]) == (False, 0)


def test_comments_belong_to_whoever_wrote_them(call, ann, bob, article):
    path = f"/articles/{article['slug']}/comments"
    made = call("POST", path, {"comment": {"body": "Thanks!"}}, bob)
    assert made.status_code == 201
    comment = made.json["comment"]
    assert comment["author"]["username"] == "bob"
    assert call("GET", path).json == {"comments": [comment]}
    assert call("DELETE", f"{path}/{comment['id']}", token=ann).status_code == 403
    assert call("DELETE", f"{path}/{comment['id']}", token=bob).status_code == 204
    assert call("DELETE", f"{path}/{2**40}", token=bob).status_code == 404


def test_tags_are_listed(call, article):
    assert call("GET", "/tags").json == {"tags": ["dragons", "training"]}


def test_every_published_endpoint_is_there_and_described(call):
    document = openapi.document_of(call.app)
    validate_document(document)
    operations = {
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        for method in item
        if path.startswith("/api") and method != "parameters"
    }
    assert len(operations) == 19
    open_ones = [
        operation["operationId"]
        for item in document["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict) and operation.get("security") == []
    ]
    assert set(open_ones) >= {"register", "log_in", "get_profile", "list_articles", "list_tags"}
    assert document["components"]["securitySchemes"]["credentials"]["in"] == "header"
