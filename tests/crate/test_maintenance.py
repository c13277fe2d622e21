"""The switch: seen by every process, told to every caller but the probes."""

import json
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from carboy import Testing
from carboy.crate import Maintenance

NOW_NS = 10**12
LATER_NS = NOW_NS + 10**9


@pytest.fixture
def switch(tmp_path):
    return Maintenance(tmp_path / "deep" / "maintenance.json")


@pytest.mark.parametrize(
    ("state", "method", "path", "status"),
    [
        pytest.param("on", "GET", "/", 503, id="on: refused"),
        pytest.param("on", "POST", "/", 503, id="on: whatever the method"),
        pytest.param("on", "GET", "/nowhere", 503, id="on: an unknown path is refused, not 404"),
        pytest.param("on", "GET", "/healthy", 503, id="on: only the very paths are exempt"),
        pytest.param("on", "GET", "/health", 200, id="on: health still answers"),
        pytest.param("on", "GET", "/health/live", 200, id="on: liveness still answers"),
        pytest.param("on", "GET", "/health/ready", 503, id="on: not ready"),
        pytest.param("on", "GET", "/metrics", 200, id="on: metrics still answer"),
        pytest.param("off", "GET", "/", 200, id="off: served"),
        pytest.param("off", "GET", "/health/ready", 200, id="off: ready"),
    ],
)
def test_the_switch_decides(make_crate, get, state, method, path, status):  # noqa: PLR0917 - fixtures and parameters
    crate = make_crate()
    crate.maintenance.on()
    if state == "off":
        crate.maintenance.off()
    assert crate.maintenance.is_on() is (state == "on")
    assert get(crate, path, method).status == status


def test_what_callers_are_told(make_crate, get):
    crate = make_crate(CORS_ORIGINS="https://a.example")
    crate.maintenance.on("Back at nine.", 120)
    answer = get(crate, HTTP_ORIGIN="https://a.example")
    assert answer["Retry-After"] == "120"
    assert answer["Access-Control-Allow-Origin"] == "https://a.example"
    assert json.loads(answer.body) == {
        "status": "error",
        "message": "Back at nine.",
        "code": "maintenance",
    }
    preflight = get(crate, method="OPTIONS", HTTP_ORIGIN="https://a.example",
                    HTTP_ACCESS_CONTROL_REQUEST_METHOD="PUT")  # fmt: skip
    assert preflight.status == 204
    ready = json.loads(get(crate, "/health/ready").body)
    assert ready == {"status": "maintenance", "checks": {}}


def test_a_released_health_path_is_exempt_as_well(make_crate, get):
    crate = make_crate()
    assert crate.release("/health") is True
    assert crate.release("/health") is False
    crate.maintenance.on()
    assert get(crate, "/health").body == b"hello"


@pytest.mark.parametrize(
    ("content", "message", "retry_after_s"),
    [
        pytest.param(b'{"message": "Soon.", "retry_after_s": 5}', "Soon.", 5, id="as written"),
        pytest.param(b'{"message": "Soon.", "retry_after_s": 0}', "Soon.", 0, id="at once"),
        pytest.param(b"", None, 60, id="empty"),
        pytest.param(b"{", None, 60, id="cut off"),
        pytest.param(b"\xff\xfe", None, 60, id="no text"),
        pytest.param(b"[]", None, 60, id="no object"),
        pytest.param(b"[" * 100_000, None, 60, id="too deep"),
        pytest.param(b'{"message": 7, "retry_after_s": "5"}', None, 60, id="of other types"),
        pytest.param(b'{"retry_after_s": true, "since": 7}', None, 60, id="true is no number"),
        pytest.param(b'{"retry_after_s": -5}', None, 60, id="before now"),
        pytest.param(b'{"message": "\\ud800"}', "?", 60, id="half a character"),
    ],
)
def test_a_file_that_is_there_means_on(switch, content, message, retry_after_s):
    switch.path.parent.mkdir()
    switch.path.write_bytes(content)
    assert switch.is_on()
    notice = switch.notice()
    assert notice.message == (message or "The service is in maintenance. Try again shortly.")
    assert notice.retry_after_s == retry_after_s


def test_others_see_it_within_a_second(switch):
    other = Maintenance(switch.path)
    assert other.notice(NOW_NS) is None
    switch.on("First.")
    assert other.notice(NOW_NS + 1) is None, "it looks a few times a second only"
    assert other.notice(LATER_NS).message == "First."
    switch.on("Second.")
    assert other.notice(2 * LATER_NS).message == "Second."
    switch.off()
    switch.off()
    assert other.notice(3 * LATER_NS) is None


def test_another_process_sees_it(switch):
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from carboy.crate.maintenance import Maintenance\n"
        "switch = Maintenance(Path(sys.argv[1]))\n"
        "switch.notice()\n"
        "print('looking', flush=True)\n"
        "deadline = time.monotonic() + 20\n"
        "while switch.notice() is None and time.monotonic() < deadline: pass\n"
        "print(switch.notice().message)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(switch.path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "looking\n"
        began = time.monotonic()
        switch.on("Seen.")
        assert other.stdout.readline() == "Seen.\n"
        assert time.monotonic() - began < 15
    assert other.returncode == 0


def test_the_file_is_written_whole(switch, monkeypatch):
    switch.on("Before.", 7)
    held = json.loads(switch.path.read_text())
    assert (held["message"], held["retry_after_s"]) == ("Before.", 7)
    assert held["since"].endswith("+00:00")
    assert stat.S_IMODE(switch.path.stat().st_mode) == 0o644

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        switch.on("After.")
    assert switch.notice().message == "Before."
    assert [file.name for file in switch.path.parent.iterdir()] == ["maintenance.json"]


def test_what_was_seen_last_stands_while_the_disk_fails(switch, monkeypatch):
    switch.on("Seen.")
    assert switch.notice(NOW_NS).message == "Seen."

    def broken(self):
        raise PermissionError

    monkeypatch.setattr(Path, "stat", broken)
    assert switch.notice(LATER_NS).message == "Seen."


def test_a_folder_that_is_a_file_means_off(tmp_path):
    (tmp_path / "file").touch()
    assert not Maintenance(tmp_path / "file" / "maintenance.json").is_on()


def test_where_the_switch_is(tmp_path):
    default = Maintenance.from_settings(Testing.load(environ={}), tmp_path)
    assert default.path == tmp_path / "maintenance.json"
    named = Testing.load(environ={}, MAINTENANCE_FILE=str(tmp_path / "switch"))
    assert Maintenance.from_settings(named, tmp_path / "else").path == tmp_path / "switch"
