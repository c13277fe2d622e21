import pytest

from carboy.server.granian.environ import Environments, HeadTooLong

SCOPE = {
    "method": "GET",
    "raw_path": b"/",
    "query_string": b"",
    "http_version": "1.1",
    "client": ("10.0.0.1", "5000"),
    "headers": [],
}


@pytest.fixture
def environments():
    return Environments(("10.0.0.2", 80), multiprocess=False)


def test_cookies_in_several_fields_are_joined_as_cookies_are(environments):
    made = environments.make(SCOPE | {"headers": [(b"cookie", b"a=1"), (b"cookie", b"b=2")]})
    assert made["HTTP_COOKIE"] == "a=1; b=2"


def test_a_length_beside_a_transfer_coding_is_dropped(environments):
    headers = [(b"content-length", b"5"), (b"transfer-encoding", b"chunked")]
    made = environments.make(SCOPE | {"headers": headers})
    assert "CONTENT_LENGTH" not in made
    assert made["HTTP_TRANSFER_ENCODING"] == "chunked"


@pytest.mark.parametrize("name", [b"x_forwarded_for", b"x-forwarded_for", b"_"])
def test_a_name_that_could_pass_for_another_is_dropped(environments, name):
    for _ in range(2):
        made = environments.make(SCOPE | {"headers": [(name, b"1.2.3.4"), (name, b"x")]})
        assert not [variable for variable in made if variable.startswith("HTTP_")]
        assert "" not in made


def test_names_that_clients_invent_are_not_remembered_for_ever(environments):
    for number in range(3000):
        environments.make(SCOPE | {"headers": [(b"x-%d" % number, b"")]})
    assert len(environments._names) <= 1000


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"raw_path": b"/" + b"a" * 8190}, 414),
        ({"query_string": b"a" * 8190}, 414),
        ({"headers": [(b"x-long", b"a" * 8191)]}, 431),
    ],
    ids=["a path", "a query", "a header"],
)
def test_what_is_too_long_is_not_taken(environments, change, status):
    with pytest.raises(HeadTooLong) as caught:
        environments.make(SCOPE | change)
    assert caught.value.status == status
