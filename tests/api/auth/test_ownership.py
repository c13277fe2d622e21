import pytest

from carboy.api.auth import Caller, Permissions, owned_by
from carboy.errors import Forbidden


def test_users_see_their_own_rows_only_and_others_do_not_exist(service):
    ada, bob = service.token("ada"), service.token("bob")
    mine = service.call("POST", "/orders", ada).json["data"]["id"]
    other = service.call("POST", "/orders", bob).json["data"]["id"]
    assert service.call("GET", "/orders", ada).json["data"] == [mine]
    assert service.call("GET", f"/orders/{mine}", ada).status_code == 200
    assert service.call("GET", f"/orders/{other}", ada).status_code == 404
    assert service.call("GET", "/orders", bob).json["data"] == [other]


def test_an_exempt_caller_sees_all_rows(service):
    mine = service.call("POST", "/orders", service.token("ada")).json["data"]["id"]
    clerk = service.token("clara")
    assert service.call("GET", "/orders", clerk).json["data"] == [mine]
    assert service.call("GET", f"/orders/{mine}", clerk).status_code == 200


@pytest.fixture
def calling(service):
    """Be a caller for the length of a test."""
    with service.app.test_request_context() as context:

        def calling(**options):
            context.request.environ["carboy.caller"] = Caller(**options)

        yield calling


def test_where_all_may_look_others_may_not_touch(calling, models):
    rule = owned_by("user_id", visible=True)
    calling(id=1, method="session", load=object)
    own, other = models.Order(user_id=1), models.Order(user_id=2)
    assert rule.require(own) is own
    with pytest.raises(Forbidden):
        rule.require(other)
    from sqlalchemy import select

    everything = select(models.Order)
    assert rule.restrict(everything) is everything


@pytest.mark.parametrize("owner", [1, None])
def test_an_id_that_an_issuer_chose_owns_nothing(calling, models, owner):
    from sqlalchemy import select

    rule = owned_by("user_id")
    calling(id=owner, method="jwt", permissions=Permissions(["*"]))
    assert not rule.allows(models.Order(user_id=owner))
    assert "false" in str(rule.restrict(select(models.Order))).lower() or "0 = 1" in str(
        rule.restrict(select(models.Order))
    )


def test_a_row_without_owner_is_nobodys(calling, models):
    calling(id=1, method="session", load=object)
    assert not owned_by("user_id").allows(models.Order(user_id=None))


def test_a_resource_is_guarded_and_restricted(make_service, models):
    from marshmallow import Schema, fields

    from carboy.api.auth import requires
    from carboy.api.blueprint import Blueprint
    from carboy.api.resource import Resource

    class OrderOut(Schema):
        id = fields.Integer(required=True)

    class Orders(Resource):
        model = models.Order
        schema = OrderOut
        only = ("list", "read", "delete")
        guards = {"delete": [requires("orders:delete")]}  # noqa: RUF012 - the Resource's way

        def query(self):
            return owned_by("user_id", unless="orders:any").restrict(super().query())

    api = Blueprint("api", __name__, requires="orders:read")
    api.resource("/orders", Orders)
    service = make_service(api)
    ada = service.add("ada")
    bob = service.add("bob")
    service.add("clara", role="clerk")
    with service.app.app_context():
        rows = [models.Order(user_id=owner) for owner in (ada, bob)]
        service.db.session.add_all(rows)
        service.db.session.commit()
        mine, other = (row.id for row in rows)
    token = service.token("ada")
    assert service.call("GET", "/orders").status_code == 401
    assert service.call("DELETE", f"/orders/{mine}").status_code == 401
    assert f'"id":{mine}}}' in service.call("GET", "/orders", token).text
    assert f'"id":{other}}}' not in service.call("GET", "/orders", token).text
    assert service.call("GET", f"/orders/{mine}", token).status_code == 200
    assert service.call("GET", f"/orders/{other}", token).status_code == 404
    assert service.call("DELETE", f"/orders/{mine}", token).status_code == 403
    assert service.call("DELETE", f"/orders/{other}", service.token("clara")).status_code == 204
    described = service.client.get("/openapi.json").json["paths"]["/orders/{id}"]
    assert "orders:delete" in described["delete"]["responses"]["403"]["description"]
    assert "orders:delete" not in described["get"]["responses"]["403"]["description"]
