import subprocess
import sys
from types import SimpleNamespace

import granian
import pytest

from carboy.errors import CarboyError
from carboy.server.granian import engine
from carboy.settings import Settings


@pytest.fixture
def settings():
    return Settings.load(environ={}, dotenv=None)


@pytest.mark.parametrize("version", ["2.7.9", "2.8.8", "2.9.0", "10.1"])
def test_a_version_that_was_never_tried_is_refused(monkeypatch, settings, version):
    monkeypatch.setattr(granian, "__version__", version)
    with pytest.raises(CarboyError, match=f"does not know granian {version}"):
        engine.check(settings)


def test_an_interface_that_has_changed_is_refused(monkeypatch, settings):
    changed = SimpleNamespace(WorkerSignal=object, CallbackScheduler=object, SocketHolder=object)
    monkeypatch.setattr(engine, "_native", lambda: changed)
    with pytest.raises(CarboyError, match="does not know granian"):
        engine.check(settings)


def test_the_present_one_is_known(settings):
    engine.check(settings)


def test_without_it_one_line_says_what_to_install(tmp_path):
    (tmp_path / "wsgi.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    (tmp_path / "run.py").write_text(
        "import sys\nsys.modules['granian'] = None\nfrom carboy.cli import main\nmain(['run'])\n"
    )
    done = subprocess.run(
        [sys.executable, "run.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60,
        check=False, env={"SERVER": "granian", "HTTP_PORT": "0"},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == (
        "Error: SERVER=granian needs granian. Install it with: pip install 'carboy[fast]'\n"
    )
