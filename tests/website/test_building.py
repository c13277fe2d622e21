"""What a build writes, and what it leaves."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys

import pytest

from carboy import Assets
from carboy.errors import CarboyError
from carboy.website.building import build
from carboy.website.manifest import Manifest, write_whole
from carboy.website.sources import Sources


def test_a_bundle_joins_its_parts_in_order(website):
    website.write(assets__a_css="a{}", assets__b_css="b{}")
    app = website.app(bundles={"all.css": ["b.css", "a.css", "site.css"]})
    assert website.text(app, "all.css").startswith("b{}\na{}\nbody")
    assert len(website.files()) == 1


def test_scripts_that_end_without_a_semicolon_stay_apart(website):
    website.write(assets__a_js="const a = 1 // one", assets__b_js="(function () {})()")
    website.build(bundles={"all.js": ["a.js", "b.js"]})
    app = website.app(website.production, bundles={"all.js": ["a.js", "b.js"]})
    assert website.text(app, "all.js") == "const a=1\n;\n(function(){})()"


def test_files_whose_name_begins_with_a_dot_are_no_assets(website):
    for name in (".git/config.css", ".env", "img/.DS_Store", "site.css~"):
        path = website.root / "assets" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("secret")
    website.build()
    assert set(Manifest.load(website.static).files) == {"site.css"}
    assert {path.suffix for path in website.static.rglob("*")} == {".css", ".gz", ".json"}


def test_whoever_reads_a_file_meanwhile_reads_all_of_it(tmp_path):
    path, held = tmp_path / "site.css", tmp_path / "held.css"
    path.write_bytes(b"before")
    os.link(path, held)
    write_whole(path, b"after")
    assert (path.read_bytes(), held.read_bytes()) == (b"after", b"before")


def test_a_file_that_goes_away_meanwhile_is_no_asset(website):
    # As an editor's own beside the file that it saves: listed, and gone when it is read.
    (website.root / "assets" / "4913.css").symlink_to("gone.css")
    website.url(website.app())
    assert {name.partition(".")[0] for name in website.files()} == {"site"}


def test_folders_keep_their_names(website):
    website.write(assets__img__icons__square_svg=website.square)
    assert "/static/img/icons/square." in website.url(website.app(), "img/icons/square.svg")


def test_what_is_minified_already_stays_as_it_is(website):
    website.write(assets__lib_min_css="a { b : c }")
    path = website.root / "assets" / "lib.min.css"
    path.write_text("a { b : c }")
    website.build()
    assert website.text(website.app(website.production), "lib.min.css") == "a { b : c }"


def test_the_same_sources_give_the_same_files(website, tmp_path):
    website.write(assets__logo_svg=website.square)
    sources = Sources(website.root / "assets", {})
    trees = []
    for name in ("one", "two"):
        build(sources, tmp_path / name, minify=True)
        files = [path for path in (tmp_path / name).rglob("*") if path.is_file()]
        trees.append({path.name: path.read_bytes() for path in files})
    assert trees[0] == trees[1]
    compressed = next(data for name, data in trees[0].items() if name.endswith(".gz"))
    assert compressed[4:8] == bytes(4)  # no time of building
    assert len(trees[0]) == 4


def test_files_can_be_read_by_another_user(website):
    website.build()
    modes = {stat.S_IMODE((website.static / name).stat().st_mode) for name in website.files()}
    before = os.umask(0o022)
    os.umask(before)
    assert modes == {0o666 & ~before}


def colours(website):
    found = (re.search("red|blue|green", (website.static / name).read_text())
             for name in website.files() if name.endswith(".css"))  # fmt: skip
    return sorted(match[0] for match in found)


def test_a_file_is_kept_for_one_more_build(website):
    seen = []
    for colour in ("red", "blue", "green"):
        website.write(assets__site_css=f"body {{ color: {colour} }}\n" * 40)
        assert website.build().exit_code == 0
        seen.append(colours(website))
    assert seen == [["red"], ["blue", "red"], ["blue", "green"]]
    assert len(website.files()) == 4


def test_the_file_of_the_build_before_is_still_kept_by_browsers(website):
    website.build()
    before = website.url(website.app(website.production))
    website.write(assets__site_css="body{color:blue}")
    website.build()
    answer = website.app(website.production).test_client().get(before, buffered=True)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]


def test_building_twice_takes_nothing_away(website):
    website.build()
    website.write(assets__site_css="body{color:blue}")
    website.build()
    files = website.files()
    website.build()
    assert website.files() == files


def test_an_edit_that_changes_no_file_takes_nothing_away(website):
    website.build()
    website.write(assets__site_css="body{color:blue}")
    website.build()
    files = website.files()
    website.write(assets__site_css="body{color:blue} /* as before */")
    website.build()
    assert website.files() == files


def test_a_file_that_was_lost_is_built_again(website):
    website.build()
    files = website.files()
    (website.static / files[0]).unlink()
    website.build()
    assert website.files() == files


def test_files_of_ones_own_in_the_static_folder_stay(website):
    website.write(static__own_txt="mine")
    for colour in ("red", "blue", "green"):
        website.write(assets__site_css=colour)
        website.build()
    assert (website.static / "own.txt").read_text() == "mine"


def test_a_file_cut_short_is_written_again(website):
    website.build()
    path = website.static / next(name for name in website.files() if name.endswith(".css"))
    whole = path.read_bytes()
    path.write_bytes(b"")
    (website.static / ".assets.json").unlink()
    website.build()
    assert path.read_bytes() == whole


def test_what_a_killed_build_left_is_removed(website):
    website.static.mkdir()
    left = website.static / ".assets-1-abcd"
    left.write_text("half")
    website.build()
    assert not left.exists()


BUILD_OFTEN = """
import sys
from pathlib import Path
from carboy.website.building import build
from carboy.website.sources import Sources

