import pytest

from carboy.api.auth import Permissions


@pytest.mark.parametrize(
    ("granted", "asked", "contained"),
    [
        pytest.param(["orders:read"], "orders:read", True, id="the same word"),
        pytest.param(["orders:read"], "orders:write", False, id="another word"),
        pytest.param(["orders:*"], "orders:read", True, id="one below the wildcard"),
        pytest.param(["orders:*"], "orders:lines:read", True, id="two below the wildcard"),
        pytest.param(["orders:*"], "orders", False, id="not the part before the wildcard"),
        pytest.param(["orders:*"], "ordersx:read", False, id="no prefix of a word"),
        pytest.param(["*"], "anything:at:all", True, id="everything"),
        pytest.param(["orders:read"], "orders:*", False, id="a wildcard asked for is not granted"),
        pytest.param(["orders:*"], "orders:*", True, id="unless a wildcard is"),
        pytest.param(["*"], "orders:*", True, id="or a wider one"),
        pytest.param(["orders:*"], "*", False, id="but not a narrower one"),
        pytest.param([], "orders:read", False, id="nothing granted"),
        pytest.param(["*"], 7, False, id="no text"),
    ],
)
def test_a_permission_is_contained(granted, asked, contained):
    assert (asked in Permissions(granted)) is contained


@pytest.mark.parametrize(
    ("left", "right", "both"),
    [
        (["orders:*"], ["orders:read", "stock:read"], ["orders:read"]),
        (["orders:read"], ["orders:*"], ["orders:read"]),
        (["*"], ["orders:*"], ["orders:*"]),
        (["orders:read"], ["stock:read"], []),
        (["a:*", "b:c"], ["a:b:*", "b:*"], ["a:b:*", "b:c"]),
    ],
)
def test_of_a_pattern_and_what_it_covers_the_narrower_is_in_both(left, right, both):
    assert list(Permissions(left).limited_to(right)) == both
    assert list(Permissions(right).limited_to(left)) == both


@pytest.mark.parametrize("text", ["", ":", "a:", ":a", "*:a", "a*", "a b", 'a"', "a\n", "ä", 7])
def test_a_permission_is_words_between_colons(text):
    with pytest.raises(ValueError, match="is no permission"):
        Permissions([text])


def test_permissions_are_a_set():
    some = Permissions(["b", "a", "a"])
    assert list(some) == ["a", "b"]
    assert len(some) == 2
    assert some <= Permissions(["*"])
    assert not some <= Permissions(["a"])
    assert {some: 1}[Permissions(["b", "a"])] == 1
    assert repr(some) == "Permissions(['a', 'b'])"
