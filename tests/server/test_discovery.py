"""Finding the app. Modules have names of their own: imports last as long as the process."""

import itertools
import sys

import pytest

from carboy.errors import CarboyError
from carboy.server import discovery

FLASK = "from flask import Flask\n"
_numbers = itertools.count()


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Write modules into an empty current folder; `{name}` in a target is the module's name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLASK_APP", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)

    def write(source, file=None):
        name = file or f"discovered_{next(_numbers)}"
        (tmp_path / f"{name}.py").write_text(source)
        return name

    yield write
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(
            sys.modules[name].__file__
        ):
            del sys.modules[name]


@pytest.mark.parametrize(
    ("source", "suffix"),
    [
        pytest.param("app = Flask('found')", "", id="an app called app"),
        pytest.param("application = Flask('found')", "", id="an app called application"),
        pytest.param("mine = Flask('found')", "", id="the only app"),
        pytest.param("mine = Flask('found'); other = Flask('x')", ":mine", id="one of two, named"),
        pytest.param("def create_app(settings=None): return Flask('found')", "", id="a factory"),
        pytest.param("def made(): return Flask('found')", ":made", id="a factory by name"),
        pytest.param("def made(n): return Flask(n)", ":made('found')", id="a factory with words"),
        pytest.param("app = Flask('found')", ".py", id="a file"),
    ],
)
def test_an_app_is_found(project, source, suffix):
    assert discovery.load(project(FLASK + source) + suffix).name == "found"


def test_without_a_name_flask_app_decides(project, monkeypatch):
    monkeypatch.setenv("FLASK_APP", project(FLASK + "app = Flask('named')"))
    project(FLASK + "app = Flask('wsgi')", "wsgi")
    assert discovery.load().name == "named"


@pytest.mark.parametrize("name", ["wsgi", "app"])
def test_without_any_name_the_usual_files_are_tried(project, name):
    project(FLASK + f"app = Flask('{name}')", name)
    assert discovery.load().name == name


def test_nothing_to_find_is_no_error_for_those_who_can_do_without(project):
    assert discovery.find() is None


@pytest.mark.parametrize(
    ("source", "suffix", "told"),
    [
        pytest.param("", "", "Failed to find Flask application", id="no app in it"),
        pytest.param("", ":app", "Failed to find attribute 'app'", id="not that app"),
        pytest.param("app = 7", ":app", "valid Flask application", id="not an app"),
        pytest.param("", ":a b", "Failed to parse", id="not a name"),
        pytest.param("import nope_nope", "", "No module named 'nope_nope'", id="missing import"),
        pytest.param("\n\napp = (", "", "line 3", id="syntax error"),
        pytest.param("raise ValueError('two\\nlines')", "", "ValueError: two lines", id="raises"),
        pytest.param("raise KeyError", "", "KeyError (", id="raises without a word"),
        pytest.param("def create_app(): raise OSError('no')", "", "OSError: no", id="in factory"),
        pytest.param("raise SystemExit(3)", "", "SystemExit: 3", id="exits"),
    ],
)
def test_an_app_that_cannot_be_loaded_is_one_line(project, source, suffix, told):
    name = project(source)
    with pytest.raises(discovery.AppError) as refused:
        discovery.load(name + suffix)
    assert told in str(refused.value)
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("name", ["no_such_module", "no_such_package.module"])
def test_a_module_that_does_not_exist_is_named(project, name):
    with pytest.raises(discovery.AppError, match="There is no module 'no_such_"):
        discovery.load(name)


def test_no_app_at_all_says_where_to_put_it(project):
    with pytest.raises(discovery.AppError, match=r"wsgi\.py or app\.py"):
        discovery.load()


def test_what_the_app_says_itself_is_left_alone(project):
    name = project("from carboy.errors import CarboyError\nraise CarboyError('Own words.')")
    with pytest.raises(CarboyError, match=r"^Own words\.$"):
        discovery.load(name)
