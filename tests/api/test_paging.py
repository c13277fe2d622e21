"""Lists in pages, walked over HTTP in both directions while rows come and go."""

import itertools
import json
import re

import pytest
from marshmallow import fields
from sqlalchemy import select
from sqlalchemy.orm import aliased

from carboy.api.paging import Cursor, Page, Pages, numbered
from carboy.api.resource import Resource, reading
from carboy.api.sorting import SortKey

FROM_BOTH_ENDS = "pages from both ends"
ROWS = [
    {"name": f"t{n:02}", "kind": "abc"[n % 3], "weight": None if n % 4 == 0 else n % 5}
    for n in range(23)
]


@pytest.fixture
def resource(things):
    """Make a resource of things with these members."""

    def make(**members):
        base = {
            "model": things.Thing,
            "schema": things.Out,
            "sort": ("name", "kind", "weight", "sold_on"),
            "filters": {"kind": ("in",)},
        }
        return type("Things", (Resource,), {**base, **members})

    return make


def walk(client, path, relation="next"):
    """Follow one relation to the end; every page's items."""
    pages = []
    while path:
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        pages.append([item["name"] for item in answer.json["data"]["items"]])
        path = answer.json["data"]["links"][relation]
    return pages


def last_address(client, path):
    while True:
        onward = client.get(path).json["data"]["links"]["next"]
        if onward is None:
            return path
        path = onward


def expected(sort):
    """The order, worked out here: none is the largest, ties by id in the direction before."""
    rows = list(enumerate(ROWS))
    keys = [*sort.split(","), "-id" if sort.split(",")[-1].startswith("-") else "id"]
    for key in reversed(keys):
        name = key.removeprefix("-")

        def rank(row, name=name):
            value = row[0] if name == "id" else row[1].get(name)
            return (value is None, value or 0) if not isinstance(value, str) else (False, value)

        rows.sort(key=rank, reverse=key.startswith("-"))
    return [row["name"] for _, row in rows]


@pytest.mark.parametrize(
    "sort",
    ["name", "-name", "weight", "-weight", "kind,weight", "kind,-weight", "-kind,name", "sold_on"],
)
@pytest.mark.parametrize("kind", [Cursor, Pages, FROM_BOTH_ENDS])
@pytest.mark.parametrize("short", [True, False], ids=["the short way", "as objects"])
def test_the_pages_of_any_order_hold_every_row_once_forwards_and_backwards(  # noqa: PLR0917 - fixtures and parameters
    shelf, resource, sort, kind, short, monkeypatch
):
    if kind is FROM_BOTH_ENDS:
        monkeypatch.setattr(numbered, "_FAR_ROWS", 0)
        kind = Pages
    if not short:
        monkeypatch.setattr(reading, "lane_of", lambda: None)
    client = shelf(resource(paging=kind(limit=4)), rows=ROWS).client
    start = f"/things?sort={sort}"
    onward = walk(client, start)
    assert list(itertools.chain(*onward)) == expected(sort)
    backward = walk(client, last_address(client, start), "prev")
    assert backward == onward[::-1]


def test_rows_that_come_and_go_move_no_other_row(shelf, resource, things):
    shelf = shelf(resource(paging=Cursor(limit=5)), rows=ROWS)
    first = shelf.client.get("/things?sort=name").json["data"]
    with shelf.app.app_context():
        for name in ("t04", "t02"):  # the row the cursor names, and one before it
            row = shelf.db.session.query(things.Thing).filter_by(name=name).one()
            shelf.db.session.delete(row)
        shelf.db.session.add(things.Thing(name="t001"))
        shelf.db.session.add(things.Thing(name="t061"))
        shelf.db.session.commit()
    second = shelf.client.get(first["links"]["next"]).json["data"]
    assert [item["name"] for item in second["items"]] == ["t05", "t06", "t061", "t07", "t08"]
    back = shelf.client.get(second["links"]["prev"]).json["data"]
    assert [item["name"] for item in back["items"]] == ["t00", "t001", "t01", "t03"]
    assert back["links"]["prev"] is None


