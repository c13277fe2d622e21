"""Addresses in stylesheets, and what minifying must not change."""

from __future__ import annotations

import re

import pytest

from carboy.errors import CarboyError
from carboy.website.stylesheets import minified, with_addresses

HASHED = {"img/a.png": "img/a.0123.png", "img/a b.png": "img/a b.0123.png", "f.eot": "f.0123.eot"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("url(../img/a.png)", 'url("../img/a.0123.png")'),
        ("url( '../img/a.png' )", 'url("../img/a.0123.png")'),
        ('URL("../img/a.png")', 'url("../img/a.0123.png")'),
        ("url('../img/a%20b.png')", 'url("../img/a%20b.0123.png")'),
        ("url('../img/a b.png')", 'url("../img/a%20b.0123.png")'),
        ("url(../f.eot?#iefix)", 'url("../f.0123.eot?#iefix")'),
        ("url(../img/../img/./a.png)", 'url("../img/a.0123.png")'),
        ("url(/static/x.png)", "url(/static/x.png)"),
        ("url(https://example.com/x.png)", "url(https://example.com/x.png)"),
        ("url(//example.com/x.png)", "url(//example.com/x.png)"),
        ("url(#gradient)", "url(#gradient)"),
        ("url()", "url()"),
        ('url("data:,<svg a=\'b c\'/>")', 'url("data:,<svg%20a=\'b%20c\'/>")'),
        ("/* url(no.png) @import 'x' */", "/* url(no.png) @import 'x' */"),
        ('content: "url(no.png)"', 'content: "url(no.png)"'),
        (r"content: '\'url(no.png)'", r"content: '\'url(no.png)'"),
        ("image-url(no.png)", "image-url(no.png)"),
    ],
)  # fmt: skip
def test_an_address_leads_to_the_hashed_name(before, after):
    assert with_addresses(before, "css/site.css", "css/site.css", HASHED) == after


def test_addresses_are_relative_to_where_the_bundle_is():
    text = "a{background:url(../img/a.png)}"
    assert 'url("img/a.0123.png")' in with_addresses(text, "css/site.css", "site.css", HASHED)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a{}\n\nb{background:url(no.png)}", "line 3: url(no.png) leads to no file, css/no.png"),
        ("a{background:url(../../secret)}", "line 1: url(../../secret) leads to no file"),
        ("a{}\n@import 'x.css';", "line 2: @import does not work in a bundle"),
        ("@IMPORT url(https://example.com/x.css);", "line 1: @import does not work"),
    ],
)
def test_what_leads_nowhere_is_refused(text, message):
    with pytest.raises(CarboyError, match=re.escape(f"css/site.css, {message}")):
        with_addresses(text, "css/site.css", "site.css", HASHED)


def test_a_picture_of_a_stylesheet_is_served(website):
    website.write(
        assets__css__a_css="a{background:url(../img/a.svg)}", assets__img__a_svg=website.square
    )
    bundles = {"site.css": ["css/a.css", "site.css"]}
    website.build(bundles=bundles)
    app = website.app(website.production, bundles=bundles)
    relative = re.search(r'url\("([^"]+)"\)', website.text(app))[1]
    answer = app.test_client().get(f"/static/{relative}", buffered=True)
    assert answer.text == website.square


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("a :hover { b : c }", "a :hover{b:c}", id="descendants of any kind"),
        pytest.param("a{w: calc( 1px + 2px )}", "a{w:calc(1px + 2px)}", id="sums"),
        pytest.param(
            "@media (width >= 60rem) and (hover) { a{b:c} }",
            "@media (width>=60rem) and (hover){a{b:c}}", id="ranges of media",
        ),
        pytest.param("a{ & :is(b, c) {d:e} }", "a{& :is(b,c){d:e}}", id="nesting"),
        pytest.param("a{c: '  /* x */  '}", "a{c:'  /* x */  '}", id="strings"),
        pytest.param("/*! by us */ a{} /* no */", "/*! by us */a{}", id="licences"),
        pytest.param("a{f: 1em / 1.5 x}", "a{f:1em / 1.5 x}", id="slashes"),
    ],
)  # fmt: skip
def test_minifying_keeps_the_meaning(before, after):
    assert minified(before).replace("\n", "") == after
