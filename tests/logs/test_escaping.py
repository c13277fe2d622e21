"""Nothing that was logged can forge a line or steer a terminal."""

import sys

import pytest

from carboy.logs import printable


@pytest.mark.parametrize("colour", [True, False])
def test_text_cannot_be_forged(formatted, colour):
    written = formatted("text", "user %s", "eve\n12:00:00 [info] all is well\x1b[2J", colour=colour)
    assert "\n    12:00:00" in written
    assert "\x1b[2J" not in written


FORGED = "x\n12:00:00 [info     ] FORGED LINE\x1b[31m\r\u2028\x9b"


def raised(text):
    try:
        int(text)
    except ValueError:
        return sys.exc_info()


class Odd:
    def __repr__(self):
        return FORGED


@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize(
    "record",
    [
        pytest.param({"message": FORGED}, id="a message"),
        pytest.param({"exc_info": raised(FORGED)}, id="an exception"),
        pytest.param({"extra": {"exception": FORGED}}, id="an exception somebody formatted"),
        pytest.param({"extra": {"stack": FORGED}}, id="a stack"),
        pytest.param({"extra": {FORGED: 1}}, id="the name of a field"),
        pytest.param({"extra": {"field": FORGED}}, id="the value of a field"),
        pytest.param({"extra": {"field": Odd()}}, id="a value that writes itself"),
        pytest.param({"extra": {"field": [Odd()]}}, id="a list of such values"),
    ],
)
def test_no_part_of_a_record_passes_for_a_line_of_the_log(formatted, record, colour):
    said = {"message": "failed", **record}
    lines = formatted("text", said.pop("message"), colour=colour, **said).split("\n")
    assert any("FORGED LINE" in line for line in lines)
    assert all(line.startswith("    ") for line in lines[1:])
    own = ("\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[3") if colour else ()
    for line in lines:
        assert "\x1b[31mFORGED" not in line
        assert "\\x1b[31m" in line or "FORGED" not in line
        rest = line.replace("\x1b", "") if own else line
        assert rest.isprintable()


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain ä 漢", "plain ä 漢"),
        ("\r\n\t\0", r"\r\n\t\x00"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b\x85", r"\x9b\x85"),
        ("\u2028\u2029\u202e", r"\u2028\u2029\u202e"),
    ],
)
def test_printable(text, escaped):
    assert printable(text) == escaped
