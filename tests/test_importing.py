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
import importlib.util
assert importlib.util.find_spec("structlog").loader.get_source("structlog")
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
from carboy.importing import when_imported

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


PATTERNS = """
import re
import sys

genuine = re.compile
if sys.argv[1] == "with carboy":
    from carboy import Carboy, Flask, Schema, Settings
import marshmallow
from marshmallow import fields, validate

assert re.compile is genuine
places = vars(validate.Email)
if sys.argv[1] == "with carboy":
    assert "Pattern" not in {type(places[name]).__name__ for name in ("USER_REGEX", "DOMAIN_REGEX")}
load = marshmallow.Schema.from_dict({"mail": fields.Email()})().validate
print([load({"mail": mail}) for mail in ("ada@example.com", "ada@", "\\u00e4@b\\u00fc.de")])
for name in ("USER_REGEX", "DOMAIN_REGEX"):
    found = getattr(validate.Email(), name)
    assert found is places[name] is getattr(validate.Email, name)
    print(type(found), found.flags, found.groups, found.pattern)
"""


def test_patterns_of_addresses_are_compiled_when_they_are_needed():
    said = [
        subprocess.run(
            [sys.executable, "-c", PATTERNS, how], capture_output=True, text=True, check=False
        )
        for how in ("with carboy", "without")
    ]
    assert said[0].returncode == 0, said[0].stderr
    assert said[1].returncode == 0, said[1].stderr
    assert said[0].stdout == said[1].stdout


LATE_PATTERNS = """
import pathlib
import re
import sys

pathlib.Path("some_patterns.py").write_text("import re\\n" + sys.argv[1])
sys.path.insert(0, "")
from carboy.importing import patterns_later

patterns_later("some_patterns", "Known")
genuine = re.compile
try:
    import some_patterns
except ValueError:
    print("failed")
else:
    known = some_patterns.Known
    print({name: type(value).__name__ for name, value in vars(known).items() if name[0] != "_"})
    other = type("Other", (), dict(vars(known)))
    print(known().word.pattern, known.word is vars(known)["word"])
    assert other.word is known.word is vars(other)["word"]
print(re.compile is genuine, not any("_Waiting" in repr(finder) for finder in sys.meta_path))
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(
            "class Known:\n    word = re.compile('a')\n    number = 3",
            "{'word': '_Pattern', 'number': 'int'}\na True\nTrue True\n",
            id="in the class",
        ),
        pytest.param(
            "found = re.compile('a')\nclass Known:\n    word = found",
            "{'word': 'Pattern'}\na True\nTrue True\n",
            id="outside of it",
        ),
        pytest.param(
            "def make():\n    return re.compile('b')\nclass Known:\n    word = make()",
            "{'word': 'Pattern'}\nb True\nTrue True\n",
            id="by a function",
        ),
        pytest.param("raise ValueError", "failed\nTrue True\n", id="that fails"),
    ],
)
def test_only_the_patterns_of_the_classes_wait(tmp_path, text, told):
    done = subprocess.run(
        [sys.executable, "-c", LATE_PATTERNS, text],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout == told, done.stderr


SEVERAL = """
import copy
import importlib.util
import sys

class Old:
    def find_module(self, name, path=None):
        return None

from carboy.importing import patterns_later, when_imported

seen = []
for number in range(3):
    when_imported("colorsys", lambda number=number: seen.append(number))
patterns_later("colorsys", "None")
when_imported("there_is_none", lambda: seen.append("none"))
copy.copy(importlib.util.find_spec("colorsys").loader)
sys.meta_path.append(Old())
assert importlib.util.find_spec("there_is_none") is None
import colorsys
import importlib
assert sorted(seen) == [0, 1, 2], seen
importlib.reload(colorsys)
assert sorted(seen) == [0, 1, 2], seen
assert [type(one).__name__ for one in sys.meta_path].count("_Waiting") == 1
"""


def test_several_may_wait_for_one_module():
    done = subprocess.run(
        [sys.executable, "-c", SEVERAL], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
