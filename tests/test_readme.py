"""What the README tells its reader to type is typed here, and the answers are compared."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30

_spec = spec_from_file_location("readme", ROOT / ".ci" / "readme.py")
readme = module_from_spec(_spec)
sys.modules["readme"] = readme
_spec.loader.exec_module(readme)

SHOP = "Start"
WRAP = "Around an app you have"


def commands(heading):
    return [step for block in readme.blocks(heading, "console") for step in readme.steps(block)]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def is_up(url):
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=1) as answer:
            return answer.status == 200
    except OSError:
        return False


@contextmanager
def serving(command, tmp_path, **options):
    """Run *command* until the block ends; gives its address, its process and its log."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("APP_ENV", "DATABASE_URL", "PORT", "FLASK_APP", "MAKEFLAGS", "MAKELEVEL")
    }
    environment |= {
        "HTTP_PORT": str(port),
        "INSTANCE_PATH": str(tmp_path / "instance"),
        "WEB_CONCURRENCY": "1",
    }
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
            **options,
        )
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not is_up(url):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield url, process, log
        process.terminate()
        process.wait(STOP_TIMEOUT_S)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_make_start_serves_the_shop_and_the_shop_answers_as_shown(tmp_path):
    environment = Path(sys.prefix)
    # The tests run in an environment that is complete; make is not to install into it again.
    make = ["make", "start", f"VENV={environment}", "-o", str(environment / "for-running")]
    with serving(make, tmp_path, cwd=ROOT) as (url, process, log):
        assert readme.differences(SHOP, url) == []
        shown = next(step for step in commands(SHOP) if step.command == "make start")
        position = 0
        output = log.read_text().replace(url, readme.SHOWN_URL)
        for line in shown.answer.splitlines():
            found = re.compile(".*".join(map(re.escape, line.split("...")))).search(
                output, position
            )
            assert found, f"make start did not print {line!r}:\n{output}"
            position = found.end()
    assert not is_up(url)
    assert "Traceback" not in log.read_text()
    assert "Shutting down: Master" in log.read_text()
    assert process.returncode == -signal.SIGTERM  # make passes it on, and ends by it itself


def test_the_app_that_is_wrapped_answers_as_shown(tmp_path):
    [program] = readme.blocks(WRAP, "python")
    (tmp_path / "hello.py").write_text(program, encoding="utf-8")
    carboy = [sys.executable, "-m", "carboy", "run", "hello:app"]
    with serving(carboy, tmp_path, cwd=tmp_path) as (url, process, _log):
        assert readme.differences(WRAP, url) == []
    assert process.returncode == 0


def test_the_app_that_is_wrapped_is_short():
    [program] = readme.blocks(WRAP, "python")
    assert len([line for line in program.splitlines() if line.strip()]) <= 15


@pytest.mark.parametrize("heading", [SHOP, WRAP])
def test_nothing_is_typed_that_no_test_runs(heading):
    run_above = {"make start", "make test", "carboy run hello:app"}
    typed = {step.command for step in commands(heading)}
    others = {command for command in typed if readme.SHOWN_URL not in command}
    assert typed
    assert others <= run_above


def test_every_console_block_stands_under_a_heading_that_is_tested():
    text = readme.README.read_text(encoding="utf-8")
    tested = sum(len(readme.blocks(heading, "console")) for heading in (SHOP, WRAP))
    assert len(re.findall(r"^```console$", text, re.MULTILINE)) == tested


@pytest.mark.parametrize(
    ("answer", "output", "fits"),
    [
        pytest.param('{"id":1}', '{"id":1}', True, id="the same text fits"),
        pytest.param('{"id":1}', '{"id":2}', False, id="another value does not"),
        pytest.param('{"id":1}', '{"id":1,"more":2}', False, id="more than shown does not"),
        pytest.param('{"at":"..."}', '{"at":"2026-01-01"}', True, id="dots stand for any text"),
        pytest.param("a...", "a\nb", False, id="dots do not stand for more lines"),
    ],
)
def test_a_lie_would_be_noticed(answer, output, fits):
    assert readme.Step("curl", answer).fits(output) is fits


def test_a_command_may_go_over_several_lines():
    block = "$ curl -s \\\n    http://127.0.0.1:8080/\nHello\n\n$ make test\n"
    assert list(readme.steps(block)) == [
        readme.Step("curl -s \\\n    http://127.0.0.1:8080/", "Hello"),
        readme.Step("make test", ""),
    ]