source, static, own = sys.argv[1:]
for number in range(20):
    bundles = {f"{own}{number}.css": ["site.css"]}
    manifest = build(Sources(Path(source), bundles), Path(static), minify=number % 2 == 0)
    assert list(manifest.files) == [f"{own}{number}.css"]
"""


def test_builds_at_the_same_time_leave_a_whole_one(website):
    builders = [
        subprocess.Popen(
            [sys.executable, "-c", BUILD_OFTEN, website.root / "assets", website.static, own],
            stderr=subprocess.PIPE,
        )
        for own in ("a", "b", "c")
    ]
    assert [builder.communicate(timeout=60)[1] for builder in builders] == [b""] * 3
    assert [builder.returncode for builder in builders] == [0] * 3
    manifest = Manifest.load(website.static)
    assert manifest.is_whole(website.static)
    kept = {*manifest.kept, *(f"{name}.gz" for name in manifest.kept)}
    assert set(website.files()) <= kept
    assert not list(website.static.glob(".assets-*"))


@pytest.mark.parametrize(
    ("bundles", "message"),
    [
        pytest.param({"all.css": []}, "needs a list of files", id="no parts"),
        pytest.param({"all.css": "site.css"}, "needs a list of files", id="text for a list"),
        pytest.param({"all.css": ["a.js"]}, "Join .css files into a .css", id="mixed kinds"),
        pytest.param({"all.png": ["a.png"]}, "Join .css files into a .css", id="pictures"),
        pytest.param({"all.css": ["no.css"]}, "to contain no.css, which is not in", id="missing"),
        pytest.param({"site.css": ["a.css"]}, "called like a file", id="a name that is taken"),
    ],
)
def test_a_bundle_that_cannot_be_is_refused(website, bundles, message):
    website.write(assets__a_css="a{}", assets__a_js="1")
    with pytest.raises(CarboyError, match=re.escape(message)):
        website.url(website.app(bundles=bundles), "all.css")


def test_a_bundle_may_be_called_like_one_of_its_parts(website):
    website.write(assets__a_css="a{}")
    app = website.app(bundles={"site.css": ["a.css", "site.css"]})
    assert website.text(app).startswith("a{}\nbody")


def test_text_that_is_not_utf_8_is_refused(website):
    website.write(assets__site_css="a{}\nb{content:'\xe4'}".encode("latin-1"))
    with pytest.raises(CarboyError, match=r"site\.css, line 2: not UTF-8"):
        website.url(website.app())


def test_a_folder_that_cannot_be_written_is_named(website):
    (website.root / "static").write_text("a file")
    with pytest.raises(CarboyError, match=r"cannot be built into .*/static: File exists"):
        website.url(website.app())


@pytest.mark.parametrize(("library", "name"), [("rcssmin", "site.css"), ("rjsmin", "site.js")])
def test_the_extra_is_named_when_it_is_missing(website, monkeypatch, library, name):
    monkeypatch.setitem(sys.modules, library, None)
    (website.root / "assets" / "site.css").unlink()
    (website.root / "assets" / name).write_text("a")
    done = website.build()
    assert done.exit_code == 1
    assert f"minified with {library}. Install it: pip install 'carboy[assets]'" in done.output


def test_without_a_request_an_address_needs_none(website):
    app = website.app()
    app.config["SERVER_NAME"] = "shop.example"
    with app.app_context():
        assert Assets.url("site.css").startswith("http://shop.example/static/site.")
