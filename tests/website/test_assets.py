"""Assets as templates, browsers and those who deploy meet them."""

from __future__ import annotations

import os
import re

import pytest
from flask import Flask

from carboy import Assets, Carboy
from carboy.errors import CarboyError


def test_a_page_names_the_address_with_the_hash(website):
    answer = website.app().test_client().get("/")
    assert re.search(r'href="/static/site\.[0-9a-f]{16}\.css"', answer.text)


def test_an_edit_shows_at_the_next_request(website):
    app = website.app()
    before = website.url(app)
    website.write(assets__site_css="body { color: blue }")
    assert website.url(app) != before
    assert website.text(app) == "body { color: blue }"


def test_an_edit_of_the_same_length_within_a_tick_shows_too(website):
    app = website.app()
    path = website.root / "assets" / "site.css"
    path.write_text("a{}")
    website.url(app)
    status = path.stat()
    path.write_text("b{}")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert website.text(app) == "b{}"


def test_outside_of_production_sources_are_readable(website):
    website.write(assets__site_js="const answer = 42; // why\n")
    assert website.text(website.app(), "site.js") == "const answer = 42; // why\n"


def test_production_serves_what_was_built(website):
    assert website.build().exit_code == 0
    assert website.text(website.app(website.production)).startswith("body{color:red}")


def test_a_build_for_production_takes_the_place_of_one_for_development(website):
    website.url(website.app())
    assert website.build().exit_code == 0
    assert website.text(website.app(website.production)).startswith("body{color:red}")


def test_development_is_content_with_a_build_for_production(website):
    website.build()
    before = website.files()
    assert website.text(website.app()).startswith("body{color:red}")
    assert website.files() == before


def test_a_build_in_production_needs_no_sources(website):
    website.build()
    (website.root / "assets" / "site.css").unlink()
    (website.root / "assets").rmdir()
    assert website.text(website.app(website.production)).startswith("body{color:red}")


def _nothing(website):
    pass


def _built_for_development(website):
    website.url(website.app())


def _built_of_other_sources(website):
    website.build()
    website.write(assets__site_css="body{color:blue}")


def _built_of_other_bundles(website):
    website.build(bundles={"all.css": ["site.css"]})


def _a_file_lost(website):
    website.build()
    (website.static / website.files()[0]).unlink()


def _a_manifest_cut_short(website):
    website.build()
    (website.static / ".assets.json").write_text('{"fingerprint": "')


@pytest.mark.parametrize(
    "state",
    [_nothing, _built_for_development, _built_of_other_sources, _built_of_other_bundles,
     _a_file_lost, _a_manifest_cut_short],
    ids=lambda state: state.__name__.strip("_").replace("_", " "),
)  # fmt: skip
def test_production_does_not_serve(website, state):
    state(website)
    app = website.app(website.production)
    [start] = [one for one in app.extensions["carboy.start"] if "current" in one.__name__]
    with pytest.raises(CarboyError, match="flask assets build"):
        start()


def test_a_server_is_not_started_without_assets(website, project):
    done = project("carboy", "run", "wsgi:app", **website.production, HTTP_PORT="0")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: The assets are not in ")
    assert done.stderr.endswith("Build them: flask assets build\n")
    assert len(done.stderr.splitlines()) == 1


def test_the_command_lists_what_it_wrote(project, website):
    done = project("flask", "--app", "wsgi", "assets", "build", APP_ENV="Testing")
    assert done.returncode == 0, done.stderr
    assert re.match(
        r"site\.css -> site\.[0-9a-f]{16}\.css  \d+ bytes, \d+ compressed\n1 assets in ",
        done.stdout,
    )
    assert len(website.files()) == 2


def test_the_command_says_in_one_line_what_is_wrong(project, website):
    website.write(assets__site_css="a {}\nb { background: url(no.png) }")
    done = project("flask", "--app", "wsgi", "assets", "build", APP_ENV="Testing")
    assert done.returncode == 1
    assert done.stderr == "Error: site.css, line 2: url(no.png) leads to no file, no.png.\n"
    assert website.files() == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        pytest.param("sit.css", "there are all.css, site.css", id="a misspelt one"),
        pytest.param("part.css", "it is a part of all.css", id="a part of a bundle"),
    ],
)
def test_an_asset_that_is_not_there_is_named(website, name, hint):
    website.write(assets__part_css="a{}")
    app = website.app(bundles={"all.css": ["part.css"]})
    with pytest.raises(LookupError, match=re.escape(f"There is no asset '{name}'; {hint}.")):
        website.url(app, name)


def test_two_apps_have_their_own_assets(website, tmp_path):
    assets = Assets()
    apps = []
    for colour in ("red", "blue"):
        root = tmp_path / colour
        (root / "assets").mkdir(parents=True)
        (root / "assets" / "site.css").write_text(colour)
        apps.append(Flask(colour, root_path=str(root)))
        assets.init_app(apps[-1])
    assert [website.text(app) for app in apps] == ["red", "blue"]


def test_the_order_with_carboy_does_not_matter(website):
    website.build()
    app = Flask("website", root_path=str(website.root))
    Assets(app)
    Carboy(app, website.production)
    assert website.text(app).startswith("body{color:red}")


def test_an_app_without_a_static_folder_is_refused(tmp_path):
    with pytest.raises(CarboyError, match='static_folder="static"'):
        Assets(Flask("website", root_path=str(tmp_path), static_folder=None))


def test_a_folder_of_sources_that_is_not_there_is_named(tmp_path):
    app = Flask("website", root_path=str(tmp_path))
    Assets(app, folder="frontend")
    with pytest.raises(CarboyError, match=r"no folder .*/frontend"), app.test_request_context():
        Assets.url("site.css")
