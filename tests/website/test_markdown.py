"""Markdown: rendered, and harmless whoever wrote it."""

from __future__ import annotations

import re
import time

import pytest
from flask import Flask, render_template_string
from markupsafe import Markup

from carboy import Content, markdown


@pytest.mark.parametrize(
    ("text", "html"),
    [
        pytest.param("# One\n\ntwo", "<h1>One</h1>\n<p>two</p>", id="headings"),
        pytest.param("**a** _b_ ~~c~~", "<strong>a</strong> <em>b</em> <s>c</s>", id="emphasis"),
        pytest.param("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>", id="lists"),
        pytest.param("3. a", '<ol start="3">', id="a list that begins later"),
        pytest.param("```python\na < b\n```", '<code class="language-python">a &lt; b', id="code"),
        pytest.param("|a|b|\n|-|-:|\n|1|2|", '<td align="right">2</td>', id="tables"),
        pytest.param("![x](/a.png 't')", '<img src="/a.png" alt="x" title="t">', id="pictures"),
        pytest.param(
            "[x](https://a.example)",
            '<a href="https://a.example" rel="noopener noreferrer">x</a>', id="links",
        ),
        pytest.param("[x](mailto:a@b.example)", 'href="mailto:a@b.example"', id="mail"),
        pytest.param("[x](/a?b=c&d=e#f)", 'href="/a?b=c&amp;d=e#f"', id="paths"),
        pytest.param("<kbd>Ctrl</kbd>", "<p><kbd>Ctrl</kbd></p>", id="harmless HTML"),
        pytest.param("Ünïcödé 🍇", "<p>Ünïcödé 🍇</p>", id="any script"),
        pytest.param("", "", id="nothing"),
    ],
)  # fmt: skip
def test_it_is_rendered(text, html):
    assert html in markdown(text)


HOSTILE = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//e.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><animate onbegin=alert(1)></svg>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<style>body{display:none}</style>",
    "<p style='position:fixed'>x</p>",
    "<form action=//e.example><input name=password></form>",
    "<base href=//e.example><meta http-equiv=refresh content=0><link rel=stylesheet href=x>",
    "<object data=x></object><embed src=x>",
    "<p id=config class=admin>x</p>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href=' JaVaScRiPt:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='vbscript:x'>x</a>",
    "<a href=/x target=_top rel=opener>x</a>",
    "[x](javascript:alert(1))",
    "[x](<java\nscript:alert(1)>)",
    "[x][y]\n\n[y]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "[x](/y \"a' onmouseover='alert(1)\")",
    '```"><script>alert(1)</script>\nx\n```',
    "<!-- <script>alert(1)</script> -->",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<details open ontoggle=alert(1)><summary>x</summary></details>",
]
TAG = re.compile(r"<\s*/?\s*([a-z]+)([^>]*)>", re.IGNORECASE)
DANGEROUS = {"script", "style", "svg", "math", "iframe", "object", "embed", "form", "input", "base",
             "meta", "link", "noscript"}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_dangerous_is_left(text):
    for tag, attributes in TAG.findall(markdown(text)):
        assert tag.lower() not in DANGEROUS
        bare = re.sub(r"\"[^\"]*\"", '""', attributes)
        assert not re.search(r"\b(?:on\w+|style|srcdoc|target|id)\s*=", bare, re.IGNORECASE)
        for address in re.findall(r'(?:href|src)="([^"]*)"', attributes):
            assert not re.match(r"\s*(?:javascript|data|vbscript)\s*:", address, re.IGNORECASE)


@pytest.mark.parametrize(
    "link", ["<a href=/x rel=opener>x</a>", "[x](//e.example)", "<https://e.example>"]
)
def test_a_link_gives_the_page_behind_it_no_hold_on_this_one(link):
    assert 'rel="noopener noreferrer"' in markdown(link)


@pytest.mark.parametrize("name", ["admin", "language-x evil", "language-"])
def test_no_class_but_that_of_a_language_is_kept(name):
    assert "class" not in markdown(f'<code class="{name}">x</code>')


@pytest.mark.parametrize(
    "text",
    ["> " * 50_000, "[" * 50_000, "*a_" * 10_000, "<b>" * 20_000, "- " * 20_000, "`" * 50_001],
)
def test_hostile_nesting_ends(text):
    began = time.process_time()
    markdown(text)
    assert time.process_time() - began < 20  # quadratic ones take minutes


def test_it_is_a_filter_and_a_function_of_templates(tmp_path):
    app = Flask("website", root_path=str(tmp_path))
    Content(app)
    with app.app_context():
        shown = render_template_string("{{ text|markdown }}{{ markdown(text) }}", text="*a*")
    assert shown == "<p><em>a</em></p>\n" * 2
    assert isinstance(markdown("a"), Markup)


def test_the_extra_is_named_when_it_is_missing():
    import subprocess
    import sys

    code = (
        "import sys; sys.modules['nh3'] = None\n"
        "from carboy import markdown\n"
        "try: markdown('a')\nexcept Exception as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'carboy[content]'" in done.stdout
