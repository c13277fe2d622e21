"""marshmallow's own tests, from its source distribution, with the compiled class in its place.

Left out unless asked for by ``make upstream``: the distribution is fetched from the package index.
"""

import os
import re
import subprocess
import sys
import tarfile
from importlib.metadata import version

import pytest

SUBSTITUTE = """
import marshmallow
import marshmallow.schema

from carboy.fast.schema import Schema

marshmallow.Schema = marshmallow.schema.Schema = Schema
"""
# Else most of these tests would be over before anything is shared or compiled.
IMPATIENT = """
import substitute

from carboy.fast.schema import compiled, mould, sharing

sharing.PATIENCE = 0
found = mould.mould_of
compiled.mould_of = lambda kind, arguments: found(kind, arguments, at_once=True)
"""
LIMIT_S = 240


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    """The unpacked distribution, with what its tests need beside it."""
    folder = tmp_path_factory.mktemp("upstream")
    release = f"marshmallow=={version('marshmallow')}"
    fetching = [
        ["download", "--no-deps", "--no-binary", "marshmallow", "--dest", str(folder), release],
        ["install", "--target", str(folder / "beside"), "simplejson"],
    ]
    for words in fetching:
        subprocess.run(
            [sys.executable, "-m", "pip", "--disable-pip-version-check", *words],
            check=True,
            capture_output=True,
            timeout=LIMIT_S,
        )
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    (folder / "substitute.py").write_text(SUBSTITUTE)
    (folder / "impatient.py").write_text(IMPATIENT)
    (unpacked,) = folder.glob("marshmallow-*/")
    return unpacked


def passed(suite, *words):
    beside = os.pathsep.join(map(str, (suite.parent, suite.parent / "beside")))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words, "tests"],
        cwd=suite,
        env=os.environ | {"PYTHONPATH": beside},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    last = done.stdout.strip().splitlines()[-1]
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return int(re.search(r"(\d+) passed", last)[1])


@pytest.mark.upstream
def test_as_many_of_marshmallows_tests_pass_with_the_compiled_class(suite):
    genuine = passed(suite)
    assert genuine > 1000
    assert passed(suite, "-p", "substitute") == genuine
    assert passed(suite, "-p", "impatient") == genuine
