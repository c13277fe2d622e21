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
