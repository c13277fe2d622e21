"""Links of the OpenAPI document, followed by hand where they can be."""

import pytest
from flask import Flask
from marshmallow import Schema, fields
from openapi_spec_validator import OpenAPIV31SpecValidator

from carboy.api.blueprint import Blueprint
from carboy.api.envelope import Bare, JSend
from carboy.api.openapi import document_of
from carboy.api.resource import Resource
from carboy.errors import CarboyError


class Line(Schema):
    sku = fields.String(required=True, data_key="SKU")


class Order(Schema):
    id = fields.Integer(required=True, data_key="no")
    lines = fields.List(fields.Nested(Line), required=True)
    ship = fields.Nested(Line)
    more = fields.Nested(Line(many=True))
    anything = fields.Dict()


class Named(JSend):
    """The data of a success in a list, in an object of another name."""

    def success(self, data, status):
        return {"~a/b": [status, data]}

    def success_schema(self, schema):
        pair = {"type": "array", "prefixItems": [{"type": "integer"}, schema]}
        return {"type": "object", "properties": {"~a/b": pair}}


class Merged(JSend):
    """The fields of the data beside one of the envelope's."""

    def success(self, data, status):
        return {"ok": True, **data}

    def success_schema(self, schema):
        return {"allOf": [schema, {"properties": {"ok": {"const": True}}}]}


class Opaque(JSend):
    """Does not describe where the data is."""

    def success_schema(self, schema):
        return {"type": "object"}


def document(*blueprints, **extensions):
    app = Flask("shop")
    app.extensions.update(extensions)
    for one in blueprints:
        app.register_blueprint(one)
    found = document_of(app)
    OpenAPIV31SpecValidator(found).validate()
    return found


def orders(links, *, envelope=None, wrap="", name="orders"):
    api = Blueprint(name, __name__, envelope=envelope, url_prefix=f"/{name}")

    @api.post("/shops/<int:shop_id>/orders")
    @api.output(Order, 201, wrap=wrap)
    @api.doc(links=links)
    def create_order(shop_id): ...

    @api.get("/shops/<int:shop_id>/orders/<int:order_id>")
    @api.output(Order)
    def read_order(shop_id, order_id): ...

    return api


def linked(found, code="201", name="orders"):
    return found["paths"][f"/{name}/shops/{{shop_id}}/orders"]["post"]["responses"][code]["links"]


@pytest.mark.parametrize(
    ("source", "pointer"),
    [
        pytest.param("no", "/data/no", id="a field by its name in JSON"),
        pytest.param("lines.0.SKU", "/data/lines/0/SKU", id="a field of a list"),
        pytest.param("ship.SKU", "/data/ship/SKU", id="a field of an object"),
        pytest.param("more.2.SKU", "/data/more/2/SKU", id="a field of many"),
        pytest.param("anything.a.b", "/data/anything/a/b", id="what no schema tells"),
    ],
)
def test_a_link_takes_a_field_of_the_answer_and_passes_the_address_on(source, pointer):
    found = document(orders({"read_order": {"order_id": source}}))
    assert linked(found) == {
        "read_order": {
            "operationId": "read_order",
            "parameters": {
                "order_id": f"$response.body#{pointer}",
                "shop_id": "$request.path.shop_id",
            },
        }
    }


@pytest.mark.parametrize(
    ("envelope", "wrap", "pointer"),
    [
        pytest.param(Bare(), "", "/no", id="no envelope"),
        pytest.param(Bare(), "order", "/order/no", id="a wrapped answer"),
        pytest.param(JSend(), "order", "/data/order/no", id="a wrapped answer in an envelope"),
        pytest.param(Named(), "", "/~0a~1b/1/no", id="names that a pointer escapes"),
        pytest.param(Merged(), "", "/no", id="an envelope beside the data"),
    ],
)
def test_a_link_finds_the_data_through_any_envelope(envelope, wrap, pointer):
    found = document(orders({"read_order": {"order_id": "no"}}, envelope=envelope, wrap=wrap))
    parameters = linked(found)["read_order"]["parameters"]
    assert parameters["order_id"] == f"$response.body#{pointer}"


def test_an_expression_is_left_as_it_is():
    found = document(orders({"read_order": {"order_id": "$response.header.X-Order"}}))
    assert linked(found)["read_order"]["parameters"]["order_id"] == "$response.header.X-Order"


def test_a_link_means_the_neighbour_when_versions_stand_side_by_side():
    links = {"read_order": {"order_id": "no"}}
    found = document(orders(links, name="v1"), orders(links, name="v2"))
    for name in ("v1", "v2"):
        assert linked(found, name=name)[f"{name}_read_order"]["operationId"] == f"{name}_read_order"


def test_a_link_may_lead_to_another_blueprint_by_the_operations_id():
    other = Blueprint("other", __name__)

    @other.get("/pay/<int:order_id>")
    @other.doc(operation_id="pay_order")
    def pay(order_id): ...

    found = document(orders({"pay_order": {"order_id": "no"}}), other)
    assert linked(found)["pay_order"]["parameters"] == {"order_id": "$response.body#/data/no"}


def test_links_of_a_list_take_the_place_of_an_item():
    api = Blueprint("orders", __name__)

    @api.get("/orders")
    @api.output(Order(many=True))
    @api.doc(links={"read": {"order_id": "0.no"}})
    def everything(): ...

    api.add_url_rule("/orders/<int:order_id>", "read", lambda order_id: {})
    links = document(api)["paths"]["/orders"]["get"]["responses"]["200"]["links"]
    assert links["read"]["parameters"] == {"order_id": "$response.body#/data/0/no"}


