"""Scripts: minified where that is safe, refused where they cannot work."""

from __future__ import annotations

import pytest

from carboy.errors import CarboyError
from carboy.website.scripts import minified

NESTED = "const a = b ? `x ${ c ? `https://${ d }/  e` : '' }` : ''; // f\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("let a = 1; // b\n", "let a=1;", id="comments"),
        pytest.param("a = b++ + ++c", "a=b++ + ++c", id="signs"),
        pytest.param("/[/]  x/g.test(y)", "/[/]  x/g.test(y)", id="regular expressions"),
        pytest.param("`a  ${ b }  // c`", "`a  ${ b }  // c`", id="template literals"),
        pytest.param("`${ {a: 1}.a }  c`", "`${ {a: 1}.a }  c`", id="an object in one"),
        pytest.param(r"`\`  `  +  1", r"`\`  `+1", id="an escaped backtick"),
        pytest.param(r"`${ a('\`') }  b` +  c", r"`${ a('\`') }  b`+c", id="one within"),
        pytest.param("/*! us */\nlet  a", "/*! us */let a", id="licences"),
    ],
)
def test_minifying_keeps_the_meaning(before, after):
    assert minified(before) == after


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(NESTED, id="nested"),
        pytest.param(f"// it`s\n{NESTED}", id="after a stray backtick"),
        pytest.param(f"let q = '`';\n{NESTED}", id="after a backtick in a string"),
    ],
)
def test_a_template_literal_in_another_is_left_alone(text):
    assert minified(text) is None


def test_a_script_that_cannot_be_minified_is_served_as_it_is(website, caplog):
    website.write(assets__site_js=NESTED)
    assert website.build().exit_code == 0
    assert "site.js stays as it is" in caplog.text
    assert website.text(website.app(website.production), "site.js") == NESTED


@pytest.mark.parametrize(
    "line", ['import { a } from "./a.js"', "import './a.js'", "export * from '../b.js';"]
)
def test_modules_that_import_each_other_are_refused(website, line):
    website.write(assets__site_js=f"// one\n{line}\n")
    with pytest.raises(CarboyError, match=r"site\.js, line 2: a module cannot import"):
        website.url(website.app(), "site.js")


@pytest.mark.parametrize(
    "line", ["importAll('./a')", "let s = \"import './a.js'\";", "export {a};"]
)
def test_what_only_looks_like_an_import_is_taken(website, line):
    website.write(assets__site_js=line)
    assert website.text(website.app(), "site.js") == line
