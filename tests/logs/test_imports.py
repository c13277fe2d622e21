import subprocess
import sys

import pytest

LATE = """
import io, logging, sys
sys.stderr = io.StringIO()
from flask import Flask
from carboy import Carboy

if sys.argv[1] == "before":
    import structlog
Carboy(Flask("late"), {"APP_ENV": "Testing", "LOG_FORMAT": "json", "LOG_LEVEL": "INFO"})
assert ("structlog" in sys.modules) is (sys.argv[1] == "before")
import structlog
structlog.get_logger("shop").info("sold", piece=7)
assert '"event":"sold"' in sys.stderr.getvalue(), sys.stderr.getvalue()
assert '"piece":7' in sys.stderr.getvalue()
assert structlog.__spec__.loader is structlog.__loader__
assert "SourceFileLoader" in repr(structlog.__loader__)
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_structlog_is_set_up_whenever_it_is_imported(when):
    done = subprocess.run(
        [sys.executable, "-c", LATE, when], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


FAILING = """
import sys
from carboy.logs.imports import when_imported

seen = []
when_imported("there_is_none", lambda: seen.append(1))
try:
    import there_is_none
except ModuleNotFoundError:
    pass
else:
    raise SystemExit("It was imported.")
assert not seen
"""


def test_a_module_that_is_not_there_stays_so():
    done = subprocess.run(
        [sys.executable, "-c", FAILING], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