@pytest.mark.parametrize(
    ("links", "envelope", "why"),
    [
        pytest.param({"read_ordr": {}}, None, "no such operation", id="an unknown operation"),
        pytest.param(
            {"read_order": {"order_id": "number"}}, None, "Order answers no 'number'",
            id="an unknown field",
        ),
        pytest.param(
            {"read_order": {"order_id": "lines.SKU"}}, None, "answers no 'lines.SKU'",
            id="a list without a place",
        ),
        pytest.param(
            {"read_order": {"order_id": "no"}}, Opaque(), "envelope does not say",
            id="an envelope that hides the data",
        ),
    ],
)  # fmt: skip
def test_a_link_that_leads_nowhere_is_an_error(links, envelope, why):
    with pytest.raises(CarboyError, match=why) as raised:
        document(orders(links, envelope=envelope))
    assert "orders.create_order" in str(raised.value)
    assert "Name a view" in str(raised.value)


def test_a_link_needs_an_answer_with_data():
    api = Blueprint("orders", __name__)

    @api.delete("/orders")
    @api.output(None, 204)
    @api.doc(links={"all": {"order_id": "no"}})
    def clear(): ...

    api.add_url_rule("/orders", "all", dict)
    with pytest.raises(CarboyError, match="an answer that is no data"):
        document(api)


def test_a_link_to_one_of_several_methods_must_name_it():
    api = orders({"both": {}})
    api.add_url_rule("/both", "both", dict, methods=["GET", "POST"])
    with pytest.raises(CarboyError, match="several of that name"):
        document(api)
    api = orders({"both_post": {}})
    api.add_url_rule("/both", "both", dict, methods=["GET", "POST"])
    assert linked(document(api))["both_post"] == {"operationId": "both_post"}


@pytest.fixture
def shelf_of(shelf, things):
    """Serve a resource and give its client and the links of each method."""

    def made(rule="/things", **members):
        blueprint = members.pop("blueprint", None)
        base = {"model": things.Thing, "schema": things.Out, "writable": things.In}
        kind = type("Things", (Resource,), {**base, **members})
        served = shelf(kind, rule=rule, blueprint=blueprint)
        found = document_of(served.app)
        OpenAPIV31SpecValidator(found).validate()
        links = {
            operation["operationId"]: response["links"]
            for item in found["paths"].values()
            for operation in item.values()
            for response in operation["responses"].values()
            if "links" in response
        }
        return served.client, links

    return made


def test_a_resource_links_a_new_row_to_what_can_be_done_with_it(shelf_of):
    client, links = shelf_of()
    there = ["read_thing", "replace_thing", "update_thing", "delete_thing"]
    assert list(links["create_thing"]) == there
    for name in there:
        assert links["create_thing"][name]["parameters"] == {"id": "$response.body#/data/id"}
    assert links["list_things"]["read_thing"]["parameters"] == {
        "id": "$response.body#/data/items/0/id"
    }
    assert list(links["read_thing"]) == there[1:]
    assert links["read_thing"]["delete_thing"]["parameters"] == {"id": "$request.path.id"}
    made = client.post("/things", json={"name": "Jar"}).json
    listed = client.get("/things").json
    assert made["data"]["id"] == listed["data"]["items"][0]["id"]


def test_a_resource_that_demands_if_match_passes_the_tag_on(shelf_of):
    _, links = shelf_of(if_match="required")
    tag = "$response.header.ETag"
    assert links["create_thing"]["update_thing"]["parameters"]["If-Match"] == tag
    assert links["read_thing"]["delete_thing"]["parameters"]["If-Match"] == tag
    assert "If-Match" not in links["create_thing"]["read_thing"]["parameters"]


def test_a_resource_links_only_to_the_methods_there_are(shelf_of):
    _, links = shelf_of(only=("list", "create", "delete"))
    assert list(links) == ["create_thing"]
    assert list(links["create_thing"]) == ["delete_thing"]


def test_a_nested_resource_passes_its_address_on(shelf_of):
    _, links = shelf_of(rule="/shelves/<int:shelf_id>/things")
    assert links["create_thing"]["read_thing"]["parameters"] == {
        "id": "$response.body#/data/id",
        "shelf_id": "$request.path.shelf_id",
    }


@pytest.mark.parametrize(
    ("members", "left"),
    [
        pytest.param(
            {"blueprint": Blueprint("api", __name__, envelope=Opaque())}, ["read_thing"],
            id="where the envelope hides it",
        ),
        pytest.param(
            {"schema": type("NoId", (Schema,), {"name": fields.String()})}, ["read_thing"],
            id="where it is not answered",
        ),
    ],
)  # fmt: skip
def test_a_resource_takes_no_key_from_an_answer(shelf_of, members, left):
    _, links = shelf_of(**members)
    assert list(links) == left


def test_a_link_of_ones_own_wins_over_that_of_the_resource(shelf_of):
    api = Blueprint("api", __name__)

    class Own(Resource):
        @api.doc(links={"read_thing": {"id": "$response.header.X-Id"}})
        def create(self, data):
            return super().create(data)

    _, links = shelf_of(blueprint=api, create=Own.create)
    assert links["create_thing"]["read_thing"]["parameters"] == {"id": "$response.header.X-Id"}
    assert len(links["create_thing"]) == 4


def test_a_hidden_method_is_no_target(shelf_of):
    api = Blueprint("api", __name__)

    class Hiding(Resource):
        @api.doc(hidden=True)
        def delete(self, row):
            super().delete(row)

    _, links = shelf_of(blueprint=api, delete=Hiding.delete)
    assert list(links["create_thing"]) == ["read_thing", "replace_thing", "update_thing"]