@pytest.mark.parametrize("gone", ["behind", "before"])
def test_a_page_whose_rows_are_gone_is_empty_and_leads_back(shelf, resource, things, gone):
    shelf = shelf(resource(paging=Cursor(limit=5)), rows=ROWS)
    second = shelf.client.get("/things?sort=name").json["data"]["links"]["next"]
    back = shelf.client.get(second).json["data"]["links"]["prev"]
    compare = "__gt__" if gone == "behind" else "__lt__"
    with shelf.app.app_context():
        condition = getattr(things.Thing.name, compare)("t04" if gone == "behind" else "t05")
        shelf.db.session.query(things.Thing).filter(condition).delete()
        shelf.db.session.commit()
    page = shelf.client.get(second if gone == "behind" else back).json["data"]
    assert page["items"] == []
    links = [link for link in page["links"].values() if link]
    assert len(links) == 1
    assert len(shelf.client.get(links[0]).json["data"]["items"]) == 5


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda path: path.replace("sort=name", "sort=-name"), id="another order"),
        pytest.param(lambda path: path + "&kind=a", id="another filter"),
        pytest.param(lambda path: path.replace("/things", "/others"), id="another list"),
        pytest.param(lambda path: path[:-1] + "xy", id="a changed signature"),
        pytest.param(lambda path: re.sub("cursor=.*", "cursor=", path), id="nothing"),
        pytest.param(lambda path: re.sub("cursor=.*", "cursor=%F0%9F%A6%80", path), id="a crab"),
        pytest.param(lambda path: re.sub("cursor=.*", "cursor=W10.x", path), id="made by hand"),
    ],
)
def test_a_cursor_is_good_for_its_list_only(shelf, resource, change):
    others = type("Others", (resource(),), {})
    client = shelf(resource(), others, rows=ROWS).client
    onward = client.get("/things?limit=5&sort=name").json["data"]["links"]["next"]
    assert client.get(onward.replace("limit=5", "limit=7")).status_code == 200
    answer = client.get(change(onward))
    assert answer.status_code == 400
    assert answer.json["code"] == "invalid_cursor"


def test_a_cursor_of_a_replaced_key_is_good_as_long_as_that_key_is_a_fallback(shelf, resource):
    served = shelf(resource(), rows=ROWS)
    onward = served.client.get("/things?limit=5").json["data"]["links"]["next"]
    old = served.app.config["SECRET_KEY"]
    served.app.config.update(SECRET_KEY="k" * 32, SECRET_KEY_FALLBACKS=[old])
    assert served.client.get(onward).status_code == 200
    served.app.config.update(SECRET_KEY_FALLBACKS=[])
    assert served.client.get(onward).status_code == 400


def test_without_a_key_there_are_no_cursors(shelf, resource):
    served = shelf(resource(), rows=ROWS)
    served.app.config["SECRET_KEY"] = None
    with pytest.raises(RuntimeError, match="SECRET_KEY"):
        served.client.get("/things?limit=5")


@pytest.mark.parametrize(
    ("paging", "query", "wrong"),
    [
        pytest.param(Cursor(), "limit=101", {"limit"}, id="more than the most"),
        pytest.param(Cursor(), "limit=0", {"limit"}, id="none at all"),
        pytest.param(Cursor(), "limit=" + "9" * 5000, {"limit"}, id="five thousand digits"),
        pytest.param(Cursor(limit_max=500), "limit=501", {"limit"}, id="more than its own most"),
        pytest.param(Pages(), "page=0", {"page"}, id="page zero"),
        pytest.param(Pages(), f"page={2**63}&limit=x", {"page", "limit"}, id="beyond 64 bits"),
    ],
)
def test_what_is_out_of_bounds_is_refused(shelf, resource, paging, query, wrong):
    answer = shelf(resource(paging=paging)).client.get(f"/things?{query}")
    assert answer.status_code == 422
    assert answer.json["data"].keys() == wrong


