"""Declared sort keys; the orders themselves are walked in test_paging."""

import enum

import pytest
from sqlalchemy import JSON
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from carboy.api.resource import Resource
from carboy.api.sorting import Sorting, SortKey, beyond


class Colour(enum.Enum):
    RED = "red"


class Model(DeclarativeBase):
    pass


class Pen(Model):
    __tablename__ = "pens"
    id: Mapped[int] = mapped_column(primary_key=True)
    colour: Mapped[Colour]
    maker: Mapped[dict] = mapped_column(JSON)
    picture: Mapped[bytes]


class Pair(Model):
    __tablename__ = "pairs"
    left: Mapped[int] = mapped_column(primary_key=True)
    right: Mapped[int] = mapped_column(primary_key=True)


@pytest.fixture
def client(shelf, things):
    members = {
        "model": things.Thing,
        "schema": things.Out,
        "only": ("list",),
        "sort": ("name", "weight", "secret"),
        "default_sort": ("-weight", "name"),
    }
    rows = [{"name": name, "weight": weight} for name, weight in (("a", 1), ("b", 3), ("c", 3))]
    return shelf(type("Things", (Resource,), members), rows=rows).client


def names(answer):
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json["data"]["items"]]


@pytest.mark.parametrize(
    ("query", "order"),
    [
        pytest.param("", "bca", id="nothing asked for: the default"),
        pytest.param("?sort=name", "abc", id="upwards"),
        pytest.param("?sort=-name", "cba", id="downwards"),
        pytest.param("?sort=weight,-name", "acb", id="by one, then by another"),
        pytest.param(
            "?sort=weight,-name,name,-weight", "acb", id="of a key named twice the first counts"
        ),
        pytest.param("?sort=secret", "abc", id="by a column nobody sees; ties by key"),
        pytest.param("?sort=-secret", "cba", id="ties follow the direction before them"),
    ],
)
def test_the_list_is_in_the_order_asked_for(client, query, order):
    assert "".join(names(client.get(f"/things{query}"))) == order


@pytest.mark.parametrize("sort", ["worth", "name,worth", "--name", ""])
def test_any_other_order_is_refused(client, sort):
    answer = client.get("/things", query_string={"sort": sort})
    assert answer.status_code == 422
    assert answer.json["data"].keys() == {"sort"}


def test_a_refusal_names_what_there_is(client):
    assert "name, -name, weight" in client.get("/things?sort=worth").text


def test_the_document_lists_the_keys(client):
    operation = client.get("/openapi.json").json["paths"]["/things"]["get"]
    found = {parameter["name"]: parameter for parameter in operation["parameters"]}
    assert found["sort"]["schema"]["items"]["enum"] == [
        "name", "-name", "weight", "-weight", "secret", "-secret",
    ]  # fmt: skip


def test_a_list_without_keys_has_no_such_parameter(shelf, things):
    members = {"model": things.Thing, "schema": things.Out, "only": ("list",)}
    client = shelf(type("Things", (Resource,), members)).client
    operation = client.get("/openapi.json").json["paths"]["/things"]["get"]
    assert "sort" not in {parameter["name"] for parameter in operation["parameters"]}


@pytest.mark.parametrize(
    ("model", "key", "says"),
    [
        pytest.param(Pen, "weight", "no column 'weight'", id="no such column"),
        pytest.param(Pen, "colour", "order differently", id="an Enum"),
        pytest.param(Pen, "maker", "maker is a JSON", id="what has no order everywhere"),
        pytest.param(Pen, "picture", "picture is a LargeBinary", id="bytes"),
        pytest.param(Pair, "left", "2 columns", id="a key of two columns"),
    ],
)
def test_a_key_that_cannot_work_stops_the_start(things, model, key, says):
    with pytest.raises(TypeError, match=says):
        Sorting(model, things.Box(), (key,))


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()])
@pytest.mark.parametrize(
    ("keys", "condition"),
    [
        pytest.param("name id", "(name, id) > (", id="one direction: a comparison of tuples"),
        pytest.param("-name -id", "(name, id) < (", id="also downwards"),
        pytest.param("name -id", "name >= ", id="two directions: bounded by the first key"),
        pytest.param("-name id", "name <= ", id="also downwards first"),
    ],
)
def test_where_a_page_begins_can_be_looked_up_in_an_index(things, dialect, keys, condition):
    made = [
        SortKey(key, getattr(things.Thing, key.removeprefix("-")), descending=key.startswith("-"))
        for key in keys.split()
    ]
    text = str(beyond(made, ["x", 7]).compile(dialect=dialect)).replace("things.", "")
    assert text.startswith(condition)
