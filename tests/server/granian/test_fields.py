import pytest

from carboy.server.granian.fields import Fields, announced_length


def test_headers_keep_their_order_and_are_the_same_when_they_come_again():
    fields = Fields()
    headers = [("Set-Cookie", "a=1"), ("X-Two", "\xe4"), ("Set-Cookie", "b=2")]
    written = [(b"set-cookie", b"a=1"), (b"x-two", b"\xe4"), (b"set-cookie", b"b=2")]
    assert [fields.encoded(list(headers)) for _ in range(3)] == [written] * 3


def test_what_never_comes_again_is_not_remembered():
    fields = Fields()
    for number in range(5000):
        fields.encoded([("X-Request-ID", str(number)), ("X-Frame-Options", "DENY")])
    assert list(fields._known) == [("X-Frame-Options", "DENY")]
    assert len(fields._once) <= 1000


def test_a_character_beyond_latin_1_is_an_error():
    with pytest.raises(UnicodeEncodeError):
        Fields().encoded([("X-Price", "5 €")])


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ([("Content-Type", "x"), ("content-LENGTH", "12")], 12),
        ([("Content-Length", "many")], -1),
        ([("Content-Type", "x")], -1),
    ],
    ids=["in any case", "no number", "none"],
)
def test_the_length_that_an_answer_announces(headers, length):
    assert announced_length(headers) == length