@pytest.mark.parametrize("limits", [(0, 10), (11, 10)])
def test_limits_that_contradict_each_other_stop_the_start(limits):
    with pytest.raises(ValueError, match="limit is"):
        Cursor(*limits)


def test_numbered_pages_say_where_they_are(shelf, resource):
    client = shelf(resource(paging=Pages(limit=10)), rows=ROWS).client
    answer = client.get("/things?page=2&sort=name")
    data = answer.json["data"]
    assert (data["page"], data["total"], data["limit"], len(data["items"])) == (2, 23, 10, 10)
    assert data["links"] == {
        "next": "/things?sort=name&page=3",
        "prev": "/things?sort=name&page=1",
        "first": "/things?sort=name&page=1",
        "last": "/things?sort=name&page=3",
    }
    beyond = client.get("/things?page=2147483647").json["data"]
    assert beyond["items"] == []
    assert beyond["links"]["next"] is None


def test_a_page_nearer_to_the_end_is_read_from_there(things):
    keys = (SortKey("weight", things.Thing.weight), SortKey("id", things.Thing.id))

    def read(page, total, limit=10):
        query = {"page": page, "limit": limit}
        made = Pages().page_of(select(things.Thing), keys, query, total)
        text = str(made.compile(compile_kwargs={"literal_binds": True}))
        found = re.search(r"ORDER BY (.*?) *LIMIT (\d+) OFFSET (\d+)", text.replace("\n", " "))
        return found[1].count("DESC"), int(found[2]), int(found[3])

    assert read(1001, 30_000) == (0, 11, 10_000)
    assert read(2001, 30_000) == (2, 11, 9_989)
    assert read(3000, 30_000) == (2, 10, 0)
    assert read(3000, 29_997) == (2, 7, 0)
    assert read(3001, 30_000) == (2, 0, 0)
    assert read(2**31 - 1, 30_000) == (2, 0, 0)
    assert read(2001, None) == (0, 11, 20_000)
    assert read(90, 1000) == (0, 11, 890)


def test_far_pages_are_read_after_their_total_and_near_ones_with_it(shelf, resource, monkeypatch):
    monkeypatch.setattr(numbered, "_FAR_ROWS", 5)
    client = shelf(resource(paging=Pages(limit=5)), rows=ROWS).client
    for page in (1, 2, 3, 5, 6, 2**31 - 1):
        data = client.get(f"/things?page={page}&sort=name").json["data"]
        names = [item["name"] for item in data["items"]]
        assert names == [row["name"] for row in ROWS][(page - 1) * 5 : page * 5]
        assert (data["total"], data["links"]["next"] is None) == (23, page >= 5)


def test_counting_can_be_left_out(shelf, resource):
    data = shelf(resource(paging=Pages(total=False)), rows=ROWS).client.get("/things").json["data"]
    assert "total" not in data
    assert data["links"].keys() == {"next", "prev", "first"}


@pytest.mark.parametrize("paging", [Cursor(limit=5), Pages(limit=5)])
def test_the_link_header_says_what_the_body_says(shelf, resource, paging):
    client = shelf(resource(paging=paging), rows=ROWS).client
    second = client.get("/things?kind=a,b").json["data"]["links"]["next"]
    answer = client.get(second)
    found = re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers["Link"])
    links = answer.json["data"]["links"]
    assert {relation: address for address, relation in found} == {
        relation: address for relation, address in links.items() if address
    }


