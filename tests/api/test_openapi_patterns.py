import re

import pytest

from carboy.api.openapi.patterns import to_ecma


@pytest.mark.parametrize(
    ("python", "ecma"),
    [
        pytest.param(r"[a-z]+", r"^[a-z]+", id="match anchors at the start"),
        pytest.param(r"^[a-z]+$", r"^[a-z]+$", id="what is anchored stays as it is"),
        pytest.param(r"\Aab\Z", r"^ab$", id="absolute anchors become the ordinary ones"),
        pytest.param(r"a|b", r"^(?:a|b)", id="every branch is anchored"),
        pytest.param(r"^a|b", r"^(?:^a|b)", id="the second branch is anchored as well"),
        pytest.param(r"(a|b)c", r"^(a|b)c", id="a branch inside a group needs nothing"),
        pytest.param(r"(?:a|b)(?=c)", r"^(?:a|b)(?=c)", id="groups without capture stay"),
        pytest.param(r"(?P<x>a)(b)(?P=x)", r"^(a)(b)\1", id="named groups become numbers"),
        pytest.param(r"(?P<x>a)(?P=x)1", r"^(a)\1(?:)1", id="a digit after a number stays apart"),
        pytest.param(r"(a)\1", r"^(a)\1", id="numbered references stay"),
        pytest.param(r"(?<!a)b", r"^(?<!a)b", id="lookbehind stays"),
        pytest.param(r"a(?#why)b", r"^ab", id="comments are left out"),
        pytest.param(r"a{,3}b{2}c{1,}", r"^a{0,3}b{2}c{1,}", id="an open quantifier gets its zero"),
        pytest.param(r"{a}]", r"^\{a\}\]", id="lone brackets are escaped"),
        pytest.param(r"\-\@\ \"", r'^-@ "', id="needless escapes are left out"),
        pytest.param(r"[]\-[\d^]", r"^[\]\-\[\d^]", id="brackets in a set are escaped"),
        pytest.param(r"[^]a]", r"^[^\]a]", id="a bracket first in a negated set too"),
        pytest.param(r"\a\x41\u0041\n\.", r"^\x07\x41\u0041\n\.", id="characters by number"),
        pytest.param(r"\U0001F600", "^\U0001f600", id="characters beyond the basic plane"),
        pytest.param(r"\0[\101]", r"^\x00[\x41]", id="octal becomes hexadecimal"),
        pytest.param(r"a/b", r"^a\/b", id="the slash is escaped"),
    ],
)
def test_a_pattern_is_translated(python, ecma):
    assert to_ecma(re.compile(python)) == ecma


def test_a_dot_that_matches_newlines_is_spelled_out():
    assert to_ecma(re.compile("a.b", re.DOTALL)) == r"^a[\s\S]b"


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(re.compile("a", re.IGNORECASE), id="case is ignored"),
        pytest.param(re.compile("a b", re.VERBOSE), id="verbose"),
        pytest.param(re.compile("(?i)a"), id="inline flag"),
        pytest.param(re.compile("(?i:a)b"), id="flag of a group"),
        pytest.param(re.compile("(a)?(?(1)b|c)"), id="conditional"),
        pytest.param(re.compile("(?>a+)b"), id="atomic group"),
        pytest.param(re.compile("a++b"), id="possessive quantifier"),
        pytest.param(re.compile("a{1,2}+b"), id="possessive braces"),
        pytest.param(re.compile(r"\N{BULLET}"), id="character by name"),
    ],
)
def test_what_has_no_counterpart_is_left_out(pattern):
    assert to_ecma(pattern) is None


@pytest.mark.parametrize(
    "python",
    [r"[a-z]{2,3}-\d+\Z", r"a|bc\Z", r"(?P<q>['\"]).*(?P=q)\Z", r"[^]x]+\Z", r"\w+@\w+\.\w{2,}\Z"],
)
@pytest.mark.parametrize(
    "text", ["ab-1", "ab-1x", "a", "xa", "bc", "'a'", "'a\"", "]", "y", "me@host.org", "abc", ""]
)
def test_the_translation_accepts_the_same_texts(python, text):
    pattern = re.compile(python)
    translated = to_ecma(pattern)
    assert bool(re.search(translated, text)) == bool(pattern.match(text))
