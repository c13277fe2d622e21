"""What the master imports before it forks, and what it leaves alone."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from typing import Any

import pytest

import carboy
from carboy.server.sharing import without_collections

SHARE = """
import json
import os
import sys
from glob import glob

from carboy.server.sharing import share

path = list(sys.path)
share(json.loads(sys.argv[1]))
print(json.dumps({
    "modules": sorted(sys.modules),
    "path_kept": sys.path == path,
    "threads": len(os.listdir("/proc/self/task")),
    "opened": [
        os.readlink(name) for name in glob("/proc/self/fd/*")
        if os.path.lexists(name) and "socket:" in os.readlink(name)
    ],
}))
"""
WRITES_A_FILE = "open('was_run', 'w').close()\n"


@pytest.fixture
def shared(tmp_path):
    """Share what the files of a project import; give what its process then holds."""

    def shared(files: dict[str, str], target: str | None = "shop", **variables: str) -> Any:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        done = subprocess.run(
            [sys.executable, "-c", SHARE, json.dumps(target)],
            cwd=tmp_path,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        held = json.loads(done.stdout)
        assert held["path_kept"]
        return held

    return shared


@pytest.mark.parametrize(
    ("files", "target"),
    [
        pytest.param({"wsgi.py": "import sqlalchemy\n"}, None, id="the usual file"),
        pytest.param({"app.py": "import sqlalchemy as sa\n"}, "app.py", id="a file by its path"),
        pytest.param(
            {"shop.py": "import os, sqlalchemy.orm  # rows\n"}, "shop:make()", id="a submodule"
        ),
        pytest.param(
            {"shop.py": "from sqlalchemy import (  # what\n    orm as o,\n)\n"}, "shop", id="a name"
        ),
        pytest.param(
            {"shop/__init__.py": "", "shop/wsgi.py": "from . import db\n",
             "shop/db.py": "from sqlalchemy import orm\n"},
            "shop.wsgi:app", id="by a module beside it",
        ),
        pytest.param(
            {"shop/__init__.py": "import sqlalchemy\n", "shop/wsgi.py": ""},
            "shop.wsgi", id="by the package around it",
        ),
        pytest.param(
            {"wsgi.py": "from shop import make\n",
             "shop/__init__.py": "def make():\n    from shop.users.views import api\n",
             "shop/users/views.py": "from ..db import db\n", "shop/users/__init__.py": "",
             "shop/db.py": "import sqlalchemy\n"},
            "wsgi", id="by a module that a factory imports",
        ),
    ],
)  # fmt: skip
def test_a_library_that_the_app_imports_is_shared(shared, tmp_path, files, target):
    written = {name: WRITES_A_FILE + text for name, text in files.items()}
    modules = set(shared(written, target)["modules"])
    assert "sqlalchemy" in modules
    assert not modules.intersection({"wsgi", "app", "shop", "shop.db"})
    assert not (tmp_path / "was_run").exists()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("import flask\n", id="not imported"),
        pytest.param("if 0:\n    import sqlalchemy\n", id="imported when it is wanted"),
        pytest.param("from .. import sqlalchemy\n", id="more dots than packages"),
        pytest.param("import nothing_like_this, sqlalchemyst\n", id="another name"),
        pytest.param("# import sqlalchemy\n", id="in a comment"),
    ],
)
def test_a_library_that_the_app_does_not_import_is_not(shared, text):
    assert "sqlalchemy" not in shared({"shop.py": text})["modules"]


def test_a_library_in_the_folder_of_the_app_is_code_of_the_app(shared, tmp_path):
    files = {"shop.py": "import marshmallow\n", "marshmallow.py": WRITES_A_FILE}
    shared(files)
    assert not (tmp_path / "was_run").exists()


@pytest.mark.parametrize(
    ("files", "target"),
    [
        pytest.param({}, None, id="no app"),
        pytest.param({}, "shop", id="no such module"),
        pytest.param({"shop.py": "import"}, "shop", id="a file that cannot be compiled"),
        pytest.param({"shop.py": "from flask import wings\n"}, "shop", id="no such name"),
        pytest.param({"shop.py": "import flask.wings\n"}, "shop", id="no such submodule"),
    ],
)
def test_what_is_wrong_is_left_for_the_app_to_tell(shared, files, target):
    assert shared(files, target)["threads"] == 1


def test_a_package_that_is_installed_elsewhere_is_found(shared, tmp_path):
    files = {"site/shop/__init__.py": "import sqlalchemy\n"}
    assert "sqlalchemy" in shared(files, PYTHONPATH=str(tmp_path / "site"))["modules"]


DATABASE = "from carboy import Database\n"


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        pytest.param("", "sqlalchemy.dialects.sqlite.pysqlite", id="by default SQLite"),
        pytest.param("postgresql://u:p@h/n", "psycopg", id="PostgreSQL"),
        pytest.param("postgres://u:p@h/n", "psycopg", id="as some platforms spell it"),
        pytest.param("mysql://h", "carboy.backing.database", id="a server that is refused later"),
    ],
)
def test_the_driver_of_the_database_is_shared(shared, url, driver):
    if driver == "psycopg":
        pytest.importorskip("psycopg")
    modules = shared({"shop.py": DATABASE}, DATABASE_URL=url)["modules"]
    assert driver in modules


def test_nothing_that_is_shared_starts_a_thread_or_opens_a_connection(shared):
    names = ", ".join(carboy.__all__)
    text = f"import flask_sqlalchemy_lite, marshmallow\nfrom carboy import {names}\n"
    held = shared({"shop.py": text}, DATABASE_URL="postgresql://u:p@127.0.0.1/n")
    assert {"carboy.app", "carboy.backing.database", "prometheus_client"} <= set(held["modules"])
    assert held["threads"] == 1
    assert held["opened"] == []


class TestWithoutCollections:
    @pytest.fixture(autouse=True)
    def thresholds(self):
        kept = gc.get_threshold()
        yield kept
        gc.unfreeze()
        gc.set_threshold(*kept)

    def test_nothing_is_collected_meanwhile_and_what_exists_stays_out_of_it(self, thresholds):
        before = gc.get_freeze_count()
        with without_collections():
            assert gc.get_threshold()[0] == 0
        assert gc.get_threshold() == thresholds
        assert gc.get_freeze_count() > before

    def test_a_failure_restores_it(self, thresholds):
        with pytest.raises(LookupError), without_collections():
            raise LookupError
        assert gc.get_threshold() == thresholds

    def test_what_the_app_chose_for_itself_is_kept(self):
        with without_collections():
            gc.set_threshold(5_000, 20, 20)
        assert gc.get_threshold()[0] == 5_000