def test_an_empty_list_leads_nowhere(shelf, resource):
    answer = shelf(resource()).client.get("/things")
    assert answer.json["data"] == {
        "items": [],
        "limit": 20,
        "links": {"next": None, "prev": None},
    }
    assert "Link" not in answer.headers


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param("_external=1&_scheme=javascript", id="options of url_for"),
        pytest.param("x=%0d%0aSet-Cookie:a", id="a line break"),
        pytest.param('x=%3e%3b rel%3d"last"', id="the end of a link"),
    ],
)
def test_addresses_hold_what_was_asked_and_nothing_else(shelf, resource, extra):
    client = shelf(resource(), rows=ROWS).client
    answer = client.get(f"/things?limit=5&{extra}")
    link = answer.headers["Link"]
    assert link.startswith("</things?")
    assert link.count("rel=") == 1
    assert not re.search(r"[\r\n ]", link.removesuffix('; rel="next"'))
    assert client.get(answer.json["data"]["links"]["next"]).status_code == 200


def test_addresses_know_where_the_app_is_mounted(shelf, resource):
    client = shelf(resource(), rows=ROWS).client
    answer = client.get("/things?limit=5", environ_overrides={"SCRIPT_NAME": "/my shop"})
    assert answer.json["data"]["links"]["next"].startswith("/my%20shop/things?")


def test_an_order_of_the_query_itself_gives_way(shelf, resource, things):
    def query(self):
        return Resource.query(self).order_by(things.Thing.name.desc())

    client = shelf(resource(query=query), rows=ROWS).client
    assert list(itertools.chain(*walk(client, "/things?limit=5&sort=name"))) == expected("name")


def test_a_page_without_links_has_no_header():
    assert Page([], 20).header == ""


@pytest.mark.parametrize("paging", [Cursor(), Pages(), Pages(total=False)])
def test_the_document_describes_the_page(shelf, resource, paging):
    served = shelf(resource(paging=paging), rows=ROWS)
    document = served.client.get("/openapi.json").json
    operation = document["paths"]["/things"]["get"]
    names = {parameter["name"] for parameter in operation["parameters"]}
    assert {"limit", "sort", "kind", "If-None-Match"} <= names
    assert ("cursor" in names) == isinstance(paging, Cursor)
    assert operation["responses"]["304"]["headers"].keys() == {"ETag"}
    assert {"Link", "ETag"} <= operation["responses"]["200"]["headers"].keys()
    page = document["components"]["schemas"]["ThingOutPage"]
    answered = served.client.get("/things").json["data"]
    assert set(page["required"]) == answered.keys()
    links = json.dumps(document["components"]["schemas"])
    assert all(f'"{relation}"' in links for relation in answered["links"])


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_a_row_that_a_join_gives_many_times_is_listed_once_and_hides_no_other(
    shelf, resource, things, limit
):
    owned = aliased(things.Thing)

    def query(self):
        return select(things.Thing).join(owned, owned.owner_id == things.Thing.id)

    shelf = shelf(resource(query=query, paging=Cursor(limit=limit)), rows=ROWS[:6])
    with shelf.app.app_context():
        for number in range(1, 7):
            for more in range(number - 1):  # the first one owns nothing
                name = f"of {number}, {more}"
                shelf.db.session.add(things.Thing(name=name, owner_id=number))
        shelf.db.session.commit()
    for sort in ("name", "-name"):
        pages = walk(shelf.client, f"/things?sort={sort}")
        listed = list(itertools.chain(*pages))
        assert listed == sorted(["t01", "t02", "t03", "t04", "t05"], reverse=sort == "-name")
        assert all(pages)


def test_numbers_of_single_precision_are_walked_to_the_end(shelf, resource, things):
    """On an engine that has them, 0.1 is another number than the 0.1 of the cursor."""

    class Pulled(things.Out):
        pull = fields.Float(allow_none=True)

    pulls = (0.1, 0.2, 0.1, None, 1e-7, 123456.789, None)
    rows = [{"name": str(number), "pull": pull} for number, pull in enumerate(pulls)]
    made = resource(schema=Pulled, sort=("pull",), paging=Cursor(limit=1))
    client = shelf(made, rows=rows).client
    assert list(itertools.chain(*walk(client, "/things?sort=pull"))) == list("4021536")
    assert list(itertools.chain(*walk(client, "/things?sort=-pull"))) == list("6351204")
