"""A plugin of pytest's that writes what became of each test, by its id."""

import json
import os
import pathlib

FOUND = {}


def pytest_runtest_logreport(report):
    if report.when == "call" or not report.passed:
        FOUND.setdefault(report.nodeid, []).append(report.outcome)


def pytest_sessionfinish(session):
    pathlib.Path(os.environ["OUTCOMES"]).write_text(json.dumps(FOUND))
