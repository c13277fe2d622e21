import json

import pytest

pytestmark = pytest.mark.usefixtures("app")


def test_the_switch_goes_on_and_off_and_says_so(carboy):
    assert carboy("maintenance", "status").stdout == "off\n"
    on = carboy("maintenance", "on", "--message", "Back at noon.", "--retry-after", "90")
    assert (on.returncode, on.stdout[:18]) == (0, "Maintenance is on ")
    status = carboy("maintenance", "status").stdout
    assert status.startswith("on, since 20")
    assert status.endswith("Back at noon. (retry after 90 s)\n")
    assert carboy("maintenance", "off").stdout == "Maintenance is off.\n"
    assert carboy("maintenance", "off").stdout == "Maintenance was off already.\n"


def test_the_switch_is_the_one_the_app_looks_at(carboy, tmp_path):
    switch = tmp_path / "elsewhere.json"
    carboy("maintenance", "on", "--message", "Hello", MAINTENANCE_FILE=str(switch))
    assert json.loads(switch.read_text())["message"] == "Hello"


def test_a_switch_without_a_date_is_on(carboy, tmp_path):
    switch = tmp_path / "by-hand.json"
    switch.write_text("{}")
    told = carboy("maintenance", "status", MAINTENANCE_FILE=str(switch))
    assert told.stdout.startswith("on: ")


@pytest.mark.parametrize("turn", ["on", "off"])
def test_a_switch_that_cannot_be_written_is_one_line(carboy, tmp_path, turn):
    switch = tmp_path / "folder"
    switch.mkdir()
    (switch / "held").touch()
    told = carboy("maintenance", turn, MAINTENANCE_FILE=str(switch))
    assert told.returncode == 1
    assert told.stderr.startswith(f"Error: The switch {switch} cannot be changed: ")
    assert list(switch.iterdir()) == [switch / "held"]


def test_seconds_below_zero_are_refused(carboy):
    assert carboy("maintenance", "on", "--retry-after", "-1").returncode == 2


def test_an_app_outside_any_crate_is_told_what_to_add(carboy, tmp_path):
    (tmp_path / "plain.py").write_text("from flask import Flask\napp = Flask('plain')\n")
    told = carboy("--app", "plain", "maintenance", "on")
    assert told.returncode == 1
    assert "Carboy(app)" in told.stderr
