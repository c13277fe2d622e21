import json

import pytest

from carboy.settings import HIDDEN, Settings


def test_every_setting_is_shown_for_programs(carboy):
    shown = json.loads(carboy("settings", "--json", HTTP_PORT="81").stdout)
    assert [row["name"] for row in shown] == list(Settings.declarations())
    port = next(row for row in shown if row["name"] == "HTTP_PORT")
    assert (port["value"], port["source"], port["group"]) == (81, "environment", "Server")
    assert all(row["doc"] for row in shown)


@pytest.mark.parametrize("columns", ["40", "60", "99", "100", "200"])
def test_every_setting_is_shown_in_a_terminal_of_any_width(carboy, columns):
    told = carboy("settings", COLUMNS=columns)
    assert told.returncode == 0
    assert max(len(line) for line in told.stdout.splitlines()) <= int(columns)
    for name, (_, declared) in Settings.declarations().items():
        assert name[:18] in told.stdout
        assert declared.doc.split()[0] in told.stdout


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["for people", "for programs"])
def test_secrets_are_hidden(carboy, form):
    secret = "abcdefghijklmnopqrstuvwxyz0123456789"
    database = f"postgresql://someone:{secret}@db/shop"
    told = carboy("settings", *form, SECRET_KEY=secret, DATABASE_URL=database)
    assert HIDDEN in told.stdout
    assert secret not in told.stdout + told.stderr


@pytest.mark.usefixtures("app")
def test_the_settings_of_the_app_are_shown(carboy):
    shown = json.loads(carboy("settings", "--json", GREETING="Hi").stdout)
    (own,) = (row for row in shown if row["name"] == "GREETING")
    assert own == {
        "name": "GREETING",
        "value": "Hi",
        "source": "environment",
        "doc": "What to say.",
        "group": "Project",
    }


def test_an_app_outside_any_crate_has_carboys_settings(carboy, tmp_path):
    (tmp_path / "plain.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    told = carboy("--app", "plain", "settings", "--json")
    assert [row["name"] for row in json.loads(told.stdout)] == list(Settings.declarations())
