"""Texts with a title: read, ordered, and refused with file and line."""

from __future__ import annotations

import os
import re

import pytest
from flask import render_template_string

from carboy.errors import CarboyError
from carboy.website.content import Texts, parsed


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / "content" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    (tmp_path / "content").mkdir()
    return write


@pytest.fixture
def texts(tmp_path, write):
    return Texts(tmp_path / "content")


def test_a_text_has_what_its_head_says():
    head = (
        b"---\r\ntitle: Orders: all of them\n# a remark\n\norder: -2\nlink: /orders?open#new\n---\n"
    )
    card = parsed("orders", head + b"**All**\n---\nof them", "orders.md")
    assert (card.name, card.title, card.order) == ("orders", "Orders: all of them", -2)
    assert card.link == "/orders?open#new"
    assert card.html == "<h2><strong>All</strong></h2>\n<p>of them</p>\n"


@pytest.mark.parametrize("title", ['"Orders"', "'Orders'"])
def test_quotes_around_a_value_are_no_part_of_it(title):
    assert parsed("a", f"---\ntitle: {title}\n---\n".encode(), "a.md").title == "Orders"


def test_cards_come_in_their_order(texts, write):
    for name, order in (("b", 2), ("a", 2), ("c", 1)):
        write(f"home/{name}.md", f"---\ntitle: {name}\norder: {order}\n---\n")
    write("home/.draft.md", "no head")
    write("home/notes.txt", "no head")
    write("home/deeper/d.md", "---\ntitle: d\n---\n")
    assert [card.title for card in texts.cards("home")] == ["c", "a", "b"]


def test_one_text_is_read_by_its_name(texts, write):
    write("about.md", "---\ntitle: About\n---\nus")
    assert texts.card("about").html == "<p>us</p>\n"


def test_an_edit_shows(texts, write):
    write("about.md", "---\ntitle: Before\n---\n")
    before = texts.card("about")
    assert texts.card("about") is before
    path = write("about.md", "---\ntitle: After!\n---\n")
    os.utime(path, (1, 1))
    assert texts.card("about").title == "After!"


def test_a_mark_of_the_byte_order_is_no_part_of_the_head():
    assert parsed("a", b"\xef\xbb\xbf---\ntitle: A\n---\n", "a.md").title == "A"


HEAD = "---\ntitle: A\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "line 1: a text begins with", id="nothing"),
        pytest.param("# Title", "line 1: a text begins with", id="no head"),
        pytest.param("---\ntitle: A\n", "line 1: no second line ---", id="a head without end"),
        pytest.param("---\norder: 1\n---\n", "line 3: there is no title", id="no title"),
        pytest.param(f"{HEAD}title: B\n---\n", "line 3: title is there twice", id="twice"),
        pytest.param(f"{HEAD}colour: red\n---\n", "line 3: 'colour: red' is none of", id="unknown"),
        pytest.param(f"{HEAD}nonsense\n---\n", "line 3: 'nonsense' is none of", id="no colon"),
        pytest.param(f"{HEAD}order: first\n---\n", "line 3: order is 'first'", id="no number"),
        pytest.param(f"{HEAD}order: 1.5\n---\n", "line 3: order is '1.5'", id="no whole number"),
        pytest.param(f"{HEAD}link:\n---\n", "line 3: link is empty", id="an empty link"),
        pytest.param(f"{HEAD}link: javascript:alert(1)\n---\n", "line 3: link is", id="a script"),
        pytest.param(f"{HEAD}link: //e.example\n---\n", "line 3: link is", id="a foreign host"),
        pytest.param(f"{HEAD}link: orders\n---\n", "line 3: link is", id="a relative link"),
    ],
)
def test_a_head_that_cannot_be_read_is_refused(texts, write, text, message):
    path = write("a.md", text)
    with pytest.raises(CarboyError, match=re.escape(f"{path}, {message}")):
        texts.cards()


def test_text_that_is_not_utf_8_is_refused():
    with pytest.raises(CarboyError, match=r"a\.md, line 3: not UTF-8"):
        parsed("a", "---\ntitle: A\n\xe4".encode("latin-1"), "a.md")


def test_everything_is_checked_at_the_start(texts, write):
    write("a.md", "")
    write("home/b.md", "---\norder: 1\n---\n")
    write("home/c.md", "---\ntitle: fine\n---\n")
    with pytest.raises(CarboyError) as caught:
        texts.check()
    lines = caught.value.message.splitlines()
    assert [line.split(", ")[0].rpartition("/")[2] for line in lines] == ["a.md", "b.md"]


def test_a_text_with_an_error_refuses_the_start(project, website):
    website.write(content__a_md="no head")
    done = project("carboy", "run", "wsgi:app", APP_ENV="Testing", HTTP_PORT="0")
    assert done.returncode == 1
    assert re.fullmatch(r"Error: .*/content/a\.md, line 1: a text begins .*\n", done.stderr)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda texts: texts.cards("none"), "There is no folder .*/content/none"),
        (lambda texts: texts.card("none"), r"content/none\.md: No such file or directory"),
    ],
    ids=["a folder", "a file"],
)
def test_what_is_not_there_is_named(texts, ask, message):
    with pytest.raises(CarboyError, match=message):
        ask(texts)


def test_templates_have_them(website):
    website.write(
        content__about_md="---\ntitle: Us & them\n---\n*we*",
        content__home__one_md="---\ntitle: One\n---\n",
    )
    with website.app().app_context():
        shown = render_template_string(
            "{% for one in cards('home') %}{{ one.title }}{% endfor %} "
            "{{ card('about').title }} {{ card('about').html }}"
        )
    assert shown == "One Us &amp; them <p><em>we</em></p>\n"
