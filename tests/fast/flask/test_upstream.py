"""Flask's and Werkzeug's own tests, from their source distributions, with our class in place.

Left out unless asked for by ``make upstream``: the distributions come from the package index.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
from importlib.metadata import version

import pytest

PLUGINS = pathlib.Path(__file__).parent / "plugins"
# Flask's tests import what pytest 9 no longer has.
BESIDE = ("pytest<9", "ephemeral-port-reserve", "pytest-timeout")
LIMIT_S = 240

pytestmark = pytest.mark.upstream


def pip(*words):
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *words],
        check=True,
        capture_output=True,
        timeout=LIMIT_S,
    )


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    """A folder with what the tests of others import beside what is installed."""
    folder = tmp_path_factory.mktemp("beside")
    pip("install", "--target", str(folder), *BESIDE)
    return folder


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory, beside):
    """A function that runs tests of a distribution, and gives what became of each."""

    def unpacked(name):
        folder = tmp_path_factory.mktemp(name)
        release = f"{name}=={version(name)}"
        pip("download", "--no-deps", "--no-binary", name, "--dest", str(folder), release)
        (archive,) = folder.glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        return next(folder.glob(f"{name}-*/"))

    def run(name, *words):
        folder = folders.get(name) or folders.setdefault(name, unpacked(name))
        written = folder / "outcomes.json"
        written.unlink(missing_ok=True)
        environ = os.environ | {
            "PYTHONPATH": os.pathsep.join(map(str, (beside, PLUGINS))),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "OUTCOMES": str(written),
        }
        plugins = ("-p", "no:cacheprovider", "-p", "pytest_timeout", "-p", "outcomes")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *plugins, *words],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert written.exists(), done.stdout[-4000:] + done.stderr[-4000:]
        return json.loads(written.read_text()), done.stdout

    folders = {}
    return run


def passed(outcomes):
    return sum(found == ["passed"] for found in outcomes.values())


def test_the_same_of_flasks_tests_pass(outcomes):
    stock, _ = outcomes("flask", "tests")
    ours, told = outcomes("flask", "-p", "substitute_flask", "tests")
    assert ours == stock, told[-8000:]
    assert passed(stock) > 450


def test_the_same_of_werkzeugs_routing_tests_pass(outcomes):
    """Wherever they match, the fast lane is asked as well, and must not say anything else."""
    stock, _ = outcomes("werkzeug", "tests/test_routing.py")
    ours, told = outcomes("werkzeug", "-s", "-p", "match_twice", "tests/test_routing.py")
    assert ours == stock, told[-8000:]
    assert passed(stock) > 60
    said, asked = re.search(r"said (\d+) of (\d+)", told).groups()
    assert int(said) > 0.3 * int(asked)
