"""The shop has the deployment files that the generator writes, and they work."""

from __future__ import annotations

import http.client
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from carboy.testing import fresh_database

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "examples" / "shop"
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30

_spec = spec_from_file_location("shop_files", ROOT / ".ci" / "shop_files.py")
shop_files = module_from_spec(_spec)
_spec.loader.exec_module(shop_files)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    shop_files.write(folder)
    return folder


def files_of(folder):
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def kept():
    """Name what git has or will have of the shop: not data, nor what an image installs."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "."],
        cwd=SHOP, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {Path(name) for name in listed.stdout.split("\0") if name}


def test_the_shop_has_the_files_of_the_generator_byte_for_byte(written):
    different = [
        str(name)
        for name in sorted(files_of(written))
        if not (SHOP / name).is_file()
        or (SHOP / name).read_bytes() != (written / name).read_bytes()
        or os.access(SHOP / name, os.X_OK) != os.access(written / name, os.X_OK)
    ]
    assert different == [], "make shop-files writes them anew"


def test_the_shop_has_no_deployment_file_that_the_generator_no_longer_writes(written):
    theirs = {name for name in kept() if name.parts[0] in {"deploy", ".github"}}
    theirs |= {name for name in kept() if re.match(r"compose|cloudbuild|Dockerfile", name.name)}
    assert theirs - files_of(written) == set()
    assert len(theirs) > 20


def test_carboy_adopt_writes_the_same_for_the_app_that_is_there(written, tmp_path):
    for name in ("shop", "migrations"):
        shutil.copytree(SHOP / name, tmp_path / name)
    shutil.copy(SHOP / "wsgi.py", tmp_path)
    before = files_of(tmp_path)
    done = subprocess.run(
        [
            Path(sys.executable).with_name("carboy"), "adopt", "wsgi:app", "--name", "shop",
            "--deploy", ",".join(shop_files.ANSWERS.deploy),
        ],
        cwd=tmp_path, env=os.environ | {"APP_ENV": "Testing"}, capture_output=True, text=True,
        timeout=START_TIMEOUT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    compiled = {name for name in files_of(tmp_path) if name.suffix == ".pyc"}
    found = files_of(tmp_path) - before - compiled
    (wheel,) = [name for name in found if name.parts[0] == "wheels"]
    assert found - files_of(written) == {Path(".carboy.toml"), Path("requirements.txt"), wheel}
    for name in files_of(written):
        assert (tmp_path / name).read_bytes() == (written / name).read_bytes(), name


def commands():
    lines = (SHOP / "Procfile").read_text().splitlines()
    return {name: shlex.split(command) for name, command in (line.split(": ", 1) for line in lines)}


@pytest.fixture
def environment(tmp_path):
    """What Heroku sets: the variables of app.json, a database, a port."""
    inherited = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")}
    inherited |= {k: v for k, v in os.environ.items() if k.startswith("COVERAGE")}
    scripts = Path(sys.executable).parent
    with fresh_database() as url:
        yield inherited | {
            "PATH": f"{scripts}:{inherited['PATH']}",
            "APP_ENV": "Production",
            "SECRET_KEY": "Zk3x-9Qw7_Lm2vBn8Rt5Yp1Hs4Jd6Fg0",
            "TRUSTED_HOSTS": "127.0.0.1",
            "DATABASE_URL": url,
            "INSTANCE_PATH": str(tmp_path),
            "WEB_CONCURRENCY": "1",
            "PORT": "0",
        }


def test_the_procfile_releases_and_then_serves_on_the_port_it_is_given(environment):
    release = subprocess.run(
        commands()["release"], cwd=SHOP, env=environment, capture_output=True, text=True,
        timeout=START_TIMEOUT_S, check=False,
    )  # fmt: skip
    assert release.returncode == 0, release.stderr
    with subprocess.Popen(
        commands()["web"], cwd=SHOP, env=environment, stdout=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        try:
            line = server.stdout.readline()
            port = int(re.fullmatch(r"Listening at http://\S+:(\d+)\n", line)[1])
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            with closing(connection):
                connection.request("GET", "/health/ready")
                assert connection.getresponse().read().startswith(b'{"status": "ready"')
        finally:
            server.send_signal(signal.SIGTERM)
            status = server.wait(STOP_TIMEOUT_S)
    assert status == 0


def test_the_web_process_refuses_to_serve_before_the_release(environment):
    web = subprocess.run(
        commands()["web"], cwd=SHOP, env=environment, capture_output=True, text=True,
        timeout=START_TIMEOUT_S, check=False,
    )  # fmt: skip
    assert web.returncode != 0
    assert "flask db upgrade" in web.stderr
